package io.github.simclr4j.onnx.internal;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.TensorProto;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A node, and what is known of the values that it takes.
 *
 * @param node the node, with the inputs and attributes of its operator
 * @param since the first opset of the operator's version
 * @param in what the inputs are; null for one that is not known or left out
 * @param constants values known before the graph runs, by name
 */
record OperatorCall(NodeProto node, int since, List<TensorShape> in, Map<String, TensorProto> constants) {

    /** The dimensions of an input; null if it is left out or not even their number is known. */
    long[] dims(int input) {
        return input < in.size() && in.get(input) != null ? in.get(input).dims() : null;
    }

    /** Whether an input is given, known or not. */
    boolean has(int input) {
        return input < node.getInputCount() && !node.getInput(input).isEmpty();
    }

    private Optional<AttributeProto> attribute(String name) {
        return node.getAttributeList().stream().filter(a -> a.getName().equals(name)).findFirst();
    }

    /** Whether the node has an attribute. */
    boolean says(String name) {
        return attribute(name).isPresent();
    }

    /** An integer attribute, or a default. */
    long integer(String name, long otherwise) {
        return GraphIndex.integer(node, name, otherwise);
    }

    /** An attribute of several integers, or a default. */
    long[] integers(String name, long[] otherwise) {
        return ShapeInference.attribute(node, name, otherwise);
    }

    /** A text, or a default. */
    String text(String name, String otherwise) {
        return attribute(name).map(a -> a.getS().toStringUtf8()).orElse(otherwise);
    }

    /** Several numbers with a fraction: an attribute's, or those of a constant input; null if not known. */
    float[] floats(String name, int input) {
        if (says(name)) {
            List<Float> all = attribute(name).orElseThrow().getFloatsList();
            float[] values = new float[all.size()];
            for (int i = 0; i < values.length; i++) {
                values[i] = all.get(i);
            }
            return values;
        }
        TensorProto t = has(input) ? constants.get(node.getInput(input)) : null;
        if (t == null || TensorTypes.isExternal(t) || t.getDataType() != DataType.FLOAT_VALUE || !complete(t)) {
            return null;
        }
        return TensorValues.floats(t);
    }

    private static boolean complete(TensorProto t) {
        long n = TensorTypes.count(t);
        return n >= 0 && n <= 64 && TensorTypes.isComplete(t, n, n * TensorTypes.bits(t.getDataType()) / 8);
    }

    /** The whole numbers of a constant input; null if it is none, elsewhere, or has more values than dimensions can be. */
    long[] longs(int input) {
        TensorProto t = has(input) ? constants.get(node.getInput(input)) : null;
        if (t == null || TensorTypes.isExternal(t) || !complete(t)) {
            return null;
        }
        if (t.getDataType() == DataType.INT32_VALUE) {
            return TensorValues.widened(t);
        }
        return t.getDataType() == DataType.INT64_VALUE ? TensorValues.longs(t) : null;
    }

    /**
     * Whole numbers that older versions have as an attribute and newer ones as an input.
     *
     * @param otherwise what it is if neither is there
     * @return null if the input is no constant
     */
    long[] longs(String name, int input, long[] otherwise) {
        return has(input) ? longs(input) : integers(name, otherwise);
    }

    /** Positions among some dimensions, counted from the end if negative. */
    static List<Integer> positions(long[] axes, int rank) {
        List<Integer> at = new ArrayList<>();
        for (long a : axes) {
            at.add(position(a, rank));
        }
        return at;
    }

    /** A position among some dimensions, counted from the end if negative. */
    static int position(long axis, int rank) {
        OperatorSchema.require(axis >= -rank && axis < rank, "axis " + axis + " does not fit " + rank + " dimensions");
        return (int) (axis < 0 ? axis + rank : axis);
    }

    /** Positions that must be different. */
    static List<Integer> distinct(long[] axes, int rank) {
        List<Integer> at = positions(axes, rank);
        OperatorSchema.require(at.stream().distinct().count() == at.size(), "an axis is there twice");
        return at;
    }
}
