// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.convert.Conversion;
import io.github.simclr4j.onnx.convert.Precision;
import io.github.simclr4j.onnx.file.ModelInspector;
import io.github.simclr4j.onnx.internal.GraphBuilder;
import io.github.simclr4j.onnx.internal.GraphChecker;
import io.github.simclr4j.onnx.internal.TensorShape;
import io.github.simclr4j.onnx.internal.TensorValues;
import io.github.simclr4j.onnx.network.EncoderWriter;
import io.github.simclr4j.onnx.network.ResNet;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The reference is ONNX Runtime with the graph as it was. */
@Tag("slow")
class WinogradTest {
    private static final RuntimeSettings DIRECT =
            RuntimeSettings.DEFAULT.withThreads(1).withWinograd(false);

    /** Three convolutions, of which the last two can be done with fewer multiplications, on maps of a quarter of the image. */
    static ModelProto small(int channels, int rows, int columns, int opset, NodeProto... more) {
        GraphBuilder g = new GraphBuilder("small", t -> t);
        g.input(GraphBuilder.value("image", TensorProto.DataType.FLOAT, 3, 4 * rows, 4 * columns));
        String x = "image";
        for (int i = 0; i < 3; i++) {
            x = g.node(
                    "Conv",
                    List.of(x, g.tensor(weights(i, i == 0 ? 3 : channels, channels))),
                    "conv" + i,
                    GraphBuilder.ints("strides", i == 0 ? 4 : 1, i == 0 ? 4 : 1),
                    GraphBuilder.ints("pads", 1, 1, 1, 1),
                    GraphBuilder.ints("kernel_shape", 3, 3));
            x = g.node("Relu", List.of(x), "relu" + i);
        }
        x = g.node("GlobalAveragePool", List.of(x), "pool");
        g.node("Flatten", List.of(x), "embedding");
        g.output(GraphBuilder.value("embedding", TensorProto.DataType.FLOAT, channels));
        ModelProto.Builder b = ModelProto.newBuilder()
                .setIrVersion(8)
                .setGraph(g.build())
                .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(opset));
        b.getGraphBuilder().addAllNode(List.of(more));
        return b.build();
    }

    private static TensorProto weights(int layer, int in, int out) {
        Random r = new Random(layer);
        float[] w = new float[out * in * 9];
        for (int i = 0; i < w.length; i++) {
            w[i] = (float) (r.nextGaussian() * Math.sqrt(2.0 / (9 * in)));
        }
        return TensorValues.floats("w" + layer, w, out, in, 3, 3);
    }

    private static ModelProto rewritten(byte[] bytes) throws IOException {
        ModelProto model = ModelProto.parseFrom(bytes);
        return Winograd.rewrite(model, GraphBinding.of(model, EncoderSettings.none(), null, "test"));
    }

    private static float[][] embed(byte[] bytes, int[] size, RuntimeSettings runtime) throws IOException {
        List<RgbImage> pictures = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            pictures.add(Foreign.picture(size[0], size[1], i));
        }
        try (OnnxEncoder e = OnnxEncoder.open(bytes, "test", EncoderSettings.none(), runtime)) {
            return e.embed(pictures);
        }
    }

    private static void assertSameEmbeddings(byte[] bytes, int... size) throws IOException {
        float[][] expected = embed(bytes, size, DIRECT);
        float[][] found = embed(bytes, size, DIRECT.withWinograd(true));
        double mean = Arrays.stream(expected)
                .mapToDouble(v -> IntStream.range(0, v.length)
                                .mapToDouble(i -> Math.abs(v[i]))
                                .sum()
                        / v.length)
                .average()
                .orElseThrow();
        double difference = Foreign.largestDifference(expected, found);
        assertTrue(difference < 2e-5 * mean, difference + " of " + mean);
        // Exactly the same would mean that nothing was rewritten.
        assertFalse(difference == 0 && DIRECT.withWinograd(true).fewerMultiplications());
    }

    private static double multiplications(ModelProto model) {
        Map<String, TensorShape> values = GraphChecker.shapes(model);
        return model.getGraph().getNodeList().stream()
                .filter(n -> n.getOpType().equals("Conv"))
                .mapToDouble(n -> {
                    double product = 1;
                    for (long d : values.get(n.getInput(1)).dims()) {
                        product *= d;
                    }
                    return product
                            * values.get(n.getOutput(0)).dims()[2]
                            * values.get(n.getOutput(0)).dims()[3];
                })
                .sum();
    }

    /** Rows that lines divide evenly and that they do not, in both forms, blocks of stride 1 and 2, shortcuts. */
    @ParameterizedTest
    @CsvSource({"CIFAR, 32", "CIFAR, 27", "IMAGENET, 96", "IMAGENET, 100"})
    void aResNetNeedsFewerAndGivesTheSame(ResNet.Stem stem, int side) throws IOException {
        ResNet net = new ResNet(18, 1, stem);
        byte[] bytes = EncoderWriter.toBytes(net, new Preprocessing(side), Encoders.weights(net, null), Map.of());
        ModelProto found = rewritten(bytes);
        assertEquals(List.of(), ModelInspector.check(found, null, bytes.length).problems());
        double part = multiplications(found) / multiplications(ModelProto.parseFrom(bytes));
        assertTrue(part > 0.5 && part < (side == 32 ? 0.66 : 0.8), "part of the multiplications " + part);
        assertSameEmbeddings(bytes, side, side);
    }

    /** Each number of rows and each way to split them, alone, with a free size in the file. */
    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13})
    void everyNumberOfRowsIsRight(int rows) throws IOException {
        ModelProto model = small(256, rows, 21, 17);
        assertTrue(multiplications(rewritten(model.toByteArray())) < 0.95 * multiplications(model));
        assertSameEmbeddings(model.toByteArray(), 4 * rows, 84);
    }

    @Test
    void aValueInsideStaysAnOutput() throws IOException {
        byte[] bytes = Graphs.changed(
                small(128, 8, 8, 17).toByteArray(),
                b -> b.getGraphBuilder().getNodeBuilder(6).setInput(0, "relu1"));
        assertSameEmbeddings(bytes, 32, 32);
        EncoderSettings inside = EncoderSettings.of(Map.of("output", "relu1", "pooling", "mean"), "argument");
        byte[] whole = small(128, 8, 8, 17).toByteArray();
        float[][] expected;
        try (OnnxEncoder e = OnnxEncoder.open(whole, "test", inside, DIRECT)) {
            expected = e.embed(List.of(Foreign.picture(32, 32, 1)));
        }
        try (OnnxEncoder e = OnnxEncoder.open(whole, "test", inside, DIRECT.withWinograd(true))) {
            assertArrayEquals(expected[0], e.embed(List.of(Foreign.picture(32, 32, 1)))[0], 1e-5f);
        }
    }

    /** The names of a file may be those that would be given. */
    @Test
    void namesDoNotCollide() throws IOException {
        byte[] bytes = Graphs.changed(small(128, 8, 8, 17).toByteArray(), b -> {
            b.getGraphBuilder().getNodeBuilder(0).setOutput(0, "lines_3");
            b.getGraphBuilder().getNodeBuilder(1).setInput(0, "lines_3").setName("lines__1");
        });
        assertEquals(
                List.of(),
                ModelInspector.check(rewritten(bytes), null, bytes.length).problems());
        assertSameEmbeddings(bytes, 32, 32);
    }

    /** Bottlenecks of small images win too little, other types have kernels of their own, and what is not understood is not touched. */
    @Test
    void whatDoesNotPayStaysAsItIs() throws IOException {
        ResNet bottlenecks = new ResNet(50, 1, ResNet.Stem.CIFAR);
        ResNet narrow = new ResNet(18, 0.25, ResNet.Stem.CIFAR);
        List<byte[]> same = new ArrayList<>();
        for (ResNet net : List.of(bottlenecks, narrow)) {
            same.add(EncoderWriter.toBytes(net, new Preprocessing(32), Encoders.weights(net, null), Map.of()));
        }
        same.add(new Conversion(Precision.FLOAT16, 0, true, null)
                .convert(small(128, 8, 8, 17))
                .toByteArray());
        same.add(small(128, 8, 8, 12).toByteArray());
        same.add(small(
                        128,
                        8,
                        8,
                        17,
                        NodeProto.newBuilder()
                                .setOpType("Relu")
                                .addInput("nowhere")
                                .addOutput("y")
                                .build())
                .toByteArray());
        same.add(Graphs.changed(
                small(128, 8, 8, 17).toByteArray(),
                b -> b.getGraphBuilder().getNodeBuilderList().stream()
                        .filter(n -> n.getOpType().equals("Conv"))
                        .forEach(n -> n.addAttribute(GraphBuilder.integer("group", 1))
                                .addAttribute(GraphBuilder.ints("dilations", 1, 1))
                                .getAttributeBuilder(1)
                                .setInts(0, 0)
                                .setInts(2, 2))));
        for (int i = 0; i < same.size(); i++) {
            ModelProto model = ModelProto.parseFrom(same.get(i));
            assertSame(
                    model,
                    Winograd.rewrite(model, GraphBinding.of(model, EncoderSettings.none(), null, "test")),
                    "case " + i);
        }
    }

    private static boolean uses(byte[] bytes, RuntimeSettings runtime) throws IOException {
        try (OnnxEncoder e = OnnxEncoder.open(bytes, "test", EncoderSettings.none(), runtime)) {
            return e.usesWinograd();
        }
    }

    @Test
    void anEncoderTellsWhetherItWasRewritten() throws IOException {
        byte[] bytes = small(128, 8, 8, 17).toByteArray();
        RuntimeSettings allowed = DIRECT.withWinograd(true);
        assertEquals(allowed.fewerMultiplications(), uses(bytes, allowed));
        assertFalse(uses(bytes, DIRECT));
        assertFalse(uses(small(128, 8, 8, 12).toByteArray(), allowed), "does not pay, or is not supported");
    }

    @Test
    void itIsForTheCpu() {
        assertFalse(RuntimeSettings.DEFAULT.withProvider("cuda").fewerMultiplications());
        assertFalse(DIRECT.fewerMultiplications());
        assertTrue(RuntimeSettings.DEFAULT.winograd());
    }
}
