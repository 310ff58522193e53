// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The header of a BMP file (Microsoft, "Bitmap Storage", BITMAPCOREHEADER to BITMAPV5HEADER; OS/2 2.0).
 *
 * @param width width in pixels, at least 1
 * @param height height in pixels, at least 1
 * @param topDown whether the first row of the file is the top row; otherwise it is the bottom row
 * @param bits bits per pixel: 1, 2, 4, 8, 16, 24 or 32
 * @param compression 0 for none, 1 and 2 for run-length encoding of 8 and 4 bits
 * @param masks the masks of red, green, blue and opacity for pixels with more than 8 bits; 0 for no opacity
 * @param palette blue, green and red of each colour for pixels with up to 8 bits
 * @param entry bytes from one colour of the palette to the next
 * @param pixels position of the pixels in the file
 */
record BmpHeader(
        int width,
        int height,
        boolean topDown,
        int bits,
        int compression,
        int[] masks,
        byte[] palette,
        int entry,
        long pixels) {
    static final int[] EIGHT_BITS = {0xff0000, 0xff00, 0xff, 0};
    /** The masks that Pillow uses if all masks in the file are 0. */
    private static final int[] EIGHT_BITS_AND_ALPHA = {0xff0000, 0xff00, 0xff, 0xff000000};

    private static final int[] FIVE_BITS = {0x7c00, 0x3e0, 0x1f, 0};
    private static final int FILE_HEADER = 14;
    private static final int CORE = 12;
    private static final int OS2 = 64;
    private static final int RUNS_8 = 1;
    private static final int RUNS_4 = 2;
    private static final int MASKS = 3;
    private static final int MASKS_WITH_ALPHA = 6;

    /** Returns whether bytes begin with a bitmap header without a file header before it, as in some .dib files. */
    static boolean isBare(byte[] file) {
        if (file.length < 16) {
            return false;
        }
        ByteBuffer in = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        int length = in.getInt(0);
        int planes = length == CORE ? in.getShort(8) : in.getShort(12);
        int bits = length == CORE ? in.getShort(10) : in.getShort(14);
        return isKnown(length)
                && planes == 1
                && (bits == 1 || bits == 4 || bits == 8 || bits == 16 || bits == 24 || bits == 32);
    }

    private static boolean isKnown(int length) {
        return length == CORE
                || length == 16
                || length == 40
                || length == 52
                || length == 56
                || length == OS2
                || length == 108
                || length == 124;
    }

    /**
     * Reads the header, and checks that the file is long enough for the pixels.
     *
     * @throws IOException if the file is truncated or of a kind that is not supported
     */
    static BmpHeader of(byte[] file) throws IOException {
        int at = Signatures.at(file, 0, 'B', 'M') ? FILE_HEADER : 0;
        ByteBuffer in = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        int length = file.length < at + 4 ? 0 : in.getInt(at);
        if (file.length < at + 4 || isKnown(length) && file.length < at + length) {
            throw incomplete();
        } else if (!isKnown(length)) {
            throw new IOException("a BMP image with an unknown header of " + length + " bytes: convert it to PNG");
        }
        return new Fields(in, at, length).read();
    }

    static IOException incomplete() {
        return new IOException("damaged BMP image: it ends before its pixels are complete");
    }

    boolean isRunLength() {
        return compression == RUNS_8 || compression == RUNS_4;
    }

    /** Returns the number of bytes from one row to the next. */
    long stride() {
        return ((long) width * bits + 31) / 32 * 4;
    }

    /** Writes a colour of the palette. Indices beyond the palette are black, as in Pillow. */
    void put(int index, byte[] rgb, int at) {
        int p = index * entry;
        boolean known = p + 3 <= palette.length;
        rgb[at] = known ? palette[p + 2] : 0;
        rgb[at + 1] = known ? palette[p + 1] : 0;
        rgb[at + 2] = known ? palette[p] : 0;
    }

    /** Reads the fields of the header. */
    private record Fields(ByteBuffer in, int at, int length) {
        /** Returns a field that only longer headers have, or 0 if the header is too short. */
        private int field(int offset) {
            return length >= offset + 4 ? in.getInt(at + offset) : 0;
        }

        BmpHeader read() throws IOException {
            boolean core = length == CORE;
            int width = core ? in.getShort(at + 4) & 0xffff : in.getInt(at + 4);
            int height = core ? in.getShort(at + 6) & 0xffff : in.getInt(at + 8);
            int bits = (core ? in.getShort(at + 10) : in.getShort(at + 14)) & 0xffff;
            int compression = core ? 0 : field(16);
            check(width, height, bits, compression);
            boolean afterHeader = length == 40 && (compression == MASKS || compression == MASKS_WITH_ALPHA);
            int end = at + length + (afterHeader ? compression == MASKS ? 12 : 16 : 0);
            int entry = core ? 3 : 4;
            long colours = core ? 0 : field(32) & 0xffffffffL;
            if (colours == 0 && bits <= 8) {
                colours = 1 << bits;
            }
            long pixels = at == 0 ? 0 : in.getInt(10) & 0xffffffffL;
            if (pixels == 0 || pixels == at + length && bits <= 8) {
                // Some programs write the end of the header here, although the palette is before the pixels.
                pixels = end + colours * entry;
            }
            if (end > in.limit() || pixels < end) {
                throw incomplete();
            }
            byte[] palette = new byte[0];
            if (bits <= 8) {
                palette = new byte
                        [(int) Math.min(Math.min(colours, 1 << bits) * entry, Math.min(pixels, in.limit()) - end)];
                in.get(end, palette);
            }
            BmpHeader header = new BmpHeader(
                    width,
                    Math.abs(height),
                    height < 0,
                    bits,
                    compression,
                    masks(bits, compression),
                    palette,
                    entry,
                    pixels);
            // The padding of the last row may be missing.
            long needed =
                    header.isRunLength() ? 2 : header.stride() * (header.height - 1) + ((long) width * bits + 7) / 8;
            if (in.limit() - pixels < needed) {
                throw incomplete();
            }
            return header;
        }

        private void check(int width, int height, int bits, int compression) throws IOException {
            boolean os2 = length == OS2 && compression >= 3;
            if (!os2 && (compression == 4 || compression == 5)) {
                throw new IOException("a BMP image that holds a " + (compression == 4 ? "JPEG" : "PNG")
                        + " image, as for printers, which is not supported: convert it to PNG");
            } else if (os2 || compression < 0 || compression > MASKS_WITH_ALPHA) {
                throw new IOException("a BMP image of compression " + Integer.toUnsignedString(compression)
                        + (os2 ? " of OS/2" : "") + ", which is not supported: convert it to PNG");
            } else if (width < 1 || height == 0 || height == Integer.MIN_VALUE) {
                throw new IOException("damaged BMP image: " + width + "x" + height + " pixels");
            }
            boolean fits = switch (bits) {
                case 1, 2 -> compression == 0;
                case 4 -> compression == 0 || compression == RUNS_4;
                case 8 -> compression == 0 || compression == RUNS_8;
                case 16, 24, 32 -> compression == 0 || compression >= MASKS;
                default -> false;
            };
            if (!fits) {
                throw new IOException("a BMP image with " + bits + " bits a pixel in compression " + compression
                        + ", which is not supported: convert it to PNG");
            }
        }

        private int[] masks(int bits, int compression) throws IOException {
            if (bits <= 8 || compression == 0) {
                return bits == 16 ? FIVE_BITS : EIGHT_BITS;
            }
            // The masks follow the shortest header, and are part of the others.
            boolean alpha = length == 40 ? compression == MASKS_WITH_ALPHA : length >= 56;
            int[] masks = {in.getInt(at + 40), in.getInt(at + 44), in.getInt(at + 48), alpha ? in.getInt(at + 52) : 0};
            if ((masks[0] | masks[1] | masks[2] | masks[3]) == 0) {
                return bits == 16 ? FIVE_BITS : bits == 24 ? EIGHT_BITS : EIGHT_BITS_AND_ALPHA;
            }
            if (bits == 16 && masks[2] == 0x1f) {
                // The usual 5 bits per colour, or 6 for green: Pillow ignores the remaining bit.
                masks[3] = 0;
            }
            for (int mask : masks) {
                int low = mask == 0 ? 0 : mask >>> Integer.numberOfTrailingZeros(mask);
                if ((low & low + 1) != 0) {
                    throw new IOException("damaged BMP image: the bits of a colour are not next to each other");
                }
            }
            return masks;
        }
    }
}
