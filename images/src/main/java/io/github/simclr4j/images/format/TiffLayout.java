// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import io.github.simclr4j.images.SizeCheck;
import java.io.IOException;

/**
 * The layout of the pixels of a TIFF file in blocks of equal size, which are either tiles or strips over the whole width.
 *
 * @param width width of the image in pixels
 * @param height height of the image in pixels
 * @param blockWidth width of a block; the last tile of a row may extend beyond the image
 * @param blockHeight height of a block; the last tiles may extend beyond the image, but the last strip ends with it
 * @param tiled whether the blocks are tiles
 * @param offsets the tag of the blocks' positions in the file
 * @param counts the tag of the blocks' lengths in bytes
 */
record TiffLayout(int width, int height, int blockWidth, int blockHeight, boolean tiled, int offsets, int counts) {
    /** Maximum number of samples: 100 megapixels with four samples each. */
    private static final long MAX_SAMPLES = 400_000_000;
    /** Maximum number of samples per row, enough for 64 samples per pixel of very wide microscope images. */
    private static final int MAX_ROW = 1 << 22;

    /**
     * Reads the layout from a directory.
     *
     * @param size receives the size of the image, or of a block if that is larger
     * @throws IOException if there are no pixels or too many, or if {@code size} throws it
     */
    static TiffLayout of(TiffDirectory d, TiffKind kind, SizeCheck size) throws IOException {
        int width = d.integerOr(TiffTag.WIDTH, 0);
        int height = d.integerOr(TiffTag.HEIGHT, 0);
        boolean tiled = d.count(TiffTag.TILE_WIDTH) > 0;
        int blockWidth = tiled ? d.integerOr(TiffTag.TILE_WIDTH, 0) : width;
        int rows = d.integerOr(tiled ? TiffTag.TILE_HEIGHT : TiffTag.ROWS_PER_STRIP, tiled ? 0 : height);
        int blockHeight = tiled ? rows : rows == 0 ? height : Math.min(rows, height);
        if (width < 1 || height < 1 || blockWidth < 1 || blockHeight < 1) {
            throw new IOException("damaged image: a TIFF image of " + width + "x" + height + " pixels in blocks of "
                    + blockWidth + "x" + blockHeight);
        }
        size.check(Math.max(width, blockWidth), Math.max(height, blockHeight));
        if ((long) width * height > MAX_SAMPLES / kind.samples() || (long) blockWidth * kind.samples() > MAX_ROW) {
            throw new IOException(
                    "image too large: " + kind.samples() + " samples for each of " + width + "x" + height + " pixels");
        }
        if (TiffCompression.isOldJpeg(d)) {
            return new TiffLayout(width, height, width, height, false, TiffTag.JPEG_STREAM, TiffTag.NONE);
        }
        // Some programs write the positions of tiles as those of strips.
        boolean tileTags = tiled && d.count(TiffTag.TILE_OFFSETS) > 0;
        return new TiffLayout(
                width,
                height,
                blockWidth,
                blockHeight,
                tiled,
                tileTags ? TiffTag.TILE_OFFSETS : TiffTag.STRIP_OFFSETS,
                tileTags ? TiffTag.TILE_BYTE_COUNTS : TiffTag.STRIP_BYTE_COUNTS);
    }

    /** Returns the number of columns of blocks. */
    int across() {
        return (width - 1) / blockWidth + 1;
    }

    /** Returns the number of rows of blocks. */
    int down() {
        return (height - 1) / blockHeight + 1;
    }
}
