// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

/** The predictors of lossless WebP data (RFC 9649, section 3.4.1): L is left, T above, TL and TR above to the left and right. */
final class WebPPredictors {
    private WebPPredictors() {}

    /**
     * Adds the prediction to pixels of one row.
     *
     * @param mode the number of the predictor, 0 to 15
     * @param p all pixels
     * @param from index of the first pixel, which is not the first of its row
     * @param end index after the last pixel
     * @param width the width of the image
     */
    static void add(int mode, int[] p, int from, int end, int width) {
        switch (mode) {
            case 1 -> {
                for (int i = from; i < end; i++) {
                    p[i] = WebPTransform.add(p[i], p[i - 1]);
                }
            }
            case 2 -> {
                for (int i = from; i < end; i++) {
                    p[i] = WebPTransform.add(p[i], p[i - width]);
                }
            }
            case 3 -> {
                for (int i = from; i < end; i++) {
                    p[i] = WebPTransform.add(p[i], p[i - width + 1]);
                }
            }
            case 4 -> {
                for (int i = from; i < end; i++) {
                    p[i] = WebPTransform.add(p[i], p[i - width - 1]);
                }
            }
            case 5 -> {
                for (int i = from; i < end; i++) {
                    p[i] = WebPTransform.add(p[i], average(average(p[i - 1], p[i - width + 1]), p[i - width]));
                }
            }
            case 6 -> {
                for (int i = from; i < end; i++) {
                    p[i] = WebPTransform.add(p[i], average(p[i - 1], p[i - width - 1]));
                }
            }
            case 7 -> {
                for (int i = from; i < end; i++) {
                    p[i] = WebPTransform.add(p[i], average(p[i - 1], p[i - width]));
                }
            }
            case 8 -> {
                for (int i = from; i < end; i++) {
                    p[i] = WebPTransform.add(p[i], average(p[i - width - 1], p[i - width]));
                }
            }
            case 9 -> {
                for (int i = from; i < end; i++) {
                    p[i] = WebPTransform.add(p[i], average(p[i - width], p[i - width + 1]));
                }
            }
            case 10 -> {
                for (int i = from; i < end; i++) {
                    p[i] = WebPTransform.add(
                            p[i],
                            average(average(p[i - 1], p[i - width - 1]), average(p[i - width], p[i - width + 1])));
                }
            }
            case 11 -> {
                for (int i = from; i < end; i++) {
                    p[i] = WebPTransform.add(p[i], select(p[i - 1], p[i - width], p[i - width - 1]));
                }
            }
            case 12 -> {
                for (int i = from; i < end; i++) {
                    p[i] = WebPTransform.add(p[i], addSubtract(p[i - 1], p[i - width], p[i - width - 1]));
                }
            }
            case 13 -> {
                for (int i = from; i < end; i++) {
                    p[i] = WebPTransform.add(p[i], addSubtractHalf(average(p[i - 1], p[i - width]), p[i - width - 1]));
                }
            }
            default -> {
                for (int i = from; i < end; i++) {
                    p[i] = WebPTransform.add(p[i], 0xff000000);
                }
            }
        }
    }

    private static int average(int a, int b) {
        return ((a ^ b) >>> 1 & 0x7f7f7f7f) + (a & b);
    }

    private static int select(int left, int top, int topLeft) {
        int toLeft = 0;
        int toTop = 0;
        for (int shift = 0; shift < 32; shift += 8) {
            int corner = topLeft >>> shift & 255;
            toLeft += Math.abs((top >>> shift & 255) - corner);
            toTop += Math.abs((left >>> shift & 255) - corner);
        }
        return toLeft < toTop ? left : top;
    }

    private static int addSubtract(int a, int b, int c) {
        int sum = 0;
        for (int shift = 0; shift < 32; shift += 8) {
            sum |= clamp((a >>> shift & 255) + (b >>> shift & 255) - (c >>> shift & 255)) << shift;
        }
        return sum;
    }

    private static int addSubtractHalf(int a, int b) {
        int sum = 0;
        for (int shift = 0; shift < 32; shift += 8) {
            int v = a >>> shift & 255;
            sum |= clamp(v + (v - (b >>> shift & 255)) / 2) << shift;
        }
        return sum;
    }

    private static int clamp(int v) {
        return v < 0 ? 0 : Math.min(v, 255);
    }
}
