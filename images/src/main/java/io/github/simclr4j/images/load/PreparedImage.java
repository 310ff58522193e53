package io.github.simclr4j.images.load;

import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.images.SizeCheck;
import io.github.simclr4j.images.internal.DecodingHeap;
import io.github.simclr4j.images.source.ImageSource;
import java.io.IOException;

/** Decodes and resizes single images for many threads, which share one bound on the memory of large ones. */
public final class PreparedImage {
    private PreparedImage() {}

    /**
     * Reads an image and prepares it. Large images, from a megapixel on, wait for each other, whatever thread of the process they
     * are prepared on, so that those in work fit into half of the heap at 8 bytes a pixel.
     *
     * @param image its index in the source
     * @param rule the size that it is brought to
     * @param size told the image's size before memory is taken
     * @return the bytes, [height, width, 3]
     * @throws IOException if it can't be read, the heap is too small for it, or {@code size} throws it; the message begins with
     *     its name
     */
    @SuppressWarnings("try")
    public static byte[] read(ImageSource source, int image, Preprocessing rule, SizeCheck size) throws IOException {
        // What is taken for the decoding is kept until the image is resized.
        try (DecodingHeap.Lease heap = DecodingHeap.enter()) {
            return rule.apply(source.read(image, size)).rgb();
        } catch (OutOfMemoryError e) {
            throw new IOException(source.name(image) + ": too large for a heap of " + (Runtime.getRuntime().maxMemory() >> 20)
                    + " MB: give Java more (-Xmx), or make the image smaller", e);
        }
    }
}
