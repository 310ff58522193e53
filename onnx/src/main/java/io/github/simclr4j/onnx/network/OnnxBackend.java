// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.network;

import ai.onnx.proto.OnnxMl.AttributeProto;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.onnx.internal.BatchNormFolding;
import io.github.simclr4j.onnx.internal.GraphBuilder;
import io.github.simclr4j.onnx.internal.TensorValues;
import io.github.simclr4j.onnx.network.LayerGraph.Node;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * Writes a network as <a href="https://onnx.ai/onnx/operators/">ONNX operators</a> of opset 13 or later. A batch norm is folded into the
 * convolution or dense layer before it if it is the only consumer of that layer's result. A learned tensor has a batch axis of size 1,
 * which the operators broadcast. It is expanded in the graph only if it is concatenated with values of the batch.
 */
final class OnnxBackend {
    /** (6/29)^3, where the two parts of CIELab's function meet. */
    private static final float LAB_LIMIT = 216 / 24389f;

    private final GraphBuilder graph;
    private final int opset;
    private final Function<String, float[]> weights;
    private final LayerGraph network;
    private final Node result;
    private final String resultName;
    private final Map<Integer, String> values = new HashMap<>();
    private final Map<Integer, List<Integer>> shapes = new HashMap<>();
    /** Nodes whose value is the same for every image, with a batch axis of size 1. */
    private final Set<Integer> constant = new HashSet<>();
    /** The folded batch norms by the node of the layer before them. */
    private final Map<Integer, Node> folded = new HashMap<>();

    private final Map<String, String> constants = new HashMap<>();

    private OnnxBackend(
            GraphBuilder graph,
            int opset,
            Function<String, float[]> weights,
            LayerGraph network,
            Node result,
            String resultName) {
        this.graph = graph;
        this.network = network;
        this.opset = opset;
        this.weights = weights;
        this.result = result;
        this.resultName = resultName;
    }

    /**
     * Adds a network's nodes and weights to a graph.
     *
     * @param network the network
     * @param output name of the result to write
     * @param image name of the network's input in the file, float32 [batch, channels, height, width]
     * @param name name of the result in the file
     * @param graph the graph to add to
     * @param opset version of the operators, 13 or later
     * @param weights returns values by the weights' names, row-major
     */
    static void write(
            LayerGraph network,
            String output,
            String image,
            String name,
            GraphBuilder graph,
            int opset,
            Function<String, float[]> weights) {
        LayerGraph needed = network.only(output);
        OnnxBackend backend = new OnnxBackend(graph, opset, weights, needed, needed.output(output), name);
        Map<Integer, Node> norms = foldable(needed, backend.result);
        for (Node node : needed.nodes()) {
            backend.shapes.put(node.id(), node.shape());
            if (norms.containsKey(node.id())) {
                backend.folded.put(norms.get(node.id()).id(), node);
            } else {
                backend.values.put(node.id(), node.layer() instanceof Layer.Input ? image : backend.write(node));
            }
        }
        String last = backend.values.get(backend.result.id());
        if (!last.equals(name)) {
            if (backend.constant.contains(backend.result.id())) {
                backend.repeated(last, backend.result, image, name);
            } else {
                graph.node("Identity", List.of(last), name);
            }
        }
    }

    /** Returns the batch norms that can be folded, by the id of the layer before them. */
    static Map<Integer, Node> foldable(LayerGraph network, Node result) {
        Map<Integer, List<Node>> takers = new HashMap<>();
        for (Node node : network.nodes()) {
            node.inputs()
                    .forEach(i ->
                            takers.computeIfAbsent(i, k -> new ArrayList<>()).add(node));
        }
        Map<Integer, Node> norms = new HashMap<>();
        for (Node node : network.nodes()) {
            List<Node> next = takers.getOrDefault(node.id(), List.of());
            // After a dense layer on tokens, the norm's channels are not the layer's output axis.
            boolean channels = node.layer() instanceof Layer.Conv
                    || node.layer() instanceof Layer.Dense && node.shape().size() == 1;
            if (channels && node != result && next.size() == 1 && next.get(0).layer() instanceof Layer.BatchNorm) {
                norms.put(node.id(), next.get(0));
            }
        }
        return norms;
    }

