package io.github.simclr4j.tribuo.evaluation;

import io.github.simclr4j.util.Option;
import java.io.IOException;
import java.util.List;

/**
 * A way to measure how good an encoder is, on images with labels: what is trained with some of the labels, and how well it
 * predicts those of other images. Protocols are found by {@link java.util.ServiceLoader}, so that one in another jar can be named
 * like those of this library: the jar has a file {@code META-INF/services/io.github.simclr4j.tribuo.evaluation.Protocol} with the
 * class's name.
 *
 * @see Protocols
 */
public interface Protocol {
    /** The option of protocols that learn from images without labels as well. */
    Option<Integer> UNLABELLED = Option.whole("unlabelled", 0, 0, Integer.MAX_VALUE,
            "Training images that are seen without their labels, drawn by the seed; 0 for all", "");

    /** Returns the name by which it is chosen: lower case letters, digits and dashes. */
    String name();

    /** Returns what is trained and measured, in one phrase without a full stop. */
    String help();

    /** Returns the paper, as an address. */
    String paper();

    /** Returns the options that this protocol has beside the {@linkplain ProtocolContext context}. */
    default List<Option<?>> options() {
        return List.of();
    }

    /**
     * Whether it measures fixed features, as the context's extractor makes them. One that does not trains the encoder itself on
     * images, in which case of the settings of the encoder only the image's size has an effect.
     */
    default boolean usesFeatures() {
        return true;
    }

    /**
     * Measures the encoder for each share of the labels and each seed, see {@link Accuracies#measure}.
     *
     * @throws IOException if images or the encoder can't be read
     * @throws IllegalStateException if the images don't fit each other, see {@link ProtocolContext#features}
     * @throws IllegalArgumentException if an option does not fit the encoder
     */
    Accuracies run(ProtocolContext context) throws IOException;
}
