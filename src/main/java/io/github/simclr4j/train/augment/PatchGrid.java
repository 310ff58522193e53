// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

/**
 * The patches of an image, which may overlap. In a view they stand side by side, row by row, so that each can be augmented
 * independently of the others (<a href="https://arxiv.org/abs/1905.09272">Hénaff et al. 2020</a>, section 3).
 *
 * @param side side of a patch in pixels, at least 1; 0 for an image that is not cut
 * @param stride distance from one patch to the next in pixels, at least 1; 0 for an image that is not cut
 * @since 0.1.0
 */
public record PatchGrid(int side, int stride) {
    /** The image is not cut. */
    public static final PatchGrid NONE = new PatchGrid(0, 0);

    /** Binary logarithm of the side of the smallest usual patches, of 8 pixels. */
    private static final int LEAST = 3;

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a value is negative, or only one of them is 0
     */
    public PatchGrid {
        if (side < 0 || stride < 0 || side == 0 != (stride == 0)) {
            throw new IllegalArgumentException(
                    "Patches need a side and a stride of at least 1 pixel, found " + side + " and " + stride);
        }
    }

    /**
     * Returns patches that overlap by half and have a quarter of the image's side, rounded to a power of two of at least 8 pixels: 8 pixels
     * every 4 for images of 32, 16 every 8 for 64, and 64 every 32 for 224 and 256 (van den Oord et al. 2018, section 3.2). From 32
     * pixels there are between 4x4 and 10x10.
     *
     * @param size side of the image in pixels
     */
    public static PatchGrid usual(int size) {
        int side = 1 << Math.max(LEAST, Math.round(Math.log(size / 4.0) / Math.log(2)));
        return new PatchGrid(side, side / 2);
    }

    /** Tells whether an image is cut into patches. */
    public boolean cuts() {
        return side > 0;
    }

    /**
     * Returns the number of patches along a side of an image; pixels that do not fill a patch are dropped.
     *
     * @param size side of the image in pixels
     */
    public int along(int size) {
        return size < side ? 0 : (size - side) / stride + 1;
    }

    /**
     * Returns the side of the view in which the patches stand side by side, in pixels.
     *
     * @param size side of the image in pixels
     */
    public int viewSide(int size) {
        return cuts() ? along(size) * side : size;
    }
}
