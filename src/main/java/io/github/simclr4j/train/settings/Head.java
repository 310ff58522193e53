package io.github.simclr4j.train.settings;

import io.github.simclr4j.onnx.network.ProjectionHead;
import io.github.simclr4j.onnx.network.LayerGraph;

/**
 * The projection head g behind the encoder; features are taken before it (Chen et al. 2020, section 4.2).
 *
 * @param layers dense layers: 0 (none), 1 (linear), 2 (non-linear, SimCLR's) or 3 (SimCLRv2's)
 * @param hidden width of all layers but the last, up to {@link #WIDEST}; 0 for the encoder's dimension
 * @param out length of a projection, 1 to {@link #WIDEST}
 * @param batchNorm true for a batch norm behind each dense layer and no bias (the last norm without shift), as SimCLR has it;
 *     false for a bias and no batch norm, as MoCo has it. ReLU stands between the layers either way
 * @param outputNorm whether one of these batch norms stands behind the last layer, too; BYOL, Barlow Twins and VICReg have a bias
 *     there. Always false without {@code batchNorm}
 * @param kept how many layers stay with the exported encoder (Chen et al. 2020b, section 2.1); all of them
 *     for features that are the projections, which Chen et al. 2020 compare with those before the head (section 4.2)
 */
public record Head(int layers, int hidden, int out, boolean batchNorm, boolean outputNorm, int kept) {
    /** The weights between two layers as wide as this still fit into one array. */
    public static final int WIDEST = 1 << 15;

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a value is out of its range
     */
    public Head {
        if (layers < 0 || layers > 3) {
            throw new IllegalArgumentException("A head has 0 to 3 layers, found " + layers);
        }
        if (hidden < 0 || hidden > WIDEST || out < 1 || out > WIDEST) {
            throw new IllegalArgumentException("A head's hidden width must be 0 to " + WIDEST + " and its output (the projection)"
                    + " 1 to " + WIDEST + ", found " + hidden + " and " + out);
        }
        if (kept < 0 || kept > layers) {
            throw new IllegalArgumentException("Of " + layers + " layers, 0 to " + layers
                    + " can be kept, found " + kept);
        }
        outputNorm = outputNorm && batchNorm;
    }

    /** Makes a head whose last layer is as the others are. */
    public Head(int layers, int hidden, int out, boolean batchNorm, int kept) {
        this(layers, hidden, out, batchNorm, batchNorm, kept);
    }

    /**
     * Parses a kind.
     *
     * @param kind {@code none}, {@code linear}, {@code nonlinear} or {@code deep} (three layers); the other arguments are as
     *     above
     * @throws IllegalArgumentException if the kind is none of these, or a value is out of its range
     */
    public static Head of(String kind, int hidden, int out, boolean batchNorm, boolean outputNorm, int kept) {
        int layers = switch (kind) {
            case "none" -> 0;
            case "linear" -> 1;
            case "nonlinear" -> 2;
            case "deep" -> 3;
            default -> throw new IllegalArgumentException(
                    "Unknown head, expected none, linear, nonlinear or deep, found " + kind);
        };
        return new Head(layers, hidden, out, batchNorm, outputNorm, kept);
    }

    /** SimCLR's: dense, batch norm, ReLU, dense, batch norm. */
    public static Head simclr(int out) {
        return new Head(2, 0, out, true, 0);
    }

    /** A linear classifier on the features. */
    public static Head classifier(int classes) {
        return new Head(1, 0, classes, false, 0);
    }

    /** Returns the layers for features of a length; there must be at least one layer. */
    public ProjectionHead layers(int dimension) {
        return ProjectionHead.withNorms(dimension, hidden == 0 ? dimension : hidden, out, layers, batchNorm, outputNorm);
    }

    /**
     * Returns an encoder with this head behind it; the result {@link ProjectionHead#PROJECTION} is what the loss is taken on, the
     * features themselves where the head has no layers.
     */
    public LayerGraph behind(LayerGraph encoder) {
        LayerGraph.Builder graph = encoder.extend();
        LayerGraph.Node features = encoder.output(LayerGraph.FEATURES);
        if (layers == 0) {
            graph.output(ProjectionHead.PROJECTION, features);
        } else {
            layers(features.shape().get(0)).append(graph, features);
        }
        return graph.build();
    }

    /**
     * Adds this head to a part of an encoder.
     *
     * @param graph the network's builder
     * @param features what the head takes, [n]
     * @param name of the head's result, and the beginning of its weights' names
     */
    public void append(LayerGraph.Builder graph, LayerGraph.Node features, String name) {
        if (layers == 0) {
            graph.output(name, features);
        } else {
            layers(features.shape().get(0)).append(graph, features, name);
        }
    }

    /** As text, for metadata: what is used of it alone. */
    public String describe() {
        if (layers == 0) {
            return "none";
        }
        String width = layers == 1 ? "" : ", hidden " + (hidden == 0 ? "as the encoder" : "" + hidden);
        return layers + (layers == 1 ? " layer" : " layers") + width + ", out " + out
                + (!batchNorm ? ", biases" : outputNorm ? ", batch norm" : ", batch norm but behind the last") + (kept == 0 ? "" : ", " + kept + " kept");
    }

    /** Length of what the loss is taken on. */
    public int projection(int dimension) {
        return layers == 0 ? dimension : out;
    }
}
