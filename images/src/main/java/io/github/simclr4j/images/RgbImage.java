// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images;

/**
 * A decoded image. The array is not copied: the record owns it.
 *
 * @param width width in pixels
 * @param height height in pixels
 * @param rgb the bytes, [height, width, 3], each an unsigned value from 0 to 255
 * @since 0.1.0
 */
public record RgbImage(int width, int height, byte[] rgb) {
    /**
     * Checks that the length of the array matches the size of the image.
     *
     * @throws IllegalArgumentException if it does not
     */
    public RgbImage {
        if (width < 1 || height < 1 || rgb.length != 3L * width * height) {
            throw new IllegalArgumentException(
                    "Expected 3 bytes per pixel, found " + rgb.length + " bytes for " + width + "x" + height);
        }
    }
}
