package io.github.simclr4j.util;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.ClosedByInterruptException;
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
     * Returns the exception for a failure to write to the folder: its message names the folder, the reason and the remedy. Of an
     * interrupted thread the folder is not to blame.
     */
    public static IOException unusable(Exception e) {
        if (e instanceof ClosedByInterruptException) {
            return (IOException) new InterruptedIOException("interrupted while temporary files were written").initCause(e);
        }
        String reason = e instanceof FileSystemException f && f.getReason() != null ? f.getReason() : String.valueOf(e.getMessage());
        if (!Files.isDirectory(folder())) {
            reason = "there is no such folder";
        }
        return new IOException("Can't write temporary files to " + folder() + " (" + reason
                + "): free some space there, or name another folder by the Java property java.io.tmpdir"
                + " (-Djava.io.tmpdir=FOLDER)", e);
    }
}
