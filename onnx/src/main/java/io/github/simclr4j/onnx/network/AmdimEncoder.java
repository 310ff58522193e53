package io.github.simclr4j.onnx.network;

import io.github.simclr4j.onnx.network.LayerGraph.Node;
import io.github.simclr4j.util.Option;
import io.github.simclr4j.util.OptionValues;
import java.util.List;
import java.util.Map;

/**
 * The encoder of AMDIM (Bachman, Hjelm and Buchwalter 2019, <a href="https://arxiv.org/abs/1906.00910">arXiv:1906.00910</a>, section
 * 3.6): residual blocks without padding, so that what a place of a map sees does not reach beyond the border and overlap for that
 * reason. Maps of 7x7 and 5x5 places stand on the way to the features, which see the whole image. Shortcuts are average pooling and
 * zeros for channels that are new; the second convolution of a block starts small, so that the block does little at first.
 *
 * @param channels of the first layer; 256 in the published network for images of 32 pixels
 * @param features their length; 2048 in that network
 * @param depth pairs of convolutions in a block; 10 in that network
 */
public record AmdimEncoder(int channels, int features, int depth) implements Architecture {
    /** The architecture's name. */
    public static final String NAME = "amdim";
    /** Name of the map of 5x5 places, [4 * channels, 5, 5]. */
    public static final String MAP_5 = "map5";
    /** Name of the map of 7x7 places, [channels of it, 7, 7]. */
    public static final String MAP_7 = "map7";
    private static final int SMALLEST = 32;

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a number is below 1, or the features are fewer than the channels in front of them
     */
    public AmdimEncoder {
        if (channels < 1 || depth < 1 || features < 4 * channels) {
            throw new IllegalArgumentException("AMDIM's encoder has at least 1 channel, a depth of at least 1 and features at least"
                    + " four times the channels, found " + channels + ", " + depth + " and " + features);
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
            throw new IllegalArgumentException("AMDIM's encoder takes images of 32, 64, 128 or 256 pixels, found " + imageSize);
        }
        LayerGraph.Builder g = LayerGraph.builder();
        Node x = convolve(g, "stem", g.input(3, imageSize, imageSize), channels, 3, 1, 1);
        x = residual(g, "stem.residual", g.relu(x), channels, 1, 1);
        int wide = channels;
        // Each halves the map: 30 -> 14 of 32 pixels, 62 -> 30 -> 14 of 64 and so on.
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
        return g.output(LayerGraph.FEATURES, g.add(new Layer.Reshape(List.of(features)), x)).build();
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

    private static Node convolve(LayerGraph.Builder g, String name, Node x, int out, int kernel, int stride, double factor) {
        double deviation = factor * Math.sqrt(2.0 / ((double) out * kernel * kernel));
        return g.add(new Layer.Conv(name, x.shape().get(0), out, kernel, stride, 0, 1, true, new Weight.Normal(deviation)), x);
    }

    /** Makes these encoders. */
    public static final class Family implements EncoderFamily {
        private static final Option<Integer> CHANNELS = Option.whole("channels", 32, 1, 4096,
                "Channels of the first layer; 32 cost about as much as a ResNet-18 of width 0.25",
                "256 in Bachman et al. 2019 for images of 32 pixels");
        private static final Option<Integer> FEATURES = Option.whole("features", 256, 4, 1 << 14,
                "Length of the features, at least four times the channels", "2048 in Bachman et al. 2019 for images of 32 pixels");
        private static final Option<Integer> DEPTH = Option.whole("depth", 3, 1, 64,
                "Pairs of convolutions in a block", "10 in Bachman et al. 2019 for images of 32 pixels");

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
