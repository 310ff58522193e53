// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

import java.util.List;
import java.util.ServiceLoader;

/**
 * Declares an augmentation and creates it. The parser of {@link AugmentationPipeline#of}, its error messages and
 * {@link AugmentationPipeline#help} use this declaration.
 *
 * <p>{@link ServiceLoader} finds the factories, so that an augmentation in another jar can be named like those of this library. An
 * implementation is a stateless public class with a public constructor without arguments.
 *
 * @since 0.1.0
 */
public interface AugmentationFactory {

    /** Returns the name in a composition: lower-case words joined by dashes. */
    String name();

    /** Returns a description of one or two sentences without a final full stop: the transformation, its source and its strengths. */
    String help();

    /** Returns the default probability that an image is transformed, 0 to 1. */
    double probability();

    /** Returns the declarations of the strengths, in order; none by default. */
    default List<Strength> strengths() {
        return List.of();
    }

    /** Returns alternative lists of strengths, each of a different length. */
    default List<List<Strength>> alternatives() {
        return List.of();
    }

    /**
     * Tells whether this augmentation resizes images of any size to the side of the view. A composition has at most one such augmentation;
     * without one, the whole image is resized first.
     */
    default boolean crops() {
        return false;
    }

    /**
     * Creates the augmentation.
     *
     * @param strengths values in range, as many as {@link #strengths} or one of the {@link #alternatives} declares
     */
    Augmentation create(List<Double> strengths);

    /** Returns all factories: first those of this library, then those of other jars. */
    static List<AugmentationFactory> all() {
        return Registry.ALL;
    }

    /**
     * Returns the factory with a name.
     *
     * @throws IllegalArgumentException if there is no augmentation with this name
     */
    static AugmentationFactory named(String name) {
        return Registry.named(name);
    }
}
