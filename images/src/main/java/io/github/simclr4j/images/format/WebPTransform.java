// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

/**
 * A transform of lossless WebP data and its inverse (RFC 9649, section 3.4).
 *
 * @param type one of the constants
 * @param width the width before the transform, in pixels
 * @param height the height in pixels
 * @param bits binary logarithm of a tile's side length, or, for a palette, of the number of pixels per byte
 * @param data the tiles' parameters or the palette's differences
 */
record WebPTransform(int type, int width, int height, int bits, int[] data) {
    static final int PREDICTOR = 0;
    static final int COLOUR = 1;
    static final int GREEN = 2;
    static final int PALETTE = 3;

    /** Returns the width of the stored image. */
    int storedWidth() {
        return type == PALETTE ? width + (1 << bits) - 1 >> bits : width;
    }

    /** Applies the inverse transform, possibly in place, and returns the pixels. */
    int[] undo(int[] pixels) {
        switch (type) {
            case PREDICTOR -> predict(pixels);
            case COLOUR -> colour(pixels);
            case GREEN -> {
                for (int i = 0; i < pixels.length; i++) {
                    int green = pixels[i] >> 8 & 255;
                    pixels[i] = pixels[i] & 0xff00ff00 | (pixels[i] & 0xff00ff) + (green << 16 | green) & 0xff00ff;
                }
            }
            default -> {
                return unpack(pixels);
            }
        }
        return pixels;
    }

    private void predict(int[] p) {
        p[0] = add(p[0], 0xff000000);
        for (int x = 1; x < width; x++) {
            p[x] = add(p[x], p[x - 1]);
        }
        int tiles = width + (1 << bits) - 1 >> bits;
        for (int y = 1; y < height; y++) {
            int row = y * width;
            p[row] = add(p[row], p[row - width]);
            for (int x = 1; x < width; ) {
                int end = Math.min(width, (x >> bits) + 1 << bits);
                int mode = data[(y >> bits) * tiles + (x >> bits)] >> 8 & 15;
                WebPPredictors.add(mode, p, row + x, row + end, width);
                x = end;
            }
        }
    }

    static int add(int a, int b) {
        return (a & 0xff00ff00) + (b & 0xff00ff00) & 0xff00ff00 | (a & 0xff00ff) + (b & 0xff00ff) & 0xff00ff;
    }

    private void colour(int[] p) {
        int tiles = width + (1 << bits) - 1 >> bits;
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; ) {
                int code = data[(y >> bits) * tiles + (x >> bits)];
                int greenToRed = (byte) code;
                int greenToBlue = (byte) (code >> 8);
                int redToBlue = (byte) (code >> 16);
                int end = y * width + Math.min(width, (x >> bits) + 1 << bits);
                for (int i = y * width + x; i < end; i++) {
                    int green = (byte) (p[i] >> 8);
                    int red = (p[i] >> 16) + (greenToRed * green >> 5) & 255;
                    int blue = p[i] + (greenToBlue * green >> 5) + (redToBlue * (byte) red >> 5) & 255;
                    p[i] = p[i] & 0xff00ff00 | red << 16 | blue;
                }
                x = (x >> bits) + 1 << bits;
            }
        }
    }

    private int[] unpack(int[] packed) {
        // An index beyond the palette is transparent black.
        int[] palette = new int[256];
        int colour = 0;
        for (int i = 0; i < data.length; i++) {
            colour = add(colour, data[i]);
            palette[i] = colour;
        }
        int perByte = 1 << bits;
        int bitsEach = 8 >> bits;
        int indices = (1 << bitsEach) - 1;
        int[] pixels = bits == 0 ? packed : new int[Math.multiplyExact(width, height)];
        int stored = storedWidth();
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int index = packed[y * stored + (x >> bits)] >> 8 + bitsEach * (x & perByte - 1) & indices;
                pixels[y * width + x] = palette[index];
            }
        }
        return pixels;
    }
}
