package io.github.simclr4j.images.format;

import io.github.simclr4j.images.internal.Samples;
import java.io.IOException;
import java.nio.ByteOrder;

/** Turns the samples of a TIFF file into RGB bytes. */
final class TiffPixels {
    private final TiffKind kind;
    private final ByteOrder order;
    private final byte[] palette;
    private final TiffYcc ycc;

    /**
     * Reads the palette, where there is one.
     *
     * @throws IOException if it is too short
     */
    TiffPixels(TiffDirectory d, TiffKind kind) throws IOException {
        this.kind = kind;
        order = d.order();
        palette = kind.photometric() == TiffKind.PALETTE ? palette(d, kind.bits()) : null;
        ycc = kind.photometric() != TiffKind.YCBCR ? null : kind.compression() == TiffCompression.JPEG ? TiffYcc.jpeg() : TiffYcc.of(d);
    }

    /** Returns the colours [index, 3]: the upper 8 bits, but all 8 of files that hold no larger values (as libtiff does). */
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
     * Unpacks samples (TIFF 6.0, section "BitsPerSample"): those of 16 bits in the file's byte order, all others most significant
     * bit first.
     *
     * @param row the packed row
     * @param to where they go
     * @param from index of the first
     * @param step distance between them
     */
    void unpack(byte[] row, int[] to, int from, int step) {
        int bits = kind.bits();
        int buffer = 0;
        int held = 0;
        int at = 0;
        for (int i = from; i < to.length; i += step) {
            if (bits == 8) {
                to[i] = row[at++] & 255;
            } else if (bits == 16) {
                int first = row[at++] & 255;
                int second = row[at++] & 255;
                to[i] = order == ByteOrder.LITTLE_ENDIAN ? second << 8 | first : first << 8 | second;
            } else {
                while (held < bits) {
                    buffer = buffer << 8 | row[at++] & 255;
                    held += 8;
                }
                held -= bits;
                to[i] = buffer >>> held & (1 << bits) - 1;
            }
        }
    }

    /**
     * Converts pixels.
     *
     * @param samples their samples, [pixel, sample]
     * @param pixels how many
     * @param rgb where they go
     * @param to index of the first byte
     */
    void convert(int[] samples, int pixels, byte[] rgb, int to) {
        int bits = kind.bits();
        int colours = kind.colours();
        int step = kind.samples();
        int[] c = new int[4];
        for (int i = 0, q = to; i < pixels; i++, q += 3) {
            int p = i * step;
            if (palette == null) {
                for (int k = 0; k < colours; k++) {
                    c[k] = Samples.eight(samples[p + k], bits);
                }
            }
            switch (kind.photometric()) {
                case TiffKind.PALETTE -> {
                    for (int k = 0; k < 3; k++) {
                        c[k] = palette[3 * samples[p] + k] & 255;
                    }
                }
                case TiffKind.WHITE_IS_ZERO -> c[0] = c[1] = c[2] = 255 - c[0];
                case TiffKind.BLACK_IS_ZERO -> c[1] = c[2] = c[0];
                case TiffKind.CMYK -> {
                    for (int k = 0; k < 3; k++) {
                        c[k] = Samples.over(255 - c[k], 255 - c[3]) & 255;
                    }
                }
                case TiffKind.YCBCR -> ycc.toRgb(c);
                default -> { }
            }
            boolean multiply = kind.alpha() >= 0 && !kind.premultiplied();
            int opacity = multiply ? Samples.eight(samples[p + kind.alpha()], bits) : 255;
            for (int k = 0; k < 3; k++) {
                rgb[q + k] = opacity == 255 ? (byte) c[k] : Samples.over(c[k], opacity);
            }
        }
    }
}