    private String write(Node node) {
        Layer layer = node.layer();
        List<String> in = node.inputs().stream().map(values::get).toList();
        if (layer instanceof Layer.Learned l) {
            constant.add(node.id());
            return tensor(l.name(), 1, l.shape());
        }
        if (!node.inputs().isEmpty() && constant.containsAll(node.inputs())) {
            constant.add(node.id());
        }
        // Pattern matching in switch is available only from Java 21.
        if (layer instanceof Layer.Conv l) {
            return convolution(node, l, in.get(0), null);
        } else if (layer instanceof Layer.Dense l) {
            return dense(node, l, in.get(0), null);
        } else if (layer instanceof Layer.BatchNorm l) {
            return batchNorm(node, l, in);
        } else if (layer instanceof Layer.LayerNorm l) {
            return layerNorm(node, l, in.get(0));
        } else if (layer instanceof Layer.GroupNorm l) {
            return groupNorm(node, l, in.get(0));
        } else if (layer instanceof Layer.Activation l) {
            return activation(node, l.function(), in.get(0));
        } else if (layer instanceof Layer.MaxPool l) {
            long p = l.padding();
            return last(
                    node,
                    "MaxPool",
                    in,
                    GraphBuilder.ints("kernel_shape", l.kernel(), l.kernel()),
                    GraphBuilder.ints("strides", l.stride(), l.stride()),
                    GraphBuilder.ints("pads", p, p, p, p));
        } else if (layer instanceof Layer.AveragePool l) {
            return last(
                    node,
                    "AveragePool",
                    in,
                    GraphBuilder.ints("kernel_shape", l.kernel(), l.kernel()),
                    GraphBuilder.ints("strides", l.stride(), l.stride()));
        } else if (layer instanceof Layer.GlobalAveragePool l) {
            return l.keepAxes()
                    ? last(node, "GlobalAveragePool", in)
                    : last(node, "Flatten", List.of(graph.node("GlobalAveragePool", in)));
        } else if (layer instanceof Layer.Mean l) {
            return mean(node, in.get(0), l.axis() + 1, false);
        } else if (layer instanceof Layer.Add) {
            return last(node, "Add", in);
        } else if (layer instanceof Layer.Multiply) {
            return last(node, "Mul", in);
        } else if (layer instanceof Layer.Scale l) {
            return last(node, "Mul", List.of(in.get(0), scalar(l.factor())));
        } else if (layer instanceof Layer.Concat l) {
            return last(node, "Concat", joined(node, in), GraphBuilder.integer("axis", l.axis() + 1L));
        } else if (layer instanceof Layer.Reshape l) {
            return last(node, "Reshape", List.of(in.get(0), shape(l.shape())));
        } else if (layer instanceof Layer.Transpose l) {
            return last(
                    node,
                    "Transpose",
                    in,
                    GraphBuilder.ints(
                            "perm",
                            IntStream.concat(IntStream.of(0), l.order().stream().mapToInt(i -> i + 1))
                                    .asLongStream()
                                    .toArray()));
        } else if (layer instanceof Layer.Slice l) {
            return last(node, "Slice", List.of(in.get(0), longs(l.from()), longs(l.to()), longs(l.axis() + 1L)));
        } else if (layer instanceof Layer.MatMul) {
            return last(node, "MatMul", in);
        } else if (layer instanceof Layer.Pad l) {
            int axes = node.shape().size() + 1;
            long[] pads = new long[2 * axes];
            pads[l.axis() + 1] = l.before();
            pads[axes + l.axis() + 1] = l.after();
            return last(node, "Pad", List.of(in.get(0), longs(pads)));
        } else if (layer instanceof Layer.Patches l) {
            return patches(node, l, in.get(0));
        } else if (layer instanceof Layer.IntoBatch || layer instanceof Layer.OutOfBatch) {
            return last(node, "Reshape", List.of(in.get(0), rows(node.shape())));
        } else if (layer instanceof Layer.Softmax) {
            return last(node, "Softmax", in, GraphBuilder.integer("axis", -1));
        }
        throw new IllegalStateException("No operator is defined for " + layer);
    }

    /** Adds a layer's last operator. Its output gets the result's name if the layer is the result, or the name of the layer's value. */
    private String last(Node node, String op, List<String> in, AttributeProto... attributes) {
        String name = node == result && !constant.contains(node.id()) ? resultName : network.name(node);
        return name == null ? graph.node(op, in, attributes) : graph.node(op, in, name, attributes);
    }

