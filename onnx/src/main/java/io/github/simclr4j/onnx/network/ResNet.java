// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.network;

import io.github.simclr4j.onnx.network.LayerGraph.Node;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A residual network (<a href="https://arxiv.org/abs/1512.03385">He et al., CVPR 2016</a>, table 1 and figure 5) without its classifier.
 * Depths 18 and 34 use basic blocks. Depths 50, 101 and 152 use bottlenecks with the stride on the 3x3 convolution.
 *
 * <p>The names of the layers are torchvision's. The weights of a convolution are {@code name.weight}, and those of its batch norm are
 * {@code normName.weight}, {@code .bias}, {@code .running_mean} and {@code .running_var}. A written file has inner values with the names
 * of the blocks: {@code layer3.1} is the block's result, {@code layer3.1.relu1} the value after the first ReLU of its residual branch.
 *
 * @param depth 18, 34, 50, 101 or 152
 * @param width factor of the number of channels of every layer, above 0 and at most 8; 1 is the published network
 * @param stem the first layers of the network
 * @since 0.1.0
 */
public record ResNet(int depth, double width, Stem stem) implements Architecture {

    /** The first layers of a network. */
    public enum Stem {
        /** A 3x3 convolution of stride 1 without pooling, for images of about 32x32 pixels. */
        CIFAR,
        /** A 7x7 convolution of stride 2 and 3x3 max pooling of stride 2, for images of about 224x224 pixels. */
        IMAGENET
    }

    /**
     * A convolution without bias, followed by batch norm.
     *
     * @param name name of the convolution
     * @param norm name of the batch norm
     * @param in number of input channels
     * @param out number of output channels
     * @param kernel side length of the kernel
     * @param stride stride; the padding is {@code kernel / 2}
     */
    public record Conv(String name, String norm, int in, int out, int kernel, int stride) {
        /** Returns the padding on each side. */
        public int padding() {
            return kernel / 2;
        }
    }

    /**
     * A residual block: {@code relu(convolutions(x) + shortcut(x))}, with a ReLU between the convolutions.
     *
     * @param name name of the block, such as {@code layer1.0}
     * @param convolutions the convolutions of the residual branch, in order
     * @param shortcut the 1x1 projection, or null for the identity
     */
    public record Block(String name, List<Conv> convolutions, Conv shortcut) {}

    /** The epsilon of batch norm, in training and in the exported graph. */
    public static final float EPSILON = 1e-5f;

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if the depth or the width is not supported
     */
    public ResNet {
        if (stages(depth) == null) {
            throw new IllegalArgumentException(
                    "Unknown encoder, expected resnet18, 34, 50, 101 or 152, found resnet" + depth);
        }
        if (!(width > 0 && width <= 8)) {
            throw new IllegalArgumentException("Width must be above 0 and at most 8, found " + width);
        }
    }

    /**
     * Creates a network from names.
     *
     * @param name the name of the architecture, such as {@code resnet18}
     * @param width factor of the number of channels of every layer, above 0 and at most 8
     * @param stem {@code cifar} or {@code imagenet}
     * @throws IllegalArgumentException if a name is unknown or the width is out of range
     */
    public static ResNet of(String name, double width, String stem) {
        String lower = name.toLowerCase(Locale.ROOT);
        Stem parsed = switch (stem.toLowerCase(Locale.ROOT)) {
            case "cifar" -> Stem.CIFAR;
            case "imagenet" -> Stem.IMAGENET;
            default -> throw new IllegalArgumentException("Unknown stem, expected cifar or imagenet, found " + stem);
        };
        if (!lower.matches("resnet\\d{1,4}")) {
            throw new IllegalArgumentException("Unknown encoder, expected resnet18, 34, 50, 101 or 152, found " + name);
        }
        return new ResNet(Integer.parseInt(lower.substring(6)), width, parsed);
    }

    private static int[] stages(int depth) {
        return switch (depth) {
            case 18 -> new int[] {2, 2, 2, 2};
            case 34, 50 -> new int[] {3, 4, 6, 3};
            case 101 -> new int[] {3, 4, 23, 3};
            case 152 -> new int[] {3, 8, 36, 3};
            default -> null;
        };
    }

    /** Returns the ratio of a block's output channels to the channels of its 3x3 convolutions. */
    private int expansion() {
        return depth < 50 ? 1 : 4;
    }

    /** Returns the name, such as {@code resnet18}. */
    @Override
    public String name() {
        return "resnet" + depth;
    }

    /** Returns the number of channels of the first stage. */
    public int baseChannels() {
        return Math.max(1, (int) Math.round(64 * width));
    }

    /** Returns the length of a feature vector, which is the number of channels of the last stage. */
    @Override
    public int dimension() {
        return 8 * baseChannels() * expansion();
    }

