package io.github.simclr4j.train.augment;

import java.util.random.RandomGenerator;

/**
 * A random change of an image (Chen et al. 2020, figure 4). It first draws what is random, and the image is changed afterwards:
 * the {@link ViewGenerator} draws for images that it doesn't change too, so that what follows is the same for both.
 * Implementations are immutable.
 */
@FunctionalInterface
public interface Augmentation {

    /** A change whose random numbers are drawn. */
    @FunctionalInterface
    interface Change {
        /** Leaves an image as it is. */
        Change NONE = image -> {};

        /** Changes an image. */
        void apply(ViewImage image);
    }

    /**
     * Draws a change.
     *
     * @param side of the image in pixels
     * @param random the one source of chance, so that a seed gives the same view again
     */
    Change draw(int side, RandomGenerator random);

    /**
     * Draws what happens to an image that this augmentation doesn't change. It draws the same numbers as for one that it does
     * and does nothing. Only crops, which resize every image, do something else.
     *
     * @param side of the image in pixels
     */
    default Change skip(int side, RandomGenerator random) {
        draw(side, random);
        return Change.NONE;
    }
}
