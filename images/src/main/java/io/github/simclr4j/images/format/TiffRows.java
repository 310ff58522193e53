// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import java.awt.image.DataBufferByte;
import java.awt.image.Raster;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.ZipException;

/** The rows of a block of a TIFF file, which are decompressed one after the other. */
interface TiffRows extends Closeable {
    /**
     * Reads the next row of packed samples.
     *
     * @throws IOException if the data are damaged or the row is incomplete
     */
    void next(byte[] row) throws IOException;

    @Override
    default void close() throws IOException {}

    /** Returns the rows of a stream. */
    static TiffRows of(InputStream in) {
        return new TiffRows() {
            @Override
            public void next(byte[] row) throws IOException {
                int n;
                try {
                    n = in.readNBytes(row, 0, row.length);
                } catch (EOFException e) {
                    n = 0;
                } catch (ZipException e) {
                    throw new IOException("damaged image: Deflate data in a strip or tile: " + e.getMessage(), e);
                }
                if (n < row.length) {
                    throw new IOException("damaged image: the pixels of a strip or tile are not complete");
                }
            }

            @Override
            public void close() throws IOException {
                in.close();
            }
        };
    }

    /** Returns the rows of a raster of bytes, which may be wider than the rows. */
    static TiffRows of(Raster raster) {
        byte[] pixels = ((DataBufferByte) raster.getDataBuffer()).getData();
        int stride = pixels.length / raster.getHeight();
        return new TiffRows() {
            private int at;

            @Override
            public void next(byte[] row) {
                System.arraycopy(pixels, at, row, 0, Math.min(row.length, stride));
                at += stride;
            }
        };
    }
}
