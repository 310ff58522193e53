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
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.zip.CRC32;

/**
 * Stores the rows of one shard: the {@link Header} as a line of JSON, then records with their length and CRC-32. The
 * file grows as rows are computed. An incomplete record that a killed process left at the end is cut off when the file
 * is opened again.
 */
final class ShardFile {
    private static final String KIND = "simclr4j-shard-";
    private static final String FORMAT = KIND + "3";
    private static final int LONGEST = 1 << 26;
    /** Bytes of a record besides the name and the features: index, kind, label and the name's length. */
    private static final int FIXED = 13;
    /** Most bytes of the header, which names all classes. */
    private static final int LONGEST_HEADER = 1 << 26;

    private static final Gson JSON = new Gson();
    /** Setting that says whether the encoder used Winograd's convolutions. */
    static final String WINOGRAD = "winograd";
    /** Label of an image without a class. */
    static final int NO_LABEL = -1;

    private ShardFile() {}

    /**
     * Describes the rows of a shard, including what must be equal in all shards of a set.
     *
     * @param format format of the file
     * @param shard number of the shard, from 1
     * @param shards number of shards
     * @param images number of images in this shard
     * @param allImages number of images in all shards
     * @param base start of the images' names where this shard was begun, see {@link SetNames}; shards may differ in it
     * @param separator separator of these names; shards may differ in it
     * @param listing SHA-256 of the relative names of all images
     * @param classes names of the classes, empty if the images have no labels
     * @param labels SHA-256 of the labels of all images
     * @param dimension length of an embedding
     * @param encoderSha256 SHA-256 of the encoder's file
     * @param settings settings of the encoder and its execution
     */
    record Header(
            String format,
            int shard,
            int shards,
            int images,
            int allImages,
            String base,
            String separator,
            String listing,
            List<String> classes,
            String labels,
            int dimension,
            String encoderSha256,
            Map<String, String> settings) {
        Header(
                Shard shard,
                int images,
                SetNames names,
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
                    names.relative().size(),
                    names.base(),
                    names.separator(),
                    Shard.listing(names.relative()),
                    classes,
                    labels,
                    dimension,
                    encoderSha256,
                    settings);
        }

        private Header with(List<String> equalClasses) {
            return new Header(
                    format,
                    shard,
                    shards,
                    images,
                    allImages,
                    base,
                    separator,
                    listing,
                    equalClasses,
                    labels,
                    dimension,
                    encoderSha256,
                    settings);
        }

        /** Describes how these rows differ in kind from those of another shard; null if they do not. */
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
                return otherSettings(other);
            }
            return null;
        }

        private String otherSettings(Header other) {
            Set<String> names = new TreeSet<>(settings.keySet());
            names.addAll(other.settings.keySet());
            names.removeIf(n -> Objects.equals(settings.get(n), other.settings.get(n)));
            String different = names.stream()
                    .map(n -> n + " " + settings.get(n) + ", not " + other.settings.get(n))
                    .collect(Collectors.joining("; "));
            return "other settings ("
                    + (different.isEmpty() ? dimension + " features, not " + other.dimension : different)
                    + (names.contains(WINOGRAD)
                            ? "; this depends on the heap, -Xmx, and the processor, unless all shards have --no-winograd"
                            : "")
                    + ")";
        }

        /** Returns a row's name as one run in the place of this shard would write it. */
        String fullName(Row row) {
            return SetNames.full(base, separator, row.name());
        }
    }

    /**
     * Holds the result of one image.
     *
     * @param index index in the whole set
     * @param name relative name of the image
     * @param label index of its class, or {@link #NO_LABEL}
     * @param features features, or null
     * @param error reason why there are no features, or null
     */
    record Row(int index, String name, int label, float[] features, String error) {}

    /** Reads the rows in order. */
    static final class Reader implements Closeable {
        private final Path file;
        private final DataInputStream in;
        private Header header;
        /** Bytes up to the end of the last complete record. */
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
                    throw new IOException(file + " is not a shard of embed: delete it");
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
                        && read.base() != null
                        && read.separator() != null
                        && read.listing() != null
                        && read.classes() != null
                        && read.labels() != null
                        && read.settings() != null) {
                    return read;
                }
                if (read != null
                        && read.format() != null
                        && read.format().startsWith(KIND)
                        && !FORMAT.equals(read.format())) {
                    throw new IOException(
                            file
                                    + " is a shard of another version of simclr4j: use that version for all shards, or delete it");
                }
            } catch (JsonParseException e) {
                throw new IOException(file + " is not a shard of embed: delete it", e);
            }
            throw new IOException(file + " is not a shard of embed: delete it");
        }

        Header about() {
            return header;
        }

        /** Takes the names of the classes from another shard with equal ones, so that a thousand shards hold them once. */
        void share(Header other) {
            header = header.with(other.classes());
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
                        file + " is damaged: a row does not have " + features.length + " features; delete it");
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

    /** Appends rows. Each row is passed to the operating system at once, so that a killed process loses none. */
    static final class Writer implements Closeable {
        private final FileOutputStream out;
        private final int rows;
        private final int skipped;

        /**
         * Opens or creates a file.
         *
         * @param path file whose complete rows are kept
         * @param header description of the rows
         * @param images the indices of the shard's images, in order
         * @throws IOException if the file contains other rows, or can't be written
         * @throws IllegalArgumentException if the names of the classes are too long for a new file
         */
        Writer(Path path, Header header, int[] images) throws IOException {
            int count = 0;
            int errors = 0;
            if (Files.exists(path) && Files.size(path) > 0) {
                long whole;
                try (Reader reader = new Reader(path)) {
                    check(path, header, reader.about());
                    for (Row row = reader.next(); row != null; row = reader.next()) {
                        if (count == images.length || row.index() != images[count]) {
                            throw new IOException(path + " is damaged: row " + (count + 1)
                                    + " belongs to another image; delete it to start over");
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
                byte[] line = (JSON.toJson(header) + "\n").getBytes(StandardCharsets.UTF_8);
                if (line.length > LONGEST_HEADER) {
                    throw new IllegalArgumentException(
                            "The names of the " + header.classes().size()
                                    + " classes take " + ((line.length + (1 << 20) - 1) >> 20)
                                    + " MB, and a shard holds at most "
                                    + (LONGEST_HEADER >> 20)
                                    + " MB of them: embed without shards, or give the images no labels or shorter ones");
                }
                AtomicFiles.write(path, line);
            }
            rows = count;
            skipped = errors;
            // Unlike a channel, an interrupted thread can still write to a stream and so save its rows.
            out = new FileOutputStream(path.toFile(), true);
        }

        private static void check(Path path, Header header, Header found) throws IOException {
            if (header.shard() != found.shard() || header.shards() != found.shards()) {
                throw new IOException(path + " holds shard " + found.shard() + "/" + found.shards()
                        + ", but its name names another: rename it, or delete it to start over");
            }
            String difference = header.difference(found);
            if (difference != null) {
                throw new IOException(path + " can't be continued with " + difference
                        + ": use the same encoder, images and settings as before, or delete it to start over");
            }
        }

        /** Returns the number of images that were done when the file was opened. */
        int done() {
            return rows;
        }

        /** Returns how many of those images could not be read. */
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

        /** Forces everything to the disk. */
        void force() throws IOException {
            out.getFD().sync();
        }

        @Override
        public void close() throws IOException {
            out.close();
        }
    }
}
