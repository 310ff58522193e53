// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images;

import java.io.IOException;

/**
 * Receives the size of an image before memory for its pixels is allocated. An exception that it throws stops the decoding.
 *
 * @since 0.1.0
 */
@FunctionalInterface
public interface SizeCheck {
    /**
     * Accepts an image of this size. The method may wait until there is memory for it.
     *
     * @param width width in pixels
     * @param height height in pixels
     * @throws IOException if the image should not be decoded
     */
    void check(int width, int height) throws IOException;
}
