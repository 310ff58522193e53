package io.github.simclr4j.onnx.runtime;

import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import io.github.simclr4j.images.Preprocessing.Channels;
import io.github.simclr4j.images.Preprocessing.Scaling;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.onnx.internal.TensorTypes;
import io.github.simclr4j.onnx.runtime.EncoderSettings.Layout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** How images that {@link Preprocessing} cut out become a graph's input: their values, channels, layout and type. */
public final class ImageInput {
    private final GraphBinding binding;
    /** By channel, what a byte becomes: float32 bits, or float16 bits; null if bytes stay bytes. */
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
                float f = (float) ((v * s.scale() - s.mean().get(c)) / s.deviation().get(c));
                table[c][v] = w.type() == TensorProto.DataType.FLOAT16_VALUE ? TensorTypes.toFloat16(f) : Float.floatToRawIntBits(f);
            }
        }
        return table;
    }

    /** Bytes of one image of the input. */
    int bytes() {
        Preprocessing p = binding.preprocessing();
        return Math.multiplyExact(p.height() * p.width(), p.channels().count() * TensorTypes.bits(binding.type()) / 8);
    }

    /** A direct buffer for some images. */
    public ByteBuffer buffer(int images) {
        return ByteBuffer.allocateDirect(Math.multiplyExact(images, bytes())).order(ByteOrder.nativeOrder());
    }

    /** Whether the graph takes the bytes of RGB images just as they are. */
    boolean bytesAsTheyAre() {
        return values == null && binding.layout() == Layout.NHWC && binding.preprocessing().channels() == Channels.RGB;
    }

    /** Appends an image to a batch, as the graph wants it. */
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

    /** Pillow's "L", in its integers. */
    private static int grey(ByteBuffer rgb, int at) {
        return (rgb.get(at) & 255) * 19595 + (rgb.get(at + 1) & 255) * 38470 + (rgb.get(at + 2) & 255) * 7471 + 0x8000 >> 16;
    }

    /** A tensor over the buffer, no copy; the buffer must be direct and hold n images. */
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
