// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import java.io.IOException;

/**
 * The rows of YCbCr pixels with subsampled chroma (TIFF 6.0, section 21), stored in units of {@code across * down} luma values followed by
 * Cb and Cr. Chroma is repeated, as in libtiff.
 */
final class TiffSubsampled implements TiffRows {
    private final TiffRows in;
    private final int across;
    private final int down;
    private final byte[] units;
    private int line;

    /**
     * Wraps the rows of units.
     *
     * @param width width of the block in pixels
     * @param across number of adjacent pixels in a row that share chroma
     * @param down number of adjacent rows that share chroma
     */
    TiffSubsampled(TiffRows in, int width, int across, int down) {
        this.in = in;
        this.across = across;
        this.down = down;
        units = new byte[((width - 1) / across + 1) * (across * down + 2)];
    }

    @Override
    public void next(byte[] row) throws IOException {
        if (line % down == 0) {
            in.next(units);
        }
        int luma = line++ % down * across;
        for (int x = 0; 3 * x < row.length; x++) {
            int unit = x / across * (across * down + 2);
            row[3 * x] = units[unit + luma + x % across];
            row[3 * x + 1] = units[unit + across * down];
            row[3 * x + 2] = units[unit + across * down + 1];
        }
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
