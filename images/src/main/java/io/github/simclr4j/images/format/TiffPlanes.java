// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import java.io.Closeable;
import java.io.IOException;

/** The planes of a strip or tile that are needed for its colours: a single one if the samples of a pixel are stored together. */
final class TiffPlanes implements Closeable {
    private final TiffRows[] planes;

    /** Opens the planes of a block. */
    TiffPlanes(TiffBlocks blocks, TiffKind kind, int column, int line) throws IOException {
        planes = new TiffRows[kind.planar() ? kind.samples() : 1];
        try {
            for (int p = 0; p < planes.length; p++) {
                if (p < kind.colours() || p == kind.alpha()) {
                    planes[p] = blocks.open(column, line, p);
                }
            }
        } catch (IOException e) {
            close();
            throw e;
        }
    }

    /**
     * Reads the next row.
     *
     * @param row a buffer for the packed row of a plane
     * @param samples receives the samples, [pixel, sample]
     */
    void next(byte[] row, int[] samples, TiffPixels pixels) throws IOException {
        for (int p = 0; p < planes.length; p++) {
            if (planes[p] != null) {
                planes[p].next(row);
                pixels.unpack(row, samples, p, planes.length);
            }
        }
    }

    @Override
    public void close() throws IOException {
        for (TiffRows plane : planes) {
            if (plane != null) {
                plane.close();
            }
        }
    }
}
