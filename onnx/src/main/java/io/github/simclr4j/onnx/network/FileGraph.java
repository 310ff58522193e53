// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.network;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import io.github.simclr4j.onnx.file.InvalidEncoderException;
import io.github.simclr4j.onnx.file.Tensors;
import io.github.simclr4j.onnx.internal.GraphIndex;
import io.github.simclr4j.onnx.internal.TensorTypes;
import io.github.simclr4j.onnx.internal.TensorValues;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The graph of a checked ONNX file with the values of its constants. It records which constants were read. */
final class FileGraph {
    /** Operators that pass on their first input, as far as weights are concerned. */
    private static final Set<String> THROUGH =
            Set.of("Identity", "Cast", "QuantizeLinear", "DequantizeLinear", "Dropout");

    final ModelProto model;
    final GraphProto graph;
    final String file;
    private final Path folder;
    private final Map<String, List<NodeProto>> consumers = new HashMap<>();
    private final Map<String, NodeProto> producers = new HashMap<>();
    private final Map<String, TensorProto> constants = new HashMap<>();
    private final Set<String> used = new HashSet<>();

    /**
     * Indexes the nodes.
     *
     * @param model a checked model
     * @param folder the folder that contains its external data, or null
     * @param file the file's name in messages
     */
    FileGraph(ModelProto model, Path folder, String file) {
        this.model = model;
        this.graph = model.getGraph();
        this.folder = folder;
        this.file = file;
        graph.getInitializerList().forEach(t -> constants.put(t.getName(), t));
        for (NodeProto node : graph.getNodeList()) {
            node.getOutputList().stream().filter(o -> !o.isEmpty()).forEach(o -> producers.put(o, node));
            new HashSet<>(node.getInputList())
                    .forEach(i ->
                            consumers.computeIfAbsent(i, k -> new ArrayList<>()).add(node));
            TensorProto constant = TensorValues.constant(node);
            if (constant != null) {
                constants.put(node.getOutput(0), constant);
            }
        }
    }

    /** Returns the nodes that use a value (not only its shape), directly or through nodes that pass it on. */
    List<NodeProto> next(String value) {
        List<NodeProto> found = new ArrayList<>();
        // Not recursive, since a chain of such nodes may be longer than the stack.
        Deque<String> names = new ArrayDeque<>(List.of(value));
        while (!names.isEmpty()) {
            String x = names.poll();
            for (NodeProto n : consumers.getOrDefault(x, List.of())) {
                if (THROUGH.contains(n.getOpType()) && n.getInput(0).equals(x)) {
                    names.add(n.getOutput(0));
                } else if (!n.getOpType().equals("Shape")) {
                    found.add(n);
                }
            }
        }
        return found;
    }

    NodeProto only(String value, String op) {
        List<NodeProto> n = next(value);
        return n.size() == 1 && n.get(0).getOpType().equals(op) ? n.get(0) : null;
    }

    /** Returns the node that computes a value, or null. */
    NodeProto producer(String value) {
        return producers.get(value);
    }

    /** Returns whether a value is an initialiser or the output of a Constant node. */
    boolean isConstant(String value) {
        return constants.containsKey(value);
    }

    /** Returns the name of a node's input, or an empty string if the input is missing. */
    static String input(NodeProto node, int i) {
        return i < node.getInputCount() ? node.getInput(i) : "";
    }

    /** Returns the constant behind a value, which may have been cast or scaled; null if there is none. */
    TensorProto tensor(String value) {
        String x = value;
        while (!constants.containsKey(x)) {
            NodeProto p = producers.get(x);
            if (p == null || !THROUGH.contains(p.getOpType())) {
                return null;
            }
            x = input(p, 0);
        }
        return constants.get(x);
    }

    /** Returns a constant's values. Their number is checked before they are read. */
    float[] values(String value, long count) throws InvalidEncoderException {
        TensorProto t = tensor(value);
        if (t == null) {
            throw new InvalidEncoderException(file + ": " + value + " is not a constant");
        }
        if (TensorTypes.count(t) != count) {
            throw new InvalidEncoderException(
                    file + ": " + value + " has " + TensorTypes.count(t) + " values, expected " + count);
        }
        String x = value;
        while (!constants.containsKey(x) && !producers.get(x).getOpType().equals("DequantizeLinear")) {
            x = input(producers.get(x), 0);
        }
        float[] v;
        if (constants.containsKey(x)) {
            used.add(x);
            v = Tensors.floats(t, folder, file);
        } else {
            v = dequantised(producers.get(x));
        }
        for (float f : v) {
            if (!Float.isFinite(f)) {
                throw new InvalidEncoderException(file + ": " + value + " contains a value that is not finite");
            }
        }
        return v;
    }

