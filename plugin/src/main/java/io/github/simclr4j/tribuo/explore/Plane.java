// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.explore;

/**
 * A small square image of a few channels.
 *
 * @param size width and height in pixels
 * @param channels the values, [channels][size * size]
 */
record Plane(int size, float[][] channels) {

    /**
     * A square part of an image.
     *
     * @param scale side length as a fraction of the image's side
     * @param x left edge, 0 to 1 - scale
     * @param y upper edge, 0 to 1 - scale
     */
    record Window(double scale, double x, double y) {}

    /** Makes an image from RGB bytes, [size, size, 3]. */
    static Plane rgb(byte[] pixels, int size) {
        float[][] channels = new float[3][size * size];
        for (int i = 0; i < size * size; i++) {
            for (int c = 0; c < 3; c++) {
                channels[c][i] = pixels[3 * i + c] & 255;
            }
        }
        return new Plane(size, channels);
    }

    /** Returns the luma according to ITU-R BT.601. */
    Plane grey() {
        float[] grey = new float[size * size];
        for (int i = 0; i < grey.length; i++) {
            grey[i] = 0.299f * channels[0][i] + 0.587f * channels[1][i] + 0.114f * channels[2][i];
        }
        return new Plane(size, new float[][] {grey});
    }

    /** Returns the image at half the size, by means of 2 x 2 pixels. */
    Plane half() {
        int n = size / 2;
        float[][] halves = new float[channels.length][n * n];
        for (int c = 0; c < channels.length; c++) {
            float[] all = channels[c];
            for (int y = 0; y < n; y++) {
                for (int x = 0; x < n; x++) {
                    int i = 2 * y * size + 2 * x;
                    halves[c][y * n + x] = (all[i] + all[i + 1] + all[i + size] + all[i + size + 1]) / 4;
                }
            }
        }
        return new Plane(n, halves);
    }

    /** Returns a window scaled to the full size by bilinear interpolation. */
    Plane window(Window w) {
        int[] left = new int[size];
        int[] upper = new int[size];
        float[] right = new float[size];
        float[] lower = new float[size];
        taps(w.x(), w.scale(), left, right);
        taps(w.y(), w.scale(), upper, lower);
        float[][] out = new float[channels.length][size * size];
        for (int c = 0; c < channels.length; c++) {
            float[] all = channels[c];
            for (int y = 0; y < size; y++) {
                int row = upper[y] * size;
                float v = lower[y];
                for (int x = 0; x < size; x++) {
                    int i = row + left[x];
                    float u = right[x];
                    float top = all[i] + u * (all[i + 1] - all[i]);
                    float bottom = all[i + size] + u * (all[i + size + 1] - all[i + size]);
                    out[c][y * size + x] = top + v * (bottom - top);
                }
            }
        }
        return new Plane(size, out);
    }

    private void taps(double from, double scale, int[] first, float[] share) {
        for (int i = 0; i < size; i++) {
            double at = Math.max(0, Math.min(size - 1, (from + (i + 0.5) / size * scale) * size - 0.5));
            first[i] = Math.min(size - 2, (int) at);
            share[i] = (float) (at - first[i]);
        }
    }

    /** Returns edges and texture: each value minus the mean of the 3 x 3 pixels around it. */
    static float[] detail(float[] values, int size) {
        float[] out = new float[values.length];
        for (int y = 0; y < size; y++) {
            for (int x = 0; x < size; x++) {
                float sum = 0;
                int count = 0;
                for (int v = Math.max(0, y - 1); v <= Math.min(size - 1, y + 1); v++) {
                    for (int u = Math.max(0, x - 1); u <= Math.min(size - 1, x + 1); u++) {
                        sum += values[v * size + u];
                        count++;
                    }
                }
                out[y * size + x] = values[y * size + x] - sum / count;
            }
        }
        return out;
    }

    /** Returns Pearson's correlation, which is invariant to gain and offset, or 0 if one of the two is constant. */
    static double correlation(float[] a, float[] b) {
        double sumA = 0;
        double sumB = 0;
        double aa = 0;
        double bb = 0;
        double ab = 0;
        for (int i = 0; i < a.length; i++) {
            sumA += a[i];
            sumB += b[i];
            aa += (double) a[i] * a[i];
            bb += (double) b[i] * b[i];
            ab += (double) a[i] * b[i];
        }
        double varA = aa - sumA * sumA / a.length;
        double varB = bb - sumB * sumB / a.length;
        return varA < 1e-3 || varB < 1e-3 ? 0 : (ab - sumA * sumB / a.length) / Math.sqrt(varA * varB);
    }
}
