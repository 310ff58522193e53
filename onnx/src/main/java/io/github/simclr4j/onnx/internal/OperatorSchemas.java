package io.github.simclr4j.onnx.internal;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** The inputs and attributes that the operators of image encoders take, by onnx/docs/Operators.md. */
final class OperatorSchemas {
    /** Inputs an operator takes, at least and at most, and its attributes by name. */
    private record Schema(int least, int most, Map<String, AttributeProto.AttributeType> attributes) {}

    private static final Map<String, Schema> SCHEMAS = new HashMap<>();

    static {
        String pool = "auto_pad:STRING ceil_mode:INT kernel_shape:INTS pads:INTS strides:INTS dilations:INTS";
        schema("Conv", 2, 3, "auto_pad:STRING dilations:INTS group:INT kernel_shape:INTS pads:INTS strides:INTS");
        schema("MaxPool", 1, 1, pool + " storage_order:INT");
        schema("AveragePool", 1, 1, pool + " count_include_pad:INT");
        schema("Gemm", 2, 3, "alpha:FLOAT beta:FLOAT transA:INT transB:INT");
        schema("BatchNormalization", 5, 5, "epsilon:FLOAT momentum:FLOAT training_mode:INT");
        schema("LayerNormalization", 2, 3, "axis:INT epsilon:FLOAT stash_type:INT");
        schema("Cast", 1, 1, "to:INT saturate:INT round_mode:STRING");
        schema("Transpose", 1, 1, "perm:INTS");
        schema("Flatten", 1, 1, "axis:INT");
        schema("Softmax", 1, 1, "axis:INT");
        schema("LogSoftmax", 1, 1, "axis:INT");
        schema("Concat", 1, Integer.MAX_VALUE, "axis:INT");
        schema("Reshape", 2, 2, "allowzero:INT");
        schema("Squeeze", 1, 2, "");
        schema("Unsqueeze", 2, 2, "");
        schema("Gather", 2, 2, "axis:INT");
        schema("Shape", 1, 1, "start:INT end:INT");
        schema("Clip", 1, 3, "");
        schema("LeakyRelu", 1, 1, "alpha:FLOAT");
        schema("Elu", 1, 1, "alpha:FLOAT");
        schema("HardSigmoid", 1, 1, "alpha:FLOAT beta:FLOAT");
        schema("Gelu", 1, 1, "approximate:STRING");
        schema("QuantizeLinear", 2, 3, "axis:INT saturate:INT block_size:INT output_dtype:INT precision:INT");
        schema("DequantizeLinear", 2, 3, "axis:INT block_size:INT output_dtype:INT");
        schema("Constant", 0, 0, "value:TENSOR value_float:FLOAT value_floats:FLOATS value_int:INT value_ints:INTS"
                + " value_string:STRING value_strings:STRINGS sparse_value:SPARSE_TENSOR");
        for (String op : List.of("ReduceMean", "ReduceMax", "ReduceMin", "ReduceSum", "ReduceL2")) {
            schema(op, 1, 2, "axes:INTS keepdims:INT noop_with_empty_axes:INT");
        }
        for (String op : List.of("Add", "Sub", "Mul", "Div", "Pow", "MatMul")) {
            schema(op, 2, 2, "");
        }
        for (String op : List.of("Relu", "Sigmoid", "HardSwish", "Tanh", "Sqrt", "Erf", "Exp", "Neg", "Abs", "Identity",
                "GlobalAveragePool", "GlobalMaxPool", "Softplus", "Mish", "Reciprocal")) {
            schema(op, 1, 1, "");
        }
    }

    private OperatorSchemas() {}

    private static void schema(String op, int least, int most, String attributes) {
        Map<String, AttributeProto.AttributeType> types = new HashMap<>();
        for (String a : attributes.split(" ")) {
            if (!a.isEmpty()) {
                int colon = a.indexOf(':');
                types.put(a.substring(0, colon), AttributeProto.AttributeType.valueOf(a.substring(colon + 1)));
            }
        }
        SCHEMAS.put(op, new Schema(least, most, types));
    }

    /** Whether the operator of a node is one of those that are known here. */
    static boolean knows(NodeProto n) {
        return n.getDomain().isEmpty() && SCHEMAS.containsKey(n.getOpType());
    }

    /**
     * Checks that a node has the inputs and the attributes of its operator.
     *
     * @throws IllegalArgumentException if it has not; the message says what is wrong
     */
    static void check(NodeProto n) {
        Schema s = SCHEMAS.get(n.getOpType());
        int inputs = n.getInputCount();
        if (inputs < s.least() || inputs > s.most()) {
            throw new IllegalArgumentException("expected " + s.least() + " to " + s.most() + " inputs, found " + inputs);
        }
        for (int i = 0; i < s.least(); i++) {
            require(!n.getInput(i).isEmpty(), "input " + i + " is missing");
        }
        Set<String> seen = new HashSet<>();
        for (AttributeProto a : n.getAttributeList()) {
            AttributeProto.AttributeType type = s.attributes().get(a.getName());
            require(type != null,
                    "unknown attribute " + a.getName() + ", expected " + new TreeSet<>(s.attributes().keySet()));
            require(a.getType() == type, "attribute " + a.getName() + " is " + a.getType() + ", expected " + type);
            require(seen.add(a.getName()), "attribute " + a.getName() + " stands twice");
        }
    }

    private static void require(boolean ok, String message) {
        if (!ok) {
            throw new IllegalArgumentException(message);
        }
    }
}
