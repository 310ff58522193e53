// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import java.io.EOFException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

/**
 * An image that could not be read.
 *
 * @param image the image's index in the source
 * @param name the image's name in the source
 * @param reason the reason why it could not be read
 * @since 0.1.0
 */
public record Unreadable(int image, String name, String reason) {

    /**
     * Describes an image of a source that could not be read.
     *
     * @param source the source
     * @param image index of the image
     * @param e the exception thrown when the image was read
     */
    public static Unreadable of(ImageSource source, int image, IOException e) {
        String name = source.name(image);
        String reason = reason(e);
        return new Unreadable(
                image, name, reason.startsWith(name + ": ") ? reason.substring(name.length() + 2) : reason);
    }

    /** Returns an exception whose message begins with an image's name. */
    static IOException exception(String name, IOException e) {
        return new IOException(name + ": " + reason(e), e);
    }

    /** Returns the reason of a failure. EOFExceptions often have no message, and file system exceptions only the path. */
    static String reason(Exception e) {
        if (e instanceof AccessDeniedException) {
            return "no permission to read it";
        }
        if (e instanceof NoSuchFileException) {
            return "no such file, or a broken link";
        }
        if (e instanceof FileSystemException f && f.getReason() == null) {
            return e.toString();
        }
        if (e.getMessage() != null) {
            return e.getMessage();
        }
        return e instanceof EOFException ? "it ends too early" : e.toString();
    }

    /** Returns the name and the reason. */
    @Override
    public String toString() {
        return name + ": " + reason;
    }
}
