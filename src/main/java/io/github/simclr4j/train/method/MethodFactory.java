package io.github.simclr4j.train.method;

import io.github.simclr4j.onnx.network.Architecture;
import io.github.simclr4j.util.Option;
import io.github.simclr4j.util.OptionValues;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/**
 * How a method presents itself: its name, paper, options and defaults, and how it is made. Factories are found by
 * {@link java.util.ServiceLoader}, so that a method in another jar can be chosen by its name like those of this library: the jar
 * has a file {@code META-INF/services/io.github.simclr4j.train.method.MethodFactory} with the class's name.
 */
public interface MethodFactory {
    /** Returns the name by which it is chosen: lower case letters, digits and dashes. */
    String name();

    /** Returns what the positives and negatives are, in one sentence. */
    String summary();

    /** Returns the paper, as an address. */
    String paper();

    /** Returns the options that this method has beside those of every run. */
    default List<Option<?>> options() {
        return List.of();
    }

    /** Sets this method's own defaults for the settings of every run; a setting that is left alone has the common default. */
    default void defaults(Defaults defaults) {}

    /**
     * Returns the options that have no effect with some values, each with the condition under which it has one, such as
     * {@code where loss is margin}.
     */
    default Map<Option<?>, String> withoutEffect(OptionValues values) {
        return Map.of();
    }

    /**
     * Checks values together.
     *
     * @throws IllegalArgumentException if they don't fit each other or the run
     */
    default void check(OptionValues values, Defaults run) {}

    /** Whether training reads the images' labels. */
    default boolean needsLabels(OptionValues values) {
        return false;
    }

    /** What stands behind the encoder in training. */
    enum HeadUse {
        /** The run's projection head, behind the features. */
        FEATURES,
        /** The run's projection head, once for each part of the encoder; the method adds them. */
        PARTS,
        /** Nothing that the run's settings of the head could change. */
        NONE,
        /** A linear classifier on the features. */
        CLASSIFIER
    }

    /** Returns what stands behind the encoder in training. */
    default HeadUse headUse() {
        return HeadUse.FEATURES;
    }

    /**
     * Returns the architecture that the method trains and exports where another was chosen, such as two towers of half the width.
     *
     * @param chosen what the run's settings say
     * @throws IllegalArgumentException if the method can't train it; the message says which ones it can
     */
    default Architecture encoder(Architecture chosen) {
        return chosen;
    }

    /**
     * Whether the method learns little from fewer than some thousands of images where the weights start at random; false for one that
     * learns from a teacher.
     */
    default boolean needsManyImages() {
        return headUse() != HeadUse.CLASSIFIER;
    }

    /** Returns how many random views of full size each image has in a step; at least 1. */
    default int views() {
        return 2;
    }

    /** Returns the smaller views that each image has beside those of full size; none by default. */
    default SmallViews smallViews(OptionValues values, int imageSize) {
        return SmallViews.NONE;
    }

    /**
     * Returns this method with the files open that its options name, such as a teacher's. It is called once before a run, and where a
     * run is only to be described; what is returned is asked for {@linkplain #metadata metadata} and {@linkplain #create makes} the
     * method. What takes long is done later, by {@link Method#begin}.
     *
     * @param values of the method's options
     * @param resources owns what is opened
     * @throws IOException if a file can't be read or is none of its kind; the message names it
     */
    default MethodFactory open(OptionValues values, RunResources resources) throws IOException {
        return this;
    }

    /** Returns further entries for the metadata of the run, such as the hash of what it learns from. */
    default Map<String, String> metadata() {
        return Map.of();
    }

    /** Makes the method for a run; the context owns the networks. */
    Method create(MethodContext context);
}
