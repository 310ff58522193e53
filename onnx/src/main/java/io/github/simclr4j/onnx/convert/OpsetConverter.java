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
 * Moves a graph to another version of ONNX's operators, by what onnx/docs/Changelog.md says of each. Between 13 and 26 the
 * operators of convolutional networks only gained optional attributes and types; those that reduce over axes took them
 * from an attribute to an input in 18.
 */
final class OpsetConverter {
    /** Operators whose meaning did not change from 13 to 26, but for what the two tables below say. */
    private static final Set<String> STABLE = Set.of(
            "Abs", "Add", "And", "ArgMax", "ArgMin", "AveragePool", "BatchNormalization", "Cast", "Ceil", "Celu", "Clip",
            "Concat", "Constant", "ConstantOfShape", "Conv", "ConvTranspose", "CumSum", "DepthToSpace", "DequantizeLinear",
            "Div", "Dropout", "Einsum", "Elu", "Equal", "Erf", "Exp", "Expand", "Flatten", "Floor", "Gather",
            "GatherElements", "GatherND", "Gelu", "Gemm", "GlobalAveragePool", "GlobalMaxPool", "Greater", "GreaterOrEqual",
            "HardSigmoid", "HardSwish", "Identity", "InstanceNormalization", "LRN", "LayerNormalization", "LeakyRelu",
            "Less", "LessOrEqual", "Log", "LogSoftmax", "LpNormalization", "MatMul", "Max", "MaxPool", "Mean", "Min",
            "Mish", "Mod", "Mul", "Neg", "Not", "Or", "PRelu", "Pad", "Pow", "QuantizeLinear", "RMSNormalization", "Range",
            "Reciprocal", "ReduceSum", "Relu", "Reshape", "Round", "Selu", "Shape", "Sigmoid", "Sign", "Size", "Slice",
            "Softmax", "Softplus", "Softsign", "SpaceToDepth", "Split", "Sqrt", "Squeeze", "Sub", "Sum", "Swish", "Tanh",
            "Tile", "TopK", "Transpose", "Trilu", "Unsqueeze", "Where");
    private static final Set<String> REDUCTIONS = Set.of("ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp",
            "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSumSquare");
    /** Operators that are younger than 13. */
    private static final Map<String, Integer> SINCE =
            Map.of("HardSwish", 14, "Trilu", 14, "LayerNormalization", 17, "Mish", 18, "Gelu", 20, "RMSNormalization", 23,
                    "Swish", 24);
    /** Attributes that are younger than 13. */
    private static final Map<String, Integer> ATTRIBUTE_SINCE = Map.ofEntries(
            Map.entry("BatchNormalization.training_mode", 14), Map.entry("Reshape.allowzero", 14),
            Map.entry("Shape.start", 15), Map.entry("Shape.end", 15), Map.entry("Split.num_outputs", 18),
            Map.entry("AveragePool.dilations", 19), Map.entry("Cast.saturate", 19), Map.entry("Cast.round_mode", 24),
            Map.entry("QuantizeLinear.saturate", 19), Map.entry("QuantizeLinear.output_dtype", 21),
            Map.entry("QuantizeLinear.block_size", 21), Map.entry("QuantizeLinear.precision", 23),
            Map.entry("DequantizeLinear.block_size", 21), Map.entry("DequantizeLinear.output_dtype", 23));
    /** Values of such attributes that mean what was before them. */
    private static final Map<String, Long> NEUTRAL = Map.of("BatchNormalization.training_mode", 0L, "Reshape.allowzero", 0L,
            "Shape.start", 0L, "Cast.saturate", 1L, "QuantizeLinear.saturate", 1L, "QuantizeLinear.output_dtype", 0L,
            "QuantizeLinear.block_size", 0L, "QuantizeLinear.precision", 0L, "DequantizeLinear.block_size", 0L,
            "DequantizeLinear.output_dtype", 0L);

