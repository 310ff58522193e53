package io.github.simclr4j.onnx.internal;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.ByteString;
import io.github.simclr4j.onnx.file.ExternalData;
import io.github.simclr4j.onnx.file.InvalidEncoderException;
import io.github.simclr4j.onnx.file.ModelCheck;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** Reads a tensor of an ONNX file, wherever its values are. */
public final class Tensors {
    private Tensors() {}

    /** Bits of an element by ONNX's number of its type; 0 for text, -1 for an unknown type. */
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

    /** Whether a tensor inside the file has exactly the values that its shape and type ask for, in the field for that type. */
    public static boolean whole(TensorProto t, long n, long size) {
        int[] counts = {t.getFloatDataCount(), t.getInt32DataCount(), t.getInt64DataCount(), t.getDoubleDataCount(),
            t.getUint64DataCount(), t.getStringDataCount()};
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

    /**
     * Where external data is.
     *
     * @param file its real path
     * @param offset the first byte
     */
    public record Place(Path file, long offset) {}

    /**
     * Finds external data.
     *
     * @param size how many bytes it must have
     * @param folder the folder that it must be in, null if there is none
     * @throws InvalidEncoderException if it is outside the folder, through a link or a name, missing or of another size
     */
    public static Place external(TensorProto t, long size, Path folder, String name) throws InvalidEncoderException {
        Map<String, String> entries = new HashMap<>();
        for (StringStringEntryProto e : t.getExternalDataList()) {
            if (entries.put(e.getKey(), e.getValue()) != null) {
                throw new InvalidEncoderException(name + " is damaged: the external data of " + t.getName() + " says "
                        + e.getKey() + " twice");
            }
        }
        String location = entries.getOrDefault("location", "");
        if (folder == null) {
            throw new InvalidEncoderException(name + " has external data, in " + location
                    + ": open it as a file, with that beside it");
        }
        try {
            long offset = Long.parseLong(entries.getOrDefault("offset", "0"));
            long length = Long.parseLong(entries.getOrDefault("length", Long.toString(size)));
            Path relative = Path.of(location);
            boolean plain = !location.isEmpty() && !relative.isAbsolute() && location.indexOf('\\') < 0
                    && location.indexOf(':') < 0 && location.indexOf('\0') < 0;
            for (Path part : relative) {
                plain &= !part.toString().equals("..");
            }
            Path real = folder.toRealPath();
            if (!plain || !real.resolve(relative).toRealPath().startsWith(real)) {
                throw new InvalidEncoderException(name + " has external data outside its folder, " + location
                        + ": refused; copy it beside the file");
            }
            Path file = real.resolve(relative).toRealPath();
            if (!Files.isRegularFile(file) || offset < 0 || length != size || offset > Files.size(file) - size) {
                throw new InvalidEncoderException(name + ": " + t.getName() + " needs " + size + " bytes at " + offset
                        + " of " + location + ", which has not got them, or names another length");
            }
            return new Place(file, offset);
        } catch (NumberFormatException | InvalidPathException e) {
            throw new InvalidEncoderException(name + " is damaged: the external data of " + t.getName() + ", "
                    + e.getMessage(), e);
        } catch (InvalidEncoderException e) {
            throw e;
        } catch (NoSuchFileException e) {
            throw new InvalidEncoderException(name + " has external data in " + location + ", which is missing: copy it beside"
                    + " the file", e);
        } catch (IOException e) {
            throw new InvalidEncoderException(name + " has external data that can't be read, " + location + ": " + e, e);
        }
    }

    /** What a Constant node says, however it says it; null for text, and for other nodes. */
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
                    return whole.addDims(a.getIntsCount()).addAllInt64Data(a.getIntsList()).build();
                }
                case "value_float" -> {
                    return floats.addFloatData(a.getF()).build();
                }
                case "value_floats" -> {
                    return floats.addDims(a.getFloatsCount()).addAllFloatData(a.getFloatsList()).build();
                }
                default -> { }
            }
        }
        return null;
    }

    /** The values of a float32, float16, bfloat16 or double tensor, as float32. */
    public static float[] floats(TensorProto t, Path folder, String name) throws InvalidEncoderException {
        int n = count(t, name);
        if (!Set.of(1, 10, 11, 16).contains(t.getDataType())) {
            throw new InvalidEncoderException(
                    name + ": " + t.getName() + " is of type " + t.getDataType() + ", expected numbers with a fraction");
        }
        float[] v = new float[n];
        ByteBuffer raw = raw(t, folder, name);
        switch (t.getDataType()) {
            case 1 -> {
                for (int i = 0; i < n; i++) {
                    v[i] = raw != null ? raw.getFloat() : t.getFloatData(i);
                }
            }
            case 10 -> {
                for (int i = 0; i < n; i++) {
                    v[i] = half(raw != null ? raw.getShort() : (short) t.getInt32Data(i));
                }
            }
            case 16 -> {
                for (int i = 0; i < n; i++) {
                    v[i] = Float.intBitsToFloat((raw != null ? raw.getShort() : t.getInt32Data(i)) << 16);
                }
            }
            default -> {
                for (int i = 0; i < n; i++) {
                    v[i] = (float) (raw != null ? raw.getDouble() : t.getDoubleData(i));
                }
            }
        }
        return v;
    }

    /** The values of an int8, uint8, int32 or int64 tensor. */
    public static long[] whole(TensorProto t, Path folder, String name) throws InvalidEncoderException {
        if (!Set.of(2, 3, 6, 7).contains(t.getDataType())) {
            throw new InvalidEncoderException(
                    name + ": " + t.getName() + " is of type " + t.getDataType() + ", expected whole numbers");
        }
        long[] v = new long[count(t, name)];
        ByteBuffer raw = raw(t, folder, name);
        for (int i = 0; i < v.length; i++) {
            v[i] = switch (t.getDataType()) {
                case 2 -> raw != null ? raw.get() & 255 : t.getInt32Data(i);
                case 3 -> raw != null ? raw.get() : t.getInt32Data(i);
                case 6 -> raw != null ? raw.getInt() : t.getInt32Data(i);
                default -> raw != null ? raw.getLong() : t.getInt64Data(i);
            };
        }
        return v;
    }

    private static int count(TensorProto t, String name) throws InvalidEncoderException {
        long n = ModelCheck.count(t);
        if (n < 0 || n * bits(t.getDataType()) / 8 > Integer.MAX_VALUE - 8) {
            throw new InvalidEncoderException(name + ": " + t.getName() + " has the shape " + t.getDimsList()
                    + ", expected at most 2 GB");
        }
        return (int) n;
    }

    /** The bytes of a tensor, little-endian; null if its values are in the field for their type. */
    public static ByteBuffer raw(TensorProto t, Path folder, String name) throws InvalidEncoderException {
        if (ExternalData.isExternal(t)) {
            int size = (int) (((long) count(t, name) * bits(t.getDataType()) + 7) / 8);
            Place place = external(t, size, folder, name);
            ByteBuffer b = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
            try (FileChannel in = FileChannel.open(place.file())) {
                while (b.hasRemaining() && in.read(b, place.offset() + b.position()) > 0) {
                    continue;
                }
            } catch (IOException e) {
                throw new InvalidEncoderException(name + ": can't read " + place.file() + ": " + e, e);
            }
            if (b.hasRemaining()) {
                throw new InvalidEncoderException(name + ": " + place.file() + " has become shorter");
            }
            return b.flip();
        }
        ByteString raw = t.getRawData();
        return raw.isEmpty() ? null : raw.asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    /** IEEE 754 half precision to single. */
    public static float half(short bits) {
        int exponent = bits >> 10 & 31;
        int fraction = bits & 1023;
        float magnitude = exponent == 31
                ? (fraction == 0 ? Float.POSITIVE_INFINITY : Float.NaN)
                : exponent == 0
                        ? fraction * 0x1p-24f
                        : Math.scalb(1 + fraction * 0x1p-10f, exponent - 15);
        return bits < 0 ? -magnitude : magnitude;
    }

    /** Single precision to half, to the nearest, halves to the even one; what is too large becomes infinite. */
    public static short half(float value) {
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
        // 1024 to 2048; the upper end carries into the exponent by itself.
        int fraction = (int) Math.rint(Math.scalb((double) magnitude, 10 - exponent));
        return (short) (sign | ((exponent + 14) << 10) + fraction);
    }
}
