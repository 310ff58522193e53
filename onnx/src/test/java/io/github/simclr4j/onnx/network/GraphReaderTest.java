// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.network;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.onnx.file.InvalidEncoderException;
import io.github.simclr4j.onnx.runtime.Foreign;
import io.github.simclr4j.onnx.runtime.Graphs;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Reads what src/test/python/export_families.py exported from torchvision and timm, with PyTorch's own features. */
class GraphReaderTest {
    private static final VisionTransformer.Net VIT = new VisionTransformer.Net("vit", 24, 2, 3, 8);
    private static final MobileNetV3.Net MOBILENET = new MobileNetV3.Net(0.05, "imagenet");
    private static final JsonObject EXPECTED = JsonParser.parseString(
                    new String(resource("expected.json"), StandardCharsets.UTF_8))
            .getAsJsonObject();

    private static byte[] resource(String file) {
        try (InputStream in = GraphReaderTest.class.getResourceAsStream("/io/github/simclr4j/onnx/families/" + file)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Architecture net(String name) {
        return name.equals("vit") ? VIT : MOBILENET;
    }

    private static WeightReader.Loaded read(byte[] bytes, Architecture net) throws InvalidEncoderException {
        return WeightReader.read(bytes, "test.onnx", null, net);
    }

    private static byte[] write(Architecture net, int size, Map<String, float[]> weights, int opset) {
        return EncoderWriter.toBytes(
                net, new Preprocessing(size), weights::get, Map.of(), EncoderLayout.DEFAULT.withOpset(opset));
    }

    private static float[][] embed(byte[] file, int size) throws IOException {
        try (OnnxEncoder e = OnnxEncoder.open(file, "ours", 1)) {
            return e.embed(Foreign.pictures(size));
        }
    }

    private static void assertClose(float[][] expected, float[][] found, double relative, String what) {
        double d = Foreign.largestDifference(expected, found) / Foreign.largest(expected);
        assertTrue(d < relative, what + ": " + d);
    }

    /** The weights, put into a file of ours of any opset, give the features that PyTorch computed. */
    @ParameterizedTest
    @CsvSource({"mobilenet, 13", "mobilenet, 17-kept", "mobilenet, dynamo", "vit, 13", "vit, 17-kept", "vit, dynamo"})
    void whatPyTorchExportedGivesItsFeatures(String name, String kind) throws IOException {
        WeightReader.Loaded loaded = read(resource(name + "-" + kind + ".onnx"), net(name));
        assertEquals(List.of(), loaded.missing());
        int size = EXPECTED.getAsJsonObject(name).get("size").getAsInt();
        assertEquals(
                net(name).graph(size).weights().stream().map(Weight::name).collect(Collectors.toSet()),
                loaded.weights().keySet());
        // Nothing but the classifier's weights and bias is left.
        assertEquals(2, loaded.leftOver().size(), loaded.leftOver().toString());
        assertTrue(
                loaded.leftOver().stream().allMatch(s -> s.contains("[3")),
                loaded.leftOver().toString());
        float[][] expected = new Gson().fromJson(EXPECTED.getAsJsonObject(name).get("features"), float[][].class);
        for (int opset : new int[] {13, 14, 17, 18, 26}) {
            float[][] found = embed(write(net(name), size, loaded.weights(), opset), size);
            assertClose(expected, found, 1e-5, name + " " + kind + " " + opset);
        }
    }

    /** A batch norm that is apart, and every weight that is nowhere folded, comes back bit by bit, as its name there shows. */
    @ParameterizedTest
    @ValueSource(strings = {"mobilenet-17-kept", "vit-17-kept"})
    void whatIsNotFoldedIsKept(String file) throws IOException {
        Map<String, float[]> weights =
                read(resource(file + ".onnx"), net(file.split("-")[0])).weights();
        int compared = 0;
        for (TensorProto t : Graphs.builder(resource(file + ".onnx")).getGraph().getInitializerList()) {
            if (weights.containsKey(t.getName())) {
                float[] raw = new float[t.getRawData().size() / 4];
                t.getRawData()
                        .asReadOnlyByteBuffer()
                        .order(java.nio.ByteOrder.LITTLE_ENDIAN)
                        .asFloatBuffer()
                        .get(raw);
                assertArrayEquals(raw, weights.get(t.getName()), t.getName());
                compared++;
            }
        }
        assertTrue(compared > 15, "compared " + compared);
    }

    /** The order of independent nodes in a file, and of a sum's operands, says nothing. */
    @ParameterizedTest
    @ValueSource(strings = {"mobilenet-17-kept", "mobilenet-dynamo", "vit-13", "vit-dynamo"})
    void swappedOperandsAreTheSameNetwork(String file) throws IOException {
        byte[] good = resource(file + ".onnx");
        byte[] swapped = Graphs.changed(good, b -> {
            for (NodeProto.Builder n : b.getGraphBuilder().getNodeBuilderList()) {
                if (n.getOpType().equals("Add") || n.getOpType().equals("Mul")) {
                    String first = n.getInput(0);
                    n.setInput(0, n.getInput(1)).setInput(1, first);
                }
            }
        });
        Architecture net = net(file.split("-")[0]);
        Map<String, float[]> expected = read(good, net).weights();
        WeightReader.Loaded loaded = read(swapped, net);
        assertEquals(List.of(), loaded.missing());
        expected.forEach(
                (name, values) -> assertArrayEquals(values, loaded.weights().get(name), name));
    }

    @ParameterizedTest
    @CsvSource({"mobilenet, 13", "mobilenet, 20", "vit, 13", "vit, 20"})
    void ourOwnFileComesBack(String name, int opset) throws IOException {
        Architecture net = net(name);
        Map<String, float[]> weights = net.graph(32).weights().stream()
                .collect(Collectors.toMap(
                        Weight::name, w -> RandomWeights.of(net.graph(32)).apply(w.name())));
        byte[] file = write(net, 32, weights, opset);
        WeightReader.Loaded loaded = read(file, net);
        assertEquals(List.of(), loaded.missing());
        assertEquals(List.of(), loaded.leftOver());
        assertClose(embed(file, 32), embed(write(net, 32, loaded.weights(), opset), 32), 1e-5, name);
    }

    /** A file that says nothing of itself is recognised by its layers; head and classifier don't hide them. */
    @Test
    void theArchitectureIsFoundOut(@TempDir Path dir) throws IOException {
        for (Architecture net : List.of(
                new MobileNetV3.Net(0.05, "cifar"),
                new MobileNetV3.Net(0.35, "imagenet"),
                VisionTransformer.Net.tiny(16),
                new ResNet(34, 1.0 / 32, ResNet.Stem.CIFAR))) {
            int d = net.dimension();
            ProjectionHead head = ProjectionHead.of(d, 16, 8, 2, false, true);
            LayerGraph.Builder more = net.graph(32).extend();
            head.append(more, more.output(LayerGraph.FEATURES));
            byte[] file = EncoderWriter.toBytes(
                    net,
                    new Preprocessing(32),
                    RandomWeights.of(more.build()),
                    Map.of(),
                    EncoderLayout.DEFAULT
                            .withHead(head)
                            .withClassifier(new LinearClassifier(new float[16], new float[2], List.of("a", "b"))));
            ModelProto.Builder anonymous = Graphs.builder(file).clearMetadataProps();
            WeightReader.Loaded loaded = WeightReader.read(
                    Files.write(dir.resolve("e.onnx"), anonymous.build().toByteArray()));
            // A width that makes the same channels is as good.
            assertEquals(net.graph(32).weights(), loaded.network().graph(32).weights(), net.describe());
            assertEquals(net.name(), loaded.network().name());
            assertEquals(List.of(), loaded.missing());
        }
    }

    @Test
    void aDeeperNetworkIsNotTakenForAShallowerOne() {
        Architecture deep = new VisionTransformer.Net("vit-deep", 192, 13, 3, 16);
        byte[] file = EncoderWriter.toBytes(deep, new Preprocessing(32), RandomWeights.of(deep.graph(32)), Map.of());
        InvalidEncoderException e = assertThrows(InvalidEncoderException.class, () -> read(file, null));
        assertTrue(
                e.getMessage().contains("not a residual network")
                        && e.getMessage().contains("vit-tiny"),
                e.getMessage());
    }

    @Test
    void positionEmbeddingsOfAnotherImageSizeAreRefused() throws IOException {
        for (String kind : List.of("13", "dynamo")) {
            byte[] file = resource("vit-" + kind + ".onnx");
            InvalidEncoderException e =
                    assertThrows(InvalidEncoderException.class, () -> WeightReader.read(file, "v.onnx", null, VIT, 64));
            assertEquals(
                    "v.onnx is for images of 32x32 pixels: its pos_embed has the shape [17, 24], images of 64x64 need"
                            + " [65, 24]; choose the image size 32",
                    e.getMessage());
            assertEquals(
                    List.of(), WeightReader.read(file, "v.onnx", null, VIT, 32).missing());
        }
        // Convolutions have no size.
        assertEquals(
                List.of(),
                WeightReader.read(resource("mobilenet-13.onnx"), "m.onnx", null, MOBILENET, 96)
                        .missing());
    }

    @Test
    void whatDoesNotFitIsListed() throws IOException {
        WeightReader.Loaded loaded = read(resource("mobilenet-13.onnx"), new MobileNetV3.Net(0.05, "cifar"));
        assertEquals(
                List.of(
                        "features.0.0: expected the shape [8, 3, 3, 3], stride 1, padding 1, groups 1, found [8, 3, 3, 3],"
                                + " stride 2, padding 1, groups 1"),
                loaded.missing());
        assertTrue(loaded.weights().containsKey("features.16.0.weight"));
        loaded = read(resource("vit-13.onnx"), new VisionTransformer.Net("vit", 24, 2, 3, 4));
        assertEquals(
                List.of(
                        "patch_embed.proj: expected the shape [24, 3, 4, 4], stride 4, padding 0, groups 1, found"
                                + " [24, 3, 8, 8], stride 8, padding 0, groups 1",
                        "pos_embed: expected the shape [65, 24], found [17, 24]"),
                loaded.missing());
        assertTrue(loaded.weights().containsKey("blocks.1.mlp.fc2.bias"));
    }

    @Test
    void anotherArchitectureIsRefused() {
        List<byte[]> files =
                List.of(resource("mobilenet-13.onnx"), resource("vit-dynamo.onnx"), Foreign.model("resnet18-cifar"));
        List<Architecture> others = List.of(
                VisionTransformer.Net.tiny(16), new MobileNetV3.Net(1, "imagenet"), VisionTransformer.Net.small(4));
        for (int i = 0; i < files.size(); i++) {
            byte[] file = files.get(i);
            Architecture other = others.get(i);
            InvalidEncoderException e = assertThrows(InvalidEncoderException.class, () -> read(file, other));
            assertTrue(e.getMessage().contains("has no layer that matches " + other.describe()), e.getMessage());
            assertThrows(InvalidEncoderException.class, () -> read(file, new ResNet(50, 1, ResNet.Stem.IMAGENET)));
        }
    }

    /** Chains of nodes that hand a value on are longer than the stack. */
    @Test
    void longChainsAreFollowed() throws IOException {
        byte[] good = resource("vit-13.onnx");
        byte[] chained = Graphs.changed(good, b -> {
            GraphProto.Builder g = b.getGraphBuilder();
            NodeProto.Builder conv = g.getNodeBuilderList().stream()
                    .filter(n -> n.getOpType().equals("Conv"))
                    .findFirst()
                    .get();
            for (int input = 0; input < 2; input++) {
                String x = conv.getInput(input);
                List<NodeProto> chain = new java.util.ArrayList<>();
                for (int i = 0; i < 20_000; i++) {
                    String y = "chain" + input + "." + i;
                    chain.add(Graphs.node("Identity", List.of(x), List.of(y)).build());
                    x = y;
                }
                conv.setInput(input, x);
                List<NodeProto> rest = List.copyOf(g.getNodeList());
                g.clearNode().addAllNode(chain).addAllNode(rest);
            }
        });
        assertEquals(List.of(), read(chained, VIT).missing());
    }

    /** Whatever is changed in a graph, it is read or refused with the exception for that. */
    @ParameterizedTest
    @ValueSource(strings = {"mobilenet-17-kept", "vit-13", "vit-dynamo"})
    void damagedGraphsAreReadOrRefused(String file) {
        byte[] good = resource(file + ".onnx");
        Architecture net = net(file.split("-")[0]);
        int refused = 0;
        for (int seed = 0; seed < 120; seed++) {
            Random random = new Random(seed);
            byte[] damaged = Graphs.changed(good, b -> damage(b.getGraphBuilder(), random));
            try {
                read(damaged, net);
                read(damaged, null);
            } catch (InvalidEncoderException e) {
                refused++;
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
        assertTrue(refused > 40, refused + " refused");
    }

    private static void damage(GraphProto.Builder g, Random random) {
        NodeProto.Builder node = g.getNodeBuilder(random.nextInt(g.getNodeCount()));
        TensorProto.Builder tensor = g.getInitializerBuilder(random.nextInt(g.getInitializerCount()));
        switch (random.nextInt(7)) {
            case 0 -> node.clearInput();
            case 1 -> node.addInput(g.getNode(random.nextInt(g.getNodeCount())).getOutput(0));
            case 2 -> node.setOpType(g.getNode(random.nextInt(g.getNodeCount())).getOpType());
            case 3 -> node.clearAttribute();
            case 4 -> tensor.clearRawData().clearFloatData();
            case 5 -> tensor.clearDims().addDims(random.nextInt(4)).addDims(-random.nextInt(2));
            default -> {
                if (node.getInputCount() > 0) {
                    node.setInput(random.nextInt(node.getInputCount()), tensor.getName());
                }
            }
        }
    }
}
