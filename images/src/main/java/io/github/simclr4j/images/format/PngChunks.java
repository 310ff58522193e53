// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.CRC32;

/**
 * The contents of a PNG file's chunks that determine its pixels (<a href="https://www.w3.org/TR/png-3/">PNG specification, third
 * edition</a>, sections 5 and 11). Text, profiles and other chunks are neither decompressed nor checked.
 *
 * @param width width in pixels, at least 1
 * @param height height in pixels, at least 1
 * @param bits bits per sample: 1, 2, 4, 8 or 16
 * @param colourType 0 for grey, 2 for RGB, 3 for a palette, 4 for grey with opacity, 6 for RGB with opacity
 * @param interlaced whether the pixels are stored in the seven passes of Adam7
 * @param palette red, green and blue of each colour; empty if there is none
 * @param transparency the content of the tRNS chunk; empty if there is none
 * @param data position of the first of the consecutive chunks with compressed pixels
 * @param stored number of bytes of compressed pixels
 */
record PngChunks(
        int width,
        int height,
        int bits,
        int colourType,
        boolean interlaced,
        byte[] palette,
        byte[] transparency,
        int data,
        long stored) {
    static final int GREY = 0;
    static final int RGB = 2;
    static final int PALETTE = 3;
    static final int GREY_ALPHA = 4;
    static final int RGB_ALPHA = 6;

    private static final int IHDR = 0x49484452;
    private static final int PLTE = 0x504c5445;
    private static final int TRNS = 0x74524e53;
    static final int IDAT = 0x49444154;
    private static final int IEND = 0x49454e44;
    /** The chunk CgBI, which Xcode writes before the header. */
    private static final int XCODE = 0x43674249;
    /** The bit that is set in the names of chunks that a decoder may ignore. */
    private static final int ANCILLARY = 0x20000000;

    /**
     * Reads the chunks up to the end chunk.
     *
     * @throws IOException if the file ends before it, or if a necessary chunk is damaged
     */
    static PngChunks of(byte[] file) throws IOException {
        ByteBuffer header = null;
        byte[] palette = {};
        byte[] transparency = {};
        int data = -1;
        long stored = 0;
        ByteBuffer in = ByteBuffer.wrap(file);
        boolean pixelsEnded = false;
        for (int at = 8, kind = 0; kind != IEND; ) {
            int length = file.length - at < 12 ? -1 : in.getInt(at);
            if (length < 0 || length > file.length - at - 12) {
                // Also after the pixels, since a missing chunk might contain the orientation.
                throw incomplete();
            }
            kind = in.getInt(at + 4);
            pixelsEnded |= data >= 0 && kind != IDAT;
            if (!pixelsEnded) {
                ByteBuffer content = in.slice(at + 8, length);
                if ((kind & ANCILLARY) == 0 || kind == TRNS) {
                    checkSum(file, at, length, in.getInt(at + 8 + length));
                }
                if (header == null && kind != IHDR) {
                    throw noHeader(kind);
                }
                switch (kind) {
                    case IHDR -> header = content;
                    case PLTE -> palette = bytes(content);
                    case TRNS -> transparency = bytes(content);
                    case IDAT -> {
                        data = data < 0 ? at : data;
                        stored += length;
                    }
                    case IEND -> throw new IOException("damaged PNG image: it has no pixels");
                    default -> {
                        if ((kind & ANCILLARY) == 0) {
                            throw new IOException("damaged PNG image: unknown kind of data in it");
                        }
                    }
                }
            }
            at += 12 + length;
        }
        return of(header, palette, transparency, data, stored);
    }

    private static IOException noHeader(int kind) {
        return new IOException(
                kind == XCODE
                        ? "a PNG image as modified by Xcode for iOS, which is not supported: convert it to standard PNG"
                        : "damaged PNG image: it does not begin with a header");
    }

    private static PngChunks of(ByteBuffer header, byte[] palette, byte[] transparency, int data, long stored)
            throws IOException {
        if (header.limit() != 13) {
            throw new IOException("damaged PNG image: its header has " + header.limit() + " bytes instead of 13");
        }
        int width = header.getInt(0);
        int height = header.getInt(4);
        int bits = header.get(8);
        int type = header.get(9);
        boolean known = switch (type) {
            case GREY -> bits == 1 || bits == 2 || bits == 4 || bits == 8 || bits == 16;
            case PALETTE -> bits == 1 || bits == 2 || bits == 4 || bits == 8;
            case RGB, GREY_ALPHA, RGB_ALPHA -> bits == 8 || bits == 16;
            default -> false;
        };
        if (width < 1
                || height < 1
                || !known
                || header.get(10) != 0
                || header.get(11) != 0
                || (header.get(12) & ~1) != 0) {
            throw new IOException("damaged PNG image: impossible values in its header");
        } else if (type == PALETTE && (palette.length == 0 || palette.length % 3 != 0)) {
            throw new IOException("damaged PNG image: it has no palette");
        } else if (transparency.length > 0
                && (type == GREY && transparency.length < 2 || type == RGB && transparency.length < 6)) {
            throw new IOException("damaged PNG image: its transparent colour is truncated");
        }
        return new PngChunks(width, height, bits, type, header.get(12) == 1, palette, transparency, data, stored);
    }

    private static void checkSum(byte[] file, int at, int length, int expected) throws IOException {
        CRC32 crc = new CRC32();
        crc.update(file, at + 4, length + 4);
        if ((int) crc.getValue() != expected) {
            throw new IOException("damaged PNG image: a checksum does not fit");
        }
    }

    private static byte[] bytes(ByteBuffer content) {
        byte[] bytes = new byte[content.remaining()];
        content.get(0, bytes);
        return bytes;
    }

    static IOException incomplete() {
        return new IOException("damaged PNG image: it ends before it is complete");
    }

    /** Returns the number of samples per pixel. */
    int channels() {
        return switch (colourType) {
            case RGB -> 3;
            case GREY_ALPHA -> 2;
            case RGB_ALPHA -> 4;
            default -> 1;
        };
    }

    /** Returns the number of bytes of a row of pixels. */
    long lineBytes(int pixels) {
        return ((long) pixels * channels() * bits + 7) / 8;
    }
}
