// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.network;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.onnx.network.Layer;
import io.github.simclr4j.onnx.network.LayerGraph;
import io.github.simclr4j.onnx.network.ProjectionHead;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.onnx.network.Weight;
import io.github.simclr4j.train.loss.Anchors;
import io.github.simclr4j.train.loss.Losses;
import io.github.simclr4j.train.network.Network.Computation;
import io.github.simclr4j.train.optim.Averages;
import io.github.simclr4j.train.settings.Head;
import io.github.simclr4j.train.testing.Golden;
import io.github.simclr4j.train.testing.Small;
import io.github.simclr4j.train.torch.Gradients;
import io.github.simclr4j.train.torch.Torch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a network consists of, what it starts with, how it follows another one, and its gradients. */
class NetworkTest {
    private static final Head NONE = new Head(0, 0, 1, true, 0);

    @BeforeEach
    void noGradient() {
        Torch.noGradient();
    }

    private static Network network(ResNet net, Head head, boolean zeroGamma, long seed) {
        return new Network(head.behind(net.graph(32)), zeroGamma, Computation.cpu(), seed);
    }

    private static long trained(Network network) {
        return network.trained().values().stream()
                .mapToLong(a -> a.getShape().size())
                .sum();
    }

    /** Goyal et al. 2017, section 5.1. Names as in torchvision: a block's last batch norm is bn2 of two or bn3 of three. */
    @ParameterizedTest
    @CsvSource({"18, bn2, 8", "50, bn3, 16"})
    void onlyTheLastBatchNormOfEachBlockStartsAtZero(int depth, String last, int blocks) {
        ResNet net = new ResNet(depth, 1.0 / 16, ResNet.Stem.CIFAR);
        for (boolean zero : new boolean[] {true, false}) {
            try (Network network = network(net, Head.simclr(16), zero, 1)) {
                Set<String> atZero = new TreeSet<>();
                network.trained().forEach((name, w) -> {
                    boolean gamma = w.getShape().dimension() == 1 && name.endsWith(".weight");
                    float[] values = w.toFloatArray();
                    if (gamma && values[0] == 0) {
                        assertArrayEquals(new float[values.length], values, name);
                        atZero.add(name);
                    } else if (gamma) {
                        float[] ones = new float[values.length];
                        Arrays.fill(ones, 1);
                        assertArrayEquals(ones, values, name);
                    }
                });
                assertEquals(zero ? blocks : 0, atZero.size(), atZero.toString());
                atZero.forEach(name ->
                        assertEquals(name.replaceAll("^(layer[1-4]\\.\\d+\\.).*$", "$1" + last + ".weight"), name));
            }
        }
    }

    /**
     * Parameters of torchvision's BasicBlock and Bottleneck networks without their classifier, with every number of channels
     * multiplied, and for "cifar" a 3x3 first convolution; counted by torchvision 0.29.1.
     */
    @ParameterizedTest
    @CsvSource({
        "18, 0.0625, CIFAR, 44292",
        "18, 0.25, CIFAR, 700176",
        "34, 0.125, IMAGENET, 335464",
        "50, 0.0625, CIFAR, 95012",
        "50, 0.0625, IMAGENET, 95492",
        "101, 0.0625, CIFAR, 172260"
    })
    void anEncoderHasAsManyParametersAsTorchvisions(int depth, double width, ResNet.Stem stem, long parameters) {
        ResNet net = new ResNet(depth, width, stem);
        assertEquals(parameters, net.parameters());
        try (Network network = network(net, NONE, true, 1)) {
            assertEquals(parameters, trained(network));
        }
    }

    @Test
    void widerEncodersAreAsLargeAsThePublishedOnes() {
        // Chen et al. 2020, table 6: ResNet-50 of width 1, 2 and 4 has 24, 94 and 375 million.
        long[] millions = {24, 94, 375};
        for (int i = 0; i < 3; i++) {
            long parameters = new ResNet(50, 1 << i, ResNet.Stem.IMAGENET).parameters();
            assertEquals(millions[i], Math.round(parameters / 1e6));
        }
    }

