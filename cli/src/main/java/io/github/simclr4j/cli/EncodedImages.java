// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.onnx.runtime.EncoderPipeline;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.tribuo.explore.Features;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;

/**
 * Holds the features of the readable images of a set.
 *
 * @param features features in the order of the set
 * @param numbers index of each image in the set
 * @param skipped one message for each image that could not be read
 */
record EncodedImages(Features features, int[] numbers, List<String> skipped) {

    /**
     * Encodes images.
     *
     * @param cpu whether the encoder was opened with one thread, for one call per core
     * @param source closed by the caller
     * @param chosen indices of the images to encode
     * @param path path of the source
     * @throws IOException if there is no readable image
     */
    static EncodedImages read(
            OnnxEncoder encoder,
            boolean cpu,
            int threads,
            ImageSource source,
            IntPredicate chosen,
            Path path,
            Console console)
            throws IOException {
        List<String> names = new ArrayList<>();
        List<float[]> rows = new ArrayList<>();
        List<Integer> numbers = new ArrayList<>();
        List<String> skipped = new ArrayList<>();
        try (EncoderPipeline pipeline = new EncoderPipeline(
                encoder,
                source,
                EmbedCommand.shareOut(encoder, cpu, threads),
                item -> skipped.add(item.error().getMessage()))) {
            console.start("embedding images", source.size());
            while (pipeline.hasNext()) {
                EncoderPipeline.Item item = pipeline.next();
                if (item.error() == null && chosen.test(item.index())) {
                    names.add(item.name());
                    rows.add(item.embedding());
                    numbers.add(item.index());
                }
                console.at(item.index() + 1L, "");
            }
            console.end();
        }
        skipped.forEach(s -> console.warn("skipped " + s));
        if (rows.isEmpty()) {
            throw new IOException(
                    skipped.size() == source.size()
                            ? "No readable image in " + path
                            : "No readable image of " + path
                                    + " has a class: expected at least two classes, such as one sub-folder per class");
        }
        return new EncodedImages(
                new Features(encoder.sha256(), names, rows.toArray(float[][]::new)),
                numbers.stream().mapToInt(i -> i).toArray(),
                skipped);
    }

    /** Checks that there are at least as many images as needed. */
    void atLeast(int count, Path path) throws IOException {
        if (features.size() < count) {
            throw new IOException(path + " has " + features.size() + " readable image"
                    + (features.size() == 1 ? "" : "s") + ": expected at least " + count);
        }
    }
}
