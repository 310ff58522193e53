// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.file;

import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.ByteString;
import io.github.simclr4j.onnx.internal.TensorTypes;
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

/**
 * Reads tensors of ONNX files, in the file or in external data.
 *
 * @since 0.1.0
 */
public final class Tensors {
    private Tensors() {}

    /**
     * The location of a tensor's external data.
     *
     * @param file the real path of the file
     * @param offset the offset of the first byte
     */
    public record Place(Path file, long offset) {}

    /**
     * Locates the external data of a tensor.
     *
     * @param t the tensor
     * @param size the expected number of bytes
     * @param folder the folder that must contain the data, or null if external data are not allowed
     * @param name the model's name in messages
     * @throws InvalidEncoderException if the data are missing, outside the folder (also by a link), or of another size
     */
    public static Place external(TensorProto t, long size, Path folder, String name) throws InvalidEncoderException {
        Map<String, String> entries = new HashMap<>();
        for (StringStringEntryProto e : t.getExternalDataList()) {
            if (entries.put(e.getKey(), e.getValue()) != null) {
                throw new InvalidEncoderException(name + " is damaged: the external data of " + t.getName()
                        + " has the key " + e.getKey() + " twice");
            }
        }
        String location = entries.getOrDefault("location", "");
        if (folder == null) {
            throw new InvalidEncoderException(name + " has external data, in " + location
                    + ": open it as a file, with the data in the same folder");
        }
        try {
            long offset = Long.parseLong(entries.getOrDefault("offset", "0"));
            long length = Long.parseLong(entries.getOrDefault("length", Long.toString(size)));
            Path relative = Path.of(location);
            boolean plain = !location.isEmpty()
                    && !relative.isAbsolute()
                    && location.indexOf('\\') < 0
                    && location.indexOf(':') < 0
                    && location.indexOf('\0') < 0;
            for (Path part : relative) {
                plain &= !part.toString().equals("..");
            }
            Path real = folder.toRealPath();
            if (!plain || !real.resolve(relative).toRealPath().startsWith(real)) {
                throw new InvalidEncoderException(name + " has external data outside its folder, " + location
                        + ": copy the data into the folder of the file");
            }
            Path file = real.resolve(relative).toRealPath();
            if (!Files.isRegularFile(file) || offset < 0 || length != size || offset > Files.size(file) - size) {
                throw new InvalidEncoderException(name + ": " + t.getName() + " needs " + size + " bytes at " + offset
                        + " of " + location + ", which is too short or has another length in the model");
            }
            return new Place(file, offset);
        } catch (NumberFormatException | InvalidPathException e) {
            throw new InvalidEncoderException(
                    name + " is damaged: the external data of " + t.getName() + ", " + e.getMessage(), e);
        } catch (InvalidEncoderException e) {
            throw e;
        } catch (NoSuchFileException e) {
            throw new InvalidEncoderException(
                    name + " has external data in " + location + ", which is missing: copy it into"
                            + " the folder of the file",
                    e);
        } catch (IOException e) {
            throw new InvalidEncoderException(
                    name + " has external data that can't be read, " + location + ": " + e, e);
        }
    }

    /**
     * Returns the values of a float32, float16, bfloat16 or double tensor.
     *
     * @param t the tensor
     * @param folder the folder that must contain external data, or null
     * @param name the model's name in messages
     * @return the values as float32, row-major
     * @throws InvalidEncoderException if the tensor has another type or its data can't be read
     */
    public static float[] floats(TensorProto t, Path folder, String name) throws InvalidEncoderException {
        int n = count(t, name);
        if (!Set.of(1, 10, 11, 16).contains(t.getDataType())) {
            throw new InvalidEncoderException(
                    name + ": " + t.getName() + " is of type " + t.getDataType() + ", expected a floating-point type");
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
                    v[i] = TensorTypes.toFloat32(raw != null ? raw.getShort() : (short) t.getInt32Data(i));
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

    /**
     * Returns the values of an int8, uint8, int32 or int64 tensor.
     *
     * @param t the tensor
     * @param folder the folder that must contain external data, or null
     * @param name the model's name in messages
     * @return the values, row-major
     * @throws InvalidEncoderException if the tensor has another type or its data can't be read
     */
    public static long[] whole(TensorProto t, Path folder, String name) throws InvalidEncoderException {
        if (!Set.of(2, 3, 6, 7).contains(t.getDataType())) {
            throw new InvalidEncoderException(
                    name + ": " + t.getName() + " is of type " + t.getDataType() + ", expected an integer type");
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
        long n = TensorTypes.count(t);
        if (n < 0 || n * TensorTypes.bits(t.getDataType()) / 8 > Integer.MAX_VALUE - 8) {
            throw new InvalidEncoderException(
                    name + ": " + t.getName() + " has the shape " + t.getDimsList() + ", expected at most 2 GB");
        }
        return (int) n;
    }

    /**
     * Returns the bytes of a tensor.
     *
     * @param t the tensor
     * @param folder the folder that must contain external data, or null
     * @param name the model's name in messages
     * @return the bytes, little-endian, or null if the values are in the field for their type
     * @throws InvalidEncoderException if the data can't be read
     */
    public static ByteBuffer raw(TensorProto t, Path folder, String name) throws InvalidEncoderException {
        if (TensorTypes.isExternal(t)) {
            int size = (int) (((long) count(t, name) * TensorTypes.bits(t.getDataType()) + 7) / 8);
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
                throw new InvalidEncoderException(name + ": " + place.file() + " has become shorter while it was read");
            }
            return b.flip();
        }
        ByteString raw = t.getRawData();
        return raw.isEmpty() ? null : raw.asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }
}
