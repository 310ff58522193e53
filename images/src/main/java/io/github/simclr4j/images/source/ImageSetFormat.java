// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * A storage format of sets of images, such as a folder, a kind of archive or a binary file.
 *
 * <p>{@link ImageSource#open} finds formats by {@link java.util.ServiceLoader}. To add one, write a public class with a public constructor
 * without arguments, and list it in the jar's file {@code META-INF/services/io.github.simclr4j.images.source.ImageSetFormat}.
 * Implementations are stateless and thread-safe.
 *
 * @since 0.1.0
 */
public interface ImageSetFormat {
    /** Returns a short name in lower case, such as {@code zip}. */
    String name();

    /** Returns a description that can follow "expected", such as {@code a zip archive of images}. */
    String description();

    /**
     * Returns the position in the order in which formats are tried, the lowest first. The formats of this library have 100 to 900. The
     * default is below that, so formats in other jars are tried first.
     */
    default int order() {
        return 0;
    }

    /**
     * Opens a set of images if it is in this format. The format should be recognised by the content if possible.
     *
     * @param candidate the file or folder
     * @param progress receives the progress of long operations, and warnings
     * @return the images; empty if the candidate is in another format
     * @throws IOException if the candidate is in this format but can't be read; the message names the file
     */
    Optional<ImageSource> open(ImageSetCandidate candidate, Progress progress) throws IOException;

    /** Returns the formats on the class path, in the order in which they are tried. */
    static List<ImageSetFormat> installed() {
        return ImageSetFormats.installed();
    }
}