    /** Computes (q - zero) * scale, where scale and zero are single values or vectors along an axis (ONNX's DequantizeLinear). */
    private float[] dequantised(NodeProto node) throws InvalidEncoderException {
        TensorProto q = constants.get(input(node, 0));
        TensorProto s = constants.get(input(node, 1));
        TensorProto z = constants.get(input(node, 2));
        if (q == null || s == null || z == null && !input(node, 2).isEmpty()) {
            throw new InvalidEncoderException(file + ": " + node.getOutput(0)
                    + " is quantized with a scale or zero point that is not a constant");
        }
        used.addAll(node.getInputList());
        int axis = (int) GraphIndex.integer(node, "axis", 1);
        axis += axis < 0 ? q.getDimsCount() : 0;
        long inner = 1;
        for (int i = axis + 1; i < q.getDimsCount(); i++) {
            inner *= q.getDims(i);
        }
        long along = axis >= 0 && axis < q.getDimsCount() ? q.getDims(axis) : 1;
        long scales = TensorTypes.count(s);
        if (z != null && TensorTypes.count(z) != scales || scales != 1 && scales != along) {
            throw new InvalidEncoderException(
                    file + ": " + node.getInput(0) + " has " + scales + " scales, expected 1 or " + along);
        }
        float[] scale = Tensors.floats(s, folder, file);
        long[] zero = z == null ? new long[scale.length] : Tensors.whole(z, folder, file);
        long[] whole = Tensors.whole(q, folder, file);
        float[] v = new float[whole.length];
        for (int i = 0; i < v.length; i++) {
            int c = scale.length == 1 ? 0 : (int) (i / inner % along);
            v[i] = (whole[i] - zero[c]) * scale[c];
        }
        return v;
    }

    /** Returns the initialisers that were not read, with their shapes, except single values and integers, which are not weights. */
    List<String> leftOver() {
        List<String> leftOver = new ArrayList<>();
        for (TensorProto t : graph.getInitializerList()) {
            if (!used.contains(t.getName())
                    && TensorTypes.count(t) > 1
                    && t.getDataType() != TensorProto.DataType.INT64_VALUE) {
                leftOver.add(t.getName() + " " + t.getDimsList());
            }
        }
        return List.copyOf(leftOver);
    }

    /**
     * Adds a batch norm's weights: the file's, or those of a norm that only adds a bias, as described at {@link WeightReader}.
     *
     * @param weights the map to add to
     * @param name name of the norm in the architecture
     * @param size number of channels
     * @param epsilon the norm's epsilon
     * @param norm the norm in the file, or null if it was folded
     * @param bias bias of the layer before the norm, [size]
     */
    void putNorm(Map<String, float[]> weights, String name, int size, float epsilon, NodeProto norm, float[] bias)
            throws InvalidEncoderException {
        float[] gamma = new float[size];
        float[] beta = bias;
        float[] mean = new float[size];
        float[] var = new float[size];
        Arrays.fill(gamma, 1);
        Arrays.fill(var, 1 - epsilon);
        if (norm != null) {
            gamma = values(input(norm, 1), size);
            beta = values(input(norm, 2), size);
            mean = values(input(norm, 3), size).clone();
            var = values(input(norm, 4), size).clone();
            float found = epsilon(norm);
            for (int i = 0; i < size; i++) {
                mean[i] -= bias[i];
                var[i] += found == epsilon ? 0 : found - epsilon;
            }
        }
        weights.put(name + ".weight", gamma);
        weights.put(name + ".bias", beta);
        weights.put(name + ".running_mean", mean);
        weights.put(name + ".running_var", var);
    }

    /** Returns a batch norm's epsilon. */
    static float epsilon(NodeProto norm) {
        return norm.getAttributeList().stream()
                .filter(a -> a.getName().equals("epsilon"))
                .findFirst()
                .map(AttributeProto::getF)
                .orElse(1e-5f);
    }

    /** Returns an attribute of a convolution or pooling with two values, one per axis, or four for pads. */
    static long[] ints(NodeProto node, String name, long otherwise) {
        long[] all = {otherwise, otherwise, otherwise, otherwise};
        for (AttributeProto a : node.getAttributeList()) {
            if (a.getName().equals(name)) {
                return a.getIntsList().stream().mapToLong(Long::longValue).toArray();
            }
        }
        return name.equals("pads") ? all : Arrays.copyOf(all, 2);
    }
}