    /** Returns the first convolution. */
    public Conv stemConv() {
        return stem == Stem.CIFAR
                ? new Conv("conv1", "bn1", 3, baseChannels(), 3, 1)
                : new Conv("conv1", "bn1", 3, baseChannels(), 7, 2);
    }

    /** Returns the blocks, in order. */
    public List<Block> blocks() {
        int[] counts = stages(depth);
        List<Block> blocks = new ArrayList<>();
        int in = baseChannels();
        for (int stage = 0; stage < 4; stage++) {
            int middle = baseChannels() << stage;
            int out = middle * expansion();
            for (int i = 0; i < counts[stage]; i++) {
                int stride = i == 0 && stage > 0 ? 2 : 1;
                String name = "layer" + (stage + 1) + "." + i;
                String p = name + ".";
                Conv shortcut = stride == 1 && in == out
                        ? null
                        : new Conv(p + "downsample.0", p + "downsample.1", in, out, 1, stride);
                List<Conv> branch = depth < 50
                        ? List.of(
                                new Conv(p + "conv1", p + "bn1", in, out, 3, stride),
                                new Conv(p + "conv2", p + "bn2", out, out, 3, 1))
                        : List.of(
                                new Conv(p + "conv1", p + "bn1", in, middle, 1, 1),
                                new Conv(p + "conv2", p + "bn2", middle, middle, 3, stride),
                                new Conv(p + "conv3", p + "bn3", middle, out, 1, 1));
                blocks.add(new Block(name, branch, shortcut));
                in = out;
            }
        }
        return blocks;
    }

    /** Returns all convolutions, including shortcuts, in order. */
    public List<Conv> convolutions() {
        List<Conv> all = new ArrayList<>();
        all.add(stemConv());
        for (Block b : blocks()) {
            all.addAll(b.convolutions());
            if (b.shortcut() != null) {
                all.add(b.shortcut());
            }
        }
        return all;
    }

    /** Returns the number of trained parameters: the convolutions' weights, and the scale and shift of each batch norm. */
    public long parameters() {
        return convolutions().stream()
                .mapToLong(c -> (long) c.in() * c.out() * c.kernel() * c.kernel() + 2L * c.out())
                .sum();
    }

    @Override
    public Map<String, String> settings() {
        return Map.of("width", Double.toString(width), "stem", stem.name().toLowerCase(Locale.ROOT));
    }

    @Override
    public String describe() {
        return name() + " width " + width + " stem " + stem;
    }

    @Override
    public LayerGraph graph(int imageSize) {
        LayerGraph.Builder g = LayerGraph.builder();
        return g.output(LayerGraph.FEATURES, append(g, g.input(3, imageSize, imageSize), "", Norm.BATCH))
                .build();
    }

    /** The kind of normalisation of feature maps. */
    enum Norm {
        /** Batch normalisation. */
        BATCH,
        /** Group normalisation with one group, which normalises each image independently. */
        LAYER
    }

    /**
     * Adds this network to a graph.
     *
     * @param image the input, [channels, height, width], with any number of channels
     * @param prefix prefix of the names of all weights
     * @return the features, [dimension]
     */
    Node append(LayerGraph.Builder g, Node image, String prefix, Norm norm) {
        Conv first = stemConv();
        Node x = g.relu(convolve(
                g,
                image,
                new Conv(first.name(), first.norm(), image.shape().get(0), first.out(), first.kernel(), first.stride()),
                prefix,
                norm,
                false));
        if (stem == Stem.IMAGENET) {
            x = g.add(new Layer.MaxPool(3, 2, 1), x);
        }
        for (Block block : blocks()) {
            Node y = x;
            String name = prefix + block.name();
            for (int i = 0; i < block.convolutions().size(); i++) {
                boolean last = i == block.convolutions().size() - 1;
                Node in = i == 0 ? y : g.name(name + ".relu" + i, g.relu(y));
                y = convolve(g, in, block.convolutions().get(i), prefix, norm, last);
            }
            Node skip = block.shortcut() == null ? x : convolve(g, x, block.shortcut(), prefix, norm, false);
            x = g.name(name, g.relu(g.add(new Layer.Add(), y, skip)));
        }
        return g.add(new Layer.GlobalAveragePool(false), x);
    }

    private static Node convolve(LayerGraph.Builder g, Node x, Conv c, String prefix, Norm norm, boolean endsBranch) {
        Node y = g.add(
                new Layer.Conv(
                        prefix + c.name(),
                        c.in(),
                        c.out(),
                        c.kernel(),
                        c.stride(),
                        c.padding(),
                        1,
                        false,
                        Weight.heFanOut(c.out(), c.kernel())),
                x);
        return g.add(
                norm == Norm.BATCH
                        ? new Layer.BatchNorm(prefix + c.norm(), c.out(), EPSILON, true, endsBranch)
                        : new Layer.GroupNorm(prefix + c.norm(), c.out(), 1, EPSILON),
                y);
    }
}
