// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.util;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * Reads only regular files. Reading a device or a FIFO might block for ever or never end. So might reading a file in {@code /proc}, whose
 * size is 0, and of which no bytes are read.
 *
 * @since 0.1.0
 */
public final class RegularFiles {
    private RegularFiles() {}

    /**
     * Returns the reason why a path is not a regular file, for messages. Links are followed.
     *
     * @param file the path
     * @return the reason, or null if it is a regular file
     */
    public static String objection(Path file) {
        if (Files.isRegularFile(file)) {
            return null;
        }
        if (Files.isDirectory(file)) {
            return "a folder, not a file";
        }
        return Files.exists(file) ? "a device, a pipe or a socket, expected a regular file" : "no such file";
    }

    /**
     * Reads a whole file.
     *
     * @param file the file
     * @throws NoSuchFileException if the file does not exist
     * @throws IOException if the file can't be read or is not a regular file; the message may not name it
     */
    public static byte[] read(Path file) throws IOException {
        long size = Files.size(file);
        String objection = objection(file);
        if (objection != null) {
            throw new IOException(objection);
        }
        if (size == 0) {
            return new byte[0];
        }
        if (size > Integer.MAX_VALUE - 8) {
            throw new IOException("too large: " + size + " bytes, at most " + (Integer.MAX_VALUE - 8));
        }
        // Unlike a stream of Files, this works in an interrupted thread, which still has to save its results.
        return Files.readAllBytes(file);
    }
}
