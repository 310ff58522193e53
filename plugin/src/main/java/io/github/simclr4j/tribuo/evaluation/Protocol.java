// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.evaluation;

import io.github.simclr4j.util.Option;
import java.io.IOException;
import java.util.List;

/**
 * A protocol that evaluates an encoder on labelled images: it trains on some of the labels and measures how well it predicts those of
 * other images.
 *
 * <p>Protocols are found by {@link java.util.ServiceLoader}. To add one in another jar, list the class's name in the jar's file
 * {@code META-INF/services/io.github.simclr4j.tribuo.evaluation.Protocol}. It can then be chosen by name like those of this library.
 *
 * @since 0.1.0
 * @see Protocols
 */
public interface Protocol {
    /** An option of protocols that also learn from unlabelled images: the number of those images. */
    Option<Integer> UNLABELLED = Option.whole(
            "unlabelled",
            0,
            0,
            Integer.MAX_VALUE,
            "Number of training images to use without their labels, drawn by the seed; 0 for all",
            "");
    /** Returns the name of the protocol, which consists of lower-case letters, digits and dashes. */
    String name();

    /** Returns a short description of what is trained and measured: a phrase without a full stop. */
    String help();

    /** Returns the URL of the paper. */
    String paper();

    /** Returns this protocol's options, whose values it finds in the {@linkplain ProtocolContext#options context}. */
    default List<Option<?>> options() {
        return List.of();
    }

    /**
     * Returns whether the protocol measures fixed features of the context's extractor. Otherwise it trains the encoder itself on
     * images, and of the encoder's settings only the image size has an effect.
     */
    default boolean usesFeatures() {
        return true;
    }

    /**
     * Evaluates the encoder for each share of the labels and each seed; see {@link Accuracies#measure}.
     *
     * @param context the encoder, the images, the shares and the seeds
     * @throws IOException if images or the encoder can't be read
     * @throws IllegalStateException if the classes of training and test images do not match, see {@link ProtocolContext#features}
     * @throws IllegalArgumentException if an option does not fit the encoder
     */
    Accuracies run(ProtocolContext context) throws IOException;
}
