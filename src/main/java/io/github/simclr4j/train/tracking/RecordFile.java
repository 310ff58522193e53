// SPDX-License-Identifier: Apache-2.0
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
 * A new <a href="https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details">TFRecord</a> file.
 *
 * <p>A record is its length (uint64, little-endian), the masked CRC-32C of the length, the bytes, and their masked CRC-32C. An incomplete
 * record on a full disk is removed, so that later records can be read. After a crash all records but the last one can be read.
 */
final class RecordFile implements AutoCloseable {
    private static final int MASK = 0xa282ead8;
    private static final int FRAME = Long.BYTES + 2 * Integer.BYTES;

    private final Path path;
    private final OutputStream out;
    private long end;

    /**
     * Creates the file.
     *
     * @throws IOException if the file already exists or cannot be created
     */
    RecordFile(Path path) throws IOException {
        this.path = path;
        // A channel would be closed by an interrupt. In append mode the stream continues at the end after a truncation.
        out = Files.newOutputStream(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.APPEND);
    }

    /**
     * Appends a record.
     *
     * @throws IOException if the record cannot be written; earlier records are kept
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

    /** Returns the masked CRC of the first bytes. The format masks it because a CRC of data that contain CRCs is weak. */
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
