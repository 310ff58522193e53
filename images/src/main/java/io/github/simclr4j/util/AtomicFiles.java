// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.util;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Writes files atomically: after any failure there is either the old file or the complete new one; see {@link TemporaryFile}. Symbolic
 * links are followed, and a device or FIFO is written to directly; see {@link Destination}.
 *
 * @since 0.1.0
 */
public final class AtomicFiles {
    private AtomicFiles() {}

    /** Writes the content of a file. */
    @FunctionalInterface
    public interface Content {
        /**
         * Writes the content to a buffered stream, which the caller flushes and closes.
         *
         * @param out the stream
         * @throws IOException if writing fails
         */
        void writeTo(OutputStream out) throws IOException;
    }

    /**
     * Replaces a file, or creates it and its folder. An interrupted thread writes it, too, and stays interrupted.
     *
     * @param file the file
     * @param bytes the content
     * @throws IOException if the file can't be written; the message names it
     */
    public static void write(Path file, byte[] bytes) throws IOException {
        write(Map.of(file, bytes));
    }

    /**
     * Replaces several files, or creates them. All contents are on disk before the first file is replaced, so that a full disk leaves all
     * old files intact. An interrupted thread writes them, too, and stays interrupted.
     *
     * @param files the content of each file, in the order in which they are replaced
     * @throws IOException if a file can't be written; the message names it
     */
    public static void write(Map<Path, byte[]> files) throws IOException {
        if (areReplaced(files.keySet())) {
            Uninterrupted.run(() -> {
                replace(files);
                return null;
            });
        } else {
            // What a device or FIFO has received can't be repeated.
            replace(files);
        }
    }

    private static boolean areReplaced(Set<Path> files) {
        try {
            for (Path file : files) {
                if (!Destination.of(file).replaced()) {
                    return false;
                }
            }
            return true;
        } catch (IOException e) {
            // Writing will fail for the same reason.
            return false;
        }
    }

    private static void replace(Map<Path, byte[]> files) throws IOException {
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
     * Replaces a file by content written to a stream, or creates it and its folder.
     *
     * @param file the file
     * @param content writes the content
     * @throws IOException if the content or the file can't be written: the unchanged exception of the file system, also if the thread is
     *     interrupted
     */
    public static void write(Path file, Content content) throws IOException {
        try (TemporaryFile temporary = TemporaryFile.beside(file)) {
            content.writeTo(temporary.stream());
            temporary.force();
            temporary.moveTo(file);
        }
    }
}
