// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

import java.util.Arrays;

/**
 * The operations of AutoAugment with the ranges of their magnitudes
 * (<a href="https://arxiv.org/abs/1805.09501">Cubuk et al. 2019</a>, table 6).
 *
 * <p>They compute on integer levels from 0 to 255 exactly as Pillow does on bytes, including its rounding: blends are truncated,
 * smoothing is rounded to nearest. Pixels from outside the image are grey (128), as in the authors' code.
 */
enum AutoAugmentOperation {
    /** Shifts row y by {@code value * y} pixels. */
    SHEAR_X(true, 0, 0.3) {
        @Override
        void change(ViewImage image, double value) {
            move(image, 1, value, 0, 0, 1, 0);
        }
    },
    /** Shifts column x by {@code value * x} pixels. */
    SHEAR_Y(true, 0, 0.3) {
        @Override
        void change(ViewImage image, double value) {
            move(image, 1, 0, 0, value, 1, 0);
        }
    },
    /** Shifts to the right. Magnitudes are fractions of the side, which {@link #value} converts to whole pixels. */
    TRANSLATE_X(true, 0, 150.0 / 331) {
        @Override
        void change(ViewImage image, double value) {
            move(image, 1, 0, -value, 0, 1, 0);
        }
    },
    /** Shifts downwards, like {@link #TRANSLATE_X}. */
    TRANSLATE_Y(true, 0, 150.0 / 331) {
        @Override
        void change(ViewImage image, double value) {
            move(image, 1, 0, 0, 0, 1, -value);
        }
    },
    /** Rotates counter-clockwise, in degrees. */
    ROTATE(true, 0, 30) {
        @Override
        void change(ViewImage image, double value) {
            double cos = Math.cos(Math.toRadians(value));
            double sin = Math.sin(Math.toRadians(value));
            int side = image.side();
            move(
                    image,
                    cos,
                    -sin,
                    (side - cos * side + sin * side) / 2,
                    sin,
                    cos,
                    (side - sin * side - cos * side) / 2);
        }
    },
    /** Blends with black by the factor {@code 1 + value}; the next three blend with mean grey, the grey image and a smoothed image. */
    BRIGHTNESS(true, 0, 0.9) {
        @Override
        void change(ViewImage image, double value) {
            Arrays.fill(image.spare()[0], 0, image.pixels(), 0);
            mixWithGrey(image, value);
        }
    },
    CONTRAST(true, 0, 0.9) {
        @Override
        void change(ViewImage image, double value) {
            grey(image);
            float[] grey = image.spare()[0];
            long sum = 0;
            for (int i = 0; i < image.pixels(); i++) {
                sum += (int) grey[i];
            }
            Arrays.fill(grey, 0, image.pixels(), (float) Math.floor((double) sum / image.pixels() + 0.5));
            mixWithGrey(image, value);
        }
    },
    COLOR(true, 0, 0.9) {
        @Override
        void change(ViewImage image, double value) {
            grey(image);
            mixWithGrey(image, value);
        }
    },
    SHARPNESS(true, 0, 0.9) {
        @Override
        void change(ViewImage image, double value) {
            for (int c = 0; c < 3; c++) {
                float[] smooth = image.spare()[c];
                smooth(image.planes()[c], smooth, image.side());
                mix(image.planes()[c], smooth, image.pixels(), (float) (1 + value));
            }
        }
    },
    /** Keeps this number of bits. */
    POSTERIZE(false, 8, 4) {
        @Override
        void change(ViewImage image, double value) {
            int mask = -1 << 8 - (int) value;
            translate(image, level -> level & mask);
        }
    },
    /** Inverts levels from the value upwards. */
    SOLARIZE(false, 255, 0) {
        @Override
        void change(ViewImage image, double value) {
            translate(image, level -> level >= (float) value ? 255 - level : level);
        }
    },
    INVERT(false, 0, 0) {
        @Override
        void change(ViewImage image, double value) {
            translate(image, level -> 255 - level);
        }
    },
    /** Stretches each channel to the full range of levels. */
    AUTOCONTRAST(false, 0, 0) {
        @Override
        void change(ViewImage image, double value) {
            for (float[] x : image.planes()) {
                int[] count = histogram(x, image.pixels());
                int least = 0;
                while (count[least] == 0) {
                    least++;
                }
                int most = 255;
                while (count[most] == 0) {
                    most--;
                }
                int low = least;
                if (most > low) {
                    double scale = 255.0 / (most - low);
                    translate(x, image.pixels(), level ->
                            (int) Math.max(0, Math.min(255, Math.floor(level * scale - low * scale))));
                }
            }
        }
    },
    /** Equalises the histogram of each channel. */
    EQUALIZE(false, 0, 0) {
        @Override
        void change(ViewImage image, double value) {
            for (float[] x : image.planes()) {
                int[] count = histogram(x, image.pixels());
                int last = 255;
                while (count[last] == 0) {
                    last--;
                }
                int step = (image.pixels() - count[last]) / 255;
                if (step > 0) {
                    int[] below = new int[256];
                    for (int level = 1; level < 256; level++) {
                        below[level] = below[level - 1] + count[level - 1];
                    }
                    translate(x, image.pixels(), level -> Math.min(255, (step / 2 + below[level]) / step));
                }
            }
        }
    };

