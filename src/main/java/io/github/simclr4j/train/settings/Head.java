// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.settings;

import io.github.simclr4j.onnx.network.LayerGraph;
import io.github.simclr4j.onnx.network.ProjectionHead;

/**
 * The projection head g after the encoder; features are taken before it
 * (<a href="https://arxiv.org/abs/2002.05709">Chen et al. 2020</a>, section 4.2).
 *
 * @param layers dense layers: 0 (none), 1 (linear), 2 (non-linear, SimCLR) or 3 (SimCLRv2)
 * @param hidden width of all layers but the last, up to {@link #WIDEST}; 0 for the encoder's dimension
 * @param out length of the projections, 1 to {@link #WIDEST}
 * @param batchNorm {@code true} for batch norm and no bias in each dense layer as in SimCLR (the last batch norm has no shift),
 *     {@code false} for a bias and no batch norm as in MoCo; a ReLU separates the layers either way
 * @param outputNorm whether batch norm follows the last layer, too; in BYOL, Barlow Twins and VICReg it has a bias instead. Always
 *     {@code false} without {@code batchNorm}
 * @param kept number of layers that stay with the exported encoder
 *     (<a href="https://arxiv.org/abs/2006.10029">Chen et al. 2020b</a>, section 2.1); all of them to export projections as
 *     features, which Chen et al. 2020 compare with the features before the head (section 4.2)
 * @since 0.1.0
 */
public record Head(int layers, int hidden, int out, boolean batchNorm, boolean outputNorm, int kept) {
    /** The largest width. Two neighbouring layers of this width are too large: a weight takes at most 2 GiB, see {@link PretrainSettings#checkNetwork}. */
    public static final int WIDEST = 1 << 15;

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a value is out of range
     */
    public Head {
        if (layers < 0 || layers > 3) {
            throw new IllegalArgumentException("A head must have 0 to 3 layers, found " + layers);
        }
        if (hidden < 0 || hidden > WIDEST || out < 1 || out > WIDEST) {
            throw new IllegalArgumentException("A head's hidden width must be 0 to " + WIDEST
                    + " and its output (the projection)" + " 1 to " + WIDEST + ", found " + hidden + " and " + out);
        }
        if (kept < 0 || kept > layers) {
            throw new IllegalArgumentException(
                    "The number of kept layers must be 0 to " + layers + ", the layers of the head, found " + kept);
        }
        outputNorm = outputNorm && batchNorm;
    }

    /** Creates a head whose last layer has batch norm if the others have it. */
    public Head(int layers, int hidden, int out, boolean batchNorm, int kept) {
        this(layers, hidden, out, batchNorm, batchNorm, kept);
    }

    /**
     * Returns a head of a kind.
     *
     * @param kind {@code none}, {@code linear}, {@code nonlinear} or {@code deep} (three layers)
     * @param hidden width of all layers but the last; 0 for the encoder's dimension
     * @param out length of the projections
     * @param batchNorm whether the layers have batch norm
     * @param outputNorm whether the last layer has batch norm, too
     * @param kept number of layers that stay with the exported encoder
     * @throws IllegalArgumentException if the kind is unknown or a value is out of range
     */
    public static Head of(String kind, int hidden, int out, boolean batchNorm, boolean outputNorm, int kept) {
        int layers = switch (kind) {
            case "none" -> 0;
            case "linear" -> 1;
            case "nonlinear" -> 2;
            case "deep" -> 3;
            default ->
                throw new IllegalArgumentException(
                        "Unknown head, expected none, linear, nonlinear or deep, found " + kind);
        };
        return new Head(layers, hidden, out, batchNorm, outputNorm, kept);
    }

    /** Returns the head of SimCLR: dense, batch norm, ReLU, dense, batch norm. */
    public static Head simclr(int out) {
        return new Head(2, 0, out, true, 0);
    }

    /** Returns a linear classifier on the features. */
    public static Head classifier(int classes) {
        return new Head(1, 0, classes, false, 0);
    }

    /** Returns the layers for features of a length; the head must have at least one layer. */
    public ProjectionHead layers(int dimension) {
        return ProjectionHead.withNorms(
                dimension, hidden == 0 ? dimension : hidden, out, layers, batchNorm, outputNorm);
    }

    /**
     * Returns an encoder with this head after it. The result {@link ProjectionHead#PROJECTION} is the input of the loss; without
     * layers it is the features.
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
     * @param features input of the head, [n]
     * @param name name of the head's result, and prefix of the names of its weights
     */
    public void append(LayerGraph.Builder graph, LayerGraph.Node features, String name) {
        if (layers == 0) {
            graph.output(name, features);
        } else {
            layers(features.shape().get(0)).append(graph, features, name);
        }
    }

    /** Returns the effective settings as text, for metadata. */
    public String describe() {
        if (layers == 0) {
            return "none";
        }
        String width = layers == 1 ? "" : ", hidden " + (hidden == 0 ? "as the encoder" : "" + hidden);
        return layers + (layers == 1 ? " layer" : " layers") + width + ", out " + out
                + (!batchNorm ? ", biases" : outputNorm ? ", batch norm" : ", batch norm but behind the last")
                + (kept == 0 ? "" : ", " + kept + " kept");
    }

    /** Returns the length of the loss's input for an encoder of a dimension. */
    public int projection(int dimension) {
        return layers == 0 ? dimension : out;
    }
}
