// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.settings;

import io.github.simclr4j.onnx.network.Architecture;
import io.github.simclr4j.onnx.network.Layer;
import io.github.simclr4j.onnx.network.LayerGraph;
import io.github.simclr4j.train.augment.AugmentationPipeline;
import io.github.simclr4j.train.method.SmallViews;
import java.util.List;

/** Checks that small views can go through the same network as full-size views. */
final class SmallViewsCheck {
    /** Smallest side of a small view in pixels. */
    private static final int LEAST = 4;

    private SmallViewsCheck() {}

    /**
     * Checks the size of small views and the encoder, none of whose layers may depend on the image size.
     *
     * @throws IllegalArgumentException if they do not fit each other
     */
    static void check(SmallViews small, Architecture encoder, int imageSize, AugmentationPipeline composition) {
        if (small.count() == 0) {
            return;
        }
        if (small.size() < LEAST || small.size() > imageSize) {
            throw new IllegalArgumentException("The size of small views (multi-crop-size) must be from " + LEAST
                    + " to the image size of " + imageSize + ", found " + small.size());
        }
        composition.cropping(small.least(), small.most());
        if (!layers(encoder, small.size()).equals(layers(encoder, imageSize))) {
            throw new IllegalArgumentException("Small views (multi-crop) need an encoder for images of any size, but "
                    + encoder.describe() + " has weights or a number of patches for one size");
        }
    }

    private static List<Layer> layers(Architecture encoder, int size) {
        return encoder.graph(size).nodes().stream()
                .map(LayerGraph.Node::layer)
                .filter(l -> !(l instanceof Layer.Input))
                .toList();
    }
}
