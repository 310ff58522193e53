package io.github.simclr4j.train.network;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.train.Golden;
import io.github.simclr4j.train.Small;
import io.github.simclr4j.train.loop.Batch;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a network consists of, what it starts with, and how it follows another one. */
class NetworkTest {
    private static final Head NONE = new Head(0, 0, 1, true, 0);

    private static Network network(ResNet net, Head head, boolean zeroGamma, long seed) {
        return new Network(net, head, zeroGamma, Device.cpu(), DataType.FLOAT32, seed);
    }

    private static long trained(Network network) {
        return network.trained().values().stream().mapToLong(a -> a.getShape().size()).sum();
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
                atZero.forEach(name -> assertEquals(
                        name.replaceAll("^(layer[1-4]\\.\\d+\\.).*$", "$1" + last + ".weight"), name));
            }
        }
    }

    /**
     * Parameters of torchvision's BasicBlock and Bottleneck networks without their classifier, with every number of channels
     * multiplied, and for "cifar" a 3x3 first convolution; counted by torchvision 0.29.1.
     */
    @ParameterizedTest
    @CsvSource({
        "18, 0.0625, CIFAR, 44292", "18, 0.25, CIFAR, 700176", "34, 0.125, IMAGENET, 335464", "50, 0.0625, CIFAR, 95012",
        "50, 0.0625, IMAGENET, 95492", "101, 0.0625, CIFAR, 172260"})
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
     * On features of 32 numbers. A dense layer has in * out weights; with batch norm a scale and a shift for each output, but for the
     * last layer, which has no shift; without it a bias for each output.
     */
    @ParameterizedTest
    @CsvSource({
        // layers, hidden, out, batch norm, parameters, length of a projection
        "0, 0, 16, true, 0, 32",
        // 32 * 16 + 16 either way.
        "1, 0, 16, true, 528, 16", "1, 0, 16, false, 528, 16",
        // 32 * 32 + 2 * 32 + 32 * 16 + 16, and 32 * 32 + 32 + 32 * 16 + 16: a hidden width of 0 is the features'.
        "2, 0, 16, true, 1616, 16", "2, 0, 16, false, 1584, 16",
        // 32 * 24 + 2 * 24 + 24 * 16 + 16, and 32 * 24 + 24 + 24 * 16 + 16.
        "2, 24, 16, true, 1216, 16", "2, 24, 16, false, 1192, 16",
        // 32 * 24 + 2 * 24 + 24 * 24 + 2 * 24 + 24 * 16 + 16, and with 24 in place of 2 * 24.
        "3, 24, 16, true, 1840, 16", "3, 24, 16, false, 1792, 16"})
    void aHeadHasTheParametersOfItsLayers(int layers, int hidden, int out, boolean norm, long parameters, int length) {
        Head head = new Head(layers, hidden, out, norm, 0);
        assertEquals(length, head.projection(32));
        try (Network network = network(Small.NET, head, true, 1)) {
            assertEquals(parameters, trained(network) - Small.NET.parameters());
        }
    }

    /** this = m * this + (1 - m) * other: of all tensors, or of those alone that are trained (He et al. 2020, equation 2). */
    @Test
    void aNetworkFollowsAnotherByTheMomentum() {
        try (Network other = network(Small.NET, Head.simclr(16), false, 1)) {
            // Batch norm's tensors are made to differ as well.
            other.tensors().values().forEach(a -> a.muli(3).addi(0.25));
            for (boolean all : new boolean[] {true, false}) {
                for (double momentum : new double[] {0, 0.75, 0.99}) {
                    try (Network network = network(Small.NET, Head.simclr(16), false, 2)) {
                        Map<String, float[]> before = new HashMap<>();
                        network.tensors().forEach((name, a) -> before.put(name, a.toFloatArray()));
                        if (all) {
                            network.follow(other, momentum);
                        } else {
                            network.followWeights(other, momentum);
                        }
                        for (Map.Entry<String, NDArray> e : network.tensors().entrySet()) {
                            boolean moves = all || network.trained().containsKey(e.getKey());
                            float[] expected = before.get(e.getKey());
                            float[] theirs = other.values(e.getKey());
                            for (int i = 0; moves && i < expected.length; i++) {
                                expected[i] = (float) (momentum * expected[i] + (1 - momentum) * theirs[i]);
                            }
                            Golden.same(expected, e.getValue().toFloatArray(), 1e-6, 0, e.getKey() + " at " + momentum);
                        }
                    }
                }
            }
        }
    }
}
