// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

/**
 * Colour changes of single pixels, by torchvision's definitions. Each loop runs over separate arrays at one index without branches, so
 * that the compiler vectorises it.
 */
final class Colours {
    // ITU-R BT.601 luma, rounded as in torchvision.
    private static final float RED = 0.2989f;
    private static final float GREEN = 0.587f;
    private static final float BLUE = 0.114f;

    private Colours() {}

    /** Clamps a value to [0, 1]. */
    static float cut(float value) {
        return Math.min(1, Math.max(0, value));
    }

    /** Clamps values to [0, 1]. */
    static void cut(float[] x, int from, int to) {
        for (int i = from; i < to; i++) {
            x[i] = Math.min(1, Math.max(0, x[i]));
        }
    }

    /** Multiplies all values, {@code x = cut(factor * x)}, like torchvision's {@code adjust_brightness}. */
    static void brightness(ViewImage image, float factor) {
        for (float[] plane : image.planes()) {
            scale(plane, image.pixels(), factor, 0);
        }
    }

    /** Blends an image with its mean grey value, like torchvision's {@code adjust_contrast}. */
    static void contrast(ViewImage image, float factor) {
        float[][] x = image.planes();
        float[] luma = image.spare()[0];
        luma(x[0], x[1], x[2], luma, image.pixels());
        float mean = (float) (sum(luma, image.pixels()) / image.pixels());
        for (float[] plane : x) {
            scale(plane, image.pixels(), factor, (1 - factor) * mean);
        }
    }

    /** Blends an image with its greyscale version, like torchvision's {@code adjust_saturation}. */
    static void saturation(ViewImage image, float factor) {
        float[][] x = image.planes();
        mixWithGrey(x[0], x[1], x[2], image.pixels(), factor, 1 - factor);
    }

    /** Sets all three channels to the grey value, like torchvision's {@code rgb_to_grayscale}. */
    static void grey(ViewImage image) {
        float[][] x = image.planes();
        luma(x[0], x[1], x[2], x[0], image.pixels());
        scale(x[0], image.pixels(), 1, 0);
        System.arraycopy(x[0], 0, x[1], 0, image.pixels());
        System.arraycopy(x[0], 0, x[2], 0, image.pixels());
    }

    /** Writes the grey values of an image; the output may be one of the channels. */
    static void luma(float[] r, float[] g, float[] b, float[] out, int n) {
        for (int i = 0; i < n; i++) {
            out[i] = RED * r[i] + GREEN * g[i] + BLUE * b[i];
        }
    }

    private static void scale(float[] x, int n, float factor, float plus) {
        for (int i = 0; i < n; i++) {
            x[i] = Math.min(1, Math.max(0, factor * x[i] + plus));
        }
    }

    private static void mixWithGrey(float[] r, float[] g, float[] b, int n, float factor, float grey) {
        for (int i = 0; i < n; i++) {
            float luma = grey * (RED * r[i] + GREEN * g[i] + BLUE * b[i]);
            r[i] = Math.min(1, Math.max(0, factor * r[i] + luma));
            g[i] = Math.min(1, Math.max(0, factor * g[i] + luma));
            b[i] = Math.min(1, Math.max(0, factor * b[i] + luma));
        }
    }

    /** Returns a sum, computed in four partial sums so that the additions can run in parallel. */
    private static double sum(float[] x, int n) {
        double a = 0;
        double b = 0;
        double c = 0;
        double d = 0;
        int i = 0;
        for (; i < n - 3; i += 4) {
            a += x[i];
            b += x[i + 1];
            c += x[i + 2];
            d += x[i + 3];
        }
        for (; i < n; i++) {
            a += x[i];
        }
        return a + b + (c + d);
    }

