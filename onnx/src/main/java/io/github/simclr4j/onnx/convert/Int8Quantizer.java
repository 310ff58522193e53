// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.convert;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import io.github.simclr4j.onnx.internal.BatchNormFolding;
import io.github.simclr4j.onnx.internal.GraphBuilder;
import io.github.simclr4j.onnx.internal.GraphIndex;
import io.github.simclr4j.onnx.internal.TensorValues;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Quantizes a graph statically in QDQ form (<a href="https://arxiv.org/abs/1712.05877">Jacob et al., CVPR 2018</a>, sections 2.1 to
 * 2.4). A pair of QuantizeLinear and DequantizeLinear follows each value that integer kernels compute, and a DequantizeLinear follows
 * each weight. A runtime fuses them into integer kernels (in ONNX Runtime QLinearConv and QLinearAdd).
 *
 * <ul>
 *   <li>Weights are int8 with a scale for each output channel.
 *   <li>Biases are int32 with the product of the scales of the input and the weight.
 *   <li>Activations are uint8.
 * </ul>
 *
 * <p>Quantized are convolutions with constant weights and what connects them: Add of two values, GlobalAveragePool and MaxPool. A ReLU
 * or Clip between an operator and its quantization is dropped, since the quantization clips as well. Everything else (preprocessing,
 * dense layers, other activations) stays float32.
 */
final class Int8Quantizer {
    private static final Set<String> CLAMPS = Set.of("Relu", "Clip");
    private static final Set<String> RESHAPING = Set.of("Flatten", "Reshape", "Squeeze", "Identity");

    private final ModelProto model;
    private final GraphIndex index;
    /** The largest magnitude of a quantized weight. */
    private final int levels;
    /** The values to quantize, each with the value whose range it has, which is usually itself. */
    private final Map<String, String> values = new LinkedHashMap<>();

    private final Set<NodeProto> convolutions = new HashSet<>();

    /**
     * Finds the operators to quantize.
     *
     * @param reduceRange whether weights get 7 bits instead of 8
     * @throws IllegalArgumentException if there is nothing to quantize, or if the model is not float32
     */
    Int8Quantizer(ModelProto model, boolean reduceRange) {
        levels = reduceRange ? 63 : 127;
        this.model = BatchNormFolding.fold(model);
        GraphProto graph = this.model.getGraph();
        index = new GraphIndex(graph);
        for (NodeProto n : graph.getNodeList()) {
            switch (n.getOpType()) {
                case "QuantizeLinear", "DequantizeLinear" ->
                    throw new IllegalArgumentException("The encoder is quantized already: expected a float32 encoder");
                case "Conv" -> convolution(n);
                case "Add" -> {
                    if (isActivation(n.getInput(0))
                            && isActivation(n.getInput(1))
                            && (values.containsKey(n.getInput(0)) || values.containsKey(n.getInput(1)))) {
                        takes(n.getInput(0));
                        takes(n.getInput(1));
                        quantise(behind(n));
                    }
                }
                case "GlobalAveragePool" -> {
                    // The embedding itself is not quantized.
                    if (values.containsKey(n.getInput(0)) && !leadsOnlyOut(n.getOutput(0))) {
                        quantise(n.getOutput(0));
                    }
                }
                case "MaxPool" -> {
                    if (values.containsKey(n.getInput(0)) && !index.outputs.contains(n.getOutput(0))) {
                        values.put(n.getOutput(0), values.get(n.getInput(0)));
                    }
                }
                default -> {}
            }
        }
        if (convolutions.isEmpty()) {
            throw new IllegalArgumentException(
                    "Nothing to quantize: expected float32 convolutions with constant weights");
        }
    }

    private void convolution(NodeProto n) {
        boolean bias = n.getInputCount() < 3 || n.getInput(2).isEmpty() || index.floatConstant(n, 2) != null;
        if (index.floatConstant(n, 1) != null && bias) {
            convolutions.add(n);
            takes(n.getInput(0));
            quantise(behind(n));
        }
    }

    /** Quantizes an input of an integer kernel. If it is also an output of the graph, the output itself is not quantized. */
    private void takes(String value) {
        values.putIfAbsent(value, value);
    }

    private void quantise(String value) {
        if (!index.outputs.contains(value)) {
            values.putIfAbsent(value, value);
        }
    }

    private boolean isActivation(String value) {
        NodeProto producer = index.producers.get(value);
        return !index.initialisers.containsKey(value)
                && (producer == null || !producer.getOpType().equals("Constant"));
    }

    /** Returns an operator's output, or that of the ReLU or Clip that is its only consumer. */
    private String behind(NodeProto n) {
        NodeProto next = index.onlyConsumer(n.getOutput(0));
        return next != null && CLAMPS.contains(next.getOpType()) ? next.getOutput(0) : n.getOutput(0);
    }

    /** Returns whether a value is used only by outputs of the graph, through nothing but changes of shape. */
    private boolean leadsOnlyOut(String value) {
        Deque<String> open = new ArrayDeque<>(List.of(value));
        Set<String> seen = new HashSet<>(open);
        while (!open.isEmpty()) {
            for (NodeProto t : index.consumers.getOrDefault(open.pop(), List.of())) {
                if (!RESHAPING.contains(t.getOpType())) {
                    return false;
                }
                t.getOutputList().stream().filter(seen::add).forEach(open::push);
            }
        }
        return true;
    }

