// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.network;

import io.github.simclr4j.onnx.network.LayerGraph.Node;
import io.github.simclr4j.util.Option;
import io.github.simclr4j.util.OptionValues;
import java.util.List;
import java.util.Map;

/**
 * The encoder of AMDIM (<a href="https://arxiv.org/abs/1906.00910">Bachman, Hjelm and Buchwalter 2019</a>, section 3.6). Its residual
 * blocks have no padding, so that the receptive fields of neighbouring positions do not overlap more than necessary. Feature maps of 7x7
 * and 5x5 positions precede the features, which see the whole image. Shortcuts use average pooling, and zeros for additional channels.
 * The second convolution of a block has small initial weights, so that the block is almost the identity at first.
 *
 * @param channels number of channels of the first layer; 256 in the published network for images of 32 pixels
 * @param features length of the features; 2048 in that network
 * @param depth number of pairs of convolutions per block; 10 in that network
 * @since 0.1.0
 */
public record AmdimEncoder(int channels, int features, int depth) implements Architecture {
    /** The name of the architecture. */
    public static final String NAME = "amdim";
    /** The name of the feature map of 5x5 positions, [4 * channels, 5, 5]. */
    public static final String MAP_5 = "map5";
    /** The name of the feature map of 7x7 positions. */
    public static final String MAP_7 = "map7";

    private static final int SMALLEST = 32;

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a number is below 1, or {@code features} is below {@code 4 * channels}
     */
    public AmdimEncoder {
        if (channels < 1 || depth < 1 || features < 4 * channels) {
            throw new IllegalArgumentException(
                    "Expected for AMDIM's encoder at least 1 channel, a depth of at least 1 and at least"
                            + " four times as many features as channels, found " + channels + ", " + depth + " and "
                            + features);
        }
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public Map<String, String> settings() {
        return Map.of("channels", "" + channels, "features", "" + features, "depth", "" + depth);
    }

    @Override
    public int dimension() {
        return features;
    }

    @Override
    public String describe() {
        return NAME + " channels " + channels + " features " + features + " depth " + depth;
    }

    @Override
    public LayerGraph graph(int imageSize) {
        int times = Integer.numberOfTrailingZeros(Math.max(1, imageSize / SMALLEST));
        if (imageSize != SMALLEST << times || times > 3) {
            throw new IllegalArgumentException(
                    "AMDIM's encoder takes images of 32, 64, 128 or 256 pixels, found " + imageSize);
        }
        LayerGraph.Builder g = LayerGraph.builder();
        Node x = convolve(g, "stem", g.input(3, imageSize, imageSize), channels, 3, 1, 1);
        x = residual(g, "stem.residual", g.relu(x), channels, 1, 1);
        int wide = channels;
        // Each block halves the map: 30 -> 14 for 32 pixels, 62 -> 30 -> 14 for 64 pixels and so on.
        for (int i = 0; i <= times; i++) {
            wide *= 2;
            x = block(g, "half" + i, x, wide, 4, 2);
        }
        wide *= 2;
        x = block(g, "map7", x, wide, 2, 2);
        x = g.add(new Layer.BatchNorm("map7.norm", wide, ResNet.EPSILON, true, false), x);
        g.output(MAP_7, x);
        x = block(g, "map5", x, wide, 3, 1);
        g.output(MAP_5, x);
        x = block(g, "map3", x, wide, 3, 1);
        x = residual(g, "map1", x, features, 3, 1);
        x = g.add(new Layer.BatchNorm("map1.norm", features, ResNet.EPSILON, true, false), x);
        return g.output(LayerGraph.FEATURES, g.add(new Layer.Reshape(List.of(features)), x))
                .build();
    }

    private Node block(LayerGraph.Builder g, String name, Node x, int out, int kernel, int stride) {
        Node y = residual(g, name + ".0", x, out, kernel, stride);
        for (int i = 1; i < depth; i++) {
            y = residual(g, name + "." + i, y, out, 1, 1);
        }
        return y;
    }

    private static Node residual(LayerGraph.Builder g, String name, Node x, int out, int kernel, int stride) {
        int in = x.shape().get(0);
        Node y = g.relu(convolve(g, name + ".conv1", x, out, kernel, stride, 1));
        y = convolve(g, name + ".conv2", y, out, 1, 1, 0.1);
        Node skip = kernel == 1 ? x : g.add(new Layer.AveragePool(kernel, stride), x);
        if (out > in) {
            skip = g.add(new Layer.Pad(0, 0, out - in), skip);
        }
        return g.relu(g.add(new Layer.Add(), y, skip));
    }

    private static Node convolve(
            LayerGraph.Builder g, String name, Node x, int out, int kernel, int stride, double factor) {
        double deviation = factor * Math.sqrt(2.0 / ((double) out * kernel * kernel));
        return g.add(
                new Layer.Conv(name, x.shape().get(0), out, kernel, stride, 0, 1, true, new Weight.Normal(deviation)),
                x);
    }

    /** The family of AMDIM encoders. */
    public static final class Family implements EncoderFamily {
        private static final Option<Integer> CHANNELS = Option.whole(
                "channels",
                32,
                1,
                4096,
                "Number of channels of the first layer; with 32 it is about as fast as a ResNet-18 of width 0.25",
                "256 in Bachman et al. 2019 for images of 32 pixels");
        private static final Option<Integer> FEATURES = Option.whole(
                "features",
                256,
                4,
                1 << 14,
                "Length of the features, at least four times the number of channels",
                "2048 in Bachman et al. 2019 for images of 32 pixels");
        private static final Option<Integer> DEPTH = Option.whole(
                "depth",
                3,
                1,
                64,
                "Number of pairs of convolutions per block",
                "10 in Bachman et al. 2019 for images of 32 pixels");

        @Override
        public List<String> names() {
            return List.of(NAME);
        }

        @Override
        public String paper() {
            return "https://arxiv.org/abs/1906.00910";
        }

        @Override
        public List<Option<?>> options() {
            return List.of(CHANNELS, FEATURES, DEPTH);
        }

        @Override
        public Architecture create(String name, OptionValues values) {
            return new AmdimEncoder(values.get(CHANNELS), values.get(FEATURES), values.get(DEPTH));
        }
    }
}
