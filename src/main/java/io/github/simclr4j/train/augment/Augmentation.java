// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

import java.util.random.RandomGenerator;

/**
 * A random transformation of an image (<a href="https://arxiv.org/abs/2002.05709">Chen et al. 2020</a>, figure 4).
 *
 * <p>An augmentation first draws its random numbers and changes the image afterwards. {@link ViewGenerator} also draws for images that
 * it does not change, so that later augmentations get the same random numbers either way. Implementations are immutable.
 *
 * @since 0.1.0
 */
@FunctionalInterface
public interface Augmentation {

    /** A transformation whose random numbers have been drawn. */
    @FunctionalInterface
    interface Change {
        /** Leaves an image unchanged. */
        Change NONE = image -> {};

        /** Transforms an image in place. */
        void apply(ViewImage image);
    }

    /**
     * Draws a transformation.
     *
     * @param side side of the image in pixels
     * @param random the only source of randomness, so that a seed reproduces a view
     */
    Change draw(int side, RandomGenerator random);

    /**
     * Draws the transformation of an image that this augmentation skips. The default draws the same random numbers and leaves the image
     * unchanged. Only crops, which resize every image, override it.
     *
     * @param side side of the image in pixels
     * @param random the only source of randomness
     */
    default Change skip(int side, RandomGenerator random) {
        draw(side, random);
        return Change.NONE;
    }
}
