// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import com.google.gson.Gson;
import com.google.gson.JsonParseException;
import io.github.simclr4j.util.AtomicFiles;
import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;

/**
 * The rows of one shard: a line of JSON, the {@link Header}, and then records, each with its length and its CRC-32. It grows as rows
 * are computed. What a killed process left half-written at its end is cut off when it is opened again.
 */
final class ShardFile {
    private static final String FORMAT = "simclr4j-shard-2";
    private static final int LONGEST = 1 << 26;
    /** Bytes of a record beside the name and the features: index, kind, label and the name's length. */
    private static final int FIXED = 13;
    /** Bytes of the header: it names all classes. */
    private static final int LONGEST_HEADER = 1 << 24;

    private static final Gson JSON = new Gson();
    /** The label of an image that has none. */
    static final int NO_LABEL = -1;

    private ShardFile() {}

    /**
     * What a shard's rows are, and what must be the same in all shards of a set.
     *
     * @param format of the file
     * @param shard from 1
     * @param shards how many there are
     * @param images in this shard
     * @param allImages in all shards
     * @param listing SHA-256 of the names of all images
     * @param classes the names of the classes, none if the images have no labels
     * @param labels SHA-256 of the labels of all images
     * @param dimension length of an embedding
     * @param encoderSha256 of the encoder's file
     * @param settings how the encoder was fed and run
     */
    record Header(
            String format,
            int shard,
            int shards,
            int images,
            int allImages,
            String listing,
            List<String> classes,
            String labels,
            int dimension,
            String encoderSha256,
            Map<String, String> settings) {
        Header(
                Shard shard,
                int images,
                int allImages,
                String listing,
                List<String> classes,
                String labels,
                int dimension,
                String encoderSha256,
                Map<String, String> settings) {
            this(
                    FORMAT,
                    shard.number(),
                    shard.count(),
                    images,
                    allImages,
                    listing,
                    classes,
                    labels,
                    dimension,
                    encoderSha256,
                    settings);
        }

        /** Says in what another shard's rows differ in kind from these; null if in nothing. */
        String difference(Header other) {
            if (!encoderSha256.equals(other.encoderSha256)) {
                return "another encoder (SHA-256 " + encoderSha256 + ", not " + other.encoderSha256 + ")";
            }
            if (allImages != other.allImages || !listing.equals(other.listing)) {
                return "other images (" + allImages + ", not " + other.allImages
                        + (allImages == other.allImages ? " of these names)" : ")");
            }
            if (!classes.equals(other.classes) || !labels.equals(other.labels)) {
                return "other labels of the images";
            }
            if (!settings.equals(other.settings) || dimension != other.dimension) {
                return "other settings (" + settings + ", not " + other.settings + ")";
            }
            return null;
        }
    }

    /**
     * What became of an image.
     *
     * @param index in the whole set
     * @param label the number of its class, {@link #NO_LABEL} if it has none
     * @param features or null
     * @param error why there are none, or null
     */
    record Row(int index, String name, int label, float[] features, String error) {}

    /** Reads the rows in order. */
    static final class Reader implements Closeable {
        private final Path file;
        private final DataInputStream in;
        private final Header header;
        /** Bytes up to the end of the last whole record. */
        private long whole;

        Reader(Path file) throws IOException {
            this.file = file;
            in = new DataInputStream(new BufferedInputStream(Files.newInputStream(file), 1 << 14));
            try {
                header = header();
            } catch (IOException | RuntimeException e) {
                in.close();
                throw e;
            }
        }

        private Header header() throws IOException {
            StringBuilder line = new StringBuilder();
            for (int b = in.read(); b != '\n'; b = in.read()) {
                if (b < 0 || line.length() > LONGEST_HEADER) {
                    throw new IOException(file + " is no shard of embed: delete it");
                }
                line.append((char) b);
            }
            whole = line.length() + 1;
            try {
                Header read = JSON.fromJson(
                        new String(line.toString().getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8),
                        Header.class);
                if (read != null
                        && FORMAT.equals(read.format())
                        && read.encoderSha256() != null
                        && read.listing() != null
                        && read.classes() != null
                        && read.labels() != null
                        && read.settings() != null) {
                    return read;
                }
            } catch (JsonParseException e) {
                throw new IOException(file + " is no shard of embed: delete it", e);
            }
            throw new IOException(file + " is no shard of embed, or one of another version: delete it");
        }

