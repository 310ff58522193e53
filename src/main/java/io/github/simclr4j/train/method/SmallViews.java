// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

/**
 * Additional views of each image that are smaller than the full-size views and show less of the image (multi-crop,
 * <a href="https://arxiv.org/abs/2006.09882">Caron et al. 2020</a>, section 3.3). Their indices follow those of the full-size
 * views.
 *
 * @param count small views per image, at least 0
 * @param size side in pixels, at least 1
 * @param least smallest share of the image's area in a view, above 0
 * @param most largest share of the image's area in a view, from {@code least} to 1
 * @since 0.1.0
 */
public record SmallViews(int count, int size, double least, double most) {
    /** No small views. */
    public static final SmallViews NONE = new SmallViews(0, 1, 1, 1);

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a value is out of range
     */
    public SmallViews {
        if (count < 0 || size < 1 || !(least > 0 && least <= most && most <= 1)) {
            throw new IllegalArgumentException(
                    "Small views must have a side of at least 1 pixel and show an area above 0 and up to 1 of the"
                            + " image, the smallest share first, found " + size + " pixels and " + least + " to "
                            + most);
        }
    }
}
