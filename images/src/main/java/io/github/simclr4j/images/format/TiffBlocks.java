// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.zip.InflaterInputStream;

/** Opens the strips or tiles of a TIFF file. */
final class TiffBlocks {
    /** Maximum number of blocks, since each takes time to open. An image of 100 megapixels has 1,600 tiles of 256x256, or 10,000 rows. */
    private static final int MAX_BLOCKS = 200_000;

    private static final int MAX_JPEG_BLOCKS = 20_000;

    private final byte[] file;
    private final TiffDirectory d;
    private final TiffKind kind;
    private final TiffLayout layout;
    private final int across;
    private final int down;
    /** Number of bytes of JPEG data that may still be read, which limits the time for files with overlapping strips. */
    private long budget;

    /**
     * Checks the number of blocks.
     *
     * @throws IOException if there are too few or too many, or if their chroma subsampling is not supported
     */
    TiffBlocks(byte[] file, TiffDirectory d, TiffKind kind, TiffLayout layout) throws IOException {
        this.file = file;
        this.d = d;
        this.kind = kind;
        this.layout = layout;
        boolean subsampled = kind.photometric() == TiffKind.YCBCR && kind.compression() != TiffCompression.JPEG;
        across = subsampled ? subsampling(0) : 1;
        down = subsampled ? subsampling(1) : 1;
        if (across * down > 1 && (kind.planar() || kind.samples() > 3 || kind.predictor() > 1)) {
            throw TiffKind.refused("subsampled YCbCr colours in planes, with extra samples or with a predictor");
        }
        long blocks = (long) layout.across() * layout.down() * (kind.planar() ? kind.samples() : 1);
        if (d.count(layout.offsets()) < blocks) {
            throw new IOException(
                    "damaged image: " + d.count(layout.offsets()) + " strips or tiles, expected " + blocks);
        }
        int most = kind.compression() == TiffCompression.JPEG ? MAX_JPEG_BLOCKS : MAX_BLOCKS;
        if (blocks > most) {
            throw TiffKind.refused(blocks + " strips or tiles (at most " + most + ")");
        }
        budget = file.length + 8L * layout.width() * layout.height() * kind.samples();
    }

    private int subsampling(int index) throws IOException {
        long value = d.count(TiffTag.YCBCR_SUBSAMPLING) == 0 ? 2 : d.integer(TiffTag.YCBCR_SUBSAMPLING, index);
        if (value != 1 && value != 2 && value != 4) {
            throw new IOException("damaged image: YCbCr subsampling of " + value);
        }
        return (int) value;
    }

    /** Returns the number of bytes of a row of a block. */
    int rowBytes() {
        long bits = (long) layout.blockWidth() * samples() * kind.bits();
        return Math.toIntExact((bits + 7) / 8);
    }

    private int samples() {
        return kind.planar() ? 1 : kind.samples();
    }

    /**
     * Opens a block.
     *
     * @param column column of the block, from 0
     * @param line row of the block, from 0
     * @param plane index of the sample's plane, 0 if there is only one
     */
    TiffRows open(int column, int line, int plane) throws IOException {
        int index = (plane * layout.down() + line) * layout.across() + column;
        int rows = Math.min(layout.blockHeight(), layout.height() - line * layout.blockHeight());
        long from = d.integer(layout.offsets(), index);
        long length = length(index);
        if (from == 0 || from > file.length || length == 0) {
            throw new IOException("damaged image: the pixels of strip or tile " + index + " are missing");
        }
        length = Math.min(length, file.length - from);
        if (kind.compression() == TiffCompression.JPEG) {
            budget -= length;
            if (budget < 0) {
                throw new IOException("damaged image: the strips or tiles overlap");
            }
        } else {
            // Do not read data far beyond the needed length, since many strips may share the same data.
            length = Math.min(length, 8L * rowBytes() * rows + 256);
        }
        byte[] bytes = file;
        int to = (int) (from + length);
        if (kind.reversed() && kind.compression() != TiffCompression.JPEG) {
            bytes = reversed((int) from, to);
            from = 0;
            to = bytes.length;
        }
        return rows(bytes, (int) from, to, rows);
    }

    /** Returns the length of a block according to the file, or the rest of the file if it is not stated. */
    private long length(int index) throws IOException {
        long length = d.count(layout.counts()) == 0 ? 0 : d.integer(layout.counts(), index);
        boolean known = length > 0 || d.count(layout.counts()) > 1;
        return known ? length : file.length;
    }

    private byte[] reversed(int from, int to) {
        byte[] bytes = Arrays.copyOfRange(file, from, to);
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (Integer.reverse(bytes[i]) >>> 24);
        }
        return bytes;
    }

    private TiffRows rows(byte[] bytes, int from, int to, int rows) throws IOException {
        if (kind.compression() == TiffCompression.JPEG) {
            int most = Math.max(layout.height(), layout.blockHeight());
            return TiffRows.of(TiffJpeg.decode(
                    d.bytes(TiffTag.JPEG_TABLES),
                    bytes,
                    from,
                    to,
                    new TiffJpeg.Expected(layout.blockWidth(), rows, most, samples())));
        } else if (TiffCompression.isFax(kind.compression())) {
            boolean twoDimensional = (d.integerOr(TiffTag.T4_OPTIONS, 0) & 1) == 1;
            return new TiffFax(kind.compression(), twoDimensional, bytes, from, to, layout.blockWidth());
        }
        TiffRows in = TiffRows.of(
                switch (kind.compression()) {
                    case TiffCompression.LZW -> new TiffLzw(bytes, from, to);
                    case TiffCompression.DEFLATE ->
                        new InflaterInputStream(new ByteArrayInputStream(bytes, from, to - from));
                    case TiffCompression.PACK_BITS -> new TiffPackBits(bytes, from, to);
                    default -> new ByteArrayInputStream(bytes, from, to - from);
                });
        if (kind.predictor() == 2) {
            return new TiffDifferences(in, samples(), kind.bits(), d.order());
        }
        return across * down > 1 ? new TiffSubsampled(in, layout.blockWidth(), across, down) : in;
    }
}
