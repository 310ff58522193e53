package io.github.simclr4j.images;

/**
 * A decoded image. The array is not copied: it belongs to the record from then on.
 *
 * @param width width in pixels
 * @param height height in pixels
 * @param rgb the bytes, [height, width, 3], each an unsigned value from 0 to 255
 */
public record RgbImage(int width, int height, byte[] rgb) {
    /**
     * Checks that the array has the size of the image.
     *
     * @throws IllegalArgumentException if it has not
     */
    public RgbImage {
        if (width < 1 || height < 1 || rgb.length != 3L * width * height) {
            throw new IllegalArgumentException(
                    "Expected 3 bytes a pixel, found " + rgb.length + " bytes for " + width + "x" + height);
        }
    }
}
