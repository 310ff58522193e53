// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import io.github.simclr4j.onnx.network.Layer;
import io.github.simclr4j.onnx.network.LayerGraph;
import io.github.simclr4j.onnx.network.ProjectionHead;
import io.github.simclr4j.onnx.network.Weight;
import io.github.simclr4j.util.Option;

/**
 * The predictor of BYOL and later methods: dense, batch norm, ReLU and dense layers after the projection
 * (<a href="https://arxiv.org/abs/2006.07733">Grill et al. 2020</a>, architecture).
 *
 * <p>It is trained, but belongs to no momentum encoder and no exported encoder.
 */
final class Predictor {
    /** Name of the predictor's result. */
    static final String PREDICTION = "prediction";
    /** Prefix of the names of its weights. */
    static final String PREFIX = "predictor.";

    /** Width of the hidden layer. */
    static final Option<Integer> HIDDEN = Option.whole(
            "predictor-hidden",
            4096,
            0,
            1 << 15,
            "Width of the predictor's hidden layer; 0 for the encoder's dimension",
            "Grill et al. 2020; at most 8 times the encoder's dimension");

    private Predictor() {}

    /**
     * Returns an encoder and head with a predictor after them, whose result is {@link #PREDICTION}.
     *
     * @param encoder encoder and head
     * @param hidden width of the hidden layer, 0 for the encoder's dimension
     */
    static LayerGraph behind(LayerGraph encoder, int hidden) {
        int out = encoder.output(ProjectionHead.PROJECTION).shape().get(0);
        int wide = hidden == 0 ? encoder.output(LayerGraph.FEATURES).shape().get(0) : hidden;
        LayerGraph.Builder g = encoder.extend();
        LayerGraph.Node x = g.add(
                new Layer.Dense(PREFIX + 0, out, wide, false, Weight.fanIn(out)),
                encoder.output(ProjectionHead.PROJECTION));
        x = g.relu(g.add(new Layer.BatchNorm(PREFIX + 1, wide, 1e-5f, true, false), x));
        return g.output(PREDICTION, g.add(new Layer.Dense(PREFIX + 3, wide, out, true, Weight.fanIn(wide)), x))
                .build();
    }
}
