// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.network;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.onnx.file.InvalidEncoderException;
import io.github.simclr4j.onnx.runtime.Foreign;
import io.github.simclr4j.onnx.runtime.Graphs;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A file whose network has all layers of an architecture and more, or computes something else with them. */
class DifferentNetworkTest {
    private static final ResNet.Stem CIFAR = ResNet.Stem.CIFAR;
    private static final ResNet NET = new ResNet(18, 1.0 / 32, CIFAR);

    private static byte[] write(Architecture net, EncoderLayout layout) {
        LayerGraph.Builder graph = net.graph(32).extend();
        if (layout.head() != null) {
            layout.head().append(graph, graph.output(LayerGraph.FEATURES));
        }
        return EncoderWriter.toBytes(net, new Preprocessing(32), RandomWeights.of(graph.build()), Map.of(), layout);
    }

    /** Returns a file without metadata, as other programs write it. */
    private static byte[] foreign(byte[] file) {
        return Graphs.changed(file, ModelProto.Builder::clearMetadataProps);
    }

    private static List<String> differences(byte[] file, Architecture net) throws InvalidEncoderException {
        WeightReader.Loaded loaded = WeightReader.read(file, "test.onnx", null, net);
        assertEquals(List.of(), loaded.missing(), net.describe());
        return loaded.differences();
    }

    private static void assertDiffers(byte[] file, Architecture net, String expected) throws InvalidEncoderException {
        List<String> found = differences(file, net);
        assertTrue(found.stream().anyMatch(d -> d.contains(expected)), net.describe() + ": " + found);
    }

    @Test
    void aDeeperNetworkDiffersFromAShallowerOne() throws InvalidEncoderException {
        List<Architecture> deep = List.of(
                new ResNet(34, 1.0 / 32, CIFAR),
                new ResNet(101, 1.0 / 32, CIFAR),
                new TwoTowers(new ResNet(34, 1.0 / 16, CIFAR), TwoTowers.Space.YCBCR),
                new PatchEncoder(new ResNet(34, 1.0 / 32, CIFAR), 8, 8),
                new AmdimEncoder(4, 32, 3),
                new VisionTransformer.Net("vit", 24, 13, 3, 16));
        List<Architecture> shallow = List.of(
                NET,
                new ResNet(50, 1.0 / 32, CIFAR),
                new TwoTowers(new ResNet(18, 1.0 / 16, CIFAR), TwoTowers.Space.YCBCR),
                new PatchEncoder(NET, 8, 8),
                new AmdimEncoder(4, 32, 2),
                new VisionTransformer.Net("vit", 24, 12, 3, 16));
        for (int i = 0; i < deep.size(); i++) {
            byte[] file = foreign(write(deep.get(i), EncoderLayout.DEFAULT));
            assertDiffers(file, shallow.get(i), " more convolutions");
            assertEquals(List.of(), differences(file, deep.get(i)));
        }
    }

    @Test
    void aHeadAndAClassifierBehindTheEncoderAreNoDifference() throws InvalidEncoderException {
        for (Architecture net : List.of(
                NET,
                new TwoTowers(new ResNet(18, 1.0 / 16, CIFAR), TwoTowers.Space.LAB),
                new PatchEncoder(NET, 8, 8),
                new AmdimEncoder(4, 32, 2),
                new MobileNetV3.Net(0.05, "cifar"),
                new VisionTransformer.Net("vit", 24, 2, 3, 16))) {
            // A head as wide as the encoder has dense layers like those of its attention.
            int d = net.dimension();
            LinearClassifier classifier = new LinearClassifier(new float[2 * d], new float[2], List.of("a", "b"));
            EncoderLayout layout = EncoderLayout.DEFAULT
                    .withHead(ProjectionHead.of(d, d, d, 3, false, true))
                    .withClassifier(classifier);
            assertEquals(List.of(), differences(write(net, layout), net), net.describe());
            assertEquals(List.of(), differences(foreign(write(net, layout)), net), net.describe());
        }
    }

    @Test
    void networksOfOtherProgramsWithClassifiersDoNotDiffer() throws InvalidEncoderException {
        for (String name : List.of("resnet18-folded", "resnet18-batchnorm", "resnet18-cifar", "resnet18-half")) {
            Architecture net =
                    WeightReader.read(Foreign.model(name), name, null, null).network();
            assertEquals(List.of(), differences(Foreign.model(name), net), name);
        }
    }

    @Test
    void maxPoolingThatTheStemDoesNotHaveIsADifference() throws InvalidEncoderException {
        byte[] pooled = foreign(Graphs.changed(write(NET, EncoderLayout.DEFAULT), b -> {
            GraphProto.Builder g = b.getGraphBuilder();
            String x = g.getNodeList().stream()
                    .filter(n -> n.getOpType().equals("Relu"))
                    .findFirst()
                    .orElseThrow()
                    .getOutput(0);
            for (NodeProto.Builder n : g.getNodeBuilderList()) {
                for (int i = 0; i < n.getInputCount(); i++) {
                    if (n.getInput(i).equals(x)) {
                        n.setInput(i, "pooled");
                    }
                }
            }
            List<NodeProto> nodes = List.copyOf(g.getNodeList());
            g.clearNode();
            for (NodeProto n : nodes) {
                g.addNode(n);
                if (n.getOutputList().contains(x)) {
                    g.addNode(Graphs.node("MaxPool", List.of(x), List.of("pooled"))
                            .addAttribute(Graphs.ints("kernel_shape", 3, 3))
                            .addAttribute(Graphs.ints("strides", 2, 2))
                            .addAttribute(Graphs.ints("pads", 1, 1, 1, 1)));
                }
            }
        }));
        assertDiffers(pooled, NET, "it has max pooling");
    }

    @Test
    void settingsWithoutWeightsAreComparedWithTheMetadata() throws InvalidEncoderException {
        TwoTowers lab = new TwoTowers(new ResNet(18, 1.0 / 16, CIFAR), TwoTowers.Space.LAB);
        TwoTowers ycbcr = new TwoTowers(lab.whole(), TwoTowers.Space.YCBCR);
        assertDiffers(write(ycbcr, EncoderLayout.DEFAULT), lab, "its colour_space is ycbcr, expected lab");
        PatchEncoder apart = new PatchEncoder(NET, 8, 8);
        PatchEncoder overlapping = new PatchEncoder(NET, 8, 4);
        assertDiffers(write(apart, EncoderLayout.DEFAULT), overlapping, "its patch_stride is 8, expected 4");
        assertDiffers(
                write(new VisionTransformer.Net("six", 24, 2, 6, 16), EncoderLayout.DEFAULT),
                new VisionTransformer.Net("three", 24, 2, 3, 16),
                "its architecture is six, expected three");
    }
}
