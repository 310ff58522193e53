// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images;

/**
 * Resizes according to {@link Preprocessing#RULE}: bilinear, antialiased, in single precision, rounded once at the end. Encoders were
 * trained with exactly these results, so they must not change. The values differ by at most 1 from Pillow's.
 */
final class TrainersResampling {
    /** Maximum number of weights to keep in memory; an image with millions of columns has more. */
    private static final int MOST = 1 << 22;

    /** The range of pixels that contribute to each new pixel; both ends never decrease. */
    private final int[] start;

    private final int[] end;
    private final double scale;
    private final double widen;

    /** Computes the weights for one direction, from {@code in} pixels to {@code out}. */
    private TrainersResampling(int in, int out) {
        start = new int[out];
        end = new int[out];
        scale = (double) in / out;
        widen = Math.max(1, scale);
        for (int i = 0; i < out; i++) {
            start[i] = Math.max(0, (int) (center(i) - widen + 0.5));
            end[i] = Math.min(in, (int) (center(i) + widen + 0.5));
        }
    }

    /** Resizes a part of an image. */
    static RgbImage apply(RgbImage image, int left, int top, int boxW, int boxH, int width, int height) {
        TrainersResampling columns = new TrainersResampling(boxW, width);
        TrainersResampling lines = new TrainersResampling(boxH, height);
        float[][] columnWeights = columns.all();
        float[][] lineWeights = new float[height][];
        byte[] in = image.rgb();
        float[] row = new float[width * 3];
        float[] sums = new float[height * row.length];
        int from = 0;
        int to = 0;
        for (int y = lines.start[0]; y < lines.end[height - 1]; y++) {
            while (from < height && lines.end[from] <= y) {
                lineWeights[from++] = null;
            }
            for (; to < height && lines.start[to] <= y; to++) {
                lineWeights[to] = lines.weights(to);
            }
            int line = ((top + y) * image.width() + left) * 3;
            for (int x = 0; x < width; x++) {
                float r = 0;
                float g = 0;
                float b = 0;
                int p = line + columns.start[x] * 3;
                for (float w : columnWeights == null ? columns.weights(x) : columnWeights[x]) {
                    r += w * (in[p] & 255);
                    g += w * (in[p + 1] & 255);
                    b += w * (in[p + 2] & 255);
                    p += 3;
                }
                row[3 * x] = r;
                row[3 * x + 1] = g;
                row[3 * x + 2] = b;
            }
            for (int i = from; i < to; i++) {
                float w = lineWeights[i][y - lines.start[i]];
                int q = i * row.length;
                for (int x = 0; x < row.length; x++) {
                    sums[q + x] += w * row[x];
                }
            }
        }
        byte[] out = new byte[sums.length];
        for (int i = 0; i < out.length; i++) {
            out[i] = (byte) Math.max(0, Math.min(255, Math.round(sums[i])));
        }
        return new RgbImage(width, height, out);
    }

    private double center(int i) {
        return (i + 0.5) * scale;
    }

    private float[] weights(int i) {
        float[] w = new float[end[i] - start[i]];
        double sum = 0;
        for (int j = 0; j < w.length; j++) {
            double t = Math.abs((start[i] + j + 0.5 - center(i)) / widen);
            w[j] = (float) (t >= 1 ? 0 : 1 - t);
            sum += w[j];
        }
        for (int j = 0; j < w.length; j++) {
            w[j] /= (float) sum;
        }
        return w;
    }

    /** Returns the weights of all new pixels, or null if they are too many. */
    private float[][] all() {
        long count = 0;
        for (int i = 0; i < start.length; i++) {
            count += end[i] - start[i];
        }
        if (count > MOST) {
            return null;
        }
        float[][] all = new float[start.length][];
        for (int i = 0; i < all.length; i++) {
            all[i] = weights(i);
        }
        return all;
    }
}
