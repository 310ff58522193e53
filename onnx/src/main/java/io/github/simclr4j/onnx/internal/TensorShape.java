package io.github.simclr4j.onnx.internal;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import java.util.Arrays;
import java.util.Locale;

/**
 * A tensor's type and shape.
 *
 * @param type number of the data type; 0 if not known
 * @param dims the dimensions, or null if not even their number is known
 */
public record TensorShape(int type, long[] dims) {
    /** A dimension that is not known before the graph runs. */
    public static final long UNKNOWN = -1;

    @Override
    public String toString() {
        DataType t = DataType.forNumber(type);
        return (t == null ? "type " + type : t.name().toLowerCase(Locale.ROOT)) + " " + shape(dims);
    }

    static String shape(long[] dims) {
        return dims == null ? "[?]" : Arrays.toString(dims).replace("-1", "?");
    }

    /** Whether a shape is that of one value: a scalar, or a vector of one. */
    static boolean isSingle(long[] dims) {
        return dims.length == 0 || dims.length == 1 && dims[0] == 1;
    }
}
