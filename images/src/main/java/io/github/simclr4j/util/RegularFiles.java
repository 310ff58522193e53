package io.github.simclr4j.util;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * Reads files that have a size. A device or a FIFO might block for ever or never end, and so might a file of {@code /proc}, which says
 * that it has no bytes: of that none is read.
 */
public final class RegularFiles {
    private RegularFiles() {}

    /** Returns why a path is no regular file, a link followed, for an error's message; null if it is one. */
    public static String objection(Path file) {
        if (Files.isRegularFile(file)) {
            return null;
        }
        if (Files.isDirectory(file)) {
            return "a folder, not a file";
        }
        return Files.exists(file) ? "not a regular file but a device, a pipe or a socket, which is not read" : "no such file";
    }

    /**
     * Reads a whole file.
     *
     * @throws NoSuchFileException if there is no file
     * @throws IOException if it can't be read or is no regular file; the message need not name it
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
        // A stream of Files could not be read by an interrupted thread, which still has to save what it has.
        return Files.readAllBytes(file);
    }
}
