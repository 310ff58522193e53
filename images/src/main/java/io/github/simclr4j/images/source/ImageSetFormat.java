package io.github.simclr4j.images.source;

import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * A form in which a set of images is stored, such as a folder, a kind of archive or a binary file.
 *
 * <p>{@link ImageSource#open} finds formats by {@link java.util.ServiceLoader}: a public class with a public constructor
 * without arguments, named in {@code META-INF/services/io.github.simclr4j.images.source.ImageSetFormat} of its jar. Formats
 * keep no state and may be used by several threads at once.
 */
public interface ImageSetFormat {
    /** Returns a short name in lower case, such as {@code zip}. */
    String name();

    /** Returns what is read, in words that follow "expected", such as {@code a zip archive of images}. */
    String description();

    /**
     * Returns the place in the order in which formats are asked, the lowest first. The formats of this library have 100 to
     * 900, so that by default others are asked before them.
     */
    default int order() {
        return 0;
    }

    /**
     * Opens a set of images if it is in this format. What it is should be seen from the content where that is possible.
     *
     * @param candidate the file or folder
     * @param progress told of work that takes time, and of warnings
     * @return empty if it is in another format
     * @throws IOException if it is in this format and can't be read; the message names the file
     */
    Optional<ImageSource> open(ImageSetCandidate candidate, Progress progress) throws IOException;

    /** Returns the formats that are on the class path, in the order in which they are asked. */
    static List<ImageSetFormat> installed() {
        return ImageSetFormats.installed();
    }
}
