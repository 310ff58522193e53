// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.onnx.network.Architecture;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.train.loop.CheckpointEncoder;
import io.github.simclr4j.train.loop.CheckpointFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Runs {@code simclr verify}. */
@CommandLine.Command(
        name = "verify",
        description = "Compares the embeddings of an encoder with those of a reference: another encoder, such"
                + " as the one before an export, or the checkpoint that it was written from.")
final class VerifyCommand extends Command {
    @Parameters(index = "0", paramLabel = "E", description = "The encoder (ONNX).")
    Path encoder;

    @Parameters(
            index = "1",
            paramLabel = "REFERENCE",
            description = "Reference to compare with: an encoder (ONNX), or a checkpoint (a step-*.ckpt file, or a"
                    + " folder of them, of which the newest is used).")
    Path reference;

    @Option(
            names = "--images",
            paramLabel = "SET",
            required = true,
            description = "Image set, in any form that pretrain accepts.")
    Path images;

    @Mixin
    TableOptions tables;

    @Option(
            names = "--limit",
            paramLabel = "N",
            defaultValue = "256",
            description = "Use at most N images, chosen at random by the seed (default: ${DEFAULT-VALUE}).")
    int limit;

    @Option(
            names = "--tolerance",
            paramLabel = "T",
            defaultValue = "1e-3",
            description = "Largest difference that passes, as a fraction of the mean absolute value of the"
                    + " embeddings (default: ${DEFAULT-VALUE}).")
    double tolerance;

    /** Options of both encoders. */
    @Mixin
    EncoderOptions options;

    @Override
    boolean usesDevice() {
        return false;
    }

    @Override
    Map<String, Object> work() throws IOException {
        if (limit < 1) {
            throw new IllegalArgumentException("--limit must be at least 1, found " + limit);
        }
        if (!(tolerance >= 0)) {
            throw new IllegalArgumentException("--tolerance must be at least 0, found " + tolerance);
        }
        if (Files.isDirectory(reference) || reference.toString().endsWith(".ckpt")) {
            return compareWithCheckpoint();
        }
        try (OnnxEncoder expected = open(reference)) {
            return compare(expected::embed);
        }
    }

    private OnnxEncoder open(Path file) throws IOException {
        return OnnxEncoder.open(file, options.settings(), options.runtime(common.threads));
    }

    private Map<String, Object> compareWithCheckpoint() throws IOException {
        Architecture net;
        int size;
        try (OnnxEncoder model = open(encoder)) {
            net = model.architecture()
                    .orElseThrow(() -> new IOException(encoder
                            + " does not name its architecture: a checkpoint needs an encoder that pretrain wrote"));
            size = model.preprocessing().size();
            if (model.dimension() != net.dimension()) {
                throw new IOException(encoder
                        + " contains layers of the head, but the features of a checkpoint come before "
                        + "the head: compare it with an encoder (ONNX)");
            }
        }
        Path file = Files.isDirectory(reference) ? new CheckpointFolder(reference).newest() : reference;
        try (CheckpointEncoder expected = new CheckpointEncoder(file, net, size)) {
            return compare(expected::embed);
        }
    }

    /** Compares the encoder with any function that computes embeddings. */
    Map<String, Object> compare(Function<List<RgbImage>, float[][]> expected) throws IOException {
        List<String> skipped = new ArrayList<>();
        Console console = new Console();
        EncoderComparison c;
        try (ImageSource source = open(images, tables, console)) {
            List<RgbImage> sample = ImageSample.of(source, images, limit, common.seed, skipped);
            skipped.forEach(s -> console.warn("skipped " + s));
            try (OnnxEncoder model = open(encoder)) {
                c = EncoderComparison.of(expected, model::embed, sample);
            }
        }
        System.out.printf(
                Locale.ROOT,
                "%d images: largest difference %.3g, mean %.3g, mean absolute value %.3g;"
                        + " cosine similarity at least %.6f, mean %.6f%n",
                c.images(),
                c.largest(),
                c.mean(),
                c.scale(),
                c.leastCosine(),
                c.meanCosine());
        boolean passed = c.largest() <= tolerance * c.scale();
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("encoder", encoder.toString());
        json.put("images", c.images());
        json.put("passed", passed);
        json.put("largestDifference", c.largest());
        json.put("meanDifference", c.mean());
        json.put("meanAbsoluteValue", c.scale());
        json.put("leastCosine", c.leastCosine());
        json.put("meanCosine", c.meanCosine());
        json.put("skipped", skipped);
        json.put("seconds", seconds());
        if (!passed) {
            throw new CheckFailed(
                    String.format(
                            Locale.ROOT,
                            "%s differs by up to %.3g, more than %.3g (--tolerance %s)",
                            encoder,
                            c.largest(),
                            tolerance * c.scale(),
                            tolerance),
                    json);
        }
        return json;
    }
}
