package io.github.simclr4j.images;

import java.io.IOException;
import java.util.List;

/**
 * Decodes one image format. A decoder is one class with a public constructor without parameters, named in
 * {@code META-INF/services/io.github.simclr4j.images.ImageDecoder} of its jar; {@link Images} asks all of them, those of this
 * library first. Decoders are used by many threads at once.
 */
public interface ImageDecoder {
    /** An image of more pixels is refused before it is decoded. */
    long MAX_PIXELS = 100_000_000;

    /** Returns the format's name as messages show it, such as {@code JPEG}. */
    String format();

    /** Returns the endings of such files' names, in lower case and with the dot, the usual one first. */
    List<String> endings();

    /**
     * Tells by its first bytes whether a file is in this format.
     *
     * @param file the whole file, of any length
     */
    boolean accepts(byte[] file);

    /**
     * Decodes the first image of a file as it is stored, not turned: what is transparent is laid over black, of 16 bits the
     * upper 8 are taken, and colour profiles are not applied. The heap is shared out at 8 bytes a pixel, which a decoder should not
     * exceed; where there is not so much it is called a second time when other images are done.
     *
     * @param file the whole file
     * @param size to be told the size of the image, and of whatever larger picture has to be held in memory for it, before that
     *     memory is allocated
     * @throws IOException if the file is damaged, not whole, or of a kind that has no well-defined RGB values; the message says
     *     which and does not name the file
     */
    RgbImage decode(byte[] file, SizeCheck size) throws IOException;

    /**
     * Returns from where the image is to be looked at: 1 (as it is stored) to 8, as Exif has it (CIPA DC-008, section 4.6.4).
     * Files that do not say give 1.
     *
     * @param file the whole file
     */
    default int orientation(byte[] file) {
        return 1;
    }
}
