// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import java.io.IOException;

/** Decodes run-length encoded pixels of BMP files (Microsoft, "Bitmap Compression"): BI_RLE8 and BI_RLE4. */
final class BmpRunLength {
    private static final int END_OF_LINE = 0;
    private static final int END_OF_BITMAP = 1;
    private static final int MOVE = 2;

    private final byte[] file;
    private final BmpHeader header;
    private int at;
    private int x;
    private int y;

    BmpRunLength(byte[] file, BmpHeader header) {
        this.file = file;
        this.header = header;
        at = (int) header.pixels();
    }

    /**
     * Decodes all rows. Skipped pixels have the palette's first colour, as in Pillow.
     *
     * @param rgb the result, [height, width, 3], initially black
     * @throws IOException if the data end before the image is complete, or go beyond it
     */
    void decode(byte[] rgb) throws IOException {
        for (int p = 0; p < rgb.length; p += 3) {
            header.put(0, rgb, p);
        }
        // The end marker may be missing after the last row.
        while (y < header.height() && !(y == header.height() - 1 && x >= header.width() && at >= file.length)) {
            int count = next();
            int value = next();
            if (count > 0) {
                for (int i = 0; i < count; i++) {
                    pixel(rgb, header.bits() == 8 ? value : i % 2 == 0 ? value >> 4 : value & 15);
                }
            } else if (value == END_OF_LINE) {
                x = 0;
                y++;
            } else if (value == END_OF_BITMAP) {
                return;
            } else if (value == MOVE) {
                x += next();
                y += next();
                if (x > header.width() || y >= header.height()) {
                    throw new IOException("damaged BMP image: a run goes beyond the picture");
                }
            } else {
                literal(rgb, value);
            }
        }
    }

    private void literal(byte[] rgb, int count) throws IOException {
        if (x + count > header.width()) {
            throw new IOException("damaged BMP image: a run goes beyond the picture");
        }
        int start = at;
        int pair = 0;
        for (int i = 0; i < count; i++) {
            if (header.bits() == 8) {
                pixel(rgb, next());
            } else {
                pair = i % 2 == 0 ? next() : pair << 4 & 255;
                pixel(rgb, pair >> 4);
            }
        }
        // The next code begins at an even distance. After the last code of the file the padding byte may be missing.
        at += at - start & 1;
    }

    private int next() throws IOException {
        if (at >= file.length) {
            throw BmpHeader.incomplete();
        }
        return file[at++] & 255;
    }

    /** Writes the next pixel of the row. Superfluous pixels are dropped, as in Pillow, since some programs fill up a pair of pixels. */
    private void pixel(byte[] rgb, int index) {
        if (x < header.width()) {
            int row = header.topDown() ? y : header.height() - 1 - y;
            header.put(index, rgb, 3 * (row * header.width() + x));
            x++;
        }
    }
}
