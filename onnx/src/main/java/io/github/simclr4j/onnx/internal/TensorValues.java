// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.internal;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.Consumer;

/** Reads and writes the values of ONNX tensors. Raw data are little-endian. */
public final class TensorValues {
    private TensorValues() {}

    /** Returns the number of values, and throws ArithmeticException for negative or overflowing dimensions. */
    public static long count(Iterable<Long> dims) {
        long n = 1;
        for (long d : dims) {
            if (d < 0) {
                throw new ArithmeticException("negative dimension " + d);
            }
            n = Math.multiplyExact(n, d);
        }
        return n;
    }

    /** Returns the number of bytes of a value, or 0 for a type without a fixed size or with less than a byte. */
    public static int width(int dataType) {
        return TensorTypes.bits(dataType) / 8;
    }

    private static TensorProto raw(String name, DataType type, long[] dims, int values, Consumer<ByteBuffer> fill) {
        ByteBuffer data = ByteBuffer.allocate(Math.multiplyExact(width(type.getNumber()), values))
                .order(ByteOrder.LITTLE_ENDIAN);
        fill.accept(data);
        TensorProto.Builder b = TensorProto.newBuilder().setName(name).setDataType(type.getNumber());
        for (long d : dims) {
            b.addDims(d);
        }
        // Safe, because the buffer is local and never written again.
        return b.setRawData(UnsafeByteOperations.unsafeWrap(data.rewind())).build();
    }

    public static TensorProto floats(String name, float[] values, long... dims) {
        return raw(
                name,
                DataType.FLOAT,
                dims,
                values.length,
                b -> b.asFloatBuffer().put(values));
    }

    public static TensorProto ints(String name, int[] values, long... dims) {
        return raw(
                name, DataType.INT32, dims, values.length, b -> b.asIntBuffer().put(values));
    }

    public static TensorProto longs(String name, long[] values, long... dims) {
        return raw(
                name, DataType.INT64, dims, values.length, b -> b.asLongBuffer().put(values));
    }

    public static TensorProto halves(String name, short[] values, long... dims) {
        return raw(
                name,
                DataType.FLOAT16,
                dims,
                values.length,
                b -> b.asShortBuffer().put(values));
    }

    public static TensorProto bytes(String name, DataType type, byte[] values, long... dims) {
        return raw(name, type, dims, values.length, b -> b.put(values));
    }

    public static long[] dims(TensorProto t) {
        return t.getDimsList().stream().mapToLong(Long::longValue).toArray();
    }

    /** Returns the values of a float32 tensor. */
    public static float[] floats(TensorProto t) {
        if (t.getDataType() != DataType.FLOAT_VALUE) {
            throw new IllegalArgumentException("Tensor " + t.getName() + " is not float32");
        }
        float[] values = new float[Math.toIntExact(count(t.getDimsList()))];
        if (t.getFloatDataCount() > 0) {
            for (int i = 0; i < values.length; i++) {
                values[i] = t.getFloatData(i);
            }
            return values;
        }
        raw(t).asFloatBuffer().get(values);
        return values;
    }

    /** Returns the values of an int64 tensor. */
    public static long[] longs(TensorProto t) {
        long[] values = new long[Math.toIntExact(count(t.getDimsList()))];
        if (t.getInt64DataCount() > 0) {
            for (int i = 0; i < values.length; i++) {
                values[i] = t.getInt64Data(i);
            }
            return values;
        }
        raw(t).asLongBuffer().get(values);
        return values;
    }

    /** Returns the values of an int32 tensor as int64. */
    public static long[] widened(TensorProto t) {
        long[] values = new long[Math.toIntExact(count(t.getDimsList()))];
        for (int i = 0; i < values.length; i++) {
            values[i] = t.getInt32DataCount() > 0 ? t.getInt32Data(i) : raw(t).getInt(4 * i);
        }
        return values;
    }

    private static ByteBuffer raw(TensorProto t) {
        ByteString data = t.getRawData();
        return data.asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Returns the value of a Constant node, in whichever attribute it is; null for text and for other nodes. */
    public static TensorProto constant(NodeProto node) {
        if (!node.getOpType().equals("Constant")) {
            return null;
        }
        TensorProto.Builder floats = TensorProto.newBuilder().setDataType(TensorProto.DataType.FLOAT_VALUE);
        TensorProto.Builder whole = TensorProto.newBuilder().setDataType(TensorProto.DataType.INT64_VALUE);
        for (AttributeProto a : node.getAttributeList()) {
            switch (a.getName()) {
                case "value" -> {
                    return a.getT();
                }
                case "value_int" -> {
                    return whole.addInt64Data(a.getI()).build();
                }
                case "value_ints" -> {
                    return whole.addDims(a.getIntsCount())
                            .addAllInt64Data(a.getIntsList())
                            .build();
                }
                case "value_float" -> {
                    return floats.addFloatData(a.getF()).build();
                }
                case "value_floats" -> {
                    return floats.addDims(a.getFloatsCount())
                            .addAllFloatData(a.getFloatsList())
                            .build();
                }
                default -> {}
            }
        }
        return null;
    }
}
