package io.github.simclr4j.images;

/**
 * The arithmetic of {@link Preprocessing#RULE}, which encoders of this library were trained with and saved models depend on to the
 * last bit: bilinear, antialiased, in single precision, rounded once at the end. It is within 1 of Pillow's.
 */
final class TrainersResampling {
    /** More weights than these, as an image of millions of columns has, are not kept. */
    private static final int MOST = 1 << 22;

    /** The pixels that each new one is made of; neither ever decreases. */
    private final int[] start;
    private final int[] end;
    private final double scale;
    private final double widen;

    /** The weights of one direction, from {@code in} pixels to {@code out}. */
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

    /** The weights of all new pixels, null if they are too many. */
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
