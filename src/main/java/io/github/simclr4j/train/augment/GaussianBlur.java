// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

import java.util.List;

/**
 * Gaussian blur with a kernel of a tenth of the image's side, at least three pixels, and reflected edges, like torchvision's
 * {@code gaussian_blur} (<a href="https://arxiv.org/abs/2002.05709">Chen et al. 2020</a>, appendix A).
 *
 * @since 0.1.0
 */
public final class GaussianBlur implements AugmentationFactory {
    private static final double LEAST = 0.1;
    /** Kernel weights below this share of their sum change no float32 value. */
    private static final double NOTHING = 1e-10;

    @Override
    public String name() {
        return "blur";
    }

    @Override
    public String help() {
        return "Gaussian; sigma 0.1 to 2.0 pixels, kernel a tenth of the side";
    }

    @Override
    public double probability() {
        return 0.5;
    }

    @Override
    public List<Strength> strengths() {
        return List.of(Strength.positive("sigma", 2, 100, "largest standard deviation in pixels; the smallest is 0.1"));
    }

    @Override
    public Augmentation create(List<Double> strengths) {
        double most = strengths.get(0);
        double least = Math.min(LEAST, most);
        return (side, random) -> {
            double sigma = least + (most - least) * random.nextDouble();
            return image -> blur(image, sigma, Math.max(3, image.side() / 10 / 2 * 2 + 1));
        };
    }

    /**
     * Blurs an image.
     *
     * @param image the image, changed in place
     * @param sigma standard deviation in pixels
     * @param kernel side of the kernel in pixels, odd and less than twice the image's side
     */
    static void blur(ViewImage image, double sigma, int kernel) {
        float[] taps = taps(sigma, kernel / 2);
        int height = image.height();
        int width = image.width();
        float[][] rows = new float[2 * taps.length][Math.max(height, width)];
        for (int c = 0; c < 3; c++) {
            // Each pass blurs columns and transposes, so two passes blur both directions.
            blurColumns(image.planes()[c], image.spare()[c], height, width, taps, rows);
            blurColumns(image.spare()[c], image.planes()[c], width, height, taps, rows);
        }
    }

    /** Returns the central weight of the kernel, then the weights on either side. */
    private static float[] taps(double sigma, int half) {
        double[] taps = new double[half + 1];
        double sum = 0;
        int count = 0;
        for (int k = 0; k <= half; k++) {
            // The central weight is 1 even if the square of sigma underflows.
            taps[k] = k == 0 ? 1 : Math.exp(-k * k / (2 * sigma * sigma));
            sum += k == 0 ? taps[k] : 2 * taps[k];
            count += taps[k] > NOTHING ? 1 : 0;
        }
        float[] shares = new float[count];
        for (int k = 0; k < count; k++) {
            shares[k] = (float) (taps[k] / sum);
        }
        return shares;
    }

    /**
     * Blurs the columns of a plane and transposes it.
     *
     * @param rows buffers: one row per weight of the full kernel, and one for the result
     */
    private static void blurColumns(float[] in, float[] out, int height, int width, float[] taps, float[][] rows) {
        int half = taps.length - 1;
        int ring = rows.length - 1;
        float[] blurred = rows[ring];
        int read = 0;
        for (int y = 0; y < height; y++) {
            for (; read < height && read <= y + half; read++) {
                System.arraycopy(in, read * width, rows[read % ring], 0, width);
            }
            scale(rows[y % ring], taps[0], blurred, width);
            for (int k = 1; k <= half; k++) {
                addBoth(
                        rows[reflect(y - k, height) % ring],
                        rows[reflect(y + k, height) % ring],
                        taps[k],
                        blurred,
                        width);
            }
            Colours.cut(blurred, 0, width);
            for (int x = 0; x < width; x++) {
                out[x * height + y] = blurred[x];
            }
        }
    }

    private static int reflect(int row, int side) {
        int positive = Math.abs(row);
        // A single row or column is its own reflection.
        return positive < side ? positive : Math.max(0, 2 * (side - 1) - positive);
    }

    private static void scale(float[] x, float tap, float[] out, int n) {
        for (int i = 0; i < n; i++) {
            out[i] = tap * x[i];
        }
    }

    private static void addBoth(float[] a, float[] b, float tap, float[] out, int n) {
        for (int i = 0; i < n; i++) {
            out[i] += tap * (a[i] + b[i]);
        }
    }
}