    /**
     * On features of 32 numbers. A dense layer has in * out weights; with batch norm a scale and a shift for each output, but
     * for the last layer, which has no shift; without it a bias for each output.
     */
    @ParameterizedTest
    @CsvSource({
        // layers, hidden, out, batch norm, parameters, length of a projection
        "0, 0, 16, true, 0, 32",
        // 32 * 16 + 16 either way.
        "1, 0, 16, true, 528, 16",
        "1, 0, 16, false, 528, 16",
        // 32 * 32 + 2 * 32 + 32 * 16 + 16, and 32 * 32 + 32 + 32 * 16 + 16: a hidden width of 0 is the features'.
        "2, 0, 16, true, 1616, 16",
        "2, 0, 16, false, 1584, 16",
        // 32 * 24 + 2 * 24 + 24 * 16 + 16, and 32 * 24 + 24 + 24 * 16 + 16.
        "2, 24, 16, true, 1216, 16",
        "2, 24, 16, false, 1192, 16",
        // 32 * 24 + 2 * 24 + 24 * 24 + 2 * 24 + 24 * 16 + 16, and with 24 in place of 2 * 24.
        "3, 24, 16, true, 1840, 16",
        "3, 24, 16, false, 1792, 16"
    })
    void aHeadHasTheParametersOfItsLayers(int layers, int hidden, int out, boolean norm, long parameters, int length) {
        Head head = new Head(layers, hidden, out, norm, 0);
        assertEquals(length, head.projection(32));
        try (Network network = network(Small.NET, head, true, 1)) {
            assertEquals(parameters, trained(network) - Small.NET.parameters());
        }
    }

    /** this = m * this + (1 - m) * other: of all tensors, or of those alone that are trained (He et al. 2020, equation 2). */
    @ParameterizedTest
    @CsvSource({"true, 0", "true, 0.75", "true, 0.99", "false, 0", "false, 0.75", "false, 0.99"})
    void aNetworkFollowsAnotherByTheMomentum(boolean all, double momentum) {
        try (Network other = network(Small.NET, Head.simclr(16), false, 1);
                Network network = network(Small.NET, Head.simclr(16), false, 2)) {
            // Batch norm's tensors are made to differ as well.
            other.tensors().values().forEach(a -> a.muli(3).addi(0.25));
            Map<String, float[]> before = new HashMap<>();
            network.tensors().forEach((name, a) -> before.put(name, a.toFloatArray()));
            if (all) {
                Averages.move(network.tensors(), other.tensors(), momentum);
            } else {
                Averages.move(network.trained(), other.trained(), momentum);
            }
            for (Map.Entry<String, NDArray> e : network.tensors().entrySet()) {
                boolean moves = all || network.trained().containsKey(e.getKey());
                float[] expected = before.get(e.getKey());
                float[] theirs = other.values(e.getKey());
                for (int i = 0; moves && i < expected.length; i++) {
                    expected[i] = (float) (momentum * expected[i] + (1 - momentum) * theirs[i]);
                }
                Golden.same(expected, e.getValue().toFloatArray(), 1e-6, 0, e.getKey());
            }
        }
    }

    @Test
    void aCopyHasTheSameValuesAndGoesItsOwnWay() {
        try (Network network = network(Small.NET, Head.simclr(16), false, 1);
                Network copy = network.copy();
                Network encoder = network.copy(Small.NET.graph(32), false)) {
            network.tensors().forEach((name, a) -> assertArrayEquals(a.toFloatArray(), copy.values(name), name));
            assertEquals(network.trained().keySet(), copy.trained().keySet());
            copy.trained().forEach((name, w) -> assertTrue(w.hasGradient(), name));
            encoder.tensors().forEach((name, a) -> assertArrayEquals(network.values(name), a.toFloatArray(), name));
            encoder.trained().forEach((name, w) -> assertFalse(w.hasGradient(), name));
            float[] before = network.values("conv1.weight");
            copy.tensors().get("conv1.weight").muli(0);
            assertArrayEquals(before, network.values("conv1.weight"));
        }
    }

    /** Gradients of all weights for a loss of some images, which are finite. */
    private static Map<String, float[]> gradients(Network network, NDArray x, boolean contrastive) {
        NDArray loss = Torch.recording(() -> {
            NDArray z = network.run(x, new Network.Pass(true, 1, true, null), ProjectionHead.PROJECTION)
                    .get(0);
            return contrastive ? Losses.ntXent(Anchors.all(z), 0.5) : z.square().sum();
        });
        List<String> names = new ArrayList<>(network.trained().keySet());
        List<NDArray> all =
                Gradients.of(new NDList(loss), null, network.trained().values(), x.getManager());
        assertEquals(names.size(), all.size());
        Map<String, float[]> gradients = new HashMap<>();
        for (int i = 0; i < names.size(); i++) {
            float[] g = all.get(i).toFloatArray();
            for (float v : g) {
                assertTrue(Float.isFinite(v), names.get(i));
            }
            gradients.put(names.get(i), g);
        }
        return gradients;
    }

