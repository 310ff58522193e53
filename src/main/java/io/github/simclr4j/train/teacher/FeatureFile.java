package io.github.simclr4j.train.teacher;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.zip.CRC32C;

/**
 * Features of images on disk, a row an image, which are written in order and read in any. Rows are not held in memory. Layout: magic,
 * version, length of a row, rows in all, key; then of each row its values as float32, big-endian, and a CRC-32C over its number and
 * these. A row of an image that can't be read is NaN. What a kill left behind is the rows up to the first that is not whole, and is
 * written on.
 *
 * <p>Reading does not use channels, which an interrupt would close. One thread uses it at a time.
 */
final class FeatureFile implements AutoCloseable {
    private static final int MAGIC = 0x53434654;
    private static final int VERSION = 1;
    private static final int HEADER = 48;

    private final Path path;
    private final int dimension;
    private final int rows;
    private RandomAccessFile file;
    private FileLock lock;
    private int whole;

    /**
     * Opens a file or makes it.
     *
     * @param path its folder is made if it is missing
     * @param key 64 hexadecimal digits that say what the features are of; a file of another key is written anew
     * @param rows how many there are in the end
     * @param dimension values in a row
     * @throws IOException if it can't be read or written, or is being written by another process
     */
    FeatureFile(Path path, String key, int rows, int dimension) throws IOException {
        this.path = path;
        this.rows = rows;
        this.dimension = dimension;
        byte[] header = ByteBuffer.allocate(HEADER).putInt(MAGIC).putInt(VERSION).putInt(dimension).putInt(rows)
                .put(HexFormat.of().parseHex(key)).array();
        whole = Files.isRegularFile(path) ? count(header) : 0;
        if (whole == rows) {
            file = new RandomAccessFile(path.toFile(), "r");
            return;
        }
        try {
            Files.createDirectories(path.toAbsolutePath().getParent());
            file = new RandomAccessFile(path.toFile(), "rw");
            lock();
            // Another process may have written on until it was locked.
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

    private void lock() throws IOException {
        try {
            lock = file.getChannel().tryLock();
        } catch (OverlappingFileLockException e) {
            lock = null;
        }
        if (lock == null) {
            throw new IOException("another run computes the same features: wait until it has them");
        }
    }

    private IOException failed(IOException e) {
        return new IOException("Can't write the teacher's features to " + path + ": " + e.getMessage()
                + "; make room there, or name another folder for them", e);
    }

    private long offset(int row) {
        return HEADER + (long) row * (dimension + 1) * Float.BYTES;
    }

    /** Counts the rows before the first that is not whole. */
    private int count(byte[] header) throws IOException {
        try (DataInputStream in = new DataInputStream(new BufferedInputStream(Files.newInputStream(path), 1 << 16))) {
            byte[] found = in.readNBytes(HEADER);
            if (!Arrays.equals(found, header)) {
                return 0;
            }
            byte[] row = new byte[(dimension + 1) * Float.BYTES];
            int n = 0;
            while (n < rows && in.readNBytes(row, 0, row.length) == row.length && isWhole(n, row)) {
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

    /** Returns how many rows are there. */
    int whole() {
        return whole;
    }

    /**
     * Writes the next row.
     *
     * @param features null for an image that can't be read
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

    /**
     * Reads a row that is there.
     *
     * @return null for an image that could not be read
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

    /** Gives the file back; its rows stay on disk. */
    @Override
    public void close() throws IOException {
        if (lock != null) {
            lock.release();
            lock = null;
        }
        if (file != null) {
            file.close();
        }
    }
}
