// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.teacher;

import io.github.simclr4j.util.OutputLock;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HexFormat;
import java.util.zip.CRC32C;

/**
 * A file of image features, one row per image, written in order and read in any order.
 *
 * <p>Layout: magic number, version, length of a row, number of rows and key, then for each row its values as big-endian float32 and
 * a CRC-32C over the row's index and values. An unreadable image has a row of NaN, which can be replaced. After a crash, the rows
 * before the first incomplete one are kept, and writing continues there.
 *
 * <p>Rows are not held in memory. Reading does not use channels, because an interrupt would close them. The lock is on a file beside
 * it, because closing any handle of a locked file releases the lock. Not thread-safe.
 */
final class FeatureFile implements AutoCloseable {
    private static final int MAGIC = 0x53434654;
    private static final int VERSION = 1;
    private static final int HEADER = 48;

    private final Path path;
    private final int dimension;
    private final int rows;
    private RandomAccessFile file;
    private OutputLock lock;
    private int whole;
    /** Rows of NaN that an earlier run has written. */
    private final BitSet unreadable = new BitSet();

    /**
     * Opens or creates a file.
     *
     * @param path the file; its folder is created if it is missing
     * @param key 64 hexadecimal digits that identify the features; a file with another key is overwritten
     * @param rows number of rows of the complete file
     * @param dimension values per row
     * @throws IOException if the file cannot be read or written, or another process or another part of this process is writing it; the
     *     message names the process
     */
    FeatureFile(Path path, String key, int rows, int dimension) throws IOException {
        this.path = path;
        this.rows = rows;
        this.dimension = dimension;
        byte[] header = ByteBuffer.allocate(HEADER)
                .putInt(MAGIC)
                .putInt(VERSION)
                .putInt(dimension)
                .putInt(rows)
                .put(HexFormat.of().parseHex(key))
                .array();
        whole = Files.isRegularFile(path) ? count(header) : 0;
        if (whole == rows) {
            file = new RandomAccessFile(path.toFile(), "r");
            return;
        }
        try {
            Files.createDirectories(path.toAbsolutePath().getParent());
        } catch (IOException e) {
            throw failed(e);
        }
        lock = OutputLock.of(path);
        try {
            file = new RandomAccessFile(path.toFile(), "rw");
            // Another process may have appended rows before the lock was acquired.
            whole = count(header);
            if (whole == 0) {
                file.setLength(0);
                file.write(header);
            }
            file.setLength(offset(whole));
            file.seek(offset(whole));
        } catch (IOException e) {
            close();
            throw failed(e);
        }
    }

    private IOException failed(IOException e) {
        return new IOException(
                "Can't write the teacher's features to " + path + ": " + e.getMessage()
                        + "; free some space there, or choose another folder for them",
                e);
    }

    private long offset(int row) {
        return HEADER + (long) row * (dimension + 1) * Float.BYTES;
    }

    /** Counts the rows before the first incomplete one. */
    private int count(byte[] header) throws IOException {
        try (DataInputStream in = new DataInputStream(new BufferedInputStream(Files.newInputStream(path), 1 << 16))) {
            byte[] found = in.readNBytes(HEADER);
            if (!Arrays.equals(found, header)) {
                return 0;
            }
            byte[] row = new byte[(dimension + 1) * Float.BYTES];
            int n = 0;
            unreadable.clear();
            while (n < rows && in.readNBytes(row, 0, row.length) == row.length && isWhole(n, row)) {
                unreadable.set(
                        n, dimension > 0 && Float.isNaN(ByteBuffer.wrap(row).getFloat()));
                n++;
            }
            return n;
        }
    }

    private boolean isWhole(int number, byte[] row) {
        return ByteBuffer.wrap(row).getInt(dimension * Float.BYTES) == crc(number, row);
    }

    private int crc(int number, byte[] row) {
        CRC32C crc = new CRC32C();
        crc.update(ByteBuffer.allocate(Integer.BYTES).putInt(number).flip());
        crc.update(row, 0, dimension * Float.BYTES);
        return (int) crc.getValue();
    }

    /** Returns the number of complete rows. */
    int whole() {
        return whole;
    }

    /**
     * Writes the next row.
     *
     * @param features the values, or null for an unreadable image
     */
    void append(float[] features) throws IOException {
        ByteBuffer row = ByteBuffer.allocate((dimension + 1) * Float.BYTES);
        for (int i = 0; i < dimension; i++) {
            row.putFloat(features == null ? Float.NaN : features[i]);
        }
        row.putInt(crc(whole, row.array()));
        try {
            file.write(row.array());
            if (++whole == rows) {
                file.getFD().sync();
            }
        } catch (IOException e) {
            throw failed(e);
        }
    }

    /** Returns the rows that an earlier run wrote for unreadable images. */
    int[] unreadable() {
        return unreadable.stream().toArray();
    }

    /** Replaces a row, for an image that can be read now. */
    void replace(int number, float[] features) throws IOException {
        ByteBuffer row = ByteBuffer.allocate((dimension + 1) * Float.BYTES);
        row.asFloatBuffer().put(features);
        row.putInt(dimension * Float.BYTES, crc(number, row.array()));
        try {
            if (lock == null) {
                // A complete file is open for reading only.
                try (RandomAccessFile writable = new RandomAccessFile(path.toFile(), "rw")) {
                    writable.seek(offset(number));
                    writable.write(row.array());
                }
            } else {
                file.seek(offset(number));
                file.write(row.array());
                file.seek(offset(whole));
            }
        } catch (IOException e) {
            throw failed(e);
        }
    }

    /** Returns the path of the file. */
    Path path() {
        return path;
    }

    /**
     * Reads a row.
     *
     * @return the values, or null for an unreadable image
     */
    float[] read(int number) throws IOException {
        byte[] row = new byte[(dimension + 1) * Float.BYTES];
        file.seek(offset(number));
        file.readFully(row);
        if (!isWhole(number, row)) {
            throw new IOException(path + " is damaged: delete it, and the next run computes the features again");
        }
        float[] features = new float[dimension];
        ByteBuffer.wrap(row).asFloatBuffer().get(features);
        return dimension > 0 && Float.isNaN(features[0]) ? null : features;
    }

    /** Closes the file, whose rows stay on disk, and then releases the lock. */
    @Override
    public void close() throws IOException {
        try {
            if (file != null) {
                file.close();
            }
        } finally {
            if (lock != null) {
                lock.close();
            }
        }
    }
}
