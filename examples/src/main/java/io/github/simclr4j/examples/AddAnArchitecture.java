// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.examples;

import io.github.simclr4j.onnx.network.Architecture;
import io.github.simclr4j.onnx.network.EncoderFamily;
import io.github.simclr4j.onnx.network.Layer;
import io.github.simclr4j.onnx.network.LayerGraph;
import io.github.simclr4j.onnx.network.Weight;
import io.github.simclr4j.util.Option;
import io.github.simclr4j.util.OptionValues;
import java.util.List;
import java.util.Map;

/**
 * Adds an architecture that the library does not include: a plain convolutional network without shortcuts.
 *
 * <p>All it takes is this class and its line in {@code META-INF/services/io.github.simclr4j.onnx.network.EncoderFamily}. Training,
 * export to ONNX and reading weights back are derived from the graph.
 *
 * @since 0.1.0
 */
public final class AddAnArchitecture implements EncoderFamily {
    private static final String NAME = "plain-cnn";
    private static final Option<Integer> CHANNELS = Option.whole(
            "channels", 32, 1, 1024, "Channels of the first layer; each further layer has twice as many", "An example");

    @Override
    public List<String> names() {
        return List.of(NAME);
    }

    @Override
    public String paper() {
        return "https://arxiv.org/abs/1409.1556";
    }

    @Override
    public List<Option<?>> options() {
        return List.of(CHANNELS);
    }

    @Override
    public Architecture create(String name, OptionValues values) {
        return new PlainCnn(values.get(CHANNELS));
    }

    /**
     * Four strided 3x3 convolutions, each with batch norm and ReLU, and average pooling.
     *
     * @param channels of the first layer
     */
    record PlainCnn(int channels) implements Architecture {
        private static final int LAYERS = 4;

        @Override
        public String name() {
            return NAME;
        }

        @Override
        public Map<String, String> settings() {
            return Map.of("channels", "" + channels);
        }

        @Override
        public int dimension() {
            return channels << LAYERS - 1;
        }

        @Override
        public LayerGraph graph(int imageSize) {
            LayerGraph.Builder g = LayerGraph.builder();
            LayerGraph.Node x = g.input(3, imageSize, imageSize);
            for (int i = 0; i < LAYERS; i++) {
                int in = x.shape().get(0);
                int out = channels << i;
                x = g.add(new Layer.Conv("conv" + i, in, out, 3, 2, 1, 1, false, Weight.heFanOut(out, 3)), x);
                x = g.relu(g.add(new Layer.BatchNorm("norm" + i, out, 1e-5f, true, false), x));
            }
            return g.output(LayerGraph.FEATURES, g.add(new Layer.GlobalAveragePool(false), x))
                    .build();
        }

        @Override
        public String describe() {
            return NAME + " channels " + channels;
        }
    }
}
