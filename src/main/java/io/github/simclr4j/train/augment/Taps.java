// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

/**
 * The source pixels and weights of each pixel of a resized row. All pixels have the same number of weights, some of which are 0. An
 * instance is reusable and belongs to one thread.
 */
final class Taps {
    private int count;
    private int[] first = {};
    private float[] weights = {};

    /**
     * Computes the weights for resizing. Pixels beyond the ends have no weight, as if the row had been cropped before.
     *
     * @param from number of source pixels
     * @param to number of resulting pixels
     * @param mirror whether to flip the result
     * @param interpolation filter
     */
    void set(int from, int to, boolean mirror, Interpolation interpolation) {
        double ratio = (double) from / to;
        double scale = Math.max(ratio, 1);
        double reach = interpolation.support() * scale;
        count = Math.min(from, (int) Math.ceil(2 * reach));
        if (first.length < to || weights.length < to * count) {
            first = new int[to];
            weights = new float[to * count];
        }
        double[] weight = new double[count];
        for (int i = 0; i < to; i++) {
            double center = (i + 0.5) * ratio - 0.5;
            // The first pixel within reach.
            int begin = Math.max(0, Math.min(from - count, (int) Math.floor(center - reach) + 1));
            double sum = 0;
            for (int k = 0; k < count; k++) {
                weight[k] = interpolation.weight(Math.abs(begin + k - center) / scale);
                sum += weight[k];
            }
            int at = mirror ? to - 1 - i : i;
            first[at] = begin;
            for (int k = 0; k < count; k++) {
                weights[at * count + k] = (float) (weight[k] / sum);
            }
        }
    }

    /** Returns the number of weights per pixel. */
    int count() {
        return count;
    }

    /** Returns the first source pixel of each pixel. */
    int[] first() {
        return first;
    }

    /** Returns the weights, {@link #count} per pixel. */
    float[] weights() {
        return weights;
    }
}