        Header about() {
            return header;
        }

        /** Returns the next row; null at the end, or where a record is cut off or damaged. */
        Row next() throws IOException {
            try {
                int length = in.readInt();
                if (length < FIXED || length > LONGEST) {
                    return null;
                }
                byte[] body = in.readNBytes(length);
                if (body.length < length || in.readInt() != crc(body)) {
                    return null;
                }
                Row row = row(ByteBuffer.wrap(body));
                whole += length + 8L;
                return row;
            } catch (EOFException e) {
                return null;
            }
        }

        private Row row(ByteBuffer body) throws IOException {
            int index = body.getInt();
            boolean good = body.get() == 0;
            int label = body.getInt();
            byte[] name = new byte[body.getInt()];
            body.get(name);
            String called = new String(name, StandardCharsets.UTF_8);
            if (!good) {
                return new Row(
                        index,
                        called,
                        label,
                        null,
                        StandardCharsets.UTF_8.decode(body).toString());
            }
            float[] features = new float[header.dimension()];
            if (body.remaining() != 4 * features.length) {
                throw new IOException(
                        file + " is damaged: a row has other than " + features.length + " features; delete it");
            }
            body.asFloatBuffer().get(features);
            return new Row(index, called, label, features, null);
        }

        @Override
        public void close() throws IOException {
            in.close();
        }
    }

    private static int crc(byte[] body) {
        CRC32 crc = new CRC32();
        crc.update(body);
        return (int) crc.getValue();
    }

    /** Appends rows. Each is handed to the operating system at once, so that a killed process loses none. */
    static final class Writer implements Closeable {
        private final FileOutputStream out;
        private final int rows;
        private final int skipped;

        /**
         * Opens a file, or creates it.
         *
         * @param path whose whole rows stay
         * @param header what the rows are
         * @param images the indices of the shard's images, in order
         * @throws IOException if the file's rows are others, or it can't be written
         */
        Writer(Path path, Header header, int[] images) throws IOException {
            int count = 0;
            int errors = 0;
            if (Files.exists(path) && Files.size(path) > 0) {
                long whole;
                try (Reader reader = new Reader(path)) {
                    String difference = header.difference(reader.about());
                    if (difference != null
                            || header.shard() != reader.about().shard()
                            || header.shards() != reader.about().shards()) {
                        throw new IOException(path + " can't be continued with " + difference
                                + ": use what it was begun with, or delete it to begin again");
                    }
                    for (Row row = reader.next(); row != null; row = reader.next()) {
                        if (count == images.length || row.index() != images[count]) {
                            throw new IOException(path + " is damaged: row " + (count + 1)
                                    + " is another image's; delete it to begin again");
                        }
                        count++;
                        errors += row.error() == null ? 0 : 1;
                    }
                    whole = reader.whole;
                }
                try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
                    channel.truncate(whole);
                }
            } else {
                AtomicFiles.write(path, (JSON.toJson(header) + "\n").getBytes(StandardCharsets.UTF_8));
            }
            rows = count;
            skipped = errors;
            // Unlike a channel it can be written to by an interrupted thread, which saves what it has.
            out = new FileOutputStream(path.toFile(), true);
        }

        /** Returns how many images were done when the file was opened. */
        int done() {
            return rows;
        }

        /** Returns how many of them could not be read. */
        int skipped() {
            return skipped;
        }

        void add(Row row) throws IOException {
            byte[] name = row.name().getBytes(StandardCharsets.UTF_8);
            byte[] error = row.error() == null ? new byte[0] : row.error().getBytes(StandardCharsets.UTF_8);
            int length = FIXED + name.length + (row.error() == null ? 4 * row.features().length : error.length);
            ByteBuffer record = ByteBuffer.allocate(length + 8);
            record.putInt(length)
                    .putInt(row.index())
                    .put((byte) (row.error() == null ? 0 : 1))
                    .putInt(row.label());
            record.putInt(name.length).put(name);
            if (row.error() == null) {
                for (float f : row.features()) {
                    record.putFloat(f);
                }
            } else {
                record.put(error);
            }
            CRC32 crc = new CRC32();
            crc.update(record.array(), 4, length);
            out.write(record.putInt((int) crc.getValue()).array());
        }

        /** Has the file system write everything to the disk. */
        void force() throws IOException {
            out.getFD().sync();
        }

        @Override
        public void close() throws IOException {
            out.close();
        }
    }
}
