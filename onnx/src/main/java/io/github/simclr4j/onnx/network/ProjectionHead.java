// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.network;

import io.github.simclr4j.onnx.network.Layer.BatchNorm;
import io.github.simclr4j.onnx.network.Layer.Dense;
import io.github.simclr4j.onnx.network.LayerGraph.Node;
import java.util.ArrayList;
import java.util.List;

/**
 * A projection head g (<a href="https://arxiv.org/abs/2002.05709">Chen et al. 2020</a>, section 2.1), or its first layers, which
 * SimCLRv2 keeps in the encoder (<a href="https://arxiv.org/abs/2006.10029">Chen et al. 2020</a>, "Big Self-Supervised Models", section
 * 2). It consists of dense layers, each optionally with batch norm, and a ReLU after each layer except the last of the whole head.
 *
 * @param layers the layers in order, at least one; the input size of each is the output size of the one before
 * @since 0.1.0
 */
public record ProjectionHead(List<Layer> layers) {
    /** The name of the head's result in a network. */
    public static final String PROJECTION = "projection";

    /**
     * A dense layer with optional batch norm and ReLU.
     *
     * @param dense name of the dense layer: its weights are {@code dense.weight} [out, in] and, with a bias, {@code dense.bias} [out]
     * @param in input size
     * @param out output size
     * @param bias whether there is a bias
     * @param norm name of the batch norm, with {@code .weight}, {@code .bias}, {@code .running_mean} and {@code .running_var} as in
     *     {@link ResNet}; null for none
     * @param relu whether a ReLU follows
     */
    public record Layer(String dense, int in, int out, boolean bias, String norm, boolean relu) {
        /**
         * Checks the sizes.
         *
         * @throws IllegalArgumentException if a size is below 1
         */
        public Layer {
            if (in < 1 || out < 1) {
                throw new IllegalArgumentException(
                        "Expected input and output sizes of at least 1, found " + in + " and " + out);
            }
        }
    }

    /**
     * Checks that the sizes of the layers match.
     *
     * @throws IllegalArgumentException if there are no layers or the sizes don't match
     */
    public ProjectionHead {
        layers = List.copyOf(layers);
        if (layers.isEmpty()) {
            throw new IllegalArgumentException("A projection head needs at least one layer");
        }
        for (int i = 1; i < layers.size(); i++) {
            if (layers.get(i).in() != layers.get(i - 1).out()) {
                throw new IllegalArgumentException("The layer " + layers.get(i).dense() + " takes "
                        + layers.get(i).in() + " values, but the one before outputs "
                        + layers.get(i - 1).out());
            }
        }
    }

    /**
     * Creates a head with the names that training uses: dense layers {@code head.0}, {@code head.3}, {@code head.6} and so on, with the
     * batch norms {@code head.1}, {@code head.4} and so on.
     *
     * @param in length of a feature vector
     * @param hidden output size of all layers but the last
     * @param out length of a projection
     * @param layers number of dense layers
     * @param bias whether the dense layers have a bias
     * @param batchNorm whether batch norm follows each
     * @throws IllegalArgumentException if a number is below 1
     */
    public static ProjectionHead of(int in, int hidden, int out, int layers, boolean bias, boolean batchNorm) {
        List<Layer> all = new ArrayList<>();
        for (int i = 0; i < layers; i++) {
            boolean last = i == layers - 1;
            all.add(layer(i, i == 0 ? in : hidden, last ? out : hidden, bias, batchNorm, !last));
        }
        return new ProjectionHead(all);
    }

    /**
     * Creates a head with the same names, whose layers have either a bias or batch norm.
     *
     * @param in length of a feature vector
     * @param hidden output size of all layers but the last
     * @param out length of a projection
     * @param layers number of dense layers
     * @param batchNorm whether batch norm follows all layers but the last
     * @param outputNorm whether batch norm follows the last layer
     * @throws IllegalArgumentException if a number is below 1
     */
    public static ProjectionHead withNorms(
            int in, int hidden, int out, int layers, boolean batchNorm, boolean outputNorm) {
        List<Layer> all = new ArrayList<>();
        for (int i = 0; i < layers; i++) {
            boolean last = i == layers - 1;
            boolean norm = last ? outputNorm : batchNorm;
            all.add(layer(i, i == 0 ? in : hidden, last ? out : hidden, !norm, norm, !last));
        }
        return new ProjectionHead(all);
    }

    private static Layer layer(int number, int in, int out, boolean bias, boolean batchNorm, boolean relu) {
        return new Layer("head." + 3 * number, in, out, bias, batchNorm ? "head." + (3 * number + 1) : null, relu);
    }

    /**
     * Returns the first layers. The last of them keeps the ReLU that it has in the whole head, as in SimCLRv2.
     *
     * @param kept number of layers, from 1 to all
     * @throws IllegalArgumentException if the number is out of range
     */
    public ProjectionHead first(int kept) {
        if (kept < 1 || kept > layers.size()) {
            throw new IllegalArgumentException("The head has " + layers.size() + " layers: expected a number from 1 to "
                    + layers.size() + ", found " + kept);
        }
        return new ProjectionHead(layers.subList(0, kept));
    }

    /** Returns the output size. */
    public int dimension() {
        return layers.get(layers.size() - 1).out();
    }

    /**
     * Adds the head to a network and names its result {@link #PROJECTION}. The batch norm after the last layer of the whole head has no
     * trained shift.
     *
     * @param graph the network's builder
     * @param features the head's input, [in]
     * @return the head's result, [dimension]
     * @throws IllegalArgumentException if the features have another length
     */
    public Node append(LayerGraph.Builder graph, Node features) {
        return append(graph, features, PROJECTION, "");
    }

    /**
     * Adds the head to a part of a network, with prefixed names of its layers: {@code name.head.0} and so on.
     *
     * @param graph the network's builder
     * @param features the head's input, [in]
     * @param name name of the result
     * @return the head's result, [dimension]
     * @throws IllegalArgumentException if the features have another length
     */
    public Node append(LayerGraph.Builder graph, Node features, String name) {
        return append(graph, features, name, name + ".");
    }

    private Node append(LayerGraph.Builder graph, Node features, String name, String prefix) {
        int given = features.shape().get(features.shape().size() - 1);
        if (given != layers.get(0).in()) {
            throw new IllegalArgumentException(
                    "The head takes " + layers.get(0).in() + " values, but the encoder outputs " + given);
        }
        Node x = features;
        for (Layer l : layers) {
            x = graph.add(new Dense(prefix + l.dense(), l.in(), l.out(), l.bias(), Weight.fanIn(l.in())), x);
            if (l.norm() != null) {
                x = graph.add(new BatchNorm(prefix + l.norm(), l.out(), ResNet.EPSILON, l.relu(), false), x);
            }
            if (l.relu()) {
                x = graph.relu(x);
            }
        }
        graph.output(name, x);
        return x;
    }
}
