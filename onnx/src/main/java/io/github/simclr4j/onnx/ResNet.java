package io.github.simclr4j.onnx;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A residual network of basic blocks (He et al., CVPR 2016, table 1 and figure 5 left), without its classifier.
 * It is the one description of the architecture that the trainer builds and the ONNX writer writes; the names are
 * those of torchvision, so that a layer's tensors are {@code name.weight}, and for its batch norm
 * {@code normName.weight}, {@code .bias}, {@code .running_mean}, {@code .running_var}.
 *
 * @param depth 18 or 34
 * @param width multiplies the number of channels of every layer, above 0 and at most 8; 1 is the published network
 * @param stem how the network starts
 */
public record ResNet(int depth, double width, Stem stem) {

    /** How a network starts. */
    public enum Stem {
        /** 3x3 convolution of stride 1, no pooling: for images of about 32 pixels a side. */
        CIFAR,
        /** 7x7 convolution of stride 2 and 3x3 max pooling of stride 2: for images of about 224 pixels a side. */
        IMAGENET
    }

    /**
     * A convolution without bias, and the batch norm behind it.
     *
     * @param name name of the convolution
     * @param norm name of the batch norm
     * @param in input channels
     * @param out output channels
     * @param kernel side of the square kernel
     * @param stride stride; the padding is {@code kernel / 2}
     */
    public record Conv(String name, String norm, int in, int out, int kernel, int stride) {
        /** The padding on each side. */
        public int padding() {
            return kernel / 2;
        }
    }

    /**
     * A basic block: {@code relu(second(relu(first(x))) + shortcut(x))}.
     *
     * @param first first 3x3 convolution
     * @param second second 3x3 convolution
     * @param shortcut 1x1 projection, or null for the identity
     */
    public record Block(Conv first, Conv second, Conv shortcut) {}

    /** Batch norm's epsilon, in training and in the exported graph. */
    public static final float EPSILON = 1e-5f;

    /** Checks the ranges. */
    public ResNet {
        if (depth != 18 && depth != 34) {
            throw new IllegalArgumentException("Unknown encoder, expected resnet18 or resnet34, found resnet" + depth);
        }
        if (!(width > 0 && width <= 8)) {
            throw new IllegalArgumentException("Width must be above 0 and at most 8, found " + width);
        }
    }

    /** Parses a name such as {@code resnet18} and a stem such as {@code cifar}. */
    public static ResNet of(String name, double width, String stem) {
        String lower = name.toLowerCase(Locale.ROOT);
        Stem parsed = switch (stem.toLowerCase(Locale.ROOT)) {
            case "cifar" -> Stem.CIFAR;
            case "imagenet" -> Stem.IMAGENET;
            default -> throw new IllegalArgumentException("Unknown stem, expected cifar or imagenet, found " + stem);
        };
        return switch (lower) {
            case "resnet18" -> new ResNet(18, width, parsed);
            case "resnet34" -> new ResNet(34, width, parsed);
            default -> throw new IllegalArgumentException(
                    "Unknown encoder, expected resnet18 or resnet34, found " + name);
        };
    }

    /** The name, such as {@code resnet18}. */
    public String name() {
        return "resnet" + depth;
    }

    /** Channels of the first stage. */
    public int baseChannels() {
        return Math.max(1, (int) Math.round(64 * width));
    }

    /** Length of the embedding: the channels of the last stage. */
    public int dimension() {
        return 8 * baseChannels();
    }

    /** The first convolution. */
    public Conv stemConv() {
        return stem == Stem.CIFAR
                ? new Conv("conv1", "bn1", 3, baseChannels(), 3, 1)
                : new Conv("conv1", "bn1", 3, baseChannels(), 7, 2);
    }

    /** The blocks, in order. */
    public List<Block> blocks() {
        int[] counts = depth == 18 ? new int[] {2, 2, 2, 2} : new int[] {3, 4, 6, 3};
        List<Block> blocks = new ArrayList<>();
        int in = baseChannels();
        for (int stage = 0; stage < 4; stage++) {
            int out = baseChannels() << stage;
            for (int i = 0; i < counts[stage]; i++) {
                int stride = i == 0 && stage > 0 ? 2 : 1;
                String p = "layer" + (stage + 1) + "." + i + ".";
                Conv shortcut = stride == 1 && in == out
                        ? null
                        : new Conv(p + "downsample.0", p + "downsample.1", in, out, 1, stride);
                blocks.add(new Block(
                        new Conv(p + "conv1", p + "bn1", in, out, 3, stride),
                        new Conv(p + "conv2", p + "bn2", out, out, 3, 1),
                        shortcut));
                in = out;
            }
        }
        return blocks;
    }

    /** Every convolution, the shortcuts included, in order. */
    public List<Conv> convolutions() {
        List<Conv> all = new ArrayList<>();
        all.add(stemConv());
        for (Block b : blocks()) {
            all.add(b.first());
            all.add(b.second());
            if (b.shortcut() != null) {
                all.add(b.shortcut());
            }
        }
        return all;
    }

    /** Number of trained values: convolution weights, and scale and shift of each batch norm. */
    public long parameters() {
        return convolutions().stream()
                .mapToLong(c -> (long) c.in() * c.out() * c.kernel() * c.kernel() + 2L * c.out())
                .sum();
    }
}
