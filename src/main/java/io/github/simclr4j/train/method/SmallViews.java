package io.github.simclr4j.train.method;

/**
 * Further views of each image that are smaller than the others and show less of it (multi-crop, Caron et al. 2020, section 3.3). Their
 * numbers follow those of the full-size views.
 *
 * @param count how many an image has
 * @param size side in pixels
 * @param least smallest share of the area that one shows
 * @param most largest share
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
            throw new IllegalArgumentException("Small views must be of at least 1 pixel and show a share of the area that is above 0, at"
                    + " most 1, and least before most, found " + size + " pixels and " + least + " to " + most);
        }
    }
}
