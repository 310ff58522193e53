// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.network;

import io.github.simclr4j.onnx.network.Layer.Activation.Function;
import io.github.simclr4j.onnx.network.LayerGraph.Node;
import io.github.simclr4j.util.Option;
import io.github.simclr4j.util.OptionValues;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/**
 * MobileNetV3-Large (<a href="https://arxiv.org/abs/1905.02244">Howard et al., ICCV 2019</a>, table 1) without its classifier. The
 * features are the means of the last convolution's feature maps. The names of the weights, the numbers of channels and the initial
 * weights are those of torchvision.
 *
 * @since 0.1.0
 */
public final class MobileNetV3 implements EncoderFamily {
    private static final String NAME = "mobilenetv3-large";
    private static final Option<Double> WIDTH = new Option<>(
            "width",
            Double.class,
            1.0,
            "above 0 and at most 8",
            v -> v > 0 && v <= 8,
            List.of(),
            "Factor of the number of channels of every layer, which is rounded to a multiple of 8",
            "Howard et al. 2019");
    private static final Option<String> STEM = Option.choice(
            "stem",
            List.of("imagenet", "cifar"),
            "Stride of the first convolution: 2, or 1 for images of about 32 pixels a side",
            "Howard et al. 2019");

    /**
     * The architecture.
     *
     * @param width factor of the number of channels
     * @param stem {@code imagenet} for a first convolution of stride 2, {@code cifar} for one of stride 1
     */
    record Net(double width, String stem) implements Architecture {
        private static final float EPSILON = 1e-3f;
        /** Kernel, expanded channels, channels out, squeeze-excitation (1 or 0), hard-swish (1) or ReLU (0), stride. */
        private static final int[][] BLOCKS = {
            {3, 16, 16, 0, 0, 1},
            {3, 64, 24, 0, 0, 2},
            {3, 72, 24, 0, 0, 1},
            {5, 72, 40, 1, 0, 2},
            {5, 120, 40, 1, 0, 1},
            {5, 120, 40, 1, 0, 1},
            {3, 240, 80, 0, 1, 2},
            {3, 200, 80, 0, 1, 1},
            {3, 184, 80, 0, 1, 1},
            {3, 184, 80, 0, 1, 1},
            {3, 480, 112, 1, 1, 1},
            {3, 672, 112, 1, 1, 1},
            {5, 672, 160, 1, 1, 2},
            {5, 960, 160, 1, 1, 1},
            {5, 960, 160, 1, 1, 1}
        };

        @Override
        public String name() {
            return NAME;
        }

        @Override
        public Map<String, String> settings() {
            return Map.of("width", Double.toString(width), "stem", stem);
        }

        @Override
        public int dimension() {
            return 6 * channels(160);
        }

        @Override
        public String describe() {
            return NAME + " width " + width + " stem " + stem.toUpperCase(Locale.ROOT);
        }

        private int channels(int published) {
            return divisible(published * width);
        }

        /** Rounds to the nearest multiple of 8 that is at most 10% smaller, like the authors' code. */
        private static int divisible(double channels) {
            int rounded = Math.max(8, (int) (channels + 4) / 8 * 8);
            return rounded < 0.9 * channels ? rounded + 8 : rounded;
        }

        @Override
        public LayerGraph graph(int imageSize) {
            LayerGraph.Builder g = LayerGraph.builder();
            int stride = stem.equals("cifar") ? 1 : 2;
            Node x = g.input(3, imageSize, imageSize);
            x = unit(g, x, "features.0", channels(16), 3, stride, 1, Function.HARD_SWISH, false);
            for (int i = 0; i < BLOCKS.length; i++) {
                x = block(g, x, "features." + (i + 1) + ".block.", BLOCKS[i]);
            }
            x = unit(g, x, "features." + (BLOCKS.length + 1), dimension(), 1, 1, 1, Function.HARD_SWISH, false);
            return g.output(LayerGraph.FEATURES, g.add(new Layer.GlobalAveragePool(false), x))
                    .build();
        }

