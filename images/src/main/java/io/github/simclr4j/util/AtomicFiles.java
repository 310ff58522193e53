package io.github.simclr4j.util;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;

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
        try (TemporaryFile temporary = TemporaryFile.beside(file)) {
            temporary.write(ByteBuffer.wrap(bytes));
            temporary.force();
            temporary.moveTo(file);
        } catch (IOException e) {
            String reason = e.getClass() == IOException.class ? e.getMessage() : e.toString();
            throw new IOException("Can't write " + file + ": " + reason + "; choose another path or free some space", e);
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
