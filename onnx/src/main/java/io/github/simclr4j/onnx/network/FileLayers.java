// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.network;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import io.github.simclr4j.onnx.internal.GraphIndex;
import io.github.simclr4j.onnx.internal.TensorTypes;
import io.github.simclr4j.onnx.network.LayerSignature.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Finds the layers with weights in an ONNX file, in {@linkplain LayerOrder data-flow order}:
 *
 * <ul>
 *   <li>convolutions and dense layers: Conv, Gemm or MatMul, with a bias or batch norm after it
 *   <li>norms: LayerNormalization, or a product and a sum with constants of the same length
 *   <li>learned tensors: any other floating-point constant with more than one value
 * </ul>
 */
final class FileLayers {
    /**
     * A layer of the file.
     *
     * @param signature the signature that must match
     * @param weight name of the weights, the scale or the learned tensor
     * @param transposed whether a dense layer's weights are [in, out]
     * @param bias name of the bias or shift; empty for none
     * @param norm the batch norm after a convolution or dense layer, or the batch norm itself; null for none
     */
    record FileLayer(LayerSignature signature, String weight, boolean transposed, String bias, NodeProto norm) {}

    private final FileGraph graph;
    private final List<NodeProto> nodes;
    private final Map<String, Integer> makers = new HashMap<>();
    /** Layers by the index of their node. Learned tensors have indices after the last node. */
    private final Map<Integer, FileLayer> layers = new HashMap<>();

    private final Map<String, Integer> learned = new HashMap<>();
    /** Outputs of nodes that belong to the layer before them. */
    private final Set<String> absorbed = new HashSet<>();

    private FileLayers(FileGraph graph) {
        this.graph = graph;
        this.nodes = graph.graph.getNodeList();
    }

    /** Returns the layers that the file's outputs need. */
    static List<FileLayer> of(FileGraph graph) {
        FileLayers found = new FileLayers(graph);
        return found.ordered();
    }

    private List<FileLayer> ordered() {
        for (int i = 0; i < nodes.size(); i++) {
            int place = i;
            nodes.get(i).getOutputList().forEach(o -> makers.put(o, place));
        }
        List<List<Integer>> inputs = new ArrayList<>();
        for (int i = 0; i < nodes.size(); i++) {
            FileLayer layer = absorbed.contains(output(nodes.get(i))) ? null : layer(nodes.get(i));
            if (layer != null) {
                layers.put(i, layer);
            }
            inputs.add(null);
        }
        for (int i = 0; i < nodes.size(); i++) {
            inputs.set(i, inputs(i));
        }
        List<Integer> results = graph.graph.getOutputList().stream()
                .map(ValueInfoProto::getName)
                .filter(makers::containsKey)
                .map(makers::get)
                .toList();
        return LayerOrder.of(
                        IntStream.range(0, nodes.size()).boxed().toList(),
                        i -> i < nodes.size() ? inputs.get(i) : List.of(),
                        layers::containsKey,
                        results)
                .stream()
                .filter(layers::containsKey)
                .map(layers::get)
                .toList();
    }

    /** Returns the indices of the inputs of a node. */
    private List<Integer> inputs(int place) {
        NodeProto node = nodes.get(place);
        FileLayer layer = layers.get(place);
        if (Set.of("Shape", "Size", "Constant").contains(node.getOpType())) {
            return List.of();
        }
        boolean first = layer != null && layer.signature().kind() != Kind.NORM
                || node.getOpType().endsWith("Normalization");
        List<Integer> all = new ArrayList<>();
        for (String value :
                first ? node.getInputList().subList(0, Math.min(1, node.getInputCount())) : node.getInputList()) {
            if (graph.isConstant(value)) {
                if (layer == null && !absorbed.contains(output(node)) && isVector(value)) {
                    all.add(learned.computeIfAbsent(value, this::learn));
                }
            } else if (makers.containsKey(value)) {
                all.add(makers.get(value));
            }
        }
        return all;
    }

    private int learn(String value) {
        int place = nodes.size() + learned.size();
        layers.put(place, new FileLayer(LayerSignature.learned(shape(graph.tensor(value))), value, false, "", null));
        return place;
    }

    private FileLayer layer(NodeProto node) {
        return switch (node.getOpType()) {
            case "Conv" -> convolution(node);
            case "MatMul", "Gemm" -> dense(node);
            case "LayerNormalization", "GroupNormalization" -> isVector(FileGraph.input(node, 1)) ? norm(node) : null;
            case "BatchNormalization" ->
                isVector(FileGraph.input(node, 1))
                        ? new FileLayer(
                                LayerSignature.of(Kind.BATCH_NORM, count(FileGraph.input(node, 1))),
                                "",
                                false,
                                "",
                                node)
                        : null;
            case "Add" -> affine(node);
            default -> null;
        };
    }

    private FileLayer norm(NodeProto node) {
        String scale = FileGraph.input(node, 1);
        return new FileLayer(LayerSignature.of(Kind.NORM, count(scale)), scale, false, FileGraph.input(node, 2), null);
    }