        /** Adds an inverted residual block (Howard et al. 2019, figure 4). */
        private Node block(LayerGraph.Builder g, Node in, String name, int[] b) {
            int expanded = channels(b[1]);
            int out = channels(b[2]);
            Function function = b[4] == 1 ? Function.HARD_SWISH : Function.RELU;
            boolean residual = b[5] == 1 && in.shape().get(0) == out;
            int i = 0;
            Node x = in;
            if (in.shape().get(0) != expanded) {
                x = unit(g, x, name + i++, expanded, 1, 1, 1, function, false);
            }
            x = unit(g, x, name + i++, expanded, b[0], b[5], expanded, function, false);
            if (b[3] == 1) {
                x = squeeze(g, x, name + i++);
            }
            x = unit(g, x, name + i, out, 1, 1, 1, null, residual);
            return residual ? g.add(new Layer.Add(), x, in) : x;
        }

        /** Adds squeeze-and-excitation (<a href="https://arxiv.org/abs/1709.01507">Hu et al. 2018</a>) with a hard sigmoid. */
        private static Node squeeze(LayerGraph.Builder g, Node x, String name) {
            int channels = x.shape().get(0);
            int squeezed = divisible(channels / 4);
            Node s = g.add(new Layer.GlobalAveragePool(true), x);
            s = g.add(
                    new Layer.Conv(name + ".fc1", channels, squeezed, 1, 1, 0, 1, true, Weight.heFanOut(squeezed, 1)),
                    s);
            s = g.relu(s);
            s = g.add(
                    new Layer.Conv(name + ".fc2", squeezed, channels, 1, 1, 0, 1, true, Weight.heFanOut(channels, 1)),
                    s);
            return g.add(new Layer.Multiply(), g.activation(Function.HARD_SIGMOID, s), x);
        }

        /** Adds a convolution, batch norm and an activation. */
        private static Node unit(
                LayerGraph.Builder g,
                Node x,
                String name,
                int out,
                int kernel,
                int stride,
                int groups,
                Function function,
                boolean endsBranch) {
            Node y = g.add(
                    new Layer.Conv(
                            name + ".0",
                            x.shape().get(0),
                            out,
                            kernel,
                            stride,
                            kernel / 2,
                            groups,
                            false,
                            Weight.heFanOut(out, kernel)),
                    x);
            y = g.add(new Layer.BatchNorm(name + ".1", out, EPSILON, true, endsBranch), y);
            return function == null ? y : g.activation(function, y);
        }
    }

    @Override
    public List<String> names() {
        return List.of(NAME);
    }

    @Override
    public String paper() {
        return "https://arxiv.org/abs/1905.02244";
    }

    @Override
    public List<Option<?>> options() {
        return List.of(WIDTH, STEM);
    }

    @Override
    public Architecture create(String name, OptionValues values) {
        return new Net(values.get(WIDTH), values.get(STEM));
    }

    /**
     * Derives the width from the last convolution. Since its number of channels may have been rounded, the usual widths are tried, too.
     * The first convolution must have the number of channels for that width.
     */
    @Override
    public List<Architecture> candidates(List<List<Integer>> shapes) {
        return shapes.stream()
                .filter(s -> s.size() == 4 && s.get(0) == 6 * s.get(1))
                .reduce((first, last) -> last)
                .stream()
                .flatMap(s -> Stream.concat(
                        Stream.of(s.get(1) / 160.0),
                        Stream.of(0.25, 0.35, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
                                .filter(usual -> new Net(usual, "imagenet").dimension() == s.get(0))))
                .filter(WIDTH.valid())
                .distinct()
                .filter(w -> shapes.get(0).equals(List.of(new Net(w, "imagenet").channels(16), 3, 3, 3)))
                .flatMap(w -> STEM.choices().stream().map(stem -> (Architecture) new Net(w, stem)))
                .toList();
    }
}
