// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.convert;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import io.github.simclr4j.onnx.file.Opset;
import io.github.simclr4j.onnx.internal.GraphBuilder;
import io.github.simclr4j.onnx.internal.GraphIndex;
import io.github.simclr4j.onnx.internal.TensorValues;
import java.util.Map;
import java.util.Set;

/**
 * Converts a graph to another version of ONNX's default operator set, following the
 * <a href="https://github.com/onnx/onnx/blob/main/docs/Changelog.md">operator changelog</a>. From opset 13 to 26 the operators of
 * convolutional networks only gained optional attributes and types, except that in opset 18 the axes of reductions became an input.
 */
final class OpsetConverter {
    /** Operators whose meaning did not change from opset 13 to 26, except as listed in the two tables below. */
    private static final Set<String> STABLE = Set.of(
            "Abs",
            "Add",
            "And",
            "ArgMax",
            "ArgMin",
            "AveragePool",
            "BatchNormalization",
            "Cast",
            "Ceil",
            "Celu",
            "Clip",
            "Concat",
            "Constant",
            "ConstantOfShape",
            "Conv",
            "ConvTranspose",
            "CumSum",
            "DepthToSpace",
            "DequantizeLinear",
            "Div",
            "Dropout",
            "Einsum",
            "Elu",
            "Equal",
            "Erf",
            "Exp",
            "Expand",
            "Flatten",
            "Floor",
            "Gather",
            "GatherElements",
            "GatherND",
            "Gelu",
            "Gemm",
            "GlobalAveragePool",
            "GlobalMaxPool",
            "Greater",
            "GreaterOrEqual",
            "HardSigmoid",
            "HardSwish",
            "Identity",
            "InstanceNormalization",
            "LRN",
            "LayerNormalization",
            "LeakyRelu",
            "Less",
            "LessOrEqual",
            "Log",
            "LogSoftmax",
            "LpNormalization",
            "MatMul",
            "Max",
            "MaxPool",
            "Mean",
            "Min",
            "Mish",
            "Mod",
            "Mul",
            "Neg",
            "Not",
            "Or",
            "PRelu",
            "Pad",
            "Pow",
            "QuantizeLinear",
            "RMSNormalization",
            "Range",
            "Reciprocal",
            "ReduceSum",
            "Relu",
            "Reshape",
            "Round",
            "Selu",
            "Shape",
            "Sigmoid",
            "Sign",
            "Size",
            "Slice",
            "Softmax",
            "Softplus",
            "Softsign",
            "SpaceToDepth",
            "Split",
            "Sqrt",
            "Squeeze",
            "Sub",
            "Sum",
            "Swish",
            "Tanh",
            "Tile",
            "TopK",
            "Transpose",
            "Trilu",
            "Unsqueeze",
            "Where");

    private static final Set<String> REDUCTIONS = Set.of(
            "ReduceL1",
            "ReduceL2",
            "ReduceLogSum",
            "ReduceLogSumExp",
            "ReduceMax",
            "ReduceMean",
            "ReduceMin",
            "ReduceProd",
            "ReduceSumSquare");
    /** Operators that were introduced after opset 13. */
    private static final Map<String, Integer> SINCE = Map.of(
            "HardSwish",
            14,
            "Trilu",
            14,
            "LayerNormalization",
            17,
            "Mish",
            18,
            "Gelu",
            20,
            "RMSNormalization",
            23,
            "Swish",
            24);
    /** Attributes that were introduced after opset 13. */
    private static final Map<String, Integer> ATTRIBUTE_SINCE = Map.ofEntries(
            Map.entry("BatchNormalization.training_mode", 14),
            Map.entry("Reshape.allowzero", 14),
            Map.entry("Shape.start", 15),
            Map.entry("Shape.end", 15),
            Map.entry("Split.num_outputs", 18),
            Map.entry("AveragePool.dilations", 19),
            Map.entry("Cast.saturate", 19),
            Map.entry("Cast.round_mode", 24),
            Map.entry("QuantizeLinear.saturate", 19),
            Map.entry("QuantizeLinear.output_dtype", 21),
            Map.entry("QuantizeLinear.block_size", 21),
            Map.entry("QuantizeLinear.precision", 23),
            Map.entry("DequantizeLinear.block_size", 21),
            Map.entry("DequantizeLinear.output_dtype", 23));
    /** Values of these attributes that mean the behaviour before they were introduced. */
    private static final Map<String, Long> NEUTRAL = Map.of(
            "BatchNormalization.training_mode",
            0L,
            "Reshape.allowzero",
            0L,
            "Shape.start",
            0L,
            "Cast.saturate",
            1L,
            "QuantizeLinear.saturate",
            1L,
            "QuantizeLinear.output_dtype",
            0L,
            "QuantizeLinear.block_size",
            0L,
            "QuantizeLinear.precision",
            0L,
            "DequantizeLinear.block_size",
            0L,
            "DequantizeLinear.output_dtype",
            0L);

    private OpsetConverter() {}