    private FileLayer convolution(NodeProto node) {
        TensorProto w = graph.tensor(FileGraph.input(node, 1));
        if (w == null || w.getDimsCount() != 4) {
            return null;
        }
        long[] strides = FileGraph.ints(node, "strides", 1);
        long[] pads = FileGraph.ints(node, "pads", 0);
        long[] dilations = FileGraph.ints(node, "dilations", 1);
        long groups = GraphIndex.integer(node, "group", 1);
        String automatic = node.getAttributeList().stream()
                .filter(a -> a.getName().equals("auto_pad"))
                .map(a -> a.getS().toStringUtf8())
                .filter(a -> !a.equals("NOTSET"))
                .findFirst()
                .orElse("");
        boolean plain = automatic.isEmpty() && alike(strides) && alike(pads) && alike(dilations) && dilations[0] == 1;
        String detail = plain
                ? LayerSignature.detail(strides[0], pads[0], groups)
                : "strides " + Arrays.toString(strides) + ", padding "
                        + (automatic.isEmpty() ? Arrays.toString(pads) : automatic) + ", dilations "
                        + Arrays.toString(dilations) + ", groups " + groups;
        return new FileLayer(
                new LayerSignature(Kind.CONVOLUTION, shape(w), detail),
                node.getInput(1),
                false,
                FileGraph.input(node, 2),
                normBehind(output(node)));
    }

    private static boolean alike(long[] values) {
        return values.length > 0 && Arrays.stream(values).allMatch(v -> v == values[0]);
    }

    private NodeProto normBehind(String value) {
        NodeProto norm = graph.only(value, "BatchNormalization");
        if (norm != null) {
            absorbed.add(output(norm));
        }
        return norm;
    }

    /** Recognises a dense layer: a product with a constant matrix, which may be transposed first, and a bias. */
    private FileLayer dense(NodeProto node) {
        boolean gemm = node.getOpType().equals("Gemm");
        String x = FileGraph.input(node, 1);
        boolean transposed = GraphIndex.integer(node, "transB", 0) == 0;
        for (NodeProto p = graph.producer(x); p != null && p.getOpType().equals("Transpose"); p = graph.producer(x)) {
            transposed = !transposed;
            x = FileGraph.input(p, 0);
        }
        TensorProto w = graph.tensor(x);
        if (w == null
                || w.getDimsCount() != 2
                || GraphIndex.integer(node, "transA", 0) != 0
                || !isOne(node, "alpha")
                || !isOne(node, "beta")
                || graph.tensor(FileGraph.input(node, 0)) != null) {
            return null;
        }
        List<Integer> shape = shape(w);
        LayerSignature signature = transposed
                ? LayerSignature.of(Kind.DENSE, shape.get(1), shape.get(0))
                : LayerSignature.of(Kind.DENSE, shape.get(0), shape.get(1));
        String bias = gemm ? FileGraph.input(node, 2) : "";
        String end = output(node);
        NodeProto sum = bias.isEmpty() ? graph.only(end, "Add") : null;
        for (int i = 0; sum != null && i < 2; i++) {
            String value = FileGraph.input(sum, i);
            if (bias.isEmpty()
                    && graph.tensor(value) != null
                    && count(value) == signature.shape().get(0)) {
                bias = value;
                end = output(sum);
                absorbed.add(end);
            }
        }
        return new FileLayer(signature, x, transposed, bias, normBehind(end));
    }

    private static boolean isOne(NodeProto node, String attribute) {
        return node.getAttributeList().stream()
                .filter(a -> a.getName().equals(attribute))
                .map(AttributeProto::getF)
                .allMatch(f -> f == 1);
    }

    /** Recognises the scale and shift of a norm: a product and a sum with constants of the same length. */
    private FileLayer affine(NodeProto sum) {
        for (int i = 0; i < 2; i++) {
            String shift = FileGraph.input(sum, i);
            NodeProto product = graph.producer(FileGraph.input(sum, 1 - i));
            if (isVector(shift)
                    && product != null
                    && product.getOpType().equals("Mul")
                    && graph.only(output(product), "Add") == sum) {
                for (int k = 0; k < 2; k++) {
                    String scale = FileGraph.input(product, k);
                    if (isVector(scale)
                            && count(scale) == count(shift)
                            && !graph.isConstant(FileGraph.input(product, 1 - k))) {
                        absorbed.add(output(product));
                        return new FileLayer(LayerSignature.of(Kind.NORM, count(scale)), scale, false, shift, null);
                    }
                }
            }
        }
        return null;
    }

    /** Returns whether a value is a floating-point constant with more than one value. */
    private boolean isVector(String value) {
        TensorProto t = graph.tensor(value);
        return t != null && Set.of(1, 10, 11, 16).contains(t.getDataType()) && TensorTypes.count(t) > 1;
    }

    private int count(String value) {
        return (int) TensorTypes.count(graph.tensor(value));
    }

    private static List<Integer> shape(TensorProto t) {
        return t.getDimsList().stream().map(Long::intValue).toList();
    }

    private static String output(NodeProto node) {
        return node.getOutputCount() > 0 ? node.getOutput(0) : "";
    }
}