    private String batchNorm(Node node, Layer.BatchNorm l, List<String> in) {
        Node before = folded.get(node.id());
        if (before == null) {
            List<String> operands = new ArrayList<>(in);
            l.weights().forEach(w -> operands.add(tensor(w.name(), w.shape())));
            return last(node, "BatchNormalization", operands, real("epsilon", l.epsilon()));
        }
        String x = values.get(before.inputs().get(0));
        return before.layer() instanceof Layer.Conv c
                ? convolution(node, c, x, l)
                : dense(node, (Layer.Dense) before.layer(), x, l);
    }

    private String convolution(Node node, Layer.Conv c, String x, Layer.BatchNorm norm) {
        List<String> operands = new ArrayList<>(List.of(x));
        weights(c.weights(), c.bias(), norm, c.out(), false).forEach(operands::add);
        long p = c.padding();
        List<AttributeProto> attributes = new ArrayList<>(List.of(
                GraphBuilder.ints("kernel_shape", c.kernel(), c.kernel()),
                GraphBuilder.ints("strides", c.stride(), c.stride()),
                GraphBuilder.ints("pads", p, p, p, p)));
        if (c.groups() > 1) {
            attributes.add(GraphBuilder.integer("group", c.groups()));
        }
        return last(node, "Conv", operands, attributes.toArray(AttributeProto[]::new));
    }

    /** Adds a dense layer: Gemm for feature vectors, or MatMul with transposed weights for tokens, which Gemm does not support. */
    private String dense(Node node, Layer.Dense l, String x, Layer.BatchNorm norm) {
        boolean features = node.shape().size() == 1;
        List<String> operands = weights(l.weights(), l.bias(), norm, l.out(), !features);
        if (features) {
            List<String> all = new ArrayList<>(List.of(x));
            all.addAll(operands);
            return last(node, "Gemm", all, GraphBuilder.integer("transB", 1));
        }
        List<String> product = List.of(x, operands.get(0));
        return operands.size() == 1
                ? last(node, "MatMul", product)
                : last(node, "Add", List.of(graph.node("MatMul", product), operands.get(1)));
    }

    /** Adds a layer's weights, and its bias if it has one or if a norm is folded into it. */
    private List<String> weights(List<Weight> own, boolean biased, Layer.BatchNorm norm, int out, boolean transposed) {
        Weight kernel = own.get(0);
        float[] w = weights.apply(kernel.name());
        float[] bias = biased ? weights.apply(own.get(1).name()) : new float[out];
        if (norm != null) {
            bias = bias.clone();
            float[][] n =
                    norm.weights().stream().map(t -> weights.apply(t.name())).toArray(float[][]::new);
            w = BatchNormFolding.fold(w, bias, n[0], n[1], n[2], n[3], norm.epsilon());
        }
        String layer = kernel.name().substring(0, kernel.name().lastIndexOf('.'));
        String first = graph.tensor(
                transposed
                        ? TensorValues.floats(kernel.name() + "_transposed", transposed(w, out), w.length / out, out)
                        : TensorValues.floats(kernel.name(), w, kernel.dimensions()));
        return !biased && norm == null
                ? List.of(first)
                : List.of(first, graph.tensor(TensorValues.floats(layer + ".bias", bias, out)));
    }

