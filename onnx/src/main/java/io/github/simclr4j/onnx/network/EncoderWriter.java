package io.github.simclr4j.onnx.network;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.TensorProto;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.onnx.file.EncoderContract;
import io.github.simclr4j.onnx.file.EncoderMetadata;
import io.github.simclr4j.onnx.file.ModelFile;
import io.github.simclr4j.onnx.file.Opset;
import io.github.simclr4j.onnx.internal.BatchNormFolding;
import io.github.simclr4j.onnx.internal.GraphBuilder;
import io.github.simclr4j.onnx.internal.TensorValues;
import io.github.simclr4j.util.LibraryVersion;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * Writes a ResNet as an encoder file. Batch norm is folded into the convolution or dense layer before it:
 * {@code w' = w * gamma / sqrt(var + eps)}, {@code b' = beta + (b - mean) * gamma / sqrt(var + eps)}.
 */
public final class EncoderWriter {
    private EncoderWriter() {}

    /** Builds the bytes of a file with the {@linkplain EncoderLayout#DEFAULT default layout}. */
    public static byte[] toBytes(
            ResNet net,
            Preprocessing preprocessing,
            Function<String, float[]> weights,
            Map<String, String> metadata) {
        return toBytes(net, preprocessing, weights, metadata, EncoderLayout.DEFAULT);
    }

    /**
     * Builds the file's bytes.
     *
     * @param net the architecture
     * @param preprocessing what the file's user does to an image before
     * @param weights values by name (see {@link ResNet} and {@link ProjectionHead}), row-major
     * @param metadata how it was trained and on what; architecture, preprocessing and version are added here
     * @param layout what else goes into the file
     * @throws IllegalArgumentException if the layout does not fit the network, or the weights are more than the 2 GB that
     *     one file holds: {@link #write(Path, ResNet, Preprocessing, Function, Map, EncoderLayout)} puts them beside it
     */
    public static byte[] toBytes(
            ResNet net,
            Preprocessing preprocessing,
            Function<String, float[]> weights,
            Map<String, String> metadata,
            EncoderLayout layout) {
        if (weightBytes(net, layout) > ModelFile.LIMIT) {
            throw new IllegalArgumentException(net + " has " + weightBytes(net, layout)
                    + " bytes of weights, one ONNX file holds 2 GB: write it to a path, with its data beside it");
        }
        return model(net, preprocessing, weights, metadata, layout, UnaryOperator.identity()).toByteArray();
    }

    /**
     * Writes an encoder so that whatever happens the file is the old one or the whole new one. Weights of more than 2 GB
     * go to a data file beside it, named after the file and its content; arguments as for
     * {@link #toBytes(ResNet, Preprocessing, Function, Map, EncoderLayout)}.
     *
     * @throws IOException if the path can't be written; the message names it
     */
    public static void write(
            Path file,
            ResNet net,
            Preprocessing preprocessing,
            Function<String, float[]> weights,
            Map<String, String> metadata,
            EncoderLayout layout) throws IOException {
        write(file, net, preprocessing, weights, metadata, layout, ModelFile.LIMIT);
    }

    public static void write(Path file, ResNet net, Preprocessing preprocessing, Function<String, float[]> weights,
            Map<String, String> metadata, EncoderLayout layout, long limit) throws IOException {
        ModelFile.write(file, weightBytes(net, layout), limit,
                store -> model(net, preprocessing, weights, metadata, layout, store));
    }

    private static long weightBytes(ResNet net, EncoderLayout layout) {
        long values = net.parameters();
        if (layout.head() != null) {
            values += layout.head().layers().stream().mapToLong(l -> (l.in() + 1L) * l.out()).sum();
        }
        return 4 * values;
    }

    private static ModelProto model(ResNet net, Preprocessing preprocessing, Function<String, float[]> weights,
            Map<String, String> metadata, EncoderLayout layout, UnaryOperator<TensorProto> store) {
        GraphBuilder graph = new GraphBuilder("simclr4j-encoder", store);
        int size = preprocessing.size();
        String x = EncoderContract.INPUT;
        if (layout.preprocessing()) {
            graph.input(GraphBuilder.value(x, DataType.UINT8, size, size, 3));
            x = graph.node("Cast", List.of(x), GraphBuilder.integer("to", DataType.FLOAT_VALUE));
            x = graph.node("Transpose", List.of(x), GraphBuilder.ints("perm", 0, 3, 1, 2));
            x = graph.node("Mul", List.of(x, scalar(graph, "scale", 1f / (255f * Preprocessing.DEVIATION))));
            x = graph.node("Add", List.of(x, scalar(graph, "shift", -Preprocessing.MEAN / Preprocessing.DEVIATION)));
        } else {
            graph.input(GraphBuilder.value(x, DataType.FLOAT, 3, size, size));
        }
        x = relu(graph, convolution(graph, x, net.stemConv(), weights));
        if (net.stem() == ResNet.Stem.IMAGENET) {
            x = graph.node("MaxPool", List.of(x), GraphBuilder.ints("kernel_shape", 3, 3),
                    GraphBuilder.ints("strides", 2, 2), GraphBuilder.ints("pads", 1, 1, 1, 1));
        }
        for (ResNet.Block block : net.blocks()) {
            String y = x;
            for (ResNet.Conv c : block.convolutions()) {
                y = convolution(graph, y.equals(x) ? x : relu(graph, y), c, weights);
            }
            String skip = block.shortcut() == null ? x : convolution(graph, x, block.shortcut(), weights);
            x = relu(graph, graph.node("Add", List.of(y, skip)));
        }
        x = graph.node("GlobalAveragePool", List.of(x));
        int dimension = net.dimension();
        if (layout.head() == null) {
            graph.node("Flatten", List.of(x), EncoderContract.OUTPUT);
        } else {
            head(graph, graph.node("Flatten", List.of(x)), dimension, layout.head(), weights);
            dimension = layout.head().dimension();
        }
        graph.output(GraphBuilder.value(EncoderContract.OUTPUT, DataType.FLOAT, dimension));
        Map<String, String> all = new TreeMap<>(metadata);
        if (layout.classifier() != null) {
            classifier(graph, dimension, layout.classifier(), all);
        }
        all.put(EncoderMetadata.ARCHITECTURE, net.name());
        all.put(EncoderMetadata.WIDTH, Double.toString(net.width()));
        all.put(EncoderMetadata.STEM, net.stem().name().toLowerCase(Locale.ROOT));
        all.put(EncoderMetadata.IMAGE_SIZE, Integer.toString(size));
        all.put(EncoderMetadata.RESIZE, Preprocessing.RULE);
        all.put(EncoderMetadata.LIBRARY_VERSION, LibraryVersion.current());
        if (layout.head() != null) {
            all.put(EncoderMetadata.HEAD_LAYERS, Integer.toString(layout.head().layers().size()));
        }
        if (!layout.preprocessing()) {
            all.putAll(EncoderMetadata.normalised(Preprocessing.MEAN, Preprocessing.DEVIATION));
        }
        ModelProto.Builder model = ModelProto.newBuilder()
                .setIrVersion(Opset.irVersion(layout.opset()))
                .setProducerName("simclr4j")
                .setProducerVersion(LibraryVersion.current())
                .setDomain("io.github.simclr4j")
                .addOpsetImport(Opset.proto(layout.opset()))
                .setGraph(graph.build());
        all.forEach((k, v) -> model.addMetadataProps(GraphBuilder.entry(k, v)));
        return model.build();
    }

