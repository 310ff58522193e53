// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.internal;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A node, and the types and shapes of its inputs.
 *
 * @param node the node
 * @param since the first opset of the operator's version
 * @param in types and shapes of the inputs; null for an unknown or missing input
 * @param constants values that are known before the graph runs, by name
 */
record OperatorCall(NodeProto node, int since, List<TensorShape> in, Map<String, TensorProto> constants) {

    /** Returns the dimensions of an input, or null if it is missing or its rank is unknown. */
    long[] dims(int input) {
        return input < in.size() && in.get(input) != null ? in.get(input).dims() : null;
    }

    /** Returns whether an input is present, known or not. */
    boolean has(int input) {
        return input < node.getInputCount() && !node.getInput(input).isEmpty();
    }

    private Optional<AttributeProto> attribute(String name) {
        return node.getAttributeList().stream()
                .filter(a -> a.getName().equals(name))
                .findFirst();
    }

    /** Returns whether the node has an attribute. */
    boolean says(String name) {
        return attribute(name).isPresent();
    }

    /** Returns an integer attribute, or a default. */
    long integer(String name, long otherwise) {
        return GraphIndex.integer(node, name, otherwise);
    }

    /** Returns an attribute with several integers, or a default. */
    long[] integers(String name, long[] otherwise) {
        return ShapeInference.attribute(node, name, otherwise);
    }

    /** Returns a string attribute, or a default. */
    String text(String name, String otherwise) {
        return attribute(name).map(a -> a.getS().toStringUtf8()).orElse(otherwise);
    }

    /** Returns the floating-point values of an attribute or of a constant input, or null if they are unknown. */
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

    /** Returns the integers of a constant input, or null if it is not constant, external, or longer than any list of dimensions. */
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
     * Returns integers that are an attribute in older versions and an input in newer ones.
     *
     * @param otherwise the default if both are missing
     * @return the integers, or null if the input is not a constant
     */
    long[] longs(String name, int input, long[] otherwise) {
        return has(input) ? longs(input) : integers(name, otherwise);
    }

    /** Resolves axes, which are counted from the end if negative. */
    static List<Integer> positions(long[] axes, int rank) {
        List<Integer> at = new ArrayList<>();
        for (long a : axes) {
            at.add(position(a, rank));
        }
        return at;
    }

    /** Resolves an axis, which is counted from the end if negative. */
    static int position(long axis, int rank) {
        OperatorSchema.require(axis >= -rank && axis < rank, "axis " + axis + " does not fit " + rank + " dimensions");
        return (int) (axis < 0 ? axis + rank : axis);
    }

    /** Resolves axes that must be distinct. */
    static List<Integer> distinct(long[] axes, int rank) {
        List<Integer> at = positions(axes, rank);
        OperatorSchema.require(at.stream().distinct().count() == at.size(), "an axis occurs twice");
        return at;
    }
}
