package io.github.simclr4j.onnx;

/**
 * What happens to an image between the decoder and the first convolution; the one definition of it, used in training,
 * export and serving. {@link #apply} runs in Java; the scaling {@code (x / 255 - mean) / deviation} is inside the graph.
 *
 * @param size side in pixels of the square that the network gets
 */
public record Preprocessing(int size) {
    /** Subtracted from every value in [0, 1]. */
    public static final float MEAN = 0.5f;
    /** What the difference is divided by. */
    public static final float DEVIATION = 0.25f;
    /** Names the resize rule in an encoder's metadata; changes when {@link #apply} does. */
    public static final String RULE = "center-square-antialiased-bilinear-1";

    /** Checks the size. */
    public Preprocessing {
        if (size < 8 || size > 1024) {
            throw new IllegalArgumentException("Image size must be from 8 to 1024, found " + size);
        }
    }

    /** The largest centred square of the image, resized to {@code size} by antialiased bilinear interpolation. */
    public RgbImage apply(RgbImage image) {
        int side = Math.min(image.width(), image.height());
        if (image.width() == size && image.height() == size) {
            return image;
        }
        int left = (image.width() - side) / 2;
        int top = (image.height() - side) / 2;
        float[][] taps = new float[size][];
        int[] starts = new int[size];
        triangle(side, taps, starts);
        byte[] in = image.rgb();
        float[] rows = new float[side * size * 3];
        for (int y = 0; y < side; y++) {
            int line = ((top + y) * image.width() + left) * 3;
            for (int x = 0; x < size; x++) {
                float r = 0;
                float g = 0;
                float b = 0;
                int p = line + starts[x] * 3;
                for (float w : taps[x]) {
                    r += w * (in[p] & 255);
                    g += w * (in[p + 1] & 255);
                    b += w * (in[p + 2] & 255);
                    p += 3;
                }
                int q = (y * size + x) * 3;
                rows[q] = r;
                rows[q + 1] = g;
                rows[q + 2] = b;
            }
        }
        byte[] out = new byte[size * size * 3];
        for (int y = 0; y < size; y++) {
            for (int x = 0; x < size * 3; x++) {
                float sum = 0;
                int p = starts[y] * size * 3 + x;
                for (float w : taps[y]) {
                    sum += w * rows[p];
                    p += size * 3;
                }
                out[y * size * 3 + x] = (byte) Math.max(0, Math.min(255, Math.round(sum)));
            }
        }
        return new RgbImage(size, size, out);
    }

    /** The triangle filter, widened by the scale when shrinking: the "antialias" of Pillow and PyTorch. */
    private void triangle(int side, float[][] taps, int[] starts) {
        double scale = (double) side / size;
        double support = Math.max(1, scale);
        for (int i = 0; i < size; i++) {
            double center = (i + 0.5) * scale;
            int from = Math.max(0, (int) (center - support + 0.5));
            int to = Math.min(side, (int) (center + support + 0.5));
            float[] w = new float[to - from];
            double sum = 0;
            for (int j = from; j < to; j++) {
                w[j - from] = (float) Math.max(0, 1 - Math.abs((j + 0.5 - center) / support));
                sum += w[j - from];
            }
            for (int j = 0; j < w.length; j++) {
                w[j] /= (float) sum;
            }
            taps[i] = w;
            starts[i] = from;
        }
    }
}