    /** Returns the values whose ranges must be measured. */
    Set<String> calibrated() {
        return new HashSet<>(values.values());
    }

    /** Returns the float32 model for measuring the ranges. */
    ModelProto model() {
        return model;
    }

    /**
     * Returns the quantized model.
     *
     * @param ranges the ranges of the values in {@link #calibrated()}
     */
    ModelProto quantise(Map<String, Calibration.Range> ranges) {
        GraphProto graph = model.getGraph();
        GraphProto.Builder b = graph.toBuilder().clearNode().clearValueInfo();
        for (ValueInfoProto in : graph.getInputList()) {
            pair(b, in.getName(), ranges);
        }
        for (NodeProto n : graph.getNodeList()) {
            NodeProto.Builder node = n.toBuilder().clearInput();
            n.getInputList().forEach(i -> node.addInput(values.containsKey(i) ? i + "_dequantized" : i));
            if (convolutions.contains(n)) {
                weights(b, n, node, ranges.get(values.get(n.getInput(0))).scale());
            }
            b.addNode(node);
            n.getOutputList().forEach(o -> pair(b, o, ranges));
        }
        return model.toBuilder().setGraph(GraphIndex.withoutUnused(b.build())).build();
    }

    private void pair(GraphProto.Builder b, String value, Map<String, Calibration.Range> ranges) {
        if (!values.containsKey(value)) {
            return;
        }
        Calibration.Range range = ranges.get(values.get(value));
        String scale = value + "_scale";
        String zero = value + "_zero_point";
        b.addInitializer(TensorValues.floats(scale, new float[] {range.scale()}));
        b.addInitializer(TensorValues.bytes(zero, DataType.UINT8, new byte[] {(byte) range.zeroPoint()}));
        b.addNode(GraphBuilder.node(
                "QuantizeLinear", value + "_QuantizeLinear", List.of(value, scale, zero), value + "_quantized"));
        b.addNode(GraphBuilder.node(
                "DequantizeLinear",
                value + "_DequantizeLinear",
                List.of(value + "_quantized", scale, zero),
                value + "_dequantized"));
    }

    /** Replaces a convolution's weights and bias by quantized ones with names derived from its output. */
    private void weights(GraphProto.Builder b, NodeProto n, NodeProto.Builder node, float inputScale) {
        TensorProto kernel = index.floatConstant(n, 1);
        float[] w = TensorValues.floats(kernel);
        int channels = Math.toIntExact(kernel.getDims(0));
        int per = w.length / channels;
        TensorProto shift = index.floatConstant(n, 2);
        float[] bias = shift == null ? null : TensorValues.floats(shift);
        byte[] q = new byte[w.length];
        float[] scales = new float[channels];
        float[] biasScales = new float[channels];
        int[] biases = new int[channels];
        for (int o = 0; o < channels; o++) {
            double largest = 0;
            for (int i = o * per; i < (o + 1) * per; i++) {
                largest = Math.max(largest, Math.abs(w[i]));
            }
            double scale = largest / levels;
            if (bias != null) {
                // Even if a channel's weights are almost 0, its bias must fit into 32 bits.
                scale = Math.max(scale, Math.abs(bias[o]) / (inputScale * (double) (1 << 30)));
            }
            scales[o] = scale < Float.MIN_NORMAL ? 1 : (float) scale;
            for (int i = o * per; i < (o + 1) * per; i++) {
                q[i] = (byte) Math.max(-levels, Math.min(levels, Math.round(w[i] / scales[o])));
            }
            biasScales[o] = inputScale * scales[o];
            biases[o] = bias == null ? 0 : (int) Math.round((double) bias[o] / biasScales[o]);
        }
        String name = n.getOutput(0) + "_weight";
        b.addInitializer(TensorValues.bytes(name + "_quantized", DataType.INT8, q, TensorValues.dims(kernel)));
        b.addInitializer(TensorValues.floats(name + "_scale", scales, channels));
        b.addInitializer(TensorValues.bytes(name + "_zero_point", DataType.INT8, new byte[channels], channels));
        b.addNode(dequantize(name));
        node.setInput(1, name + "_dequantized");
        if (bias != null) {
            String biasName = n.getOutput(0) + "_bias";
            b.addInitializer(TensorValues.ints(biasName + "_quantized", biases, channels));
            b.addInitializer(TensorValues.floats(biasName + "_scale", biasScales, channels));
            b.addInitializer(TensorValues.ints(biasName + "_zero_point", new int[channels], channels));
            b.addNode(dequantize(biasName));
            node.setInput(2, biasName + "_dequantized");
        }
    }

    private static NodeProto dequantize(String name) {
        return GraphBuilder.node(
                "DequantizeLinear",
                name + "_DequantizeLinear",
                List.of(name + "_quantized", name + "_scale", name + "_zero_point"),
                name + "_dequantized",
                GraphBuilder.integer("axis", 0));
    }
}
