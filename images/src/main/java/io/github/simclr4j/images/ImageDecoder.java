// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images;

import java.io.IOException;
import java.util.List;

/**
 * Decodes one image format. To add a format, write a class with a public constructor without parameters, and list it in the jar's file
 * {@code META-INF/services/io.github.simclr4j.images.ImageDecoder}. {@link Images} asks all decoders, those of this library first.
 * Implementations must be thread-safe.
 *
 * @since 0.1.0
 */
public interface ImageDecoder {
    /** The maximum number of pixels of an image. Larger images are rejected before they are decoded. */
    long MAX_PIXELS = 100_000_000;

    /** Returns the format's name in messages, such as {@code JPEG}. */
    String format();

    /** Returns the file name extensions of the format, in lower case and with the dot, the most common first. */
    List<String> endings();

    /**
     * Returns whether a file is in this format, according to its first bytes.
     *
     * @param file the whole file, of any length
     */
    boolean accepts(byte[] file);

    /**
     * Decodes the first image of a file without applying its orientation. Transparent pixels are blended with black, 16-bit values are
     * reduced to their upper 8 bits, and colour profiles are not applied. A decoder should need at most 8 bytes of heap per pixel. If that
     * much is not available, it is called a second time when other images are done.
     *
     * @param file the whole file
     * @param size receives the size of the image, and of any larger image that must be kept in memory for it, before that memory is
     *     allocated
     * @throws IOException if the file is damaged, incomplete, or of a kind without well-defined RGB values; the message states the
     *     reason and does not name the file
     */
    RgbImage decode(byte[] file, SizeCheck size) throws IOException;

    /**
     * Returns the Exif orientation (CIPA DC-008, section 4.6.4).
     *
     * @param file the whole file
     * @return the orientation from 1 (as stored) to 8; 1 if the file does not state it
     */
    default int orientation(byte[] file) {
        return 1;
    }
}
