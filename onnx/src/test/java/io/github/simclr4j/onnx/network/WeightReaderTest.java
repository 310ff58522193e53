// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.network;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.ByteString;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.onnx.file.InvalidEncoderException;
import io.github.simclr4j.onnx.file.Tensors;
import io.github.simclr4j.onnx.internal.TensorTypes;
import io.github.simclr4j.onnx.network.ResNet.Stem;
import io.github.simclr4j.onnx.runtime.Foreign;
import io.github.simclr4j.onnx.runtime.Graphs;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.onnx.runtime.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class WeightReaderTest {
    private static final double WIDTH = 2.0 / 64;

    static Stream<String> resnets() {
        return Foreign.names().stream()
                .filter(n -> Foreign.EXPECTED.getAsJsonObject(n).has("ours"));
    }

    private static WeightReader.Loaded read(byte[] bytes) throws IOException {
        return WeightReader.read(bytes, "test.onnx", null, null);
    }

    private static Set<String> names(Architecture net) {
        return net.graph(64).weights().stream().map(Weight::name).collect(Collectors.toSet());
    }

    /** The weights, put into a file of ours, give what PyTorch computed from the network with our scaling. */
    @ParameterizedTest
    @MethodSource("resnets")
    void theSameNetworkComesBack(String name) throws IOException {
        WeightReader.Loaded loaded = read(Foreign.model(name));
        Stem stem = name.contains("cifar") ? Stem.CIFAR : Stem.IMAGENET;
        assertEquals(new ResNet(Integer.parseInt(name.substring(6, 8)), WIDTH, stem), loaded.network());
        assertEquals(List.of(), loaded.missing());
        assertEquals(names(loaded.network()), loaded.weights().keySet());
        // All but the classifier is used; the dynamo exporter has a constant of its pooling too.
        long classifier =
                loaded.leftOver().stream().filter(s -> s.contains("[10")).count();
        assertEquals(
                name.contains("spatial") ? 0 : 2, classifier, loaded.leftOver().toString());
        assertTrue(loaded.leftOver().size() <= classifier + 1, loaded.leftOver().toString());
        int size = stem == Stem.CIFAR ? 32 : 64;
        byte[] ours = EncoderWriter.toBytes(loaded.network(), new Preprocessing(size), loaded.weights()::get, Map.of());
        float[][] expected = Foreign.expected(name, "ours");
        try (OnnxEncoder e = OnnxEncoder.open(ours, "ours", 1)) {
            double d = Foreign.largestDifference(expected, e.embed(Foreign.pictures(size)));
            assertTrue(d < 2e-5 * Foreign.largest(expected), name + ": " + d);
        }
    }

    @Test
    void ourOwnFileComesBack(@TempDir Path dir) throws IOException {
        for (int depth : new int[] {18, 50}) {
            ResNet net = new ResNet(depth, 1.0 / 32, Stem.CIFAR);
            byte[] bytes = EncoderWriter.toBytes(net, new Preprocessing(32), Weights.random(net), Map.of());
            Path file = Files.write(dir.resolve("ours.onnx"), bytes);
            WeightReader.Loaded loaded = WeightReader.read(file);
            assertEquals(net, loaded.network());
            assertEquals(List.of(), loaded.missing());
            assertEquals(List.of(), loaded.leftOver());
            byte[] again = EncoderWriter.toBytes(net, new Preprocessing(32), loaded.weights()::get, Map.of());
            try (OnnxEncoder a = OnnxEncoder.open(bytes, "a", 1);
                    OnnxEncoder b = OnnxEncoder.open(again, "b", 1)) {
                float[][] v = a.embed(Foreign.pictures(32));
                assertTrue(Foreign.largestDifference(v, b.embed(Foreign.pictures(32))) < 1e-5 * Foreign.largest(v));
            }
        }
    }

    /** Batch norm that is apart comes back bit by bit under torchvision's names, which that exporter happens to keep. */
    @Test
    void separateBatchNormIsKept() throws IOException {
        Map<String, float[]> weights = read(Foreign.model("resnet18-batchnorm")).weights();
        for (TensorProto t :
                Graphs.builder(Foreign.model("resnet18-batchnorm")).getGraph().getInitializerList()) {
            if (weights.containsKey(t.getName())) {
                assertArrayEquals(Tensors.floats(t, null, ""), weights.get(t.getName()), t.getName());
            }
        }
    }

    @Test
    void halfPrecisionIsWidened() throws IOException {
        Map<String, float[]> whole = read(Foreign.model("resnet18-folded")).weights();
        Map<String, float[]> half = read(Foreign.model("resnet18-half")).weights();
        for (Map.Entry<String, float[]> e : whole.entrySet()) {
            if (e.getKey().endsWith(".weight") && e.getKey().contains("conv")) {
                for (int i = 0; i < e.getValue().length; i++) {
                    assertEquals(e.getValue()[i], half.get(e.getKey())[i], 1e-3f * (1 + Math.abs(e.getValue()[i])));
                }
            }
        }
    }

    /** A third in the field of their type, a third in Constant nodes, a third beside the file. */
    @Test
    void valuesAreFoundWhereverTheyAre(@TempDir Path dir) throws IOException {
        byte[] good = Foreign.model("resnet18-cifar");
        java.io.ByteArrayOutputStream outside = new java.io.ByteArrayOutputStream();
        byte[] moved = Graphs.changed(good, b -> {
            GraphProto.Builder g = b.getGraphBuilder();
            for (int i = g.getInitializerCount() - 1; i >= 0; i--) {
                TensorProto t = g.getInitializer(i);
                byte[] raw = t.getRawData().toByteArray();
                TensorProto.Builder empty = t.toBuilder().clearRawData();
                if (i % 3 == 0) {
                    for (float f : floats(t)) {
                        empty.addFloatData(f);
                    }
                    g.setInitializer(i, empty);
                } else if (i % 3 == 1) {
                    g.removeInitializer(i);
                    g.addNode(
                            0,
                            Graphs.node("Constant", List.of(), List.of(t.getName()))
                                    .addAttribute(AttributeProto.newBuilder()
                                            .setName("value")
                                            .setType(AttributeProto.AttributeType.TENSOR)
                                            .setT(t)));
                } else {
                    String[][] entries = {
                        {"location", "w.bin"}, {"offset", "" + outside.size()}, {"length", "" + raw.length}
                    };
                    for (String[] e : entries) {
                        empty.addExternalDataBuilder().setKey(e[0]).setValue(e[1]);
                    }
                    g.setInitializer(i, empty.setDataLocation(TensorProto.DataLocation.EXTERNAL));
                    outside.writeBytes(raw);
                }
            }
        });
        Files.write(dir.resolve("w.bin"), outside.toByteArray());
        WeightReader.Loaded loaded = WeightReader.read(Files.write(dir.resolve("moved.onnx"), moved));
        assertEquals(List.of(), loaded.missing());
        read(good)
                .weights()
                .forEach((k, v) -> assertArrayEquals(v, loaded.weights().get(k), k));
    }

    /** Weights as int8 with a scale a channel, the way that quantised files have them. */
    @Test
    void quantisedWeightsAreScaled() throws IOException {
        byte[] good = Foreign.model("resnet18-cifar");
        byte[] quantised = Graphs.changed(good, b -> {
            GraphProto.Builder g = b.getGraphBuilder();
            for (int i = 0; i < g.getInitializerCount(); i++) {
                TensorProto t = g.getInitializer(i);
                if (t.getDimsCount() == 4) {
                    byte[] q = new byte[(int) TensorTypes.count(t)];
                    int each = q.length / (int) t.getDims(0);
                    float[] v = floats(t);
                    TensorProto.Builder scale = TensorProto.newBuilder()
                            .setName(t.getName() + "s")
                            .setDataType(Graphs.FLOAT)
                            .addDims(t.getDims(0));
                    for (int c = 0; c < t.getDims(0); c++) {
                        float s = 0;
                        for (int k = 0; k < each; k++) {
                            s = Math.max(s, Math.abs(v[c * each + k]) / 127);
                        }
                        scale.addFloatData(s);
                        for (int k = 0; k < each; k++) {
                            q[c * each + k] = (byte) Math.round(v[c * each + k] / s);
                        }
                    }
                    g.setInitializer(
                            i,
                            t.toBuilder()
                                    .setName(t.getName() + "q")
                                    .clearFloatData()
                                    .setDataType(TensorProto.DataType.INT8_VALUE)
                                    .setRawData(ByteString.copyFrom(q)));
                    g.addInitializer(scale);
                    g.addNode(
                            0,
                            NodeProto.newBuilder()
                                    .setOpType("DequantizeLinear")
                                    .addInput(t.getName() + "q")
                                    .addInput(t.getName() + "s")
                                    .addOutput(t.getName())
                                    .addAttribute(AttributeProto.newBuilder()
                                            .setName("axis")
                                            .setI(0)
                                            .setType(AttributeProto.AttributeType.INT)));
                }
            }
        });
        Map<String, float[]> expected = read(good).weights();
        WeightReader.Loaded loaded = read(quantised);
        assertEquals(List.of(), loaded.missing());
        for (String name : expected.keySet()) {
            if (!name.contains("bn") && !name.contains("downsample.1")) {
                float most = 0;
                for (float f : expected.get(name)) {
                    most = Math.max(most, Math.abs(f));
                }
                assertArrayEquals(expected.get(name), loaded.weights().get(name), most / 253, name);
            }
        }
    }

    private static float[] floats(TensorProto t) {
        try {
            return Tensors.floats(t, null, "");
        } catch (InvalidEncoderException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void anotherEpsilonAndABiasGiveTheSameFunction() throws IOException {
        // Epsilon 1e-3, and a bias of 2 in front of the norm whose mean is 2 higher: the function stays what it was but
        // for epsilon.
        byte[] changed = Graphs.changed(Foreign.model("resnet18-batchnorm"), b -> {
            for (NodeProto.Builder n : b.getGraphBuilder().getNodeBuilderList()) {
                if (n.getOpType().equals("BatchNormalization")) {
                    n.getAttributeBuilderList().stream()
                            .filter(a -> a.getName().equals("epsilon"))
                            .forEach(a -> a.setF(1e-3f));
                }
            }
            b.getGraphBuilder().getNodeBuilderList().stream()
                    .filter(n -> n.getOpType().equals("Conv"))
                    .findFirst()
                    .orElseThrow()
                    .addInput("two");
            b.getGraphBuilder()
                    .addInitializer(TensorProto.newBuilder()
                            .setName("two")
                            .setDataType(Graphs.FLOAT)
                            .addDims(2)
                            .addFloatData(2)
                            .addFloatData(2));
        });
        Map<String, float[]> a = read(Foreign.model("resnet18-batchnorm")).weights();
        Map<String, float[]> b = read(changed).weights();
        for (int i = 0; i < 2; i++) {
            assertEquals(a.get("bn1.running_mean")[i] - 2, b.get("bn1.running_mean")[i], 1e-6);
            assertEquals(a.get("bn1.running_var")[i] + 1e-3 - 1e-5, b.get("bn1.running_var")[i], 1e-6);
        }
    }

    @Test
    void whatDoesNotFitIsListed(@TempDir Path dir) throws IOException {
        Path file = Files.write(dir.resolve("r.onnx"), Foreign.model("resnet34-spatial"));
        WeightReader.Loaded loaded = WeightReader.read(file, new ResNet(18, WIDTH, Stem.CIFAR));
        assertEquals(List.of("conv1: expected the shape [2, 3, 3, 3], found [2, 3, 7, 7]"), loaded.missing());
        assertTrue(loaded.weights().containsKey("layer4.1.conv2.weight"));
        // Depth 34 has eight blocks more, of two convolutions with a bias each; and the stem.
        assertEquals(
                2 * (8 * 2 + 1), loaded.leftOver().size(), loaded.leftOver().toString());
        IOException e = assertThrows(
                InvalidEncoderException.class, () -> WeightReader.read(file, new ResNet(18, 1, Stem.CIFAR)));
        assertTrue(e.getMessage().contains("no layer that matches"), e.getMessage());
        for (String other : List.of("mobilenet-v2", "vit-tokens", "convnext", "densenet", "tensorflow-nhwc")) {
            e = assertThrows(InvalidEncoderException.class, () -> read(Foreign.model(other)), other);
            assertTrue(e.getMessage().contains("not a residual network"), e.getMessage());
        }
        assertThrows(InvalidEncoderException.class, () -> read(new byte[] {1, 2, 3}));
    }

    /** A chain of nodes that hand a value on, longer than the stack: in front of the network, and of a weight. */
    @Test
    void longChainsAreFollowed() throws IOException {
        byte[] good = Foreign.model("resnet18-cifar");
        byte[] chained = Graphs.changed(good, b -> {
            GraphProto.Builder g = b.getGraphBuilder();
            NodeProto.Builder conv = g.getNodeBuilderList().stream()
                    .filter(n -> n.getOpType().equals("Conv"))
                    .findFirst()
                    .get();
            for (int input = 0; input < 2; input++) {
                String x = conv.getInput(input);
                for (int i = 0; i < 20_000; i++) {
                    String y = "chain" + input + "." + i;
                    g.addNode(Graphs.node("Identity", List.of(x), List.of(y)));
                    x = y;
                }
                conv.setInput(input, x);
            }
        });
        WeightReader.Loaded loaded = read(chained);
        assertEquals(List.of(), loaded.missing());
        read(good)
                .weights()
                .forEach((k, v) -> assertArrayEquals(v, loaded.weights().get(k), k));
    }

    @Test
    void damagedNetworksAreRefused() {
        byte[] good = Foreign.model("resnet18-batchnorm");
        List<java.util.function.Consumer<GraphProto.Builder>> damages = List.of(
                g -> node(g, "BatchNormalization")
                        .clearInput()
                        .addInput(node(g, "Conv").getOutput(0)),
                g -> {
                    g.addNode(Graphs.node("Cast", List.of(), List.of("cast")));
                    node(g, "Conv").setInput(1, "cast");
                },
                g -> {
                    g.addInitializer(TensorProto.newBuilder()
                            .setName("none")
                            .setDataType(Graphs.FLOAT)
                            .addDims(0)
                            .addDims(3)
                            .addDims(7)
                            .addDims(7));
                    node(g, "Conv").setInput(1, "none");
                });
        for (java.util.function.Consumer<GraphProto.Builder> damage : damages) {
            byte[] bytes = Graphs.changed(good, b -> damage.accept(b.getGraphBuilder()));
            assertThrows(InvalidEncoderException.class, () -> read(bytes));
        }
    }

    private static NodeProto.Builder node(GraphProto.Builder g, String op) {
        return g.getNodeBuilderList().stream()
                .filter(n -> n.getOpType().equals(op))
                .findFirst()
                .orElseThrow();
    }
}