    private OpsetConverter() {}

    /**
     * The same graph at another opset.
     *
     * @param opset 13 to 26
     * @throws IllegalArgumentException if an operator is not known to allow it; the message names it
     */
    static ModelProto to(ModelProto model, int opset) {
        int now = Opset.of(model.getOpsetImportList());
        if (now < Opset.OLDEST || now > Opset.NEWEST) {
            throw new IllegalArgumentException("The encoder's opset is " + now + ": expected " + Opset.OLDEST + " to "
                    + Opset.NEWEST + "; export it anew");
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
            throw new IllegalArgumentException("Can't move operator " + n.getDomain() + " " + op + " from opset " + from
                    + " to " + to + ": leave the opset as it is");
        }
        String mode = n.getAttributeList().stream().filter(a -> a.getName().equals("mode")).findFirst()
                .map(a -> a.getS().toStringUtf8()).orElse("");
        // What does not show in the names of attributes: training; what a window over the edge is divided by (19; the
        // versions of ONNX Runtime 1.28 differ); the axes of a Pad (18) and its wrapping around (19).
        if (op.equals("BatchNormalization") && n.getOutputCount() > 1
                || op.equals("AveragePool") && from < 19 != to < 19 && GraphIndex.integer(n, "ceil_mode", 0) != 0
                        && GraphIndex.integer(n, "count_include_pad", 0) != 0
                || op.equals("Pad") && to < (mode.equals("wrap") ? 19 : n.getInputCount() > 3 ? 18 : 1)) {
            throw new IllegalArgumentException("Can't move operator " + op + " " + n.getName() + ", as it is used here, from opset "
                    + from + " to " + to + ": leave the opset as it is");
        }
        if (SINCE.getOrDefault(op, 1) > to) {
            throw new IllegalArgumentException("Opset " + to + " has no operator " + op + ": expected at least opset "
                    + SINCE.get(op));
        }
        NodeProto.Builder b = n.toBuilder().clearAttribute();
        for (AttributeProto a : n.getAttributeList()) {
            String key = op + "." + a.getName();
            if (ATTRIBUTE_SINCE.getOrDefault(key, 1) <= to) {
                b.addAttribute(a);
            } else if (!Long.valueOf(a.getI()).equals(NEUTRAL.get(key))) {
                throw new IllegalArgumentException("Opset " + to + " has no attribute " + key + ": expected at least opset "
                        + ATTRIBUTE_SINCE.get(key));
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
                long[] axes = b.getAttribute(i).getIntsList().stream().mapToLong(Long::longValue).toArray();
                String name = n.getOutput(0) + "_axes";
                graph.addInitializer(TensorValues.longs(name, axes, axes.length));
                b.removeAttribute(i).addInput(name);
                return;
            }
        }
    }

    private static void axesToAttribute(NodeProto n, NodeProto.Builder b, GraphIndex index) {
        if (GraphIndex.integer(n, "noop_with_empty_axes", 0) != 0) {
            throw new IllegalArgumentException(n.getOpType() + " without axes does nothing from opset 18 on: expected axes");
        }
        for (int i = b.getAttributeCount() - 1; i >= 0; i--) {
            if (b.getAttribute(i).getName().equals("noop_with_empty_axes")) {
                b.removeAttribute(i);
            }
        }
        if (n.getInputCount() > 1 && !n.getInput(1).isEmpty()) {
            TensorProto axes = index.initialisers.get(n.getInput(1));
            if (axes == null || axes.getDataType() != TensorProto.DataType.INT64_VALUE) {
                throw new IllegalArgumentException(
                        "The axes of " + n.getOpType() + " " + n.getName() + " are no int64 constant: leave the opset at 18 or newer");
            }
            b.addAttribute(GraphBuilder.ints("axes", TensorValues.longs(axes)));
        }
        if (b.getInputCount() > 1) {
            b.clearInput().addInput(n.getInput(0));
        }
    }
}
