// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.tribuo.evaluation.LabelledImages;
import io.github.simclr4j.tribuo.evaluation.ProtocolContext;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import picocli.CommandLine.Option;

/** Options of an evaluation: the images, the shares of the labels and the number of repetitions. */
final class EvaluationOptions {
    @Option(
            names = "--train",
            paramLabel = "SET",
            required = true,
            description = "Labelled training images: a folder with one sub-folder per class, or any other labelled"
                    + " image set that pretrain accepts.")
    Path train;

    @Option(
            names = "--test",
            paramLabel = "SET",
            required = true,
            description = "Labelled test images, in the same forms.")
    Path test;

    @Option(
            names = "--labels",
            paramLabel = "SHARE",
            split = ",",
            defaultValue = "1%,10%,100%",
            description = "Shares of the training labels to use, drawn evenly from each class (default:"
                    + " ${DEFAULT-VALUE}).")
    List<String> labels;

    @Option(
            names = "--repeat",
            paramLabel = "N",
            defaultValue = "1",
            description = "Number of seeds, from --seed on. Each seed draws the labels and makes all other random"
                    + " choices; the mean and the standard deviation are reported (default: ${DEFAULT-VALUE}).")
    int repeat;

    /** Checks the values, and returns the shares by their text. */
    Map<String, Double> check() {
        if (repeat < 1) {
            throw new IllegalArgumentException("--repeat must be at least 1, found " + repeat);
        }
        return LabelShares.parse(labels);
    }

    /** Returns a builder for the context of the evaluation of one encoder. */
    ProtocolContext.Builder context(
            Path encoder,
            EncoderOptions options,
            GlobalOptions common,
            ImageSource training,
            ImageSource testing,
            Console console)
            throws IOException {
        return ProtocolContext.builder()
                .encoder(encoder)
                .settings(options.settings())
                .runtime(options.runtime(common))
                .train(new LabelledImages(train, training))
                .test(new LabelledImages(test, testing))
                .shares(check())
                .seeds(LongStream.range(common.seed, common.seed + repeat).toArray())
                .progress(console);
    }
}