    /**
     * Shifts the hue in HSV space (Smith 1978, "Color gamut transform pairs"), like torchvision's {@code adjust_hue}, but without branches
     * and divisions.
     *
     * <p>In HSV, a shift by a sixth of a turn maps (r, g, b) to (s - g, s - b, s - r), where s is the sum of the largest and the smallest
     * channel. A shift is therefore a permutation of the channels, possibly a reflection, and a shift by the remaining fraction f of a
     * sixth, 0 to 1. The latter maps red to {@code min + cut(r - g + (1 - f) c, 0, c)} if blue is the smallest channel and to
     * {@code min + cut(r - g + f c, 0, c)} if blue is the largest; if blue is neither, both formulas agree. Here c is the largest minus the
     * smallest channel, and {@code cut(x, 0, c)} clamps x to [0, c]. Green and blue follow by permutation of the channels.
     *
     * @param image the image, changed in place
     * @param turns shift in turns, -0.5 to 0.5
     */
    static void hue(ViewImage image, float turns) {
        float sixths = 6 * turns;
        int whole = (int) Math.floor(sixths);
        float part = sixths - whole;
        // Two sixths move red to green, and so on; three reflect all channels.
        boolean reflect = (whole & 1) != 0;
        int exchange = Math.floorMod(reflect ? whole - 3 : whole, 6) / 2;
        boolean early = part <= 0.5f;
        float low = early ? part : 1 - part;
        float sign = reflect ? -1 : 1;
        float gate = reflect == early ? -1 : 1;
        float[][] x = image.planes();
        float[] r = x[Math.floorMod(-exchange, 3)];
        float[] g = x[Math.floorMod(1 - exchange, 3)];
        float[] b = x[Math.floorMod(2 - exchange, 3)];
        float[][] block = image.block();
        for (int from = 0; from < image.pixels(); from += ViewImage.BLOCK) {
            int n = Math.min(ViewImage.BLOCK, image.pixels() - from);
            System.arraycopy(r, from, block[0], 0, n);
            System.arraycopy(g, from, block[1], 0, n);
            System.arraycopy(b, from, block[2], 0, n);
            range(block[0], block[1], block[2], block[3], block[4], n);
            for (int c = 0; c < 3; c++) {
                turn(
                        block[c],
                        block[(c + 1) % 3],
                        block[(c + 2) % 3],
                        block[3],
                        block[4],
                        block[5],
                        n,
                        low,
                        sign,
                        gate);
                System.arraycopy(block[5], 0, x[c], from, n);
            }
        }
    }

    /** Writes the smallest channel, and the difference between the largest and the smallest channel (the chroma). */
    private static void range(float[] r, float[] g, float[] b, float[] min, float[] chroma, int n) {
        for (int i = 0; i < n; i++) {
            float least = Math.min(r[i], Math.min(g[i], b[i]));
            min[i] = least;
            chroma[i] = Math.max(r[i], Math.max(g[i], b[i])) - least;
        }
    }

    /**
     * Computes one channel of a hue shift by less than a sixth, optionally after a reflection.
     *
     * @param x the channel
     * @param next the channel after it; red follows blue
     * @param last the remaining channel
     * @param min smallest channel
     * @param chroma largest minus smallest channel
     * @param out the result
     * @param n number of pixels
     * @param low the smaller of the fraction of a sixth and its complement
     * @param sign -1 to reflect the channels ({@code s - x} in place of x), else 1
     * @param gate 1 if the formula with the complement applies where the last channel is the smallest, else -1
     */
    private static void turn(
            float[] x,
            float[] next,
            float[] last,
            float[] min,
            float[] chroma,
            float[] out,
            int n,
            float low,
            float sign,
            float gate) {
        float high = 1 - low;
        for (int i = 0; i < n; i++) {
            float c = chroma[i];
            float difference = sign * (x[i] - next[i]);
            // At 0 or c, where the formulas differ, this selects the lower or the upper one.
            float limit = 0.5f * c + gate * (min[i] + 0.5f * c - last[i]);
            float y = Math.max(difference + low * c, Math.min(difference + high * c, limit));
            out[i] = min[i] + Math.min(c, Math.max(0, y));
        }
    }
}