    /**
     * Converts a model to another opset.
     *
     * @param opset the opset, 13 to 26
     * @throws IllegalArgumentException if an operator is not known to allow it; the message names the operator
     */
    static ModelProto to(ModelProto model, int opset) {
        int now = Opset.of(model.getOpsetImportList());
        if (now < Opset.OLDEST || now > Opset.NEWEST) {
            throw new IllegalArgumentException("The encoder's opset is " + now + ": expected " + Opset.OLDEST + " to "
                    + Opset.NEWEST + "; export it again");
        }
        Opset.check(opset);
        if (opset == now) {
            return model;
        }
        GraphProto.Builder graph = model.getGraph().toBuilder().clearNode();
        GraphIndex index = new GraphIndex(model.getGraph());
        for (NodeProto n : model.getGraph().getNodeList()) {
            graph.addNode(node(n, now, opset, index, graph));
        }
        ModelProto.Builder b = model.toBuilder()
                .setIrVersion(Opset.irVersion(opset))
                .clearOpsetImport()
                .addOpsetImport(Opset.proto(opset));
        for (OperatorSetIdProto o : model.getOpsetImportList()) {
            if (!o.getDomain().isEmpty() && !o.getDomain().equals("ai.onnx")) {
                b.addOpsetImport(o);
            }
        }
        return b.setGraph(GraphIndex.withoutUnused(graph.build())).build();
    }

    private static NodeProto node(NodeProto n, int from, int to, GraphIndex index, GraphProto.Builder graph) {
        String op = n.getOpType();
        if (!n.getDomain().isEmpty() || !STABLE.contains(op) && !REDUCTIONS.contains(op)) {
            throw new IllegalArgumentException("Can't convert the operator " + n.getDomain() + " " + op + " from opset "
                    + from + " to " + to + ": keep the opset");
        }
        String mode = n.getAttributeList().stream()
                .filter(a -> a.getName().equals("mode"))
                .findFirst()
                .map(a -> a.getS().toStringUtf8())
                .orElse("");
        // Changes that do not show in the names of attributes: training mode; the divisor of a window over the edge
        // (19; in ONNX
        // Runtime 1.28 the versions differ); the axes of Pad (18) and its wrap mode (19).
        if (op.equals("BatchNormalization") && n.getOutputCount() > 1
                || op.equals("AveragePool")
                        && from < 19 != to < 19
                        && GraphIndex.integer(n, "ceil_mode", 0) != 0
                        && GraphIndex.integer(n, "count_include_pad", 0) != 0
                || op.equals("Pad") && to < (mode.equals("wrap") ? 19 : n.getInputCount() > 3 ? 18 : 1)) {
            throw new IllegalArgumentException("Can't convert the operator " + op + " " + n.getName()
                    + ", as it is used here, from opset " + from + " to " + to + ": keep the opset");
        }
        if (SINCE.getOrDefault(op, 1) > to) {
            throw new IllegalArgumentException(
                    "Opset " + to + " has no operator " + op + ": expected at least opset " + SINCE.get(op));
        }
        NodeProto.Builder b = n.toBuilder().clearAttribute();
        for (AttributeProto a : n.getAttributeList()) {
            String key = op + "." + a.getName();
            if (ATTRIBUTE_SINCE.getOrDefault(key, 1) <= to) {
                b.addAttribute(a);
            } else if (!Long.valueOf(a.getI()).equals(NEUTRAL.get(key))) {
                throw new IllegalArgumentException("Opset " + to + " has no attribute " + key
                        + ": expected at least opset " + ATTRIBUTE_SINCE.get(key));
            }
        }
        if (REDUCTIONS.contains(op) && from < 18 && to >= 18) {
            axesToInput(n, b, graph);
        } else if (REDUCTIONS.contains(op) && from >= 18 && to < 18) {
            axesToAttribute(n, b, index);
        }
        if (op.equals("Split") && from < 18 && to >= 18 && n.getInputCount() < 2) {
            b.addAttribute(GraphBuilder.integer("num_outputs", n.getOutputCount()));
        }
        return b.build();
    }

    private static void axesToInput(NodeProto n, NodeProto.Builder b, GraphProto.Builder graph) {
        for (int i = 0; i < b.getAttributeCount(); i++) {
            if (b.getAttribute(i).getName().equals("axes")) {
                long[] axes = b.getAttribute(i).getIntsList().stream()
                        .mapToLong(Long::longValue)
                        .toArray();
                String name = n.getOutput(0) + "_axes";
                graph.addInitializer(TensorValues.longs(name, axes, axes.length));
                b.removeAttribute(i).addInput(name);
                return;
            }
        }
    }

    private static void axesToAttribute(NodeProto n, NodeProto.Builder b, GraphIndex index) {
        if (GraphIndex.integer(n, "noop_with_empty_axes", 0) != 0) {
            throw new IllegalArgumentException(
                    n.getOpType() + " without axes can't be converted to opset 18 or later: expected axes");
        }
        for (int i = b.getAttributeCount() - 1; i >= 0; i--) {
            if (b.getAttribute(i).getName().equals("noop_with_empty_axes")) {
                b.removeAttribute(i);
            }
        }
        if (n.getInputCount() > 1 && !n.getInput(1).isEmpty()) {
            TensorProto axes = index.initialisers.get(n.getInput(1));
            if (axes == null || axes.getDataType() != TensorProto.DataType.INT64_VALUE) {
                throw new IllegalArgumentException("The axes of " + n.getOpType() + " " + n.getName()
                        + " are not an int64 constant: keep an opset of 18 or later");
            }
            b.addAttribute(GraphBuilder.ints("axes", TensorValues.longs(axes)));
        }
        if (b.getInputCount() > 1) {
            b.clearInput().addInput(n.getInput(0));
        }
    }
}
