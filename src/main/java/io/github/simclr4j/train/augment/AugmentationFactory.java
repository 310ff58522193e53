package io.github.simclr4j.train.augment;

import java.util.List;
import java.util.ServiceLoader;

/**
 * Declares an augmentation and makes it. The parser of {@link AugmentationPipeline#of}, its error messages and
 * {@link AugmentationPipeline#help} know of an augmentation what is declared here.
 *
 * <p>Factories are found by {@link ServiceLoader}, so that one in another jar can be named like those of this library. An
 * implementation is a public class with a public constructor without arguments; it has no state.
 */
public interface AugmentationFactory {

    /** Returns the name in a pipeline: lower-case words joined by dashes. */
    String name();

    /** Returns one sentence or two without a full stop that say what is done, where it is from, and what the strengths mean. */
    String help();

    /** Returns the probability that an image is changed, 0 to 1, where a pipeline doesn't say it. */
    double probability();

    /** Returns the declaration of each strength in their order; none by default. */
    default List<Strength> strengths() {
        return List.of();
    }

    /** Returns other lists of strengths that may be given instead of {@link #strengths}, each of another length. */
    default List<List<Strength>> alternatives() {
        return List.of();
    }

    /**
     * Returns whether this augmentation brings images of any size to the side of the view. A pipeline has one of these at most;
     * without one the whole image is resized first.
     */
    default boolean crops() {
        return false;
    }

    /**
     * Makes the augmentation.
     *
     * @param strengths values in range, as many as {@link #strengths} or one of the {@link #alternatives} has
     */
    Augmentation create(List<Double> strengths);

    /** Returns all factories: those of this library, then those of other jars. */
    static List<AugmentationFactory> all() {
        return Registry.ALL;
    }

    /**
     * Returns the factory of a name.
     *
     * @throws IllegalArgumentException if there is none
     */
    static AugmentationFactory named(String name) {
        return Registry.named(name);
    }
}
