// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.network;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A network as a graph of {@link Layer layers} in topological order. Its results have names, such as {@link #FEATURES}. Immutable. A
 * {@link Builder} creates it, and computes and checks all shapes.
 *
 * @since 0.1.0
 */
public final class LayerGraph {
    /** The name of the encoder's result, which is exported, [dimension]. */
    public static final String FEATURES = "features";

    /**
     * A layer in the graph.
     *
     * @param id the index of the node; its inputs have lower indices
     * @param layer the layer
     * @param inputs indices of the input nodes
     * @param shape shape of the result, without the batch axis
     */
    public record Node(int id, Layer layer, List<Integer> inputs, List<Integer> shape) {
        /** Copies the lists. */
        public Node {
            inputs = List.copyOf(inputs);
            shape = List.copyOf(shape);
        }
    }

    private final List<Node> nodes;
    private final Map<String, Node> outputs;
    /** Names of values by the id of the node that computes them. */
    private final Map<Integer, String> names;

    private LayerGraph(List<Node> nodes, Map<String, Node> outputs, Map<Integer, String> names) {
        this.nodes = List.copyOf(nodes);
        this.outputs = Map.copyOf(outputs);
        this.names = Map.copyOf(names);
    }

    /** Returns the nodes in topological order. */
    public List<Node> nodes() {
        return nodes;
    }

    /** Returns the names of the results. */
    public Set<String> outputs() {
        return outputs.keySet();
    }

    /**
     * Returns the node of a result.
     *
     * @param name the name of the result
     * @throws IllegalArgumentException if there is no such result
     */
    public Node output(String name) {
        Node node = outputs.get(name);
        if (node == null) {
            throw new IllegalArgumentException(
                    "Unknown result of a network, expected one of " + outputs.keySet() + ", found " + name);
        }
        return node;
    }

    /** Returns the name of a node's value in a written file, or null if it has none of its own. */
    String name(Node node) {
        return names.get(node.id());
    }

    /** Returns all weights, in the order of the layers. */
    public List<Weight> weights() {
        return nodes.stream().flatMap(n -> n.layer().weights().stream()).toList();
    }

    /** Returns the number of trained parameters. */
    public long parameters() {
        return weights().stream()
                .filter(w -> w.kind().isTrained())
                .mapToLong(Weight::size)
                .sum();
    }

    /**
     * Returns the part of the graph that computes some results.
     *
     * @param results the names of these results, which are the only results of the new graph
     */
    public LayerGraph only(String... results) {
        Set<Integer> needed = new HashSet<>();
        Map<String, Node> kept = new LinkedHashMap<>();
        for (String name : results) {
            kept.put(name, output(name));
            needed.add(output(name).id());
        }
        List<Node> some = new ArrayList<>();
        for (int i = nodes.size() - 1; i >= 0; i--) {
            if (needed.contains(nodes.get(i).id())) {
                some.add(0, nodes.get(i));
                needed.addAll(nodes.get(i).inputs());
            }
        }
        return new LayerGraph(some, kept, names);
    }

    /** Returns a graph in which nodes replace those with the same identifiers, whose results they must equal in shape. */
    LayerGraph replacing(Node... others) {
        Map<Integer, Node> by = new HashMap<>();
        List.of(others).forEach(n -> by.put(n.id(), n));
        Map<String, Node> results = new LinkedHashMap<>();
        outputs.forEach((name, n) -> results.put(name, by.getOrDefault(n.id(), n)));
        return new LayerGraph(
                nodes.stream().map(n -> by.getOrDefault(n.id(), n)).toList(), results, names);
    }

    /** Returns a builder that starts with the nodes and results of this graph. */
    public Builder extend() {
        Builder b = new Builder();
        b.nodes.addAll(nodes);
        b.outputs.putAll(outputs);
        b.names.putAll(names);
        return b;
    }

    /** Returns an empty builder. */
    public static Builder builder() {
        return new Builder();
    }

    /** Builds a graph layer by layer. Not thread-safe. */
    public static final class Builder {
        private final List<Node> nodes = new ArrayList<>();
        private final Map<String, Node> outputs = new LinkedHashMap<>();
        private final Map<Integer, String> names = new HashMap<>();

        private Builder() {}

        /**
         * Adds the input.
         *
         * @param channels number of channels
         * @param height height in pixels
         * @param width width in pixels
         */
        public Node input(int channels, int height, int width) {
            return add(new Layer.Input(channels, height, width));
        }

        /**
         * Adds a layer.
         *
         * @param layer the layer
         * @param inputs the nodes that it takes as inputs
         * @return the node of the layer
         * @throws IllegalArgumentException if the layer does not fit its inputs; the message names the layer and the shapes
         */
        public Node add(Layer layer, Node... inputs) {
            List<List<Integer>> shapes = new ArrayList<>();
            List<Integer> ids = new ArrayList<>();
            for (Node in : inputs) {
                shapes.add(in.shape());
                ids.add(in.id());
            }
            int id = nodes.isEmpty() ? 0 : nodes.get(nodes.size() - 1).id() + 1;
            Node node = new Node(id, layer, ids, LayerShapes.of(layer, shapes));
            nodes.add(node);
            return node;
        }

        /** Adds an activation. */
        public Node activation(Layer.Activation.Function function, Node in) {
            return add(new Layer.Activation(function), in);
        }

        /** Adds a ReLU. */
        public Node relu(Node in) {
            return activation(Layer.Activation.Function.RELU, in);
        }

        /** Names a result. */
        public Builder output(String name, Node node) {
            outputs.put(name, node);
            return this;
        }

        /**
         * Names an inner value in the files that are written. The features of an encoder can then be read there too, for
         * example those of an earlier layer.
         *
         * @param name a name that is unique in the graph
         * @return the node
         */
        public Node name(String name, Node node) {
            names.put(node.id(), name);
            return node;
        }

        /** Returns the node of a result that was named before. */
        public Node output(String name) {
            return outputs.get(name);
        }

        /**
         * Returns the graph.
         *
         * @throws IllegalArgumentException if two layers have a weight of the same name, or if no result was named
         */
        public LayerGraph build() {
            LayerGraph graph = new LayerGraph(nodes, outputs, names);
            Set<String> unique = new HashSet<>();
            for (Weight w : graph.weights()) {
                if (!unique.add(w.name())) {
                    throw new IllegalArgumentException("Two layers have the weight " + w.name());
                }
            }
            for (String name : names.values()) {
                if (!unique.add(name)) {
                    throw new IllegalArgumentException("Two values have the name " + name);
                }
            }
            if (outputs.isEmpty()) {
                throw new IllegalArgumentException("A network needs at least one named result");
            }
            return graph;
        }
    }
}
