// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.network;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.github.simclr4j.onnx.file.Opset;
import io.github.simclr4j.onnx.internal.GraphBuilder;
import io.github.simclr4j.onnx.network.Layer.Activation.Function;
import io.github.simclr4j.onnx.network.LayerGraph.Builder;
import io.github.simclr4j.onnx.network.LayerGraph.Node;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.BiFunction;
import java.util.function.DoubleUnaryOperator;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Each layer, written for ONNX Runtime, computes what its description says; two images of [4, 2, 2] go in. */
class OnnxBackendTest {
    private static final int[] OPSETS = {13, 14, 17, 18, 20, 21, 26};
    private static final float[] X = new float[2 * 16];
    private static final Weight.Init ANY = new Weight.Constant(0);

    static {
        Random r = new Random(1);
        for (int i = 0; i < X.length; i++) {
            X[i] = (float) (3 * r.nextGaussian());
        }
    }

    private static LayerGraph graph(BiFunction<Builder, Node, Node> layers) {
        Builder b = LayerGraph.builder();
        return b.output("y", layers.apply(b, b.input(4, 2, 2))).build();
    }

    private static ModelProto write(LayerGraph graph, int opset) {
        GraphBuilder g = new GraphBuilder("test", UnaryOperator.identity());
        g.input(GraphBuilder.value("x", DataType.FLOAT, 4, 2, 2));
        OnnxBackend.write(graph, "y", "x", "out", g, opset, RandomWeights.of(graph));
        g.output(GraphBuilder.value(
                "out",
                DataType.FLOAT,
                graph.output("y").shape().stream().mapToLong(i -> i).toArray()));
        return ModelProto.newBuilder()
                .setIrVersion(Opset.irVersion(opset))
                .addOpsetImport(Opset.proto(opset))
                .setGraph(g.build())
                .build();
    }

