// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.runtime;

import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.images.Preprocessing.Channels;
import io.github.simclr4j.images.Preprocessing.Scaling;
import io.github.simclr4j.onnx.internal.TensorTypes;
import io.github.simclr4j.onnx.runtime.EncoderSettings.Layout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Converts images that {@link Preprocessing} has prepared into a graph's input: normalisation, channels, layout and type.
 *
 * @since 0.1.0
 */
public final class ImageInput {
    private final GraphBinding binding;
    /** The value of each byte by channel, as float32 or float16 bits; null if bytes stay bytes. */
    private final int[][] values;

    public ImageInput(GraphBinding binding) {
        this.binding = binding;
        values = values(binding);
    }

    private static int[][] values(GraphBinding w) {
        Scaling s = w.preprocessing().scaling();
        if (s == null) {
            return null;
        }
        int[][] table = new int[s.mean().size()][256];
        for (int c = 0; c < table.length; c++) {
            for (int v = 0; v < 256; v++) {
                float f = (float)
                        ((v * s.scale() - s.mean().get(c)) / s.deviation().get(c));
                table[c][v] = w.type() == TensorProto.DataType.FLOAT16_VALUE
                        ? TensorTypes.toFloat16(f)
                        : Float.floatToRawIntBits(f);
            }
        }
        return table;
    }

    /** Returns the size of one input image in bytes. */
    int bytes() {
        Preprocessing p = binding.preprocessing();
        return Math.multiplyExact(p.height() * p.width(), p.channels().count() * TensorTypes.bits(binding.type()) / 8);
    }

    /**
     * Allocates a direct buffer.
     *
     * @param images number of images that fit into it
     */
    public ByteBuffer buffer(int images) {
        return ByteBuffer.allocateDirect(Math.multiplyExact(images, bytes())).order(ByteOrder.nativeOrder());
    }

    /** Returns whether the graph takes the bytes of RGB images unchanged. */
    boolean bytesAsTheyAre() {
        return values == null
                && binding.layout() == Layout.NHWC
                && binding.preprocessing().channels() == Channels.RGB;
    }

    /**
     * Converts an image and appends it to a batch.
     *
     * @param rgb the image's RGB bytes, [height, width, 3]
     * @param in the buffer of the batch
     */
    public void fill(ByteBuffer rgb, ByteBuffer in) {
        if (bytesAsTheyAre()) {
            in.put(rgb);
            return;
        }
        Channels channels = binding.preprocessing().channels();
        int count = channels.count();
        int places = rgb.remaining() / 3;
        int width = TensorTypes.bits(binding.type()) / 8;
        int base = in.position();
        boolean planes = binding.layout() == Layout.NCHW;
        for (int c = 0; c < count; c++) {
            int from = channels == Channels.BGR ? 2 - c : c;
            int at = base + (planes ? c * places : c) * width;
            int step = planes ? width : count * width;
            int[] table = values == null ? null : values[c];
            for (int i = 0; i < places; i++, at += step) {
                int v = channels == Channels.GREY ? grey(rgb, 3 * i) : rgb.get(3 * i + from) & 255;
                switch (width) {
                    case 1 -> in.put(at, (byte) v);
                    case 2 -> in.putShort(at, (short) table[v]);
                    default -> in.putInt(at, table[v]);
                }
            }
        }
        in.position(base + places * count * width);
    }

    /** Returns the luma of a pixel, computed in integers like Pillow's mode "L". */
    private static int grey(ByteBuffer rgb, int at) {
        return (rgb.get(at) & 255) * 19595 + (rgb.get(at + 1) & 255) * 38470 + (rgb.get(at + 2) & 255) * 7471 + 0x8000
                >> 16;
    }

    /**
     * Wraps a buffer in a tensor without copying it.
     *
     * @param in a direct buffer with {@code n} images
     * @param n number of images
     * @return the tensor; the caller closes it
     * @throws OrtException if ONNX Runtime can't create the tensor
     */
    public OnnxTensor tensor(ByteBuffer in, int n) throws OrtException {
        Preprocessing p = binding.preprocessing();
        long c = p.channels().count();
        long[] shape = binding.layout() == Layout.NCHW
                ? new long[] {n, c, p.height(), p.width()}
                : new long[] {n, p.height(), p.width(), c};
        OnnxJavaType type = switch (binding.type()) {
            case TensorProto.DataType.UINT8_VALUE -> OnnxJavaType.UINT8;
            case TensorProto.DataType.FLOAT16_VALUE -> OnnxJavaType.FLOAT16;
            default -> OnnxJavaType.FLOAT;
        };
        return OnnxTensor.createTensor(OrtEnvironment.getEnvironment(), in, shape, type);
    }
}
