package io.github.simclr4j.util;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Writes files so that, whatever happens, the file is the old one or the whole new one; see {@link TemporaryFile}. Symbolic links are
 * followed, and a device or a FIFO is written to as it is; see {@link Destination}.
 */
public final class AtomicFiles {
    private AtomicFiles() {}

    /** Writes the content of a file. */
    @FunctionalInterface
    public interface Content {
        /**
         * Writes everything to a buffered stream, which the caller flushes and closes.
         *
         * @throws IOException if writing fails
         */
        void writeTo(OutputStream out) throws IOException;
    }

    /**
     * Replaces a file with some bytes, or creates it and its folder.
     *
     * @throws IOException if the path can't be written; the message names it
     */
    public static void write(Path file, byte[] bytes) throws IOException {
        write(Map.of(file, bytes));
    }

    /**
     * Replaces several files, or creates them. All are on the disk as a whole before the first of them takes its place, so that a full
     * disk leaves what was there.
     *
     * @param files the content of each, in the order in which they take their places
     * @throws IOException if a path can't be written; the message names it
     */
    public static void write(Map<Path, byte[]> files) throws IOException {
        Map<Path, TemporaryFile> written = new LinkedHashMap<>();
        Path now = null;
        try {
            for (Map.Entry<Path, byte[]> file : files.entrySet()) {
                now = file.getKey();
                TemporaryFile temporary = TemporaryFile.beside(now);
                written.put(now, temporary);
                temporary.write(ByteBuffer.wrap(file.getValue()));
                temporary.force();
            }
            for (Map.Entry<Path, TemporaryFile> file : written.entrySet()) {
                now = file.getKey();
                file.getValue().moveTo(now);
            }
        } catch (IOException e) {
            String reason = e.getClass() == IOException.class ? e.getMessage() : e.toString();
            throw new IOException("Can't write " + now + ": " + reason + "; choose another path or free some space", e);
        } finally {
            for (TemporaryFile temporary : written.values()) {
                temporary.close();
            }
        }
    }

    /**
     * Replaces a file with what is written to a stream, or creates it and its folder.
     *
     * @throws IOException if the content or the path can't be written: the exception of the file system as it is
     */
    public static void write(Path file, Content content) throws IOException {
        try (TemporaryFile temporary = TemporaryFile.beside(file)) {
            content.writeTo(temporary.stream());
            temporary.force();
            temporary.moveTo(file);
        }
    }
}
