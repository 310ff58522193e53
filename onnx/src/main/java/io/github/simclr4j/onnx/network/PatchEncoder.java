// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.network;

import io.github.simclr4j.onnx.network.LayerGraph.Node;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A residual network that encodes overlapping square patches of an image independently
 * (<a href="https://arxiv.org/abs/1905.09272">Hénaff et al. 2020</a>, section 3). It normalises the feature maps of each patch instead of
 * using batch norm, whose statistics would leak information between patches. The features of an image are the mean over its patches.
 *
 * @param net the network for a patch
 * @param patch side length of a patch in pixels, at least the total stride of the network: 8, or 32 with the ImageNet stem
 * @param stride distance from one patch to the next in pixels, at least 1
 * @since 0.1.0
 */
public record PatchEncoder(ResNet net, int patch, int stride) implements Architecture {
    /** The name of the features of the patches, [patches, dimension], row by row. */
    public static final String PATCHES = "patches";
    /** Suffix of the architecture's name after the name of the network for a patch. */
    static final String SUFFIX = "-patches";

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a patch or a stride is too small
     */
    public PatchEncoder {
        int least = leastPatch(net.stem());
        if (patch < least || stride < 1) {
            throw new IllegalArgumentException("With the stem " + net.stem() + " a patch must have at least " + least
                    + " pixels per side and a stride of at least 1, found " + patch + " and " + stride);
        }
    }

    /** Returns the smallest side length of a patch in pixels for networks with a stem, which is their total stride. */
    public static int leastPatch(ResNet.Stem stem) {
        return stem == ResNet.Stem.IMAGENET ? 32 : 8;
    }

    @Override
    public String name() {
        return net.name() + SUFFIX;
    }

    @Override
    public Map<String, String> settings() {
        return Map.of(
                "width",
                Double.toString(net.width()),
                "stem",
                net.stem().name().toLowerCase(Locale.ROOT),
                "patch_size",
                "" + patch,
                "patch_stride",
                "" + stride);
    }

    @Override
    public int dimension() {
        return net.dimension();
    }

    @Override
    public String describe() {
        return name() + " width " + net.width() + " stem " + net.stem() + " patches of " + patch + " every " + stride;
    }

    /**
     * Returns a network with the same weights for images that have been cut: it takes the patches side by side, row by row, and gives
     * each the features that it has in the uncut image.
     *
     * @param graph the graph of an encoder of patches, optionally with more layers after it
     * @throws IllegalArgumentException if no layer of the graph cuts its input into patches
     */
    public static LayerGraph ofCutImages(LayerGraph graph) {
        Node cut = graph.nodes().stream()
                .filter(n -> n.layer() instanceof Layer.Patches)
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("The network does not cut its input into patches"));
        Node whole = graph.nodes().get(0);
        int side = ((Layer.Patches) cut.layer()).side();
        int along = ((Layer.Patches) cut.layer()).along(whole.shape().get(1));
        Layer.Input input = new Layer.Input(whole.shape().get(0), along * side, along * side);
        return graph.replacing(
                new Node(whole.id(), input, List.of(), List.of(input.channels(), input.height(), input.width())),
                new Node(cut.id(), new Layer.Patches(side, side), cut.inputs(), cut.shape()));
    }

    @Override
    public LayerGraph graph(int imageSize) {
        if (imageSize < patch) {
            throw new IllegalArgumentException(
                    "Patches of " + patch + " pixels don't fit into images of " + imageSize + " pixels");
        }
        LayerGraph.Builder g = LayerGraph.builder();
        Node patches = g.add(new Layer.Patches(patch, stride), g.input(3, imageSize, imageSize));
        Node each = net.append(g, g.add(new Layer.IntoBatch(), patches), "", ResNet.Norm.LAYER);
        Node all = g.add(new Layer.OutOfBatch(patches.shape().get(0)), each);
        return g.output(PATCHES, all)
                .output(LayerGraph.FEATURES, g.add(new Layer.Mean(0), all))
                .build();
    }
}
