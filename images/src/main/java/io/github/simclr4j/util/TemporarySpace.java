// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.util;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Provides the folder for temporary files, {@code java.io.tmpdir}, and the exception for failures to write to it.
 *
 * @since 0.1.0
 */
public final class TemporarySpace {
    private TemporarySpace() {}

    /** Returns the folder for temporary files. */
    public static Path folder() {
        return Path.of(System.getProperty("java.io.tmpdir")).toAbsolutePath();
    }

    /** Returns the number of free bytes in the folder, or {@link Long#MAX_VALUE} if that is unknown. */
    public static long free() {
        try {
            return Files.getFileStore(folder()).getUsableSpace();
        } catch (IOException e) {
            return Long.MAX_VALUE;
        }
    }

    /**
     * Returns the exception for a failure to write to the folder. Its message names the folder, the reason and the remedy, unless the
     * reason is that the thread was interrupted.
     *
     * @param e the cause
     */
    public static IOException unusable(Exception e) {
        if (e instanceof ClosedByInterruptException) {
            return (IOException) new InterruptedIOException("interrupted while writing temporary files").initCause(e);
        }
        String reason = e instanceof FileSystemException f && f.getReason() != null
                ? f.getReason()
                : String.valueOf(e.getMessage());
        if (!Files.isDirectory(folder())) {
            reason = "there is no such folder";
        }
        return new IOException(
                "Can't write temporary files to " + folder() + " (" + reason
                        + "): free some space there, or choose another folder by the Java property java.io.tmpdir"
                        + " (-Djava.io.tmpdir=FOLDER)",
                e);
    }
}
