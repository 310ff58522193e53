// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.onnx.network.Architecture;
import io.github.simclr4j.onnx.network.EncoderLayout;
import io.github.simclr4j.onnx.network.EncoderWriter;
import io.github.simclr4j.onnx.network.LayerGraph;
import io.github.simclr4j.onnx.network.LinearClassifier;
import io.github.simclr4j.train.network.Network;
import io.github.simclr4j.train.network.Network.Computation;
import io.github.simclr4j.train.settings.Head;
import java.util.List;
import java.util.Map;

/**
 * Exports trained networks as encoder files.
 *
 * @since 0.1.0
 */
public final class EncoderExport {
    private EncoderExport() {}

    /** Returns the encoder of a network as an ONNX file, with the kept layers of the head. */
    static byte[] toBytes(
            Network network, Architecture encoder, Head head, int imageSize, Map<String, String> metadata) {
        EncoderLayout layout = head.kept() == 0
                ? EncoderLayout.DEFAULT
                : EncoderLayout.DEFAULT.withHead(
                        head.layers(encoder.dimension()).first(head.kept()));
        return EncoderWriter.toBytes(encoder, new Preprocessing(imageSize), network::values, metadata, layout);
    }

    /** Returns the linear classifier that a method trained in place of a projection head. */
    static LinearClassifier classifier(Network network, List<String> classes) {
        return new LinearClassifier(network.values("head.0.weight"), network.values("head.0.bias"), classes);
    }

    /**
     * Returns an encoder with random weights as an ONNX file, as a baseline.
     *
     * @param encoder the architecture
     * @param imageSize side of the images in pixels
     * @param seed seed of the weights
     */
    public static byte[] untrained(Architecture encoder, int imageSize, long seed) {
        LayerGraph graph = encoder.graph(imageSize);
        try (Network network = new Network(graph, true, Computation.cpu(), seed)) {
            return toBytes(
                    network,
                    encoder,
                    new Head(0, 0, 1, true, 0),
                    imageSize,
                    Map.of("training.method", "none", "training.seed", "" + seed));
        }
    }
}