    private static float[] run(LayerGraph graph, int opset) throws OrtException {
        OrtEnvironment env = OrtEnvironment.getEnvironment();
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions();
                OrtSession session = env.createSession(write(graph, opset).toByteArray(), options);
                OnnxTensor in = OnnxTensor.createTensor(env, FloatBuffer.wrap(X), new long[] {2, 4, 2, 2});
                OrtSession.Result out = session.run(Map.of("x", in))) {
            FloatBuffer b = ((OnnxTensor) out.get(0)).getFloatBuffer();
            float[] v = new float[b.remaining()];
            b.get(v);
            return v;
        }
    }

    /** Computes value k of image n. */
    private interface Value {
        double of(float[] image, int k);
    }

    private static void check(LayerGraph graph, Value expected) throws OrtException {
        int size = graph.output("y").shape().stream().reduce(1, Math::multiplyExact);
        float[] want = new float[2 * size];
        for (int n = 0; n < 2; n++) {
            float[] image = java.util.Arrays.copyOfRange(X, 16 * n, 16 * n + 16);
            for (int k = 0; k < size; k++) {
                want[n * size + k] = (float) expected.of(image, k);
            }
        }
        for (int opset : OPSETS) {
            assertArrayEquals(want, run(graph, opset), 1e-4f, "opset " + opset);
        }
    }

    @ParameterizedTest
    @EnumSource
    void activations(Function function) throws OrtException {
        DoubleUnaryOperator f = switch (function) {
            case RELU -> v -> Math.max(0, v);
            case GELU -> v -> v * normal(v);
            case HARD_SWISH -> v -> v * Math.max(0, Math.min(6, v + 3)) / 6;
            case HARD_SIGMOID -> v -> Math.max(0, Math.min(6, v + 3)) / 6;
            case SIGMOID -> v -> 1 / (1 + Math.exp(-v));
            case TANH -> Math::tanh;
            case LINEAR_LIGHT ->
                v -> {
                    double srgb = Math.max(0, Math.min(1, 0.5 + 0.25 * v));
                    return srgb <= 0.04045 ? srgb / 12.92 : Math.pow((srgb + 0.055) / 1.055, 2.4);
                };
            case LAB -> v -> (v > Math.pow(6 / 29.0, 3) ? Math.cbrt(v) : v * 29 * 29 / 108 + 4 / 29.0) - 66 / 116.0;
        };
        check(graph((g, x) -> g.activation(function, x)), (x, k) -> f.applyAsDouble(x[k]));
    }

    /** The normal distribution's cumulative function, as an integral of its density by Simpson's rule. */
    private static double normal(double v) {
        int steps = 2000;
        double sum = 0;
        for (int i = 0; i <= steps; i++) {
            double t = v * i / steps;
            sum += (i == 0 || i == steps ? 1 : i % 2 == 1 ? 4 : 2) * Math.exp(-t * t / 2);
        }
        return 0.5 + sum * v / steps / 3 / Math.sqrt(2 * Math.PI);
    }

    @Test
    void poolsAndMeans() throws OrtException {
        check(graph((g, x) -> g.add(new Layer.AveragePool(2, 2), x)), OnnxBackendTest::pooled);
        check(graph((g, x) -> g.add(new Layer.GlobalAveragePool(true), x)), OnnxBackendTest::pooled);
        check(graph((g, x) -> g.add(new Layer.GlobalAveragePool(false), x)), OnnxBackendTest::pooled);
        check(
                graph((g, x) -> g.add(new Layer.MaxPool(3, 2, 1), x)),
                (x, c) -> IntStream.range(0, 4)
                        .mapToDouble(i -> x[4 * c + i])
                        .max()
                        .getAsDouble());
        check(graph((g, x) -> g.add(new Layer.Mean(0), x)), (x, k) -> (x[k] + x[4 + k] + x[8 + k] + x[12 + k]) / 4.0);
        check(graph((g, x) -> g.add(new Layer.Mean(2), x)), (x, k) -> (x[2 * k] + x[2 * k + 1]) / 2.0);
    }

    private static double pooled(float[] x, int c) {
        return (x[4 * c] + x[4 * c + 1] + x[4 * c + 2] + x[4 * c + 3]) / 4.0;
    }

    @Test
    void norms() throws OrtException {
        LayerGraph layer = graph((g, x) -> g.add(new Layer.LayerNorm("n", 2, 1e-3f), x));
        float[] scale = RandomWeights.of(layer).apply("n.weight");
        float[] shift = RandomWeights.of(layer).apply("n.bias");
        check(layer, (x, k) -> normalised(x, k, 2, 1e-3) * scale[k % 2] + shift[k % 2]);
        LayerGraph group = graph((g, x) -> g.add(new Layer.GroupNorm("n", 4, 2, 1e-3f), x));
        float[] scales = RandomWeights.of(group).apply("n.weight");
        float[] shifts = RandomWeights.of(group).apply("n.bias");
        check(group, (x, k) -> normalised(x, k, 8, 1e-3) * scales[k / 4] + shifts[k / 4]);
    }

    /** Value k, normalised over the run of values of some length that it is in. */
    private static double normalised(float[] x, int k, int length, double epsilon) {
        int from = k / length * length;
        double mean = IntStream.range(from, from + length)
                .mapToDouble(i -> x[i])
                .average()
                .getAsDouble();
        double variance = IntStream.range(from, from + length)
                .mapToDouble(i -> (x[i] - mean) * (x[i] - mean))
                .average()
                .getAsDouble();
        return (x[k] - mean) / Math.sqrt(variance + epsilon);
    }

    /** A batch norm whose layer others take too, or that has no such layer in front, stays a node of its own. */
    @Test
    void batchNormIsFoldedWhereItCanBe() throws OrtException {
        BiFunction<Builder, Node, Node> conv = (g, x) -> g.add(new Layer.Conv("c", 4, 4, 1, 1, 0, 2, true, ANY), x);
        BiFunction<Builder, Node, Node> norm = (g, x) -> g.add(new Layer.BatchNorm("n", 4, 1e-3f, true, false), x);
        LayerGraph alone = graph((g, x) -> norm.apply(g, conv.apply(g, x)));
        LayerGraph shared = graph((g, x) -> {
            Node y = conv.apply(g, x);
            return g.add(new Layer.Add(), norm.apply(g, y), g.add(new Layer.Scale(0), y));
        });
        assertEquals(List.of("Conv"), operators(alone));
        assertEquals(List.of("Conv", "BatchNormalization", "Mul", "Add"), operators(shared));
        assertArrayEquals(run(alone, 13), run(shared, 13), 1e-5f);
        float[][] w = {
            weight(alone, "c.weight"),
            weight(alone, "c.bias"),
            weight(alone, "n.weight"),
            weight(alone, "n.bias"),
            weight(alone, "n.running_mean"),
            weight(alone, "n.running_var")
        };
        check(alone, (x, k) -> {
            int c = k / 4;
            int in = c / 2 * 2;
            double y = w[0][2 * c] * x[4 * in + k % 4] + w[0][2 * c + 1] * x[4 * in + 4 + k % 4] + w[1][c];
            return (y - w[4][c]) / Math.sqrt(w[5][c] + 1e-3) * w[2][c] + w[3][c];
        });
        assertEquals(
                List.of("BatchNormalization", "Conv"), operators(graph((g, x) -> conv.apply(g, norm.apply(g, x)))));
        // The channels of tokens are another axis than what a dense layer computes.
        assertEquals(
                List.of("MatMul", "BatchNormalization"),
                operators(graph((g, x) -> norm.apply(g, g.add(new Layer.Dense("d", 2, 2, false, ANY), x)))));
    }

    @Test
    void denseLayers() throws OrtException {
        for (boolean bias : new boolean[] {false, true}) {
            LayerGraph tokens = graph((g, x) -> g.add(new Layer.Dense("d", 2, 3, bias, ANY), x));
            float[] w = weight(tokens, "d.weight");
            float[] b = bias ? weight(tokens, "d.bias") : new float[3];
            check(tokens, (x, k) -> w[k % 3 * 2] * x[k / 3 * 2] + w[k % 3 * 2 + 1] * x[k / 3 * 2 + 1] + b[k % 3]);
            LayerGraph features = graph((g, x) -> g.add(
                    new Layer.BatchNorm("n", 3, 1e-3f, false, false),
                    g.add(new Layer.Dense("d", 4, 3, bias, ANY), g.add(new Layer.GlobalAveragePool(false), x))));
            float[][] v = {
                weight(features, "d.weight"),
                bias ? weight(features, "d.bias") : new float[3],
                weight(features, "n.weight"),
                weight(features, "n.running_mean"),
                weight(features, "n.running_var")
            };
            check(features, (x, k) -> {
                double y = v[1][k]
                        + IntStream.range(0, 4)
                                .mapToDouble(i -> v[0][4 * k + i] * pooled(x, i))
                                .sum();
                return (y - v[3][k]) / Math.sqrt(v[4][k] + 1e-3) * v[2][k];
            });
        }
    }

    @Test
    void shapesAndProducts() throws OrtException {
        check(graph((g, x) -> g.add(new Layer.Transpose(List.of(2, 0, 1)), x)), (x, k) -> x[k % 8 * 2 + k / 8]);
        check(graph((g, x) -> g.add(new Layer.Reshape(List.of(4, 4)), x)), (x, k) -> x[k]);
        check(graph((g, x) -> g.add(new Layer.Slice(0, 1, 3), x)), (x, k) -> x[4 + k]);
        check(
                graph((g, x) -> g.add(new Layer.Concat(0), x, g.add(new Layer.Scale(-2), x))),
                (x, k) -> k < 16 ? x[k] : -2 * x[k - 16]);
        check(
                graph((g, x) -> g.add(new Layer.Multiply(), x, g.add(new Layer.GlobalAveragePool(true), x))),
                (x, k) -> x[k] * pooled(x, k / 4));
        check(graph((g, x) -> g.add(new Layer.MatMul(), x, x)), (x, k) -> {
            int m = k / 4 * 4;
            int row = k % 4 / 2;
            return x[m + 2 * row] * x[m + k % 2] + x[m + 2 * row + 1] * x[m + 2 + k % 2];
        });
        check(
                graph((g, x) -> g.add(new Layer.Softmax(), x)),
                (x, k) -> 1 / (1 + Math.exp(x[k % 2 == 0 ? k + 1 : k - 1] - x[k])));
    }

    @Test
    void padding() throws OrtException {
        check(graph((g, x) -> g.add(new Layer.Pad(0, 1, 2), x)), (x, k) -> k < 4 || k >= 20 ? 0 : x[k - 4]);
        check(graph((g, x) -> g.add(new Layer.Pad(2, 1, 0), x)), (x, k) -> k % 3 == 0 ? 0 : x[k / 3 * 2 + k % 3 - 1]);
    }

    /** Four images of [1, 4, 4], cut into patches of 2x2 that overlap by one pixel: 3 a row and 3 a column. */
    @Test
    void patchesOfAnImageGoThroughTheNetworkOneByOne() throws OrtException {
        BiFunction<Builder, Node, Node> patches =
                (g, x) -> g.add(new Layer.Patches(2, 1), g.add(new Layer.Reshape(List.of(1, 4, 4)), x));
        check(graph(patches), (x, k) -> x[corner(k / 4) + k % 4 / 2 * 4 + k % 2]);
        check(
                graph((g, x) -> g.add(
                        new Layer.OutOfBatch(9),
                        g.add(new Layer.GlobalAveragePool(false), g.add(new Layer.IntoBatch(), patches.apply(g, x))))),
                (x, k) -> {
                    int i = corner(k);
                    return (x[i] + x[i + 1] + x[i + 4] + x[i + 5]) / 4;
                });
    }

    private static int corner(int patch) {
        return patch / 3 * 4 + patch % 3;
    }

    /** A learned tensor is the same for each image, wherever it goes in. */
    @Test
    void learnedTensors() throws OrtException {
        Layer.Learned layer = new Layer.Learned("t", List.of(1, 2, 2), ANY);
        LayerGraph alone = graph((g, x) -> g.add(layer));
        float[] t = weight(alone, "t");
        check(graph((g, x) -> g.add(new Layer.Add(), x, g.add(layer))), (x, k) -> x[k] + t[k % 4]);
        check(graph((g, x) -> g.add(new Layer.Concat(0), g.add(layer), x)), (x, k) -> k < 4 ? t[k] : x[k - 4]);
        check(
                graph((g, x) -> {
                    Node token = g.add(layer);
                    return g.add(
                            new Layer.Concat(0),
                            x,
                            g.add(new Layer.Scale(2), g.add(new Layer.Concat(0), token, token)));
                }),
                (x, k) -> k < 16 ? x[k] : 2 * t[k % 4]);
    }

    /** The image itself, and what is the same for all images and repeated for each of them. */
    @Test
    void resultsThatAreNoOperators() throws OrtException {
        check(graph((g, x) -> x), (x, k) -> x[k]);
        Layer.Learned layer = new Layer.Learned("t", List.of(3, 5), ANY);
        LayerGraph learned = graph((g, x) -> g.add(new Layer.Scale(3), g.add(layer)));
        float[] t = weight(learned, "t");
        check(learned, (x, k) -> 3 * t[k]);
    }

    private static float[] weight(LayerGraph graph, String name) {
        return RandomWeights.of(graph).apply(name);
    }

    private static List<String> operators(LayerGraph graph) {
        return write(graph, 13).getGraph().getNodeList().stream()
                .map(NodeProto::getOpType)
                .toList();
    }
}
