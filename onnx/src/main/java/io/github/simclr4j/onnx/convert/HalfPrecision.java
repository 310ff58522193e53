// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.convert;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import io.github.simclr4j.onnx.internal.GraphBuilder;
import io.github.simclr4j.onnx.internal.TensorTypes;
import io.github.simclr4j.onnx.internal.TensorValues;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Converts a float32 graph to float16, with the same inputs and outputs. */
final class HalfPrecision {
    private HalfPrecision() {}

    /**
     * Converts weights, constants and arithmetic.
     *
     * @throws IllegalArgumentException if a constant is outside the range of float16; the message names the tensor
     */
    static ModelProto convert(ModelProto model) {
        GraphProto graph = model.getGraph();
        Set<String> keep = new HashSet<>();
        for (NodeProto n : graph.getNodeList()) {
            if (n.getOpType().equals("QuantizeLinear") || n.getOpType().equals("DequantizeLinear")) {
                throw new IllegalArgumentException("The encoder is quantized already: expected a float32 encoder");
            }
            if (n.getAttributeList().stream().anyMatch(AttributeProto::hasG)) {
                throw new IllegalArgumentException("Can't convert the operator " + n.getOpType()
                        + ", which contains a subgraph: export the encoder without it");
            }
            if (n.getOpType().equals("Resize")) {
                // Its region and scales are always float32.
                keep.addAll(n.getInputList().subList(1, n.getInputCount()));
            }
        }
        GraphProto.Builder b = graph.toBuilder().clearInitializer().clearNode().clearValueInfo();
        for (TensorProto t : graph.getInitializerList()) {
            b.addInitializer(keep.contains(t.getName()) ? t : half(t));
        }
        Map<String, String> renamed = new HashMap<>();
        for (ValueInfoProto in : graph.getInputList()) {
            if (isFloat(in)) {
                renamed.put(in.getName(), in.getName() + "_half");
                b.addNode(cast(in.getName(), in.getName() + "_half", DataType.FLOAT16));
            }
        }
        graph.getOutputList().stream()
                .filter(HalfPrecision::isFloat)
                .forEach(o -> renamed.put(o.getName(), o.getName() + "_half"));
        for (NodeProto n : graph.getNodeList()) {
            NodeProto.Builder node = n.toBuilder();
            node.clearInput().clearOutput().clearAttribute();
            n.getInputList().forEach(i -> node.addInput(renamed.getOrDefault(i, i)));
            n.getOutputList().forEach(o -> node.addOutput(renamed.getOrDefault(o, o)));
            boolean constant = n.getOpType().equals("Constant") && keep.contains(n.getOutput(0));
            n.getAttributeList().forEach(a -> node.addAttribute(constant ? a : half(n, a)));
            b.addNode(node);
        }
        for (ValueInfoProto out : graph.getOutputList()) {
            if (isFloat(out)) {
                b.addNode(cast(out.getName() + "_half", out.getName(), DataType.FLOAT));
            }
        }
        return model.toBuilder().setGraph(b).build();
    }

    private static boolean isFloat(ValueInfoProto value) {
        return value.getType().getTensorType().getElemType() == DataType.FLOAT_VALUE;
    }

    private static NodeProto cast(String from, String to, DataType type) {
        return GraphBuilder.node("Cast", "Cast/" + to, List.of(from), to, GraphBuilder.integer("to", type.getNumber()));
    }

    private static AttributeProto half(NodeProto n, AttributeProto a) {
        if (n.getOpType().equals("Cast") && a.getName().equals("to") && a.getI() == DataType.FLOAT_VALUE) {
            return GraphBuilder.integer("to", DataType.FLOAT16_VALUE);
        }
        if (a.hasT()) {
            TensorProto t = a.getT();
            String name = t.getName().isEmpty() ? n.getOutput(0) : t.getName();
            return a.toBuilder().setT(half(t.toBuilder().setName(name).build())).build();
        }
        if (n.getOpType().equals("Constant")
                && (a.getName().equals("value_float") || a.getName().equals("value_floats"))) {
            boolean scalar = a.getName().equals("value_float");
            float[] values = new float[scalar ? 1 : a.getFloatsCount()];
            for (int i = 0; i < values.length; i++) {
                values[i] = scalar ? a.getF() : a.getFloats(i);
            }
            TensorProto t =
                    TensorValues.floats(n.getOutput(0), values, scalar ? new long[0] : new long[] {values.length});
            return AttributeProto.newBuilder()
                    .setName("value")
                    .setType(AttributeProto.AttributeType.TENSOR)
                    .setT(half(t))
                    .build();
        }
        return a;
    }

    /** Returns a float32 tensor rounded to float16, ties to even, and any other tensor unchanged. */
    static TensorProto half(TensorProto t) {
        if (t.getDataType() != DataType.FLOAT_VALUE) {
            return t;
        }
        float[] values = TensorValues.floats(t);
        short[] halves = new short[values.length];
        for (int i = 0; i < values.length; i++) {
            halves[i] = TensorTypes.toFloat16(values[i]);
            if (Float.isFinite(values[i]) && (halves[i] & 0x7c00) == 0x7c00) {
                throw new IllegalArgumentException("The tensor " + t.getName() + " contains " + values[i]
                        + ", but float16 ends at 65504: keep float32 or rescale the weights");
            }
        }
        return TensorValues.halves(t.getName(), halves, TensorValues.dims(t));
    }
}
