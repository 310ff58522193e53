// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.ArchiveException;
import org.apache.commons.compress.archivers.ArchiveStreamFactory;
import org.apache.commons.compress.compressors.CompressorException;
import org.apache.commons.compress.compressors.CompressorStreamFactory;

/**
 * A file or folder that is offered to {@link ImageSetFormat}s. Its content is read once, when it is first needed. Not thread-safe.
 *
 * @since 0.1.0
 */
public final class ImageSetCandidate {
    private static final Set<String> DECOMPRESSED = Set.of("gz", "xz", "bzip2");
    /** Number of first bytes that are read; a tar archive is recognised by its first 512 bytes. */
    private static final int LOOKED_AT = 1024;

    private final Path path;
    private final TableColumns tableColumns;
    private final boolean folder;
    private final byte[] first;
    private final String compression;
    private byte[] decompressed;
    private List<String> fileNames;

    /** Creates a candidate with columns that are found by their names. */
    ImageSetCandidate(Path path) throws IOException {
        this(path, TableColumns.BY_NAME);
    }

    /**
     * Creates a candidate and reads the beginning of a file.
     *
     * @param path an existing file or folder
     * @param tableColumns the columns of a table
     * @throws IOException if a file can't be read
     */
    ImageSetCandidate(Path path, TableColumns tableColumns) throws IOException {
        this.path = path;
        this.tableColumns = tableColumns;
        folder = Files.isDirectory(path);
        try {
            first = folder ? new byte[0] : first(Files.newInputStream(path));
        } catch (IOException e) {
            throw Unreadable.exception(path.toString(), e);
        }
        compression = compression(first);
    }

    /** Returns the path of the file or folder. */
    public Path path() {
        return path;
    }

    /** Returns the columns to use if it is a table. */
    public TableColumns tableColumns() {
        return tableColumns;
    }

    /** Returns whether it is a folder. */
    public boolean isFolder() {
        return folder;
    }

    /** Returns the last component of the path in lower case; empty for a root. */
    public String lowerCaseName() {
        return path.getFileName() == null ? "" : path.getFileName().toString().toLowerCase(Locale.ROOT);
    }

    /** Returns the first 1,024 bytes of a file, or all bytes of a shorter file; none for a folder. */
    public byte[] first() {
        return first.clone();
    }

    /**
     * Returns the names of the files directly in a folder, sorted; none for a file.
     *
     * @throws IOException if the folder can't be listed
     */
    public List<String> fileNames() throws IOException {
        if (fileNames == null) {
            fileNames = folder ? list(path) : List.of();
        }
        return fileNames;
    }

    static List<String> list(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(Files::isRegularFile)
                    .map(f -> f.getFileName().toString())
                    .sorted()
                    .toList();
        }
    }

    /** Returns a file's compression according to its first bytes, such as {@code gz}; null if it is not compressed. */
    String compression() {
        return compression;
    }

    /** Returns whether a file is compressed by a supported method. */
    boolean isDecompressed() {
        return compression != null && DECOMPRESSED.contains(compression);
    }

    /** Returns the first bytes of a compressed file after decompression. */
    byte[] decompressed() throws IOException {
        if (decompressed == null) {
            try {
                decompressed = first(TarPass.decompressed(Files.newInputStream(path)));
            } catch (IOException e) {
                throw new IOException(path + " is truncated or damaged: " + Unreadable.reason(e), e);
            }
        }
        return decompressed;
    }

    /** Returns the kind of an uncompressed archive, such as {@code zip}; null if it is not an archive. */
    String archive() {
        return archive(first);
    }

    static String archive(byte[] first) {
        try {
            return ArchiveStreamFactory.detect(new BufferedInputStream(new ByteArrayInputStream(first)));
        } catch (ArchiveException e) {
            return null;
        }
    }

    /** Returns whether a file begins like a text. */
    boolean isText() {
        for (byte b : first) {
            if (b >= 0 && b < ' ' && b != '\t' && b != '\n' && b != '\r') {
                return false;
            }
        }
        return !folder;
    }

    private static byte[] first(InputStream opened) throws IOException {
        try (InputStream in = opened) {
            return in.readNBytes(LOOKED_AT);
        }
    }

    private static String compression(byte[] first) {
        try {
            return CompressorStreamFactory.detect(new BufferedInputStream(new ByteArrayInputStream(first)));
        } catch (CompressorException e) {
            return null;
        }
    }
}
