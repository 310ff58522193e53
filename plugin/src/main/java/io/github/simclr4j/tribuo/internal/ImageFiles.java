// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.internal;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Reads image files, with reasons for failures that callers combine with the file's name. */
public final class ImageFiles {
    private ImageFiles() {}

    /**
     * Returns a file's bytes.
     *
     * @throws IOException if it can't be read; the message does not name the file
     */
    public static byte[] read(Path file) throws IOException {
        try {
            return Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            throw new IOException("no such file", e);
        } catch (AccessDeniedException e) {
            throw new IOException("no permission to read it", e);
        } catch (IOException e) {
            throw new IOException(Files.isDirectory(file) ? "is a folder" : e.toString(), e);
        }
    }

    /** Returns the reason of a failure. Exceptions such as EOFException have no message, only a telling name. */
    public static String reason(IOException e) {
        return e.getMessage() == null ? e.toString() : e.getMessage();
    }
}
