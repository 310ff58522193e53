package io.github.simclr4j.images.source;

import java.io.EOFException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

/**
 * An image that could not be read.
 *
 * @param image its index in the source
 * @param name its name in the source
 * @param reason what is wrong with it
 */
public record Unreadable(int image, String name, String reason) {

    /** The image of a source that an exception is about. */
    public static Unreadable of(ImageSource source, int image, IOException e) {
        String name = source.name(image);
        String reason = reason(e);
        return new Unreadable(image, name, reason.startsWith(name + ": ") ? reason.substring(name.length() + 2) : reason);
    }

    /** An exception whose message begins with an image's name. */
    static IOException exception(String name, IOException e) {
        return new IOException(name + ": " + reason(e), e);
    }

    /** What went wrong; an exception that says that too little came has often no message, one of the file system only the path. */
    static String reason(Exception e) {
        if (e instanceof AccessDeniedException) {
            return "no permission to read it";
        }
        if (e instanceof NoSuchFileException) {
            return "no such file, or a link that leads nowhere";
        }
        if (e instanceof FileSystemException f && f.getReason() == null) {
            return e.toString();
        }
        if (e.getMessage() != null) {
            return e.getMessage();
        }
        return e instanceof EOFException ? "it ends too early" : e.toString();
    }

    /** The name and the reason. */
    @Override
    public String toString() {
        return name + ": " + reason;
    }
}
