package io.github.simclr4j.train.tracking;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;

/**
 * A new file of <a href="https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details">TFRecords</a>: each is
 * its length (uint64, little-endian), the length's masked CRC-32C, the bytes, and their masked CRC-32C. A record goes in whole: what
 * a full disk cuts off is taken back, so that later records can be read, and after a crash all but the last one can.
 */
final class RecordFile implements AutoCloseable {
    private static final int MASK = 0xa282ead8;
    private static final int FRAME = Long.BYTES + 2 * Integer.BYTES;

    private final Path path;
    private final OutputStream out;
    private long end;

    /**
     * Makes the file.
     *
     * @throws IOException if it exists already or can't be made
     */
    RecordFile(Path path) throws IOException {
        this.path = path;
        // An interrupted thread would close a channel. After what was cut off the stream goes on at the file's end.
        out = Files.newOutputStream(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.APPEND);
    }

    /**
     * Adds a record.
     *
     * @throws IOException if it can't be written; the records before it stay as they are
     */
    void add(byte[] bytes) throws IOException {
        ByteBuffer record = ByteBuffer.allocate(FRAME + bytes.length).order(ByteOrder.LITTLE_ENDIAN);
        record.putLong(bytes.length);
        record.putInt(maskedCrc(record.array(), Long.BYTES));
        record.put(bytes).putInt(maskedCrc(bytes, bytes.length));
        try {
            out.write(record.array());
            end += record.capacity();
        } catch (IOException e) {
            try (SeekableByteChannel channel = Files.newByteChannel(path, StandardOpenOption.WRITE)) {
                channel.truncate(end);
            }
            throw new IOException("Can't write " + path + ": " + e + "; free some space", e);
        }
    }

    /** Returns the CRC of the first bytes, masked as the format wants it: a CRC of data that hold CRCs is a weak one. */
    private static int maskedCrc(byte[] bytes, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, length);
        return Integer.rotateRight((int) crc.getValue(), 15) + MASK;
    }

    @Override
    public void close() throws IOException {
        out.close();
    }
}
