// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images;

/** Applies Exif orientations to images. */
final class Orientation {
    private Orientation() {}

    /** Rotates or mirrors an image according to its Exif orientation (CIPA DC-008, section 4.6.4). */
    static RgbImage apply(RgbImage image, int orientation) {
        if (orientation == 1) {
            return image;
        }
        int w = image.width();
        int h = image.height();
        boolean sideways = orientation >= 5;
        int width = sideways ? h : w;
        int height = sideways ? w : h;
        // Determine the column and row of the stored image for each pixel.
        boolean right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
        boolean bottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
        byte[] in = image.rgb();
        byte[] out = new byte[in.length];
        int q = 0;
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int column = sideways ? y : x;
                int row = sideways ? x : y;
                int p = 3 * ((bottom ? h - 1 - row : row) * w + (right ? w - 1 - column : column));
                out[q++] = in[p];
                out[q++] = in[p + 1];
                out[q++] = in[p + 2];
            }
        }
        return new RgbImage(width, height, out);
    }
}