    private static void head(GraphBuilder graph, String in, int dimension, ProjectionHead head,
            Function<String, float[]> weights) {
        fits("The head", head.layers().get(0).in(), dimension);
        String x = in;
        int last = head.layers().size() - 1;
        for (int i = 0; i <= last; i++) {
            ProjectionHead.Layer layer = head.layers().get(i);
            float[] bias = layer.bias() ? weights.apply(layer.dense() + ".bias").clone() : new float[layer.out()];
            float[] w = fold(weights.apply(layer.dense() + ".weight"), bias, layer.norm(), weights);
            List<String> operands = List.of(x,
                    graph.tensor(TensorValues.floats(layer.dense() + ".weight", w, layer.out(), layer.in())),
                    graph.tensor(TensorValues.floats(layer.dense() + ".bias", bias, layer.out())));
            boolean end = i == last;
            AttributeProto transposed = GraphBuilder.integer("transB", 1);
            x = end && !layer.relu() ? graph.node("Gemm", operands, EncoderContract.OUTPUT, transposed)
                    : graph.node("Gemm", operands, transposed);
            if (layer.relu()) {
                x = end ? graph.node("Relu", List.of(x), EncoderContract.OUTPUT) : relu(graph, x);
            }
        }
    }

    private static void classifier(
            GraphBuilder graph, int dimension, LinearClassifier linear, Map<String, String> metadata) {
        fits("The classifier", linear.dimension(), dimension);
        int classes = linear.labels().size();
        String logits = graph.node("Gemm", List.of(EncoderContract.OUTPUT,
                graph.tensor(TensorValues.floats("classifier.weight", linear.weights(), classes, dimension)),
                graph.tensor(TensorValues.floats("classifier.bias", linear.bias(), classes))),
                GraphBuilder.integer("transB", 1));
        graph.node("Softmax", List.of(logits), EncoderContract.PROBABILITIES, GraphBuilder.integer("axis", 1));
        graph.output(GraphBuilder.value(EncoderContract.PROBABILITIES, DataType.FLOAT, classes));
        for (int i = 0; i < classes; i++) {
            metadata.put(EncoderMetadata.label(i), linear.labels().get(i));
        }
    }

    private static void fits(String what, int takes, int dimension) {
        if (takes != dimension) {
            throw new IllegalArgumentException(what + " takes " + takes + " values, the encoder gives " + dimension);
        }
    }

    private static String scalar(GraphBuilder graph, String name, float value) {
        return graph.tensor(TensorValues.floats(name, new float[] {value}));
    }

    private static String relu(GraphBuilder graph, String x) {
        return graph.node("Relu", List.of(x));
    }

    private static String convolution(GraphBuilder graph, String x, ResNet.Conv c, Function<String, float[]> weights) {
        float[] bias = new float[c.out()];
        float[] w = fold(weights.apply(c.name() + ".weight"), bias, c.norm(), weights);
        String kernel = graph.tensor(
                TensorValues.floats(c.name() + ".weight", w, c.out(), c.in(), c.kernel(), c.kernel()));
        String shift = graph.tensor(TensorValues.floats(c.name() + ".bias", bias, c.out()));
        int p = c.padding();
        return graph.node("Conv", List.of(x, kernel, shift),
                GraphBuilder.ints("kernel_shape", c.kernel(), c.kernel()),
                GraphBuilder.ints("strides", c.stride(), c.stride()),
                GraphBuilder.ints("pads", p, p, p, p));
    }

    /** Folds a batch norm into copies of the weights and into the bias before it; without a norm both stay. */
    private static float[] fold(float[] kernel, float[] bias, String norm, Function<String, float[]> weights) {
        return norm == null ? kernel.clone() : BatchNormFolding.fold(kernel, bias,
                weights.apply(norm + ".weight"), weights.apply(norm + ".bias"),
                weights.apply(norm + ".running_mean"), weights.apply(norm + ".running_var"), ResNet.EPSILON);
    }
}
