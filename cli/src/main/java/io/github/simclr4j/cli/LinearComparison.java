// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import com.oracle.labs.mlrg.olcut.config.PropertyException;
import io.github.simclr4j.onnx.network.Architecture;
import io.github.simclr4j.onnx.runtime.EncoderSettings;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import io.github.simclr4j.train.device.Devices;
import io.github.simclr4j.train.loop.EncoderExport;
import io.github.simclr4j.tribuo.evaluation.Accuracies;
import io.github.simclr4j.tribuo.evaluation.LinearProtocol;
import io.github.simclr4j.tribuo.evaluation.ProtocolContext;
import io.github.simclr4j.tribuo.extraction.ImageFeatureExtractor;
import io.github.simclr4j.tribuo.extraction.PixelFeatureExtractor;
import io.github.simclr4j.tribuo.extraction.SimCLRFeatureExtractor;
import io.github.simclr4j.util.OwnedFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;
import org.tribuo.classification.evaluation.LabelEvaluation;

/**
 * Compares the linear evaluation of an encoder with those of raw pixels and of an untrained encoder.
 *
 * @param linear accuracies by the features
 * @param classes names of the classes
 * @param skipped number of images that could not be read
 * @param best Tribuo's evaluation of the encoder's features with the most labels
 * @param settings input and output settings of the encoder
 * @param encoderSha256 SHA-256 of the encoder's file and its external data
 */
record LinearComparison(
        Map<String, Accuracies> linear,
        List<String> classes,
        int skipped,
        LabelEvaluation best,
        EncoderSettings settings,
        String encoderSha256) {
    /** Side in pixels of the images of the raw-pixel baseline. */
    private static final int PIXELS = 32;

    /**
     * Evaluates an encoder and both baselines.
     *
     * @param seed seed of the untrained encoder's weights
     */
    static LinearComparison of(ProtocolContext context, long seed) throws IOException {
        SimCLRFeatureExtractor<Label> encoder = context.extractor();
        EncoderSettings used = encoder.encoder().settings();
        context.progress().line(EncoderOptions.line(used));
        Map<String, Accuracies> linear = new LinkedHashMap<>();
        measure("simclr", context, linear);
        int size = encoder.encoder().preprocessing().size();
        try (PixelFeatureExtractor<Label> pixels =
                new PixelFeatureExtractor<>(new LabelFactory(), Math.min(PIXELS, size))) {
            measure("pixels", context.with("pixels", pixels), linear);
        }
        Optional<Architecture> network = encoder.encoder().architecture();
        if (network.isEmpty()) {
            context.progress()
                    .warn(context.encoder()
                            + " does not name its architecture, so there is no untrained encoder to compare it with");
        } else if (!Devices.here().hasLibtorch()) {
            context.progress()
                    .warn("there is no untrained encoder to compare with, because creating one needs libtorch");
        } else {
            untrained(network.get(), used, size, seed, context, linear);
        }
        return new LinearComparison(
                linear,
                context.features().classes(),
                context.features().skipped(),
                linear.get("simclr").best().orElseThrow(),
                used,
                encoder.encoder().sha256());
    }

    /** Evaluates a network of random weights by the features of the same layers. */
    private static void untrained(
            Architecture network,
            EncoderSettings used,
            int size,
            long seed,
            ProtocolContext context,
            Map<String, Accuracies> linear)
            throws IOException {
        Map<String, String> layers = new HashMap<>();
        for (String name : List.of("output", "pooling")) {
            used.get(name).ifPresent(value -> layers.put(name, value));
        }
        try (OwnedFolder folder = OwnedFolder.create("untrained")) {
            Path file = folder.write("untrained.onnx", EncoderExport.untrained(network, size, seed));
            try (ImageFeatureExtractor<Label> untrained = new SimCLRFeatureExtractor<>(
                    new LabelFactory(),
                    file,
                    EncoderSettings.of(layers, "encoder"),
                    RuntimeSettings.DEFAULT.withThreads(context.runtime().threads()),
                    null)) {
                measure("untrained", context.with("untrained", untrained), linear);
            }
        } catch (PropertyException e) {
            context.progress()
                    .warn(
                            "there is no untrained encoder to compare with, because a newly written network lacks an output: "
                                    + e.getMessage());
        }
    }

    private static void measure(String name, ProtocolContext context, Map<String, Accuracies> linear)
            throws IOException {
        Accuracies measured = new LinearProtocol().run(context);
        linear.put(name, measured);
        measured.runs()
                .keySet()
                .forEach(share -> context.progress()
                        .line(name + " with " + share + " of the labels: " + AccuracyTable.text(measured, share)));
    }

    /** Prints the table and Tribuo's evaluation. */
    void print() {
        System.out.println();
        System.out.println(AccuracyTable.of("linear on", linear));
        System.out.println();
        System.out.println("Tribuo's evaluation of simclr, most labels:");
        System.out.println(best);
    }

    /** Returns the result for the JSON file. */
    Map<String, Object> json(Path encoder, double seconds) {
        Map<String, Object> json = new LinkedHashMap<>();
        AccuracyTable.addTo(json, "linear", "linear", linear);
        json.put("encoder", encoder.toString());
        json.put("encoderSha256", encoderSha256);
        json.put("classes", classes);
        json.put("skipped", skipped);
        EvaluationDetails.of(classes, best).addTo(json);
        json.put("seconds", seconds);
        return json;
    }
}
