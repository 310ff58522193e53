package io.github.simclr4j.util;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The folder for temporary files, which the Java property {@code java.io.tmpdir} names, and what to say if it is of no use. */
public final class TemporarySpace {
    private TemporarySpace() {}

    /** Returns the folder for temporary files. */
    public static Path folder() {
        return Path.of(System.getProperty("java.io.tmpdir")).toAbsolutePath();
    }

    /** Returns the bytes that are free in the folder; as many as there can be where that can't be told. */
    public static long free() {
        try {
            return Files.getFileStore(folder()).getUsableSpace();
        } catch (IOException e) {
            return Long.MAX_VALUE;
        }
    }

    /**
     * Writes a temporary file, which is the caller's to delete.
     *
     * @throws IOException if it can't be written; the message names the folder and the remedy
     */
    public static Path write(String prefix, String ending, byte[] bytes) throws IOException {
        Path file = null;
        try {
            file = Files.createTempFile(folder(), prefix, ending);
            return Files.write(file, bytes);
        } catch (IOException e) {
            if (file != null) {
                Files.deleteIfExists(file);
            }
            throw unusable(e);
        }
    }

    /** Returns the exception for a failure to write to the folder: its message names the folder, the reason and the remedy. */
    public static IOException unusable(Exception e) {
        String reason = e instanceof FileSystemException f && f.getReason() != null ? f.getReason() : String.valueOf(e.getMessage());
        if (!Files.isDirectory(folder())) {
            reason = "there is no such folder";
        }
        return new IOException("Can't write temporary files to " + folder() + " (" + reason
                + "): free some space there, or name another folder by the Java property java.io.tmpdir"
                + " (-Djava.io.tmpdir=FOLDER)", e);
    }
}
