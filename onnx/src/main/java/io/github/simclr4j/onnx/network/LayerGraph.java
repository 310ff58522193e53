package io.github.simclr4j.onnx.network;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.HashSet;

/**
 * A network as a graph of {@link Layer layers}, in an order in which it can be computed. Its results have names, such as
 * {@link #FEATURES}. Immutable; made by a {@link Builder}, which works out and checks every shape.
 */
public final class LayerGraph {
    /** Name of the encoder's result, which is exported: [dimension]. */
    public static final String FEATURES = "features";

    /**
     * A layer in its place.
     *
     * @param id its number; inputs have lower ones
     * @param layer what it computes
     * @param inputs numbers of the nodes that it takes
     * @param shape of its result, without the batch axis
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

    private LayerGraph(List<Node> nodes, Map<String, Node> outputs) {
        this.nodes = List.copyOf(nodes);
        this.outputs = Map.copyOf(outputs);
    }

    /** Returns the nodes; each comes after its inputs. */
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
     * @throws IllegalArgumentException if there is no result of that name
     */
    public Node output(String name) {
        Node node = outputs.get(name);
        if (node == null) {
            throw new IllegalArgumentException("Unknown result of a network, expected one of " + outputs.keySet() + ", found " + name);
        }
        return node;
    }

    /** Returns all weights, in the order of the layers. */
    public List<Weight> weights() {
        return nodes.stream().flatMap(n -> n.layer().weights().stream()).toList();
    }

    /** Returns the number of trained values. */
    public long parameters() {
        return weights().stream().filter(w -> w.kind().isTrained()).mapToLong(Weight::size).sum();
    }

    /** Returns the part of the graph that some results need, with these results alone. */
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
        return new LayerGraph(some, kept);
    }

    /** Returns a builder that goes on from this graph, with its nodes and results. */
    public Builder extend() {
        Builder b = new Builder();
        b.nodes.addAll(nodes);
        b.outputs.putAll(outputs);
        return b;
    }

    /** Returns a builder for a network of images. */
    public static Builder builder() {
        return new Builder();
    }

    /** Makes a graph layer by layer. Not thread-safe. */
    public static final class Builder {
        private final List<Node> nodes = new ArrayList<>();
        private final Map<String, Node> outputs = new LinkedHashMap<>();

        private Builder() {}

        /** Adds the input. */
        public Node input(int channels, int height, int width) {
            return add(new Layer.Input(channels, height, width));
        }

        /**
         * Adds a layer.
         *
         * @return its node, to be an input of others
         * @throws IllegalArgumentException if the layer does not fit its inputs; the message names it and the shapes
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

        /** Returns the node of a result that was named before. */
        public Node output(String name) {
            return outputs.get(name);
        }

        /**
         * Returns the graph.
         *
         * @throws IllegalArgumentException if two layers have a weight of the same name, or no result was named
         */
        public LayerGraph build() {
            LayerGraph graph = new LayerGraph(nodes, outputs);
            Set<String> names = new HashSet<>();
            for (Weight w : graph.weights()) {
                if (!names.add(w.name())) {
                    throw new IllegalArgumentException("Two layers have the weight " + w.name());
                }
            }
            if (outputs.isEmpty()) {
                throw new IllegalArgumentException("A network has at least one result");
            }
            return graph;
        }
    }
}
