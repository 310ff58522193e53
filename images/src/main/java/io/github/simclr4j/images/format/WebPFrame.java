// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import java.io.IOException;

/**
 * The first image of a WebP file (RFC 9649, section 2), found by the rules of libwebp.
 *
 * @param canvasWidth width of the canvas in pixels
 * @param canvasHeight height of the canvas in pixels
 * @param left first column of the image on the canvas
 * @param top first row of the image on the canvas
 * @param width width of the image in pixels
 * @param height height of the image in pixels
 * @param lossless true for VP8L data, false for VP8 data
 * @param from start of the data, which are at least as long as their header
 * @param end end of the data, exclusive
 * @param alphaFrom start of the payload of an ALPH chunk
 * @param alphaEnd end of that payload, exclusive; 0 if there is none
 * @param transparent whether to apply the opacity
 */
record WebPFrame(
        int canvasWidth,
        int canvasHeight,
        int left,
        int top,
        int width,
        int height,
        boolean lossless,
        int from,
        int end,
        int alphaFrom,
        int alphaEnd,
        boolean transparent) {
    private static final int ANIMATION = 2;
    private static final int ALPHA = 16;
    private static final int RIFF_HEADER = 12;
    private static final int CHUNK_HEADER = 8;
    private static final int EXTENDED_SIZE = 10;
    private static final int FRAME_SIZE = 16;
    /** Length of the headers of VP8 and VP8L data up to and including the size, in bytes. */
    private static final int LOSSY_HEADER = 10;

    private static final int LOSSLESS_HEADER = 5;

    /**
     * Finds the image and reads its size, without decoding it.
     *
     * @throws IOException if the file is incomplete or has no image
     */
    static WebPFrame first(byte[] file) throws IOException {
        if (file.length < RIFF_HEADER) {
            throw cut();
        }
        long size = CHUNK_HEADER + u32(file, 4);
        if (size > file.length) {
            throw cut();
        }
        Chunks chunks = new Chunks(file, RIFF_HEADER, (int) size);
        WebPFrame frame = first(file, chunks);
        // Check the remaining chunks, which reveals damaged lengths.
        while (chunks.next()) {}
        if (chunks.next != chunks.limit) {
            throw damaged();
        }
        return frame;
    }

    private static WebPFrame first(byte[] file, Chunks chunks) throws IOException {
        if (!chunks.next()) {
            throw none();
        }
        if (chunks.is('V', 'P', '8', 'L') || chunks.is('V', 'P', '8', ' ')) {
            return chunks.image(null, false, false);
        }
        if (!chunks.is('V', 'P', '8', 'X')) {
            throw none();
        }
        if (chunks.end - chunks.from < EXTENDED_SIZE) {
            throw damaged();
        }
        int flags = file[chunks.from];
        int[] canvas = {0, 0, 1 + u24(file, chunks.from + 4), 1 + u24(file, chunks.from + 7)};
        boolean alpha = (flags & ALPHA) != 0;
        if ((flags & ANIMATION) == 0) {
            return chunks.image(canvas, alpha, false);
        }
        while (chunks.next()) {
            if (chunks.is('A', 'N', 'M', 'F')) {
                if (chunks.end - chunks.from < FRAME_SIZE) {
                    throw damaged();
                }
                canvas[0] = 2 * u24(file, chunks.from);
                canvas[1] = 2 * u24(file, chunks.from + 3);
                return new Chunks(file, chunks.from + FRAME_SIZE, chunks.end).image(canvas, alpha, true);
            }
        }
        throw none();
    }

    /** Iterates over chunks. */
    private static final class Chunks {
        private final byte[] file;
        private final int limit;
        private int next;
        /** Start of the current chunk. Before the first chunk, the payload is empty and there is no name. */
        private int name;

        private int from;
        private int end;

        Chunks(byte[] file, int from, int limit) {
            this.file = file;
            this.next = from;
            this.limit = limit;
        }

        boolean next() throws IOException {
            if (limit - next < CHUNK_HEADER) {
                return false;
            }
            name = next;
            from = next + CHUNK_HEADER;
            long length = u32(file, name + 4);
            if (length + (length & 1) > limit - from) {
                throw cut();
            }
            end = from + (int) length;
            next = end + (end - from & 1);
            return true;
        }

        boolean is(int... expected) {
            return Signatures.at(file, name, expected);
        }

        /**
         * Finds the image, starting at the current chunk.
         *
         * @param canvas left, top, width and height, or null if the image is the whole canvas
         */
        WebPFrame image(int[] canvas, boolean alpha, boolean animated) throws IOException {
            int alphaFrom = 0;
            int alphaEnd = 0;
            do {
                if (is('A', 'L', 'P', 'H') && alphaEnd == 0) {
                    alphaFrom = from;
                    alphaEnd = end;
                }
                if (is('V', 'P', '8', 'L')) {
                    if (end - from < LOSSLESS_HEADER || file[from] != 0x2f || (file[from + 4] & 0xe0) != 0) {
                        throw damaged();
                    }
                    int bits = (int) u32(file, from + 1);
                    boolean transparent = animated ? alpha : (bits >> 28 & 1) == 1;
                    return placed(
                            canvas, 1 + (bits & 0x3fff), 1 + (bits >> 14 & 0x3fff), animated, true, 0, 0, transparent);
                }
                if (is('V', 'P', '8', ' ')) {
                    // The first bits mean: a key frame, a known version, shown.
                    if (end - from < LOSSY_HEADER
                            || (file[from] & 0x19) != 0x10
                            || !Signatures.at(file, from + 3, 0x9d, 1, 0x2a)) {
                        throw damaged();
                    }
                    int width = u24(file, from + 6) & 0x3fff;
                    int height = u24(file, from + 7) >> 8 & 0x3fff;
                    if (width == 0 || height == 0) {
                        throw damaged();
                    }
                    return placed(canvas, width, height, animated, false, alphaFrom, alphaEnd, alpha && alphaEnd > 0);
                }
            } while (next());
            throw none();
        }

        private WebPFrame placed(
                int[] canvas,
                int width,
                int height,
                boolean animated,
                boolean lossless,
                int alphaFrom,
                int alphaEnd,
                boolean transparent)
                throws IOException {
            int[] c = canvas == null ? new int[] {0, 0, width, height} : canvas;
            if (c[0] + width > c[2] || c[1] + height > c[3] || !animated && (width != c[2] || height != c[3])) {
                throw new IOException("damaged WebP image: its " + width + "x" + height
                        + " pixels do not fit its canvas of " + c[2] + "x" + c[3]);
            }
            return new WebPFrame(
                    c[2], c[3], c[0], c[1], width, height, lossless, from, end, alphaFrom, alphaEnd, transparent);
        }
    }

    private static IOException none() {
        return new IOException("damaged WebP image: there is no image in it");
    }

    private static IOException cut() {
        return new IOException("cut WebP image: the file is shorter than its header states");
    }

    private static IOException damaged() {
        return new IOException("damaged WebP image: its header is invalid");
    }

    private static int u24(byte[] b, int at) {
        return b[at] & 255 | (b[at + 1] & 255) << 8 | (b[at + 2] & 255) << 16;
    }

    private static long u32(byte[] b, int at) {
        return u24(b, at) | (b[at + 3] & 255L) << 24;
    }
}
