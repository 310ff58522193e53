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

/** On which images, with which shares of the labels and how often an encoder is measured. */
final class EvaluationOptions {
    @Option(
            names = "--train",
            paramLabel = "SET",
            required = true,
            description =
                    "Images to train on, with classes: a folder with a sub-folder a class, or whatever else pretrain takes.")
    Path train;

    @Option(names = "--test", paramLabel = "SET", required = true, description = "Images to test on, likewise.")
    Path test;

    @Option(
            names = "--labels",
            paramLabel = "SHARE",
            split = ",",
            defaultValue = "1%,10%,100%",
            description = "Shares of the training labels, drawn alike from each class (default: ${DEFAULT-VALUE}).")
    List<String> labels;

    @Option(
            names = "--repeat",
            paramLabel = "N",
            defaultValue = "1",
            description =
                    "Seeds, from --seed on, that choose the labels"
                            + " and all else that is random; the mean and the standard deviation are reported (default: ${DEFAULT-VALUE}).")
    int repeat;

    /** Checks the values, and returns the shares as they were written and as numbers. */
    Map<String, Double> check() {
        if (repeat < 1) {
            throw new IllegalArgumentException("--repeat must be at least 1, found " + repeat);
        }
        return LabelShares.parse(labels);
    }

    /** Begins the context of an evaluation of one encoder. */
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