    /** The widths give numbers of channels that libtorch's blocks of 16 do not divide. */
    @ParameterizedTest
    @CsvSource({"0.0625, CHANNELS_LAST", "0.0625, CHANNELS_FIRST", "0.3, CHANNELS_LAST", "0.3, CHANNELS_FIRST"})
    void whatMemoryHeldBeforeDoesNotReachTheGradient(double width, MemoryLayout layout) {
        LayerGraph graph = Head.simclr(16).behind(new ResNet(18, width, ResNet.Stem.CIFAR).graph(32));
        Computation computation = new Computation(ai.djl.Device.cpu(), Precision.FLOAT32, layout);
        for (int i = 0; i < 4; i++) {
            try (Network network = new Network(graph, false, computation, 1);
                    NDManager m = network.manager().newSubManager()) {
                try (NDManager freed = network.manager().newSubManager()) {
                    for (int size = 1 << 10; size <= 1 << 21; size *= 2) {
                        for (int k = 0; k < 8; k++) {
                            freed.full(new Shape(size), Float.NaN);
                        }
                    }
                }
                gradients(network, Small.pixels(m, Small.drawings(16)), true);
            }
        }
    }

    /** libtorch's 1x1 convolutions with a stride kill the process at these numbers of channels. */
    @Test
    @Tag("slow")
    void aFullResNet50Learns() {
        LayerGraph graph = Head.simclr(16).behind(new ResNet(50, 1, ResNet.Stem.CIFAR).graph(16));
        try (Network network = new Network(graph, true, Computation.cpu(), 1);
                NDManager m = network.manager().newSubManager()) {
            // The published 23,508,032, of which the first convolution has 7 * 7 * 3 * 64 and not 3 * 3 * 3 * 64.
            assertEquals(
                    23_508_032 - 9_408 + 1_728,
                    network.trained().entrySet().stream()
                            .filter(e -> !e.getKey().startsWith("head."))
                            .mapToLong(e -> e.getValue().getShape().size())
                            .sum());
            gradients(network, Small.pixels(m, Small.drawings(2)).get(":, :, ::2, ::2"), false);
        }
    }

    /** As PyTorch has it, a batch's statistics come with the pass, and a pass without a collector leaves nothing behind. */
    @Test
    void evaluationReadsTheRunningStatisticsAndLeavesThemAsTheyAre() {
        try (Network network = network(Small.NET, Head.simclr(16), false, 1);
                NDManager m = network.manager().newSubManager()) {
            float[] before = network.values("bn1.running_mean");
            NDArray x = Small.pixels(m, Small.drawings(8));
            float[] first = network.run(x, Network.Pass.EVALUATION, LayerGraph.FEATURES)
                    .get(0)
                    .toFloatArray();
            // What stands beside an image does not change its features.
            float[] alone = network.run(x.get("0:1"), Network.Pass.EVALUATION, LayerGraph.FEATURES)
                    .get(0)
                    .toFloatArray();
            Golden.same(alone, Arrays.copyOf(first, alone.length), 1e-5, 0, "alone");
            assertArrayEquals(before, network.values("bn1.running_mean"));
        }
    }

    /** Images of 4x4 in patches of 2x2 that overlap by one pixel; a row and a column of zeros in front of the image. */
    @Test
    void patchesAreThoseOfThePaddedImage() {
        for (Precision precision : new Precision[] {Precision.FLOAT32, Precision.BFLOAT16, Precision.FLOAT64}) {
            LayerGraph.Builder g = LayerGraph.builder();
            LayerGraph.Node x = g.add(new Layer.Pad(1, 1, 0), g.input(3, 3, 4));
            x = g.add(new Layer.IntoBatch(), g.add(new Layer.Patches(2, 1), g.add(new Layer.Pad(2, 0, 1), x)));
            x = g.add(new Layer.Reshape(List.of(12, 12)), g.add(new Layer.OutOfBatch(12), x));
            // A network has weights.
            LayerGraph.Node zeros = g.add(new Layer.Learned("zeros", List.of(12, 12), new Weight.Constant(0)));
            LayerGraph graph =
                    g.output("values", g.add(new Layer.Add(), x, zeros)).build();
            try (Network network = new Network(
                            graph, false, new Computation(Device.cpu(), precision, MemoryLayout.CHANNELS_LAST), 1);
                    NDManager m = Torch.engine().newBaseManager(Device.cpu())) {
                float[] images = new float[2 * 36];
                for (int i = 0; i < images.length; i++) {
                    images[i] = i / 128f;
                }
                NDArray out = network.run(m.create(images, new Shape(2, 3, 3, 4)), Network.Pass.EVALUATION, "values")
                        .get(0);
                double[] values = out.toType(DataType.FLOAT64, true).toDoubleArray();
                for (int k = 0; k < values.length; k++) {
                    int patch = k / 12 % 12;
                    int row = patch / 4 + k % 4 / 2 - 1;
                    int column = patch % 4 + k % 2;
                    int channel = k / 4 % 3;
                    double expected = row < 0 || column > 3
                            ? 0
                            : (images[k / 144 * 36 + channel * 12 + row * 4 + column] - Preprocessing.MEAN)
                                    / Preprocessing.DEVIATION;
                    assertEquals(
                            expected,
                            values[k],
                            precision == Precision.BFLOAT16 ? 0.02 : 1e-6,
                            precision + " value " + k);
                }
            }
        }
    }
}
