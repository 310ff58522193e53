// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

/**
 * Crops a box and resizes it with antialiasing, like torchvision's {@code resized_crop} of tensors.
 *
 * <p>It blends whole rows first, because the compiler vectorises a loop over several rows, and then the pixels of the resulting row,
 * while that row is in the L1 cache. An instance is reusable and belongs to one thread.
 */
final class Resampler {
    private final Taps vertical = new Taps();
    private final Taps horizontal = new Taps();
    /** The rows of the box that the current output row needs; row y is at index y modulo their number. */
    private float[][] rows = {};

    private float[] mixed = {};

    /** A source of rows. */
    @FunctionalInterface
    interface Rows {
        /** Writes a row of the box as interleaved RGB. */
        void read(int row, float[] into);
    }

    /**
     * Resizes a box.
     *
     * @param source rows of the box
     * @param height height of the box in pixels
     * @param width width of the box in pixels
     * @param mirror whether to flip the result horizontally
     * @param size side of the result in pixels
     * @param interpolation filter
     * @param out three planes, which must not be those that the source reads; values are clamped to [0, 1]
     */
    void resize(
            Rows source, int height, int width, boolean mirror, int size, Interpolation interpolation, float[][] out) {
        vertical.set(height, size, false, interpolation);
        horizontal.set(width, size, mirror, interpolation);
        int count = vertical.count();
        reserve(count, 3 * width);
        int read = 0;
        for (int y = 0; y < size; y++) {
            int first = vertical.first()[y];
            for (read = Math.max(read, first); read < first + count; read++) {
                source.read(read, rows[read % count]);
            }
            mixRows(first, vertical.weights(), y * count, count, 3 * width);
            mixPixels(y * size, size, out);
            for (float[] plane : out) {
                Colours.cut(plane, y * size, (y + 1) * size);
            }
        }
    }

    private void reserve(int count, int length) {
        if (rows.length < count || rows[0].length < length) {
            rows = new float[Math.max(rows.length, count)][Math.max(length, mixed.length)];
            mixed = new float[rows[0].length];
        }
    }

    /** Blends rows in groups of four; an incomplete group is filled with rows of weight 0. */
    private void mixRows(int first, float[] weights, int at, int count, int length) {
        for (int k = 0; k < count; k += 4) {
            float[] a = rows[(first + k) % count];
            float[] b = rows[(first + Math.min(k + 1, count - 1)) % count];
            float[] c = rows[(first + Math.min(k + 2, count - 1)) % count];
            float[] d = rows[(first + Math.min(k + 3, count - 1)) % count];
            float wa = weights[at + k];
            float wb = k + 1 < count ? weights[at + k + 1] : 0;
            float wc = k + 2 < count ? weights[at + k + 2] : 0;
            float wd = k + 3 < count ? weights[at + k + 3] : 0;
            if (k == 0) {
                mix(a, wa, b, wb, c, wc, d, wd, mixed, length);
            } else {
                add(a, wa, b, wb, c, wc, d, wd, mixed, length);
            }
        }
    }

    private static void mix(
            float[] a,
            float wa,
            float[] b,
            float wb,
            float[] c,
            float wc,
            float[] d,
            float wd,
            float[] out,
            int length) {
        for (int i = 0; i < length; i++) {
            out[i] = wa * a[i] + wb * b[i] + wc * c[i] + wd * d[i];
        }
    }

    private static void add(
            float[] a,
            float wa,
            float[] b,
            float wb,
            float[] c,
            float wc,
            float[] d,
            float wd,
            float[] out,
            int length) {
        for (int i = 0; i < length; i++) {
            out[i] += wa * a[i] + wb * b[i] + wc * c[i] + wd * d[i];
        }
    }

    private void mixPixels(int to, int size, float[][] out) {
        if (horizontal.count() == 4) {
            mixFour(horizontal.first(), horizontal.weights(), mixed, to, size, out[0], out[1], out[2]);
        } else {
            mixAny(
                    horizontal.first(),
                    horizontal.weights(),
                    horizontal.count(),
                    mixed,
                    to,
                    size,
                    out[0],
                    out[1],
                    out[2]);
        }
    }

    /** Blends pixels with four weights each, the most frequent case: a bicubic filter that enlarges. */
    private static void mixFour(
            int[] first, float[] weights, float[] in, int to, int size, float[] r, float[] g, float[] b) {
        for (int x = 0; x < size; x++) {
            int from = 3 * first[x];
            float wa = weights[4 * x];
            float wb = weights[4 * x + 1];
            float wc = weights[4 * x + 2];
            float wd = weights[4 * x + 3];
            r[to + x] = wa * in[from] + wb * in[from + 3] + wc * in[from + 6] + wd * in[from + 9];
            g[to + x] = wa * in[from + 1] + wb * in[from + 4] + wc * in[from + 7] + wd * in[from + 10];
            b[to + x] = wa * in[from + 2] + wb * in[from + 5] + wc * in[from + 8] + wd * in[from + 11];
        }
    }

    private static void mixAny(
            int[] first, float[] weights, int count, float[] in, int to, int size, float[] r, float[] g, float[] b) {
        for (int x = 0; x < size; x++) {
            int from = 3 * first[x];
            float red = 0;
            float green = 0;
            float blue = 0;
            for (int k = 0; k < count; k++) {
                float w = weights[count * x + k];
                red += w * in[from + 3 * k];
                green += w * in[from + 3 * k + 1];
                blue += w * in[from + 3 * k + 2];
            }
            r[to + x] = red;
            g[to + x] = green;
            b[to + x] = blue;
        }
    }
}
