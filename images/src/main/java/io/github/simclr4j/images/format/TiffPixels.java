// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import io.github.simclr4j.images.internal.Samples;
import java.io.IOException;
import java.nio.ByteOrder;

/** Converts the samples of a TIFF file to RGB bytes. */
final class TiffPixels {
    private final TiffKind kind;
    private final ByteOrder order;
    private final byte[] palette;
    private final TiffYcc ycc;

    /**
     * Reads the palette if there is one.
     *
     * @throws IOException if the palette is too short
     */
    TiffPixels(TiffDirectory d, TiffKind kind) throws IOException {
        this.kind = kind;
        order = d.order();
        palette = kind.photometric() == TiffKind.PALETTE ? palette(d, kind.bits()) : null;
        ycc = kind.photometric() != TiffKind.YCBCR
                ? null
                : kind.compression() == TiffCompression.JPEG ? TiffYcc.jpeg() : TiffYcc.of(d);
    }

    /** Returns the colours, [index, 3]: the upper 8 bits, or all 8 bits of files without larger values, as in libtiff. */
    private static byte[] palette(TiffDirectory d, int bits) throws IOException {
        int colours = 1 << bits;
        byte[] palette = new byte[3 * colours];
        int all = 0;
        for (int i = 0; i < palette.length; i++) {
            all |= (int) d.integer(TiffTag.COLOR_MAP, i);
        }
        for (int i = 0; i < palette.length; i++) {
            int value = (int) d.integer(TiffTag.COLOR_MAP, i);
            palette[3 * (i % colours) + i / colours] = (byte) (all < 256 ? value : value >> 8);
        }
        return palette;
    }

    /**
     * Unpacks samples (TIFF 6.0, section "BitsPerSample"). Samples of 16 bits are in the file's byte order, all others most significant bit
     * first.
     *
     * @param row the packed row
     * @param to the array for the samples
     * @param from index of the first sample in {@code to}
     * @param step distance between samples in {@code to}
     */
    void unpack(byte[] row, int[] to, int from, int step) {
        int bits = kind.bits();
        if (bits == 8) {
            for (int i = from, at = 0; i < to.length; i += step) {
                to[i] = row[at++] & 255;
            }
        } else if (bits == 16) {
            int high = order == ByteOrder.LITTLE_ENDIAN ? 1 : 0;
            for (int i = from, at = 0; i < to.length; i += step, at += 2) {
                to[i] = (row[at + high] & 255) << 8 | row[at + 1 - high] & 255;
            }
        } else {
            unpackBits(row, to, from, step);
        }
    }

    private void unpackBits(byte[] row, int[] to, int from, int step) {
        int bits = kind.bits();
        int buffer = 0;
        int held = 0;
        for (int i = from, at = 0; i < to.length; i += step) {
            while (held < bits) {
                buffer = buffer << 8 | row[at++] & 255;
                held += 8;
            }
            held -= bits;
            to[i] = buffer >>> held & (1 << bits) - 1;
        }
    }

    /**
     * Converts pixels.
     *
     * @param samples the samples, [pixel, sample]
     * @param pixels number of pixels
     * @param rgb the array for the RGB bytes
     * @param to index of the first byte in {@code rgb}
     */
    void convert(int[] samples, int pixels, byte[] rgb, int to) {
        switch (kind.photometric()) {
            case TiffKind.PALETTE -> palette(samples, pixels, rgb, to);
            case TiffKind.RGB -> rgb(samples, pixels, rgb, to);
            case TiffKind.CMYK -> cmyk(samples, pixels, rgb, to);
            case TiffKind.YCBCR -> ycbcr(samples, pixels, rgb, to);
            default -> grey(samples, pixels, rgb, to);
        }
        if (kind.alpha() >= 0 && !kind.premultiplied()) {
            for (int i = 0, p = kind.alpha(), q = to; i < pixels; i++, p += kind.samples(), q += 3) {
                int opacity = Samples.eight(samples[p], kind.bits());
                for (int k = q; k < q + 3; k++) {
                    rgb[k] = Samples.over(rgb[k] & 255, opacity);
                }
            }
        }
    }

    private void grey(int[] samples, int pixels, byte[] rgb, int to) {
        int step = kind.samples();
        int bits = kind.bits();
        int inverted = kind.photometric() == TiffKind.WHITE_IS_ZERO ? 255 : 0;
        for (int i = 0, p = 0, q = to; i < pixels; i++, p += step, q += 3) {
            byte value = (byte) (Samples.eight(samples[p], bits) ^ inverted);
            rgb[q] = value;
            rgb[q + 1] = value;
            rgb[q + 2] = value;
        }
    }

    private void rgb(int[] samples, int pixels, byte[] rgb, int to) {
        int step = kind.samples();
        int bits = kind.bits();
        for (int i = 0, p = 0, q = to; i < pixels; i++, p += step, q += 3) {
            rgb[q] = (byte) Samples.eight(samples[p], bits);
            rgb[q + 1] = (byte) Samples.eight(samples[p + 1], bits);
            rgb[q + 2] = (byte) Samples.eight(samples[p + 2], bits);
        }
    }

    private void palette(int[] samples, int pixels, byte[] rgb, int to) {
        for (int i = 0, p = 0, q = to; i < pixels; i++, p += kind.samples(), q += 3) {
            System.arraycopy(palette, 3 * samples[p], rgb, q, 3);
        }
    }

    private void cmyk(int[] samples, int pixels, byte[] rgb, int to) {
        int bits = kind.bits();
        for (int i = 0, p = 0, q = to; i < pixels; i++, p += kind.samples(), q += 3) {
            int key = 255 - Samples.eight(samples[p + 3], bits);
            for (int k = 0; k < 3; k++) {
                rgb[q + k] = Samples.over(255 - Samples.eight(samples[p + k], bits), key);
            }
        }
    }

    private void ycbcr(int[] samples, int pixels, byte[] rgb, int to) {
        for (int i = 0, p = 0, q = to; i < pixels; i++, p += kind.samples(), q += 3) {
            ycc.convert(samples[p], samples[p + 1], samples[p + 2], rgb, q);
        }
    }
}