    private static final float OUTSIDE = 128;

    private final boolean signed;
    private final double first;
    private final double last;

    AutoAugmentOperation(boolean signed, double first, double last) {
        this.signed = signed;
        this.first = first;
        this.last = last;
    }

    /** Tells whether the operation has two directions. */
    boolean signed() {
        return signed;
    }

    /** Converts a magnitude from 0 to 9 to the operation's value; translations are in whole pixels. */
    double value(int magnitude, int side) {
        double v = first + (last - first) * magnitude / 9;
        return switch (this) {
            case TRANSLATE_X, TRANSLATE_Y -> Math.floor(v * side);
            case POSTERIZE -> Math.rint(v);
            default -> v;
        };
    }

    /**
     * Transforms an image in place.
     *
     * @param image integer levels from 0 to 255
     * @param value value from {@link #value}, with its sign
     */
    abstract void change(ViewImage image, double value);

    /** A mapping of levels. */
    @FunctionalInterface
    private interface Levels {
        int of(int level);
    }

    private static void translate(ViewImage image, Levels levels) {
        for (float[] x : image.planes()) {
            translate(x, image.pixels(), levels);
        }
    }

    private static void translate(float[] x, int n, Levels levels) {
        float[] table = new float[256];
        for (int level = 0; level < 256; level++) {
            table[level] = levels.of(level);
        }
        for (int i = 0; i < n; i++) {
            x[i] = table[(int) x[i]];
        }
    }

    private static int[] histogram(float[] x, int n) {
        int[] count = new int[256];
        for (int i = 0; i < n; i++) {
            count[(int) x[i]]++;
        }
        return count;
    }

    /** Writes the ITU-R BT.601 luma as integer levels, computed with 16-bit fractions, to the first spare plane. */
    private static void grey(ViewImage image) {
        float[][] x = image.planes();
        float[] grey = image.spare()[0];
        for (int i = 0; i < image.pixels(); i++) {
            grey[i] = 19595 * (int) x[0][i] + 38470 * (int) x[1][i] + 7471 * (int) x[2][i] + 32768 >> 16;
        }
    }

    private static void mixWithGrey(ViewImage image, double value) {
        float[] grey = image.spare()[0];
        for (float[] x : image.planes()) {
            mix(x, grey, image.pixels(), (float) (1 + value));
        }
    }

    private static void mix(float[] x, float[] other, int n, float factor) {
        for (int i = 0; i < n; i++) {
            // Casting a non-negative number to int rounds down.
            x[i] = (int) Math.max(0, Math.min(255, (x[i] - other[i]) * factor + other[i]));
        }
    }

    /** Applies a 3x3 filter of ones with 5 in the centre, divided by 13; border pixels are unchanged. */
    private static void smooth(float[] x, float[] out, int side) {
        System.arraycopy(x, 0, out, 0, side * side);
        for (int row = 1; row < side - 1; row++) {
            for (int i = row * side + 1; i < row * side + side - 1; i++) {
                float sum = x[i - side - 1]
                        + x[i - side]
                        + x[i - side + 1]
                        + x[i - 1]
                        + 5 * x[i]
                        + x[i + 1]
                        + x[i + side - 1]
                        + x[i + side]
                        + x[i + side + 1];
                out[i] = (float) Math.rint(sum / 13);
            }
        }
    }

    /** Applies an affine map with nearest-neighbour sampling: each pixel comes from {@code (ax + by + c, dx + ey + f)}. */
    private static void move(ViewImage image, double a, double b, double c, double d, double e, double f) {
        int side = image.side();
        float[][] x = image.planes();
        float[][] out = image.spare();
        for (int row = 0; row < side; row++) {
            float y = row + 0.5f;
            for (int column = 0; column < side; column++) {
                float across = column + 0.5f;
                double fromX = Math.floor((float) a * across + (float) b * y + (float) c);
                double fromY = Math.floor((float) d * across + (float) e * y + (float) f);
                int to = row * side + column;
                boolean inside = fromX >= 0 && fromX < side && fromY >= 0 && fromY < side;
                int from = inside ? (int) fromY * side + (int) fromX : 0;
                for (int k = 0; k < 3; k++) {
                    out[k][to] = inside ? x[k][from] : OUTSIDE;
                }
            }
        }
        image.swap();
    }
}
