// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import io.github.simclr4j.onnx.network.Architecture;
import io.github.simclr4j.train.augment.PatchGrid;
import io.github.simclr4j.util.Option;
import io.github.simclr4j.util.OptionValues;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Describes a training method (name, paper, options and defaults) and creates it.
 *
 * <p>{@link java.util.ServiceLoader} finds the factories, so that a method in another jar can be chosen by name like those of
 * this library. The jar needs a file {@code META-INF/services/io.github.simclr4j.train.method.MethodFactory} that contains the
 * name of the class.
 *
 * @since 0.1.0
 */
public interface MethodFactory {
    /** Returns the name that chooses the method: lower-case letters, digits and dashes. */
    String name();

    /** Returns the positives and negatives of the method in one sentence without a full stop, which the help shows beside its name. */
    String summary();

    /** Returns the URL of the paper. */
    String paper();

    /** Returns the optimizer of the paper's runs on photographs, which presets for photographs choose. */
    default String publishedOptimizer() {
        return "adamw";
    }

    /** Returns the options that the method has in addition to those of every run. */
    default List<Option<?>> options() {
        return List.of();
    }

    /** Sets the method's defaults for settings of every run; other settings keep the common defaults. */
    default void defaults(Defaults defaults) {}

    /**
     * Returns the options that have no effect with the given values, each with the condition under which it has one, such as
     * {@code where loss is margin}, which completes "has an effect only with settings".
     */
    default Map<Option<?>, String> withoutEffect(OptionValues values) {
        return Map.of();
    }

    /**
     * Checks combinations of values.
     *
     * @param values values of the method's options
     * @param run properties of the run
     * @throws IllegalArgumentException if the values do not fit each other or the run
     */
    default void check(OptionValues values, Defaults run) {}

    /** Tells whether training uses the images' labels. */
    default boolean needsLabels(OptionValues values) {
        return false;
    }

    /** The layers after the encoder during training. */
    enum HeadUse {
        /** The run's projection head after the features. */
        FEATURES,
        /** The run's projection head after each part of the encoder; the method adds them. */
        PARTS,
        /** No layers that depend on the run's settings of the head. */
        NONE,
        /** A linear classifier on the features. */
        CLASSIFIER
    }

    /** Returns which layers follow the encoder during training. */
    default HeadUse headUse() {
        return HeadUse.FEATURES;
    }

    /**
     * Returns the architecture that the method trains and exports for the architecture of the settings, such as two towers of half
     * the width.
     *
     * @param chosen the architecture of the settings
     * @param imageSize side of the views in pixels
     * @throws IllegalArgumentException if the method cannot train it; the message names those that it can train
     */
    default Architecture encoder(Architecture chosen, int imageSize) {
        return chosen;
    }

    /** Returns the option that names the file of the trained encoder from which the method learns; empty if it has no teacher. */
    default Optional<Option<Path>> teacher() {
        return Optional.empty();
    }

    /**
     * Tells whether the method needs some thousands of images to learn anything useful from random weights; it is {@code false} for
     * a method that learns from labels or a teacher.
     */
    default boolean needsManyImages() {
        return headUse() != HeadUse.CLASSIFIER && teacher().isEmpty();
    }

    /** Returns the number of full-size random views per image and step, at least 1. */
    default int views() {
        return 2;
    }

    /** Returns the smaller views of each image in addition to the full-size ones (multi-crop); none by default. */
    default SmallViews smallViews(OptionValues values, int imageSize) {
        return SmallViews.NONE;
    }

    /**
     * Returns the patches into which the views are cut before training, so that each can be augmented by itself; none by default.
     *
     * @param encoder the architecture, as {@link #encoder} returns it
     */
    default PatchGrid patches(Architecture encoder) {
        return PatchGrid.NONE;
    }

    /**
     * Returns this method with the files open that its options name, such as a teacher's.
     *
     * <p>It is called once before a run, or before a run is described. {@link #metadata} and {@link #create} are called on the
     * result. Slow work belongs in {@link Method#begin}.
     *
     * @param values values of the method's options
     * @param resources owner of the open files
     * @throws IOException if a file cannot be read or has the wrong format; the message names the file
     */
    default MethodFactory open(OptionValues values, RunResources resources) throws IOException {
        return this;
    }

    /** Returns additional metadata of the run, such as the hash of a teacher's file. */
    default Map<String, String> metadata() {
        return Map.of();
    }

    /** Creates the method for a run; the context owns the networks. */
    Method create(MethodContext context);
}