    /** Transposes a row-major matrix with a number of rows. */
    static float[] transposed(float[] w, int rows) {
        int columns = w.length / rows;
        float[] t = new float[w.length];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                t[j * rows + i] = w[i * columns + j];
            }
        }
        return t;
    }

    /** Adds LayerNormalization from opset 17 on; before that the steps of Ba et al. 2016, equation 4, which runtimes fuse. */
    private String layerNorm(Node node, Layer.LayerNorm l, String x) {
        String scale = tensor(l.name() + ".weight", List.of(l.size()));
        String shift = tensor(l.name() + ".bias", List.of(l.size()));
        if (opset >= 17) {
            return last(
                    node,
                    "LayerNormalization",
                    List.of(x, scale, shift),
                    GraphBuilder.integer("axis", -1),
                    real("epsilon", l.epsilon()));
        }
        String centred = graph.node("Sub", List.of(x, mean(null, x, -1, true)));
        String variance = mean(null, graph.node("Pow", List.of(centred, scalar(2))), -1, true);
        String deviation = graph.node("Sqrt", List.of(graph.node("Add", List.of(variance, scalar(l.epsilon())))));
        String normal = graph.node("Div", List.of(centred, deviation));
        return last(node, "Add", List.of(graph.node("Mul", List.of(normal, scale)), shift));
    }

    /** Adds InstanceNormalization over the values of a group, because GroupNormalization exists only from opset 21 on. */
    private String groupNorm(Node node, Layer.GroupNorm l, String x) {
        float[] ones = new float[l.groups()];
        Arrays.fill(ones, 1);
        String one = graph.tensor(TensorValues.floats(l.name() + ".ones", ones, l.groups()));
        String zero = graph.tensor(TensorValues.floats(l.name() + ".zeros", new float[l.groups()], l.groups()));
        String grouped = graph.node("Reshape", List.of(x, longs(0, l.groups(), -1)));
        String normal = graph.node("InstanceNormalization", List.of(grouped, one, zero), real("epsilon", l.epsilon()));
        String back = graph.node("Reshape", List.of(normal, shape(node.shape())));
        List<Integer> channels = List.of(l.channels(), 1, 1);
        String scaled = graph.node("Mul", List.of(back, tensor(l.name() + ".weight", channels)));
        return last(node, "Add", List.of(scaled, tensor(l.name() + ".bias", channels)));
    }

    private String mean(Node node, String x, long axis, boolean keep) {
        AttributeProto dims = GraphBuilder.integer("keepdims", keep ? 1 : 0);
        List<String> in = opset < 18 ? List.of(x) : List.of(x, longs(axis));
        AttributeProto[] attributes =
                opset < 18 ? new AttributeProto[] {GraphBuilder.ints("axes", axis), dims} : new AttributeProto[] {dims};
        return node == null ? graph.node("ReduceMean", in, attributes) : last(node, "ReduceMean", in, attributes);
    }

    private String activation(Node node, Layer.Activation.Function function, String x) {
        return switch (function) {
            case RELU -> last(node, "Relu", List.of(x));
            case SIGMOID -> last(node, "Sigmoid", List.of(x));
            case TANH -> last(node, "Tanh", List.of(x));
            case LINEAR_LIGHT -> {
                String v = graph.node(
                        "Add",
                        List.of(
                                graph.node("Mul", List.of(x, scalar(Preprocessing.DEVIATION))),
                                scalar(Preprocessing.MEAN)));
                v = graph.node("Clip", List.of(v, scalar(0f, true), scalar(1f, true)));
                String curve =
                        graph.node("Div", List.of(graph.node("Add", List.of(v, scalar(0.055f))), scalar(1.055f)));
                yield last(
                        node,
                        "Where",
                        List.of(
                                graph.node("Greater", List.of(v, scalar(0.04045f))),
                                graph.node("Pow", List.of(curve, scalar(2.4f))),
                                graph.node("Div", List.of(v, scalar(12.92f)))));
            }
            case LAB -> {
                // Below the limit the root is not used, but its operand must not be negative.
                String root =
                        graph.node("Pow", List.of(graph.node("Max", List.of(x, scalar(LAB_LIMIT))), scalar(1 / 3f)));
                String line =
                        graph.node("Add", List.of(graph.node("Mul", List.of(x, scalar(841 / 108f))), scalar(4 / 29f)));
                String f =
                        graph.node("Where", List.of(graph.node("Greater", List.of(x, scalar(LAB_LIMIT))), root, line));
                yield last(node, "Sub", List.of(f, scalar(66 / 116f)));
            }
            case HARD_SIGMOID -> last(node, "HardSigmoid", List.of(x), real("alpha", 1 / 6f), real("beta", 0.5f));
            case HARD_SWISH ->
                opset >= 14
                        ? last(node, "HardSwish", List.of(x))
                        : last(
                                node,
                                "Mul",
                                List.of(
                                        x,
                                        graph.node(
                                                "HardSigmoid", List.of(x), real("alpha", 1 / 6f), real("beta", 0.5f))));
            // The operator Gelu exists only from opset 20 on. Runtimes fuse these steps in this order.
            case GELU -> {
                String error = graph.node("Erf", List.of(graph.node("Div", List.of(x, scalar((float) Math.sqrt(2))))));
                String product = graph.node("Mul", List.of(x, graph.node("Add", List.of(error, scalar(1)))));
                yield last(node, "Mul", List.of(product, scalar(0.5f)));
            }
        };
    }

    /** Repeats operands that are the same for every image, to match the batch size of another operand. */
    private List<String> joined(Node node, List<String> in) {
        List<String> all = new ArrayList<>(in);
        for (int i = 0; i < in.size() && !constant.contains(node.id()); i++) {
            if (constant.contains(node.inputs().get(i))) {
                int other = IntStream.range(0, in.size())
                        .filter(k -> !constant.contains(node.inputs().get(k)))
                        .findFirst()
                        .getAsInt();
                all.set(i, repeated(in.get(i), node, in.get(other), null));
            }
        }
        return all;
    }

    private String repeated(String value, Node node, String like, String name) {
        String batch = graph.node("Slice", List.of(graph.node("Shape", List.of(like)), longs(0), longs(1), longs(0)));
        long[] ones = IntStream.range(0, node.shape().size()).mapToLong(i -> 1).toArray();
        String shape = graph.node("Concat", List.of(batch, longs(ones)), GraphBuilder.integer("axis", 0));
        return name == null
                ? graph.node("Expand", List.of(value, shape))
                : graph.node("Expand", List.of(value, shape), name);
    }

    /** Adds operators that gather the rows of each patch, then the columns. */
    private String patches(Node node, Layer.Patches l, String x) {
        List<Integer> from = shapes.get(node.inputs().get(0));
        String rows = graph.node("Gather", List.of(x, places(l, from.get(1))), GraphBuilder.integer("axis", 2));
        String both = graph.node("Gather", List.of(rows, places(l, from.get(2))), GraphBuilder.integer("axis", 4));
        String ordered = graph.node("Transpose", List.of(both), GraphBuilder.ints("perm", 0, 2, 4, 1, 3, 5));
        return last(node, "Reshape", List.of(ordered, shape(node.shape())));
    }

    /** Adds the indices along an axis that each patch gathers, [patches, side]. */
    private String places(Layer.Patches l, int size) {
        int count = l.along(size);
        long[] places = IntStream.range(0, count * l.side())
                .mapToLong(i -> i / l.side() * l.stride() + i % l.side())
                .toArray();
        String name = "patches." + size + "." + l.side() + "." + l.stride();
        return constants.computeIfAbsent(name, n -> graph.tensor(TensorValues.longs(n, places, count, l.side())));
    }

    /** Adds a shape whose batch axis is inferred (-1). */
    private String rows(List<Integer> shape) {
        return longs(IntStream.concat(IntStream.of(-1), shape.stream().mapToInt(i -> i))
                .asLongStream()
                .toArray());
    }

    private String tensor(String name, List<Integer> shape) {
        return graph.tensor(TensorValues.floats(
                name, weights.apply(name), shape.stream().mapToLong(i -> i).toArray()));
    }

    private String tensor(String name, int batch, List<Integer> shape) {
        List<Integer> all = new ArrayList<>(List.of(batch));
        all.addAll(shape);
        return tensor(name, all);
    }

    /** Adds a shape whose batch axis is copied from the input (0). */
    private String shape(List<Integer> shape) {
        return longs(IntStream.concat(IntStream.of(0), shape.stream().mapToInt(i -> i))
                .asLongStream()
                .toArray());
    }

    private String longs(long... v) {
        String name = "integers."
                + String.join(".", Arrays.stream(v).mapToObj(Long::toString).toList());
        return constants.computeIfAbsent(name, n -> graph.tensor(TensorValues.longs(n, v, v.length)));
    }

    /** Adds a number as a tensor, without axes if {@code bare}, which some operators require. */
    private String scalar(float v, boolean bare) {
        return constants.computeIfAbsent(
                "bare." + v, n -> graph.tensor(TensorValues.floats(n, new float[] {v}, new long[0])));
    }

    private String scalar(float v) {
        return constants.computeIfAbsent("number." + v, n -> graph.tensor(TensorValues.floats(n, new float[] {v})));
    }

    private static AttributeProto real(String name, float value) {
        return AttributeProto.newBuilder()
                .setName(name)
                .setType(AttributeProto.AttributeType.FLOAT)
                .setF(value)
                .build();
    }
}
