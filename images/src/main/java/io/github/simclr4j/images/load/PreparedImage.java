// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.load;

import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.images.SizeCheck;
import io.github.simclr4j.images.internal.DecodingHeap;
import io.github.simclr4j.images.source.ImageSource;
import java.io.IOException;

/**
 * Decodes and resizes single images. All threads share one limit on the memory for large images.
 *
 * @since 0.1.0
 */
public final class PreparedImage {
    private PreparedImage() {}

    /**
     * Reads and preprocesses an image. Images of a megapixel or more wait for each other, in all threads of the process, so that those in
     * progress fit into half of the heap at 8 bytes per pixel.
     *
     * @param source the images
     * @param image index of the image in the source
     * @param rule the preprocessing
     * @param size receives the image's size before memory is allocated
     * @return the RGB bytes, [height, width, 3]
     * @throws IOException if the image can't be read, if the heap is too small for it, or if {@code size} throws it; the message begins
     *     with the image's name
     */
    @SuppressWarnings("try")
    public static byte[] read(ImageSource source, int image, Preprocessing rule, SizeCheck size) throws IOException {
        // The memory reserved for decoding is kept until the image is resized.
        try (DecodingHeap.Lease heap = DecodingHeap.enter()) {
            return rule.apply(source.read(image, size)).rgb();
        } catch (OutOfMemoryError e) {
            throw new IOException(
                    source.name(image) + ": too large for a heap of "
                            + (Runtime.getRuntime().maxMemory() >> 20)
                            + " MB: give Java more memory (-Xmx), or shrink the image",
                    e);
        }
    }
}
