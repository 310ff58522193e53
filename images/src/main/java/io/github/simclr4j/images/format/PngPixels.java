// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import io.github.simclr4j.images.internal.Samples;

/** Converts the rows of a PNG file to RGB, and blends transparent pixels with black. */
final class PngPixels {
    private final PngChunks chunks;
    /** Red, green and blue of each index. Indices beyond the palette are black, as in Pillow. */
    private final byte[] palette = new byte[3 * 256];
    /** The samples of the transparent colour; negative for none. */
    private final int[] transparent = {-1, -1, -1};

    PngPixels(PngChunks chunks) {
        this.chunks = chunks;
        byte[] t = chunks.transparency();
        if (chunks.colourType() == PngChunks.PALETTE) {
            for (int i = 0; i < Math.min(palette.length, chunks.palette().length); i++) {
                palette[i] = Samples.over(chunks.palette()[i] & 255, i / 3 < t.length ? t[i / 3] & 255 : 255);
            }
        } else if (t.length > 0) {
            for (int c = 0; c < 3; c++) {
                int at = chunks.colourType() == PngChunks.RGB ? 2 * c : 0;
                transparent[c] = ((t[at] & 255) << 8 | t[at + 1] & 255) & (1 << chunks.bits()) - 1;
            }
        }
    }

    /**
     * Converts a row.
     *
     * @param line the row, with its filter reversed
     * @param count number of pixels
     * @param to position of the first pixel in {@code rgb}
     * @param step bytes from one pixel to the next in {@code rgb}
     */
    void write(byte[] line, int count, byte[] rgb, int to, int step) {
        if (chunks.colourType() == PngChunks.RGB && chunks.bits() == 8 && transparent[0] < 0) {
            for (int x = 0, p = 0, q = to; x < count; x++, p += 3, q += step) {
                rgb[q] = line[p];
                rgb[q + 1] = line[p + 1];
                rgb[q + 2] = line[p + 2];
            }
            return;
        }
        for (int x = 0, q = to; x < count; x++, q += step) {
            switch (chunks.colourType()) {
                case PngChunks.PALETTE -> System.arraycopy(palette, 3 * sample(line, x), rgb, q, 3);
                case PngChunks.GREY -> {
                    int v = sample(line, x);
                    grey(Samples.eight(v, chunks.bits()), v == transparent[0] ? 0 : 255, rgb, q);
                }
                case PngChunks.GREY_ALPHA -> grey(high(line, 2 * x), high(line, 2 * x + 1), rgb, q);
                case PngChunks.RGB -> {
                    boolean clear = true;
                    for (int c = 0; c < 3; c++) {
                        clear &= sample(line, 3 * x + c) == transparent[c];
                    }
                    for (int c = 0; c < 3; c++) {
                        rgb[q + c] = clear ? 0 : (byte) high(line, 3 * x + c);
                    }
                }
                default -> {
                    int opacity = high(line, 4 * x + 3);
                    for (int c = 0; c < 3; c++) {
                        rgb[q + c] = Samples.over(high(line, 4 * x + c), opacity);
                    }
                }
            }
        }
    }

    private static void grey(int value, int opacity, byte[] rgb, int to) {
        byte v = Samples.over(value, opacity);
        rgb[to] = v;
        rgb[to + 1] = v;
        rgb[to + 2] = v;
    }

    /** Returns a sample as stored. */
    private int sample(byte[] line, int i) {
        int bits = chunks.bits();
        if (bits == 8) {
            return line[i] & 255;
        } else if (bits == 16) {
            return (line[2 * i] & 255) << 8 | line[2 * i + 1] & 255;
        }
        long bit = (long) i * bits;
        return line[(int) (bit >> 3)] >> 8 - bits - (int) (bit & 7) & (1 << bits) - 1;
    }

    /** Returns the upper 8 bits of a sample of 8 or 16 bits. */
    private int high(byte[] line, int i) {
        return line[chunks.bits() == 16 ? 2 * i : i] & 255;
    }
}
