// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.internal;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import java.util.Arrays;
import java.util.Locale;

/**
 * A tensor's type and shape.
 *
 * @param type ONNX's number of the data type; 0 if it is unknown
 * @param dims the dimensions, or null if the rank is unknown
 */
public record TensorShape(int type, long[] dims) {
    /** The value of a dimension that is unknown before the graph runs. */
    public static final long UNKNOWN = -1;

    @Override
    public String toString() {
        DataType t = DataType.forNumber(type);
        return (t == null ? "type " + type : t.name().toLowerCase(Locale.ROOT)) + " " + shape(dims);
    }

    /** Returns the declared type and shape of a value, or null if it is not a tensor. */
    static TensorShape declared(ValueInfoProto v) {
        if (!v.getType().hasTensorType()) {
            return null;
        }
        TypeProto.Tensor t = v.getType().getTensorType();
        return new TensorShape(
                t.getElemType(),
                !t.hasShape()
                        ? null
                        : t.getShape().getDimList().stream()
                                .mapToLong(d -> d.hasDimValue() ? d.getDimValue() : UNKNOWN)
                                .toArray());
    }

    /** Combines two partly known shapes of a value, or returns null if they contradict each other. */
    TensorShape with(TensorShape found) {
        boolean fits = type == 0 || found.type == 0 || type == found.type;
        long[] both = dims == null ? found.dims : dims.clone();
        if (dims != null && found.dims != null) {
            fits &= dims.length == found.dims.length;
            for (int i = 0; fits && i < both.length; i++) {
                fits = !ShapeInference.differ(dims[i], found.dims[i]);
                both[i] = dims[i] == UNKNOWN ? found.dims[i] : dims[i];
            }
        }
        return fits ? new TensorShape(type == 0 ? found.type : type, both) : null;
    }

    /** Returns the dimensions common to two alternative shapes, or null if their ranks differ. */
    long[] common(TensorShape other) {
        if (dims == null || other.dims == null || dims.length != other.dims.length) {
            return null;
        }
        long[] d = dims.clone();
        for (int k = 0; k < d.length; k++) {
            d[k] = d[k] == other.dims[k] ? d[k] : UNKNOWN;
        }
        return d;
    }

    static String shape(long[] dims) {
        return dims == null ? "[?]" : Arrays.toString(dims).replace("-1", "?");
    }

    /** Returns whether a shape is that of a single value: a scalar or a vector of length 1. */
    static boolean isSingle(long[] dims) {
        return dims.length == 0 || dims.length == 1 && dims[0] == 1;
    }
}
