// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/** Decompresses the rows of a PNG file and reverses their filters (PNG specification, sections 9 and 10). */
final class PngLines implements AutoCloseable {
    /** Maximum number of bytes per compressed byte: Deflate stores at most 258 bytes in 2 bits. */
    private static final long MOST_FOR_A_BYTE = 1032;

    private final Inflater inflater = new Inflater();
    private final ByteBuffer file;
    /** Position of the next chunk. */
    private int chunk;

    private final int pixelBytes;
    private final byte[] filter = new byte[1];
    private byte[] line = {};
    private byte[] above = {};

    PngLines(byte[] file, PngChunks chunks) {
        this.file = ByteBuffer.wrap(file);
        chunk = chunks.data();
        pixelBytes = Math.max(1, chunks.channels() * chunks.bits() / 8);
    }

    /** Returns whether the compressed data are long enough for the pixels. */
    static boolean canHold(PngChunks chunks) {
        return chunks.lineBytes(chunks.width()) * chunks.height() <= MOST_FOR_A_BYTE * chunks.stored();
    }

    /** Starts a pass. The row before its first row counts as zeros. */
    void begin(int bytes) {
        line = new byte[bytes];
        above = new byte[bytes];
    }

    /**
     * Returns the next row. The array is reused for the row after the next one.
     *
     * @throws IOException if the data are incomplete or damaged
     */
    byte[] next() throws IOException {
        byte[] last = line;
        line = above;
        above = last;
        read(filter);
        read(line);
        switch (filter[0]) {
            case 0 -> {}
            case 1 -> left();
            case 2 -> up();
            case 3 -> average();
            case 4 -> paeth();
            default -> throw new IOException("damaged PNG image: unknown filter of a row");
        }
        return line;
    }

    private void left() {
        for (int i = pixelBytes; i < line.length; i++) {
            line[i] += line[i - pixelBytes];
        }
    }

    private void up() {
        for (int i = 0; i < line.length; i++) {
            line[i] += above[i];
        }
    }

    private void average() {
        for (int i = 0; i < line.length; i++) {
            int left = i < pixelBytes ? 0 : line[i - pixelBytes] & 255;
            line[i] += (byte) (left + (above[i] & 255) >> 1);
        }
    }

    private void paeth() {
        int first = Math.min(pixelBytes, line.length);
        for (int i = 0; i < first; i++) {
            line[i] += above[i];
        }
        for (int i = first; i < line.length; i++) {
            int a = line[i - pixelBytes] & 255;
            int b = above[i] & 255;
            int c = above[i - pixelBytes] & 255;
            int pa = Math.abs(b - c);
            int pb = Math.abs(a - c);
            int pc = Math.abs(a + b - 2 * c);
            line[i] += (byte) (pa <= pb && pa <= pc ? a : pb <= pc ? b : c);
        }
    }

    private void read(byte[] to) throws IOException {
        try {
            for (int done = 0; done < to.length; ) {
                int n = inflater.inflate(to, done, to.length - done);
                done += n;
                if (n == 0) {
                    if (inflater.finished() || inflater.needsDictionary() || file.getInt(chunk + 4) != PngChunks.IDAT) {
                        throw PngChunks.incomplete();
                    }
                    int length = file.getInt(chunk);
                    inflater.setInput(file.slice(chunk + 8, length));
                    chunk += 12 + length;
                }
            }
        } catch (DataFormatException e) {
            throw new IOException("damaged PNG image: its compressed pixels can't be unpacked", e);
        }
    }

    @Override
    public void close() {
        inflater.end();
    }
}
