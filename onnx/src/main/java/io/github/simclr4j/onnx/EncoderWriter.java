package io.github.simclr4j.onnx;

import ai.onnx.proto.OnnxMl;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.function.Function;
import org.tribuo.util.onnx.ONNXContext;
import org.tribuo.util.onnx.ONNXInitializer;
import org.tribuo.util.onnx.ONNXNode;
import org.tribuo.util.onnx.ONNXPlaceholder;
import org.tribuo.util.onnx.ONNXRef;

/**
 * Writes a ResNet as an encoder file (opset 13, IR 7). Batch norm is folded into the convolution before it:
 * {@code w' = w * gamma / sqrt(var + eps)}, {@code b' = beta - mean * gamma / sqrt(var + eps)}.
 */
public final class EncoderWriter {
    static final int OPSET = 13;

    private EncoderWriter() {}

    /** The version of this library. */
    public static String libraryVersion() {
        Properties p = new Properties();
        try (InputStream in = EncoderWriter.class.getResourceAsStream("build.properties")) {
            p.load(in);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        return p.getProperty("version");
    }

    /**
     * Builds the file's bytes.
     *
     * @param net the architecture
     * @param preprocessing what the file's user does to an image before
     * @param weights values by name (see {@link ResNet}), row-major
     * @param metadata how it was trained and on what; architecture, preprocessing and version are added here
     */
    public static byte[] toBytes(
            ResNet net,
            Preprocessing preprocessing,
            Function<String, float[]> weights,
            Map<String, String> metadata) {
        ONNXContext graph = new ONNXContext();
        graph.setName("simclr4j-encoder");
        ONNXPlaceholder image = graph.floatInput(OnnxEncoder.INPUT, 1);
        ONNXPlaceholder embedding = graph.floatOutput(OnnxEncoder.OUTPUT, net.dimension());

        ONNXNode x = apply(graph, Op.CAST, List.of(image), Map.of("to", OnnxMl.TensorProto.DataType.FLOAT_VALUE));
        x = apply(graph, Op.TRANSPOSE, List.of(x), Map.of("perm", new int[] {0, 3, 1, 2}));
        x = apply(graph, Op.MUL, List.of(x, graph.constant("scale", 1f / (255f * Preprocessing.DEVIATION))), Map.of());
        x = apply(graph, Op.ADD, List.of(x, graph.constant("shift", -Preprocessing.MEAN / Preprocessing.DEVIATION)), Map.of());
        x = relu(graph, convolution(graph, x, net.stemConv(), weights));
        if (net.stem() == ResNet.Stem.IMAGENET) {
            x = apply(graph, Op.MAX_POOL, List.of(x), Map.of(
                    "kernel_shape", new int[] {3, 3}, "strides", new int[] {2, 2}, "pads", new int[] {1, 1, 1, 1}));
        }
        for (ResNet.Block block : net.blocks()) {
            ONNXNode y = x;
            for (ResNet.Conv c : block.convolutions()) {
                y = convolution(graph, y == x ? x : relu(graph, y), c, weights);
            }
            ONNXNode skip = block.shortcut() == null ? x : convolution(graph, x, block.shortcut(), weights);
            x = relu(graph, apply(graph, Op.ADD, List.of(y, skip), Map.of()));
        }
        x = apply(graph, Op.GLOBAL_AVERAGE_POOL, List.of(x), Map.of());
        x = apply(graph, Op.FLATTEN, List.of(x), Map.of());
        graph.assignTo(x, embedding);

        Map<String, String> all = new TreeMap<>(metadata);
        all.put("architecture", net.name());
        all.put("width", Double.toString(net.width()));
        all.put("stem", net.stem().name().toLowerCase(java.util.Locale.ROOT));
        all.put("image_size", Integer.toString(preprocessing.size()));
        all.put("resize", Preprocessing.RULE);
        all.put("library_version", libraryVersion());
        OnnxMl.ModelProto.Builder model = OnnxMl.ModelProto.newBuilder()
                .setIrVersion(7)
                .setProducerName("simclr4j")
                .setProducerVersion(libraryVersion())
                .setDomain("io.github.simclr4j")
                .addOpsetImport(Op.CAST.opsetProto())
                .setGraph(imageInput(graph.buildGraph(), preprocessing.size()));
        all.forEach((k, v) -> model.addMetadataProps(
                OnnxMl.StringStringEntryProto.newBuilder().setKey(k).setValue(v)));
        return model.build().toByteArray();
    }

    /**
     * Writes bytes so that whatever happens the file is the old one or the whole new one.
     *
     * @throws IOException if the path can't be written; the message names it
     */
    public static void write(Path file, byte[] bytes) throws IOException {
        Path absolute = file.toAbsolutePath();
        Path temporary = absolute.resolveSibling(absolute.getFileName() + ".part");
        try {
            Files.createDirectories(absolute.getParent());
            try (FileChannel out = FileChannel.open(temporary, StandardOpenOption.CREATE,
                    StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
                java.nio.ByteBuffer buffer = java.nio.ByteBuffer.wrap(bytes);
                while (buffer.hasRemaining()) {
                    out.write(buffer);
                }
                out.force(true);
            }
            Files.move(temporary, absolute, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            try {
                Files.deleteIfExists(temporary);
            } catch (IOException suppressed) {
                e.addSuppressed(suppressed);
            }
            throw new IOException("Can't write " + file + ": " + e + "; choose another path or free some space", e);
        }
    }

    private static ONNXNode relu(ONNXContext graph, ONNXNode x) {
        return apply(graph, Op.RELU, List.of(x), Map.of());
    }

    private static ONNXNode convolution(
            ONNXContext graph, ONNXRef<?> x, ResNet.Conv c, Function<String, float[]> weights) {
        float[] w = weights.apply(c.name() + ".weight").clone();
        float[] gamma = weights.apply(c.norm() + ".weight");
        float[] beta = weights.apply(c.norm() + ".bias");
        float[] mean = weights.apply(c.norm() + ".running_mean");
        float[] var = weights.apply(c.norm() + ".running_var");
        int per = c.in() * c.kernel() * c.kernel();
        float[] bias = new float[c.out()];
        for (int o = 0; o < c.out(); o++) {
            double f = gamma[o] / Math.sqrt((double) var[o] + ResNet.EPSILON);
            for (int i = 0; i < per; i++) {
                w[o * per + i] = (float) (w[o * per + i] * f);
            }
            bias[o] = (float) (beta[o] - mean[o] * f);
        }
        ONNXInitializer kernel = graph.floatTensor(
                c.name() + ".weight", List.of(c.out(), c.in(), c.kernel(), c.kernel()), b -> b.put(w));
        ONNXInitializer shift = graph.floatTensor(c.name() + ".bias", List.of(c.out()), b -> b.put(bias));
        int p = c.padding();
        return apply(graph, Op.CONV, List.of(x, kernel, shift), Map.of(
                "kernel_shape", new int[] {c.kernel(), c.kernel()},
                "strides", new int[] {c.stride(), c.stride()},
                "pads", new int[] {p, p, p, p}));
    }

    private static ONNXNode apply(ONNXContext graph, Op op, List<ONNXRef<?>> in, Map<String, Object> attributes) {
        return graph.operation(op, in, op.getOpName(), attributes);
    }

    /** Tribuo's context only makes float [batch, n] inputs: set the image's type on the protobuf. */
    private static OnnxMl.GraphProto imageInput(OnnxMl.GraphProto graph, int size) {
        OnnxMl.TensorShapeProto.Builder shape = OnnxMl.TensorShapeProto.newBuilder()
                .addDim(OnnxMl.TensorShapeProto.Dimension.newBuilder().setDimParam("batch"));
        for (int d : new int[] {size, size, 3}) {
            shape.addDim(OnnxMl.TensorShapeProto.Dimension.newBuilder().setDimValue(d));
        }
        OnnxMl.ValueInfoProto input = graph.getInput(0).toBuilder()
                .setType(OnnxMl.TypeProto.newBuilder().setTensorType(OnnxMl.TypeProto.Tensor.newBuilder()
                        .setElemType(OnnxMl.TensorProto.DataType.UINT8_VALUE)
                        .setShape(shape)))
                .build();
        return graph.toBuilder().setInput(0, input).build();
    }
}
