package io.github.simclr4j.images;

import java.io.IOException;

/** Learns the size of an image before memory for its pixels is allocated; an exception that it throws ends the reading. */
@FunctionalInterface
public interface SizeCheck {
    /**
     * Accepts an image of this size; may wait until there is memory for it.
     *
     * @param width width in pixels
     * @param height height in pixels
     * @throws IOException if the image should not be decoded
     */
    void check(int width, int height) throws IOException;
}
