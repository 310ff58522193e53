package io.github.simclr4j.train.augment;

/**
 * The pixels and weights that make each pixel of a resized row. All pixels have the same number of weights, some of them 0. An
 * object is reused; it belongs to one thread.
 */
final class Taps {
    private int count;
    private int[] first = {};
    private float[] weights = {};

    /**
     * Computes the weights that resize {@code from} pixels to {@code to}. Pixels beyond the ends have no weight, as if the image
     * had been cut out before.
     *
     * @param mirror whether the result is mirrored
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
            // The first pixel that is nearer than the reach.
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

    /** Returns how many weights each pixel of the result has. */
    int count() {
        return count;
    }

    /** Returns the first pixel that each pixel of the result is made of. */
    int[] first() {
        return first;
    }

    /** Returns the weights, {@link #count} for each pixel of the result. */
    float[] weights() {
        return weights;
    }
}
