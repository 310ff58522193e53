// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.internal;

import ai.onnx.proto.OnnxMl.TensorProto;
import java.util.Locale;

/** Helpers for ONNX's tensor types: the size, number and storage of elements, and conversion to and from float16. */
public final class TensorTypes {
    private TensorTypes() {}

    /** Returns the number of bits of an element by ONNX's number of its type; 0 for text, -1 for an unknown type. */
    public static int bits(int type) {
        return switch (type) {
            case 1, 6, 12 -> 32;
            case 2, 3, 9, 17, 18, 19, 20, 24 -> 8;
            case 4, 5, 10, 16 -> 16;
            case 7, 11, 13, 14 -> 64;
            case 8 -> 0;
            case 15 -> 128;
            case 21, 22, 23 -> 4;
            case 25, 26 -> 2;
            default -> -1;
        };
    }

    /** Returns whether a tensor in the file has exactly the values that its shape and type require, in the field for that type. */
    public static boolean isComplete(TensorProto t, long n, long size) {
        int[] counts = {
            t.getFloatDataCount(),
            t.getInt32DataCount(),
            t.getInt64DataCount(),
            t.getDoubleDataCount(),
            t.getUint64DataCount(),
            t.getStringDataCount()
        };
        long filled = 0;
        for (int c : counts) {
            filled += c;
        }
        if (t.hasRawData() && (!t.getRawData().isEmpty() || filled == 0)) {
            return filled == 0 && t.getDataType() != 8 && t.getRawData().size() == size;
        }
        int field = switch (t.getDataType()) {
            case 1, 14 -> 0;
            case 7 -> 2;
            case 11, 15 -> 3;
            case 12, 13 -> 4;
            case 8 -> 5;
            default -> 1;
        };
        long want = switch (t.getDataType()) {
            case 14, 15 -> 2 * n;
            case 21, 22, 23, 25, 26 -> size;
            default -> n;
        };
        return filled == want && counts[field] == want;
    }

    /** Converts IEEE 754 half precision to single. */
    public static float toFloat32(short bits) {
        int exponent = bits >> 10 & 31;
        int fraction = bits & 1023;
        float magnitude = exponent == 31
                ? (fraction == 0 ? Float.POSITIVE_INFINITY : Float.NaN)
                : exponent == 0 ? fraction * 0x1p-24f : Math.scalb(1 + fraction * 0x1p-10f, exponent - 15);
        return bits < 0 ? -magnitude : magnitude;
    }

    /** Converts single precision to half precision, rounding to nearest, ties to even. Values that are too large become infinite. */
    public static short toFloat16(float value) {
        int sign = Float.floatToRawIntBits(value) >>> 16 & 0x8000;
        float magnitude = Math.abs(value);
        if (Float.isNaN(value)) {
            return 0x7e00;
        }
        if (magnitude >= 65520) {
            return (short) (sign | 0x7c00);
        }
        if (magnitude < 0x1p-14f) {
            return (short) (sign | (int) Math.rint(magnitude * 0x1p24));
        }
        int exponent = Math.getExponent(magnitude);
        // From 1024 to 2048; a value of 2048 carries into the exponent.
        int fraction = (int) Math.rint(Math.scalb((double) magnitude, 10 - exponent));
        return (short) (sign | ((exponent + 14) << 10) + fraction);
    }

    /** Returns the number of values, or -1 if a dimension is negative or the number of bits overflows. */
    public static long count(TensorProto t) {
        long n = 1;
        for (long d : t.getDimsList()) {
            if (d < 0 || d > 0 && n > Long.MAX_VALUE / 256 / d) {
                return -1;
            }
            n *= d;
        }
        return n;
    }

    /** Returns whether the values are external data. */
    public static boolean isExternal(TensorProto t) {
        return t.getDataLocation() == TensorProto.DataLocation.EXTERNAL;
    }

    /** Returns the name of a type by ONNX's number of it, such as {@code float32} or {@code uint8}. */
    public static String name(int number) {
        TensorProto.DataType t = TensorProto.DataType.forNumber(number);
        return t == null
                ? "type " + number
                : t == TensorProto.DataType.FLOAT ? "float32" : t.name().toLowerCase(Locale.ROOT);
    }
}
