// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.network;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.onnx.file.EncoderContract;
import io.github.simclr4j.onnx.file.EncoderMetadata;
import io.github.simclr4j.onnx.file.ModelChecksum;
import io.github.simclr4j.onnx.file.ModelFile;
import io.github.simclr4j.onnx.file.Opset;
import io.github.simclr4j.onnx.internal.BatchNormFolding;
import io.github.simclr4j.onnx.internal.GraphBuilder;
import io.github.simclr4j.onnx.internal.TensorValues;
import io.github.simclr4j.util.LibraryVersion;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * Writes a network as an encoder file in ONNX format. Batch norm is {@linkplain BatchNormFolding folded} into the convolution or dense
 * layer before it.
 *
 * @since 0.1.0
 */
public final class EncoderWriter {
    private EncoderWriter() {}

    /**
     * Builds the bytes of an encoder file with the {@linkplain EncoderLayout#DEFAULT default layout}; see
     * {@link #toBytes(Architecture, Preprocessing, Function, Map, EncoderLayout)}.
     */
    public static byte[] toBytes(
            Architecture net,
            Preprocessing preprocessing,
            Function<String, float[]> weights,
            Map<String, String> metadata) {
        return toBytes(net, preprocessing, weights, metadata, EncoderLayout.DEFAULT);
    }

    /**
     * Builds the bytes of an encoder file.
     *
     * @param net the architecture
     * @param preprocessing the preprocessing of images before the graph
     * @param weights returns values by name, row-major (see {@link LayerGraph#weights} and {@link ProjectionHead})
     * @param metadata metadata about the training; architecture, preprocessing and version are added to them
     * @param layout the layout of the file
     * @throws IllegalArgumentException if the layout does not fit the network, or if the weights are larger than the 2 GB that one file
     *     can contain; {@link #write(Path, Architecture, Preprocessing, Function, Map, EncoderLayout)} writes larger ones
     */
    public static byte[] toBytes(
            Architecture net,
            Preprocessing preprocessing,
            Function<String, float[]> weights,
            Map<String, String> metadata,
            EncoderLayout layout) {
        if (weightBytes(net, preprocessing, layout) > ModelFile.LIMIT) {
            throw new IllegalArgumentException(
                    net.describe() + " has " + weightBytes(net, preprocessing, layout)
                            + " bytes of weights, but one ONNX file can contain only 2 GB: write it to a path, with external data");
        }
        return ModelChecksum.sign(model(net, preprocessing, weights, metadata, layout, UnaryOperator.identity()))
                .toByteArray();
    }

    /**
     * Writes an encoder file atomically. Weights larger than 2 GB are written as external data to a file beside it, which is named after
     * the file and its content.
     *
     * @param file the encoder file to write
     * @param net the architecture
     * @param preprocessing the preprocessing of images before the graph
     * @param weights returns values by name, row-major (see {@link LayerGraph#weights} and {@link ProjectionHead})
     * @param metadata metadata about the training; architecture, preprocessing and version are added to them
     * @param layout the layout of the file
     * @throws IOException if the file can't be written; the message names it
     */
    public static void write(
            Path file,
            Architecture net,
            Preprocessing preprocessing,
            Function<String, float[]> weights,
            Map<String, String> metadata,
            EncoderLayout layout)
            throws IOException {
        write(file, net, preprocessing, weights, metadata, layout, ModelFile.LIMIT);
    }

    public static void write(
            Path file,
            Architecture net,
            Preprocessing preprocessing,
            Function<String, float[]> weights,
            Map<String, String> metadata,
            EncoderLayout layout,
            long limit)
            throws IOException {
        ModelFile.write(
                file,
                weightBytes(net, preprocessing, layout),
                limit,
                store -> model(net, preprocessing, weights, metadata, layout, store));
    }

    private static LayerGraph network(Architecture net, Preprocessing preprocessing, EncoderLayout layout) {
        LayerGraph network = net.graph(preprocessing.size());
        if (layout.head() == null) {
            return network;
        }
        LayerGraph.Builder more = network.extend();
        layout.head().append(more, more.output(LayerGraph.FEATURES));
        return more.build();
    }

    private static long weightBytes(Architecture net, Preprocessing preprocessing, EncoderLayout layout) {
        return 4 * network(net, preprocessing, layout).parameters();
    }

    private static ModelProto model(
            Architecture net,
            Preprocessing preprocessing,
            Function<String, float[]> weights,
            Map<String, String> metadata,
            EncoderLayout layout,
            UnaryOperator<TensorProto> store) {
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
        LayerGraph network = network(net, preprocessing, layout);
        String result = layout.head() == null ? LayerGraph.FEATURES : ProjectionHead.PROJECTION;
        OnnxBackend.write(network, result, x, EncoderContract.OUTPUT, graph, layout.opset(), weights);
        int dimension = layout.head() == null ? net.dimension() : layout.head().dimension();
        graph.output(GraphBuilder.value(EncoderContract.OUTPUT, DataType.FLOAT, dimension));
        Map<String, String> all = new TreeMap<>(metadata);
        if (layout.classifier() != null) {
            classifier(graph, dimension, layout.classifier(), all);
        }
        all.put(EncoderMetadata.ARCHITECTURE, net.name());
        all.putAll(net.settings());
        all.put(EncoderMetadata.IMAGE_SIZE, Integer.toString(size));
        all.put(EncoderMetadata.RESIZE, Preprocessing.RULE);
        all.put(EncoderMetadata.LIBRARY_VERSION, LibraryVersion.current());
        if (layout.head() != null) {
            all.put(
                    EncoderMetadata.HEAD_LAYERS,
                    Integer.toString(layout.head().layers().size()));
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

    private static void classifier(
            GraphBuilder graph, int dimension, LinearClassifier linear, Map<String, String> metadata) {
        fits("The classifier", linear.dimension(), dimension);
        int classes = linear.labels().size();
        String logits = graph.node(
                "Gemm",
                List.of(
                        EncoderContract.OUTPUT,
                        graph.tensor(TensorValues.floats("classifier.weight", linear.weights(), classes, dimension)),
                        graph.tensor(TensorValues.floats("classifier.bias", linear.bias(), classes))),
                GraphBuilder.integer("transB", 1));
        graph.node("Softmax", List.of(logits), EncoderContract.PROBABILITIES, GraphBuilder.integer("axis", 1));
        graph.output(GraphBuilder.value(EncoderContract.PROBABILITIES, DataType.FLOAT, classes));
        for (int i = 0; i < classes; i++) {
            metadata.put("label." + i, linear.labels().get(i));
        }
    }

    private static void fits(String what, int takes, int dimension) {
        if (takes != dimension) {
            throw new IllegalArgumentException(
                    what + " takes " + takes + " values, but the encoder outputs " + dimension);
        }
    }

    private static String scalar(GraphBuilder graph, String name, float value) {
        return graph.tensor(TensorValues.floats(name, new float[] {value}));
    }
}
