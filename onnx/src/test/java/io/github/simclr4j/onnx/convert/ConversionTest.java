// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.convert;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.file.EncoderContract;
import io.github.simclr4j.onnx.file.InvalidEncoderException;
import io.github.simclr4j.onnx.file.ModelFile;
import io.github.simclr4j.onnx.file.ModelInspector;
import io.github.simclr4j.onnx.file.Opset;
import io.github.simclr4j.onnx.internal.BatchNormFolding;
import io.github.simclr4j.onnx.internal.GraphBuilder;
import io.github.simclr4j.onnx.internal.GraphIndex;
import io.github.simclr4j.onnx.internal.TensorValues;
import io.github.simclr4j.onnx.network.EncoderLayout;
import io.github.simclr4j.onnx.network.EncoderWriter;
import io.github.simclr4j.onnx.network.LinearClassifier;
import io.github.simclr4j.onnx.network.ProjectionHead;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.onnx.runtime.EncoderSettings;
import io.github.simclr4j.onnx.runtime.Encoders;
import io.github.simclr4j.onnx.runtime.Foreign;
import io.github.simclr4j.onnx.runtime.Graphs;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import io.github.simclr4j.util.Sha256;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConversionTest {
    private static final ResNet NET = Encoders.TINY;
    private static final List<RgbImage> IMAGES =
            IntStream.range(0, 24).mapToObj(i -> Encoders.picture(32, i)).toList();

    private static ModelProto model(ResNet net, EncoderLayout layout) throws IOException {
        return ModelProto.parseFrom(EncoderWriter.toBytes(
                net, new Preprocessing(32), Encoders.weights(net, layout.head()), Map.of(), layout));
    }

    private static Conversion conversion(Precision precision, CalibrationMethod method) {
        return new Conversion(precision, 0, true, method == null ? null : new CalibrationSettings(IMAGES, method));
    }

    private static float[][] embed(ModelProto model) throws IOException {
        assertEquals(List.of(), ModelInspector.check(model, null, 0).problems());
        try (OnnxEncoder e = OnnxEncoder.open(model.toByteArray(), "test", 1)) {
            return e.embed(IMAGES);
        }
    }

    /** The least cosine similarity, and the largest difference over the largest value. */
    private static double[] compare(float[][] a, float[][] b) {
        double cosine = 1;
        double difference = 0;
        double largest = 0;
        for (int i = 0; i < a.length; i++) {
            double ab = 0;
            double aa = 0;
            double bb = 0;
            for (int j = 0; j < a[i].length; j++) {
                ab += a[i][j] * b[i][j];
                aa += a[i][j] * a[i][j];
                bb += b[i][j] * b[i][j];
                difference = Math.max(difference, Math.abs(a[i][j] - b[i][j]));
                largest = Math.max(largest, Math.abs(a[i][j]));
            }
            cosine = Math.min(cosine, ab / Math.sqrt(aa * bb));
        }
        return new double[] {cosine, difference / largest};
    }

    @Test
    void float16KeepsTheEmbeddingsAndHalvesTheFile() throws IOException {
        for (ResNet net : List.of(NET, new ResNet(50, 1.0 / 16, ResNet.Stem.IMAGENET))) {
            ModelProto full = model(net, EncoderLayout.DEFAULT);
            ModelProto half = conversion(Precision.FLOAT16, null).convert(full);
            assertTrue(half.getGraph().getInitializerList().stream()
                    .allMatch(t -> t.getDataType() == DataType.FLOAT16_VALUE));
            assertEquals(
                    DataType.UINT8_VALUE,
                    half.getGraph().getInput(0).getType().getTensorType().getElemType());
            assertTrue(half.getSerializedSize() < 0.6 * full.getSerializedSize());
            double[] c = compare(embed(full), embed(half));
            assertTrue(c[0] > 0.99999 && c[1] < 0.01, c[0] + " " + c[1]);
            assertEquals("float16", ModelInspector.check(half, null, 0).precision());
        }
    }

    /** IEEE 754: halves have 11 significant bits, end at 65504 and at 2^-24; ties go to the even neighbour. */
    @Test
    void floatsAreRoundedToTheNearestHalf() {
        float[] in = {1, -2, 65504, 65519, 1 + 1f / 2048, 1 + 3f / 2048, 1e-8f, 0x1p-24f, 0x1.8p-24f, 0.1f, -0f};
        int[] expected = {0x3c00, 0xc000, 0x7bff, 0x7bff, 0x3c00, 0x3c02, 0, 1, 2, 0x2e66, 0x8000};
        byte[] found = HalfPrecision.half(TensorValues.floats("t", in, in.length))
                .getRawData()
                .toByteArray();
        for (int i = 0; i < in.length; i++) {
            assertEquals(expected[i], (found[2 * i] & 255) | (found[2 * i + 1] & 255) << 8, in[i] + "");
        }
        for (float v : new float[] {65520, -1e6f}) {
            IllegalArgumentException e = assertThrows(
                    IllegalArgumentException.class,
                    () -> HalfPrecision.half(TensorValues.floats("layer1.weight", new float[] {0, v}, 2)));
            assertTrue(
                    e.getMessage().contains("layer1.weight") && e.getMessage().contains("65504"), e.getMessage());
        }
    }

    @Test
    void int8KeepsTheEmbeddingsOnIntegerKernels(@TempDir Path dir) throws IOException, OrtException {
        for (ResNet net : List.of(NET, new ResNet(50, 1.0 / 16, ResNet.Stem.IMAGENET))) {
            ModelProto full = model(net, EncoderLayout.DEFAULT);
            float[][] expected = embed(full);
            for (CalibrationMethod method : CalibrationMethod.values()) {
                ModelProto int8 = conversion(Precision.INT8, method).convert(full);
                double[] c = compare(expected, embed(int8));
                assertTrue(c[0] > 0.99, net + " " + method + " " + c[0]);
                assertEquals("int8", ModelInspector.check(int8, null, 0).precision());
            }
            ModelProto int8 =
                    conversion(Precision.INT8, CalibrationMethod.MIN_MAX).convert(full);
            Map<String, Integer> kernels = optimised(int8, dir.resolve("optimised.onnx"));
            assertEquals(net.convolutions().size(), kernels.get("QLinearConv"), kernels.toString());
            assertEquals(net.blocks().size(), kernels.get("QLinearAdd"), kernels.toString());
            assertTrue(
                    !kernels.containsKey("Conv") && !kernels.containsKey("Relu") && !kernels.containsKey("Add")
                            || kernels.getOrDefault("Add", 0) == 1 && !kernels.containsKey("Conv"),
                    kernels.toString());
        }
    }

    /** The operators of the graph that ONNX Runtime makes of a model. */
    private static Map<String, Integer> optimised(ModelProto model, Path to) throws OrtException, IOException {
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.EXTENDED_OPT);
            options.setOptimizedModelFilePath(to.toString());
            OrtEnvironment.getEnvironment()
                    .createSession(model.toByteArray(), options)
                    .close();
        }
        Map<String, Integer> counts = new java.util.TreeMap<>();
        ModelProto.parseFrom(Files.readAllBytes(to))
                .getGraph()
                .getNodeList()
                .forEach(n -> counts.merge(n.getOpType(), 1, Integer::sum));
        return counts;
    }

    @Test
    void weightsHaveAScaleForEachChannel() throws IOException {
        ModelProto full = model(NET, EncoderLayout.DEFAULT);
        ModelProto int8 = conversion(Precision.INT8, CalibrationMethod.MIN_MAX).convert(full);
        float[] w = TensorValues.floats(new GraphIndex(full.getGraph()).initialisers.get("layer1.0.conv2.weight"));
        String out = new GraphIndex(full.getGraph())
                .consumers
                .get("layer1.0.conv2.weight")
                .get(0)
                .getOutput(0);
        GraphIndex index = new GraphIndex(int8.getGraph());
        float[] scales = TensorValues.floats(index.initialisers.get(out + "_weight_scale"));
        byte[] q =
                index.initialisers.get(out + "_weight_quantized").getRawData().toByteArray();
        int per = w.length / scales.length;
        for (int o = 0; o < scales.length; o++) {
            int largest = 0;
            for (int i = o * per; i < (o + 1) * per; i++) {
                assertEquals(w[i], scales[o] * q[i], 0.5001 * scales[o]);
                largest = Math.max(largest, Math.abs(q[i]));
            }
            assertEquals(127, largest);
        }
    }

    @Test
    void aReducedRangeHasSevenBits() throws IOException {
        ModelProto full = model(NET, EncoderLayout.DEFAULT);
        ModelProto int8 = new Conversion(
                        Precision.INT8,
                        0,
                        true,
                        new CalibrationSettings(IMAGES, CalibrationMethod.MSE, RuntimeSettings.DEFAULT, true))
                .convert(full);
        int8.getGraph().getInitializerList().stream()
                .filter(t -> t.getDataType() == DataType.INT8_VALUE)
                .forEach(t -> {
                    for (byte b : t.getRawData()) {
                        assertTrue(Math.abs(b) <= 63, t.getName());
                    }
                });
        assertTrue(compare(embed(full), embed(int8))[0] > 0.98);
    }

    @Test
    void aModelIsConvertedOnce() throws IOException {
        ModelProto full = model(NET, EncoderLayout.DEFAULT);
        ModelProto int8 = conversion(Precision.INT8, CalibrationMethod.MIN_MAX).convert(full);
        for (Conversion c :
                List.of(conversion(Precision.INT8, CalibrationMethod.MSE), conversion(Precision.FLOAT16, null))) {
            assertThrows(IllegalArgumentException.class, () -> c.convert(int8));
        }
        ModelProto half = conversion(Precision.FLOAT16, null).convert(full);
        IllegalArgumentException e = assertThrows(
                IllegalArgumentException.class,
                () -> conversion(Precision.INT8, CalibrationMethod.MSE).convert(half));
        assertTrue(e.getMessage().contains("Nothing to quantize"), e.getMessage());
        assertThrows(IllegalArgumentException.class, () -> conversion(Precision.INT8, null));
    }

    @Test
    void withoutPreprocessingTheInputIsNormalised() throws IOException, OrtException {
        ModelProto full = model(NET, EncoderLayout.DEFAULT);
        float[][] expected = embed(full);
        float[] x = new float[3 * 32 * 32 * IMAGES.size()];
        for (int i = 0; i < x.length; i++) {
            int pixel = i % (32 * 32);
            int channel = i / (32 * 32) % 3;
            x[i] = ((IMAGES.get(i / (3 * 32 * 32)).rgb()[3 * pixel + channel] & 255) / 255f - 0.5f) / 0.25f;
        }
        ModelProto written = model(NET, EncoderLayout.DEFAULT.withoutPreprocessing());
        for (Precision p : Precision.values()) {
            CalibrationSettings images =
                    p == Precision.INT8 ? new CalibrationSettings(IMAGES, CalibrationMethod.MSE) : null;
            ModelProto stripped = new Conversion(p, 0, false, images).convert(full);
            assertEquals(List.of(), ModelInspector.check(stripped, null, 0).problems());
            double[] c = compare(expected, run(stripped, x, new long[] {IMAGES.size(), 3, 32, 32}));
            assertTrue(c[0] > (p == Precision.INT8 ? 0.99 : 0.99999), p + " " + c[0]);
            if (p == Precision.FLOAT32) {
                assertArrayEquals(
                        run(written, x, new long[] {IMAGES.size(), 3, 32, 32})[3],
                        run(stripped, x, new long[] {IMAGES.size(), 3, 32, 32})[3]);
                assertEquals(
                        new java.util.HashSet<>(List.of("0.5,0.5,0.5", "0.25,0.25,0.25")),
                        java.util.Set.of(meta(stripped, "preprocessing.mean"), meta(stripped, "preprocessing.std")));
            }
        }
        assertThrows(IllegalArgumentException.class, () -> Conversion.withoutPreprocessing(written));
    }

    private static String meta(ModelProto m, String key) {
        return ModelInspector.check(m, null, 0).metadata().get(key);
    }

    private static float[][] run(ModelProto model, float[] x, long[] shape) throws OrtException {
        OrtEnvironment env = OrtEnvironment.getEnvironment();
        try (OrtSession session = env.createSession(model.toByteArray());
                OnnxTensor in = OnnxTensor.createTensor(env, FloatBuffer.wrap(x), shape);
                OrtSession.Result out =
                        session.run(Map.of(model.getGraph().getInput(0).getName(), in))) {
            return (float[][]) out.get(0).getValue();
        }
    }

    @Test
    void everyOpsetGivesTheSame() throws IOException {
        ModelProto first = model(NET, EncoderLayout.DEFAULT);
        float[][] expected = embed(first);
        for (int opset = 13; opset <= 26; opset++) {
            ModelProto moved = new Conversion(Precision.FLOAT32, opset, true, null).convert(first);
            assertEquals(opset, ModelInspector.check(moved, null, 0).opset());
            assertArrayEquals(expected[0], embed(moved)[0]);
            assertArrayEquals(expected[0], embed(model(NET, EncoderLayout.DEFAULT.withOpset(opset)))[0]);
        }
        for (int opset : new int[] {13, 19, 26}) {
            for (Precision p : List.of(Precision.FLOAT16, Precision.INT8)) {
                CalibrationSettings images =
                        p == Precision.INT8 ? new CalibrationSettings(IMAGES, CalibrationMethod.MSE) : null;
                assertTrue(compare(expected, embed(new Conversion(p, opset, true, images).convert(first)))[0] > 0.99);
            }
        }
        assertThrows(IllegalArgumentException.class, () -> EncoderLayout.DEFAULT.withOpset(12));
        assertThrows(IllegalArgumentException.class, () -> EncoderLayout.DEFAULT.withOpset(27));
    }

    /** A network as others write them: float input, batch norm not folded, a mean over axes, a clipped activation. */
    private static ModelProto foreign(int opset, boolean axesAsInput) {
        GraphBuilder g = new GraphBuilder("foreign", t -> t);
        g.input(GraphBuilder.value("pixels", DataType.FLOAT, 3, 16, 16));
        String w = g.tensor(TensorValues.floats("w", random(8 * 3 * 9, 1), 8, 3, 3, 3));
        String x = g.node("Conv", List.of("pixels", w), GraphBuilder.ints("pads", 1, 1, 1, 1));
        String[] norm = new String[4];
        for (int i = 0; i < 4; i++) {
            float[] v = random(8, 2 + i);
            for (int j = 0; i == 3 && j < v.length; j++) {
                v[j] = 0.5f + Math.abs(v[j]);
            }
            norm[i] = g.tensor(TensorValues.floats("norm" + i, v, 8));
        }
        x = g.node("BatchNormalization", List.of(x, norm[0], norm[1], norm[2], norm[3]));
        x = g.node(
                "Clip",
                List.of(
                        x,
                        g.tensor(TensorValues.floats("low", new float[] {0})),
                        g.tensor(TensorValues.floats("high", new float[] {6}))));
        String depthwise = g.tensor(TensorValues.floats("w2", random(8 * 9, 9), 8, 1, 3, 3));
        x = g.node(
                "Conv", List.of(x, depthwise), GraphBuilder.ints("pads", 1, 1, 1, 1), GraphBuilder.integer("group", 8));
        AttributeProto keep = GraphBuilder.integer("keepdims", 0);
        if (axesAsInput) {
            g.node(
                    "ReduceMean",
                    List.of(x, g.tensor(TensorValues.longs("axes", new long[] {2, 3}, 2))),
                    "features",
                    keep);
        } else {
            g.node("ReduceMean", List.of(x), "features", GraphBuilder.ints("axes", 2, 3), keep);
        }
        g.output(GraphBuilder.value("features", DataType.FLOAT, 8));
        return ModelProto.newBuilder()
                .setIrVersion(Opset.irVersion(opset))
                .addOpsetImport(Opset.proto(opset))
                .setGraph(g.build())
                .build();
    }

    private static float[] random(int n, long seed) {
        java.util.Random r = new java.util.Random(seed);
        float[] v = new float[n];
        for (int i = 0; i < n; i++) {
            v[i] = (float) r.nextGaussian() * 0.4f;
        }
        return v;
    }

    @Test
    void aForeignNetworkIsConvertedToo() throws IOException, OrtException {
        ModelProto old = foreign(13, false);
        float[] x = random(5 * 3 * 16 * 16, 77);
        long[] shape = {5, 3, 16, 16};
        float[][] expected = run(old, x, shape);
        ModelProto up = OpsetConverter.to(old, 20);
        ModelProto down = OpsetConverter.to(foreign(20, true), 13);
        for (ModelProto m : List.of(up, down, BatchNormFolding.fold(old), HalfPrecision.convert(old))) {
            assertEquals(List.of(), ModelInspector.check(m, null, 0).problems());
            assertTrue(compare(expected, run(m, x, shape))[1] < 0.01);
        }
        assertEquals(
                2,
                up.getGraph().getNodeList().stream()
                        .filter(n -> n.getOpType().equals("ReduceMean"))
                        .findFirst()
                        .orElseThrow()
                        .getInputCount());
        assertEquals(
                1,
                down.getGraph().getNodeList().stream()
                        .filter(n -> n.getOpType().equals("ReduceMean"))
                        .findFirst()
                        .orElseThrow()
                        .getInputCount());
        List<RgbImage> noise =
                IntStream.range(0, 16).mapToObj(i -> Encoders.picture(40, i)).toList();
        EncoderSettings half = EncoderSettings.of(Map.of("mean", "0.5", "std", "0.5"), "argument");
        ModelProto int8 = new Conversion(
                        Precision.INT8, 0, true, half, new CalibrationSettings(noise, CalibrationMethod.MIN_MAX))
                .convert(old);
        assertEquals(List.of(), ModelInspector.check(int8, null, 0).problems());
        assertTrue(int8.getGraph().getNodeList().stream()
                .map(NodeProto::getOpType)
                .noneMatch("BatchNormalization"::equals));
        IllegalArgumentException e = assertThrows(
                IllegalArgumentException.class,
                () -> new Conversion(Precision.INT8, 0, true, new CalibrationSettings(noise, CalibrationMethod.MIN_MAX))
                        .convert(old));
        assertTrue(e.getMessage().contains("give the settings mean"), e.getMessage());
        ModelProto.Builder odd = old.toBuilder();
        odd.getGraphBuilder().getNodeBuilder(0).setOpType("Strange");
        e = assertThrows(IllegalArgumentException.class, () -> OpsetConverter.to(odd.build(), 20));
        assertTrue(e.getMessage().contains("Strange"), e.getMessage());
    }

    @Test
    void aHeadAndAClassifierComputeWhatTheyShould() throws IOException, OrtException {
        int d = NET.dimension();
        float[] h = embed(model(NET, EncoderLayout.DEFAULT))[5];
        ProjectionHead head = ProjectionHead.of(d, 20, 6, 3, true, true);
        var weights = Encoders.weights(NET, head);
        float[] bias = random(4, 5);
        LinearClassifier classifier = new LinearClassifier(random(4 * 6, 6), bias, List.of("a", "b", "c", "d"));
        for (int kept = 1; kept <= 3; kept++) {
            // Dense, batch norm and ReLU as they are written, not folded.
            float[] expected = h;
            for (ProjectionHead.Layer l : head.first(kept).layers()) {
                float[] y = new float[l.out()];
                float[] w = weights.apply(l.dense() + ".weight");
                for (int o = 0; o < y.length; o++) {
                    double sum = weights.apply(l.dense() + ".bias")[o];
                    for (int i = 0; i < l.in(); i++) {
                        sum += w[o * l.in() + i] * expected[i];
                    }
                    sum = weights.apply(l.norm() + ".weight")[o]
                                    * (sum - weights.apply(l.norm() + ".running_mean")[o])
                                    / Math.sqrt(weights.apply(l.norm() + ".running_var")[o] + 1e-5)
                            + weights.apply(l.norm() + ".bias")[o];
                    y[o] = (float) (l.relu() ? Math.max(0, sum) : sum);
                }
                expected = y;
            }
            float[] found = embed(model(NET, EncoderLayout.DEFAULT.withHead(head.first(kept))))[5];
            assertArrayEquals(expected, found, 1e-4f);
        }
        float[] z = embed(model(NET, EncoderLayout.DEFAULT.withHead(head)))[5];
        ModelProto both = model(NET, EncoderLayout.DEFAULT.withHead(head).withClassifier(classifier));
        assertEquals(List.of(), ModelInspector.check(both, null, 0).problems());
        assertEquals("d", meta(both, "label.3"));
        double[] e = new double[4];
        double sum = 0;
        for (int c = 0; c < 4; c++) {
            double logit = bias[c];
            for (int i = 0; i < 6; i++) {
                logit += classifier.weights()[c * 6 + i] * z[i];
            }
            e[c] = Math.exp(logit);
            sum += e[c];
        }
        OrtEnvironment env = OrtEnvironment.getEnvironment();
        try (OrtSession session = env.createSession(both.toByteArray());
                OnnxTensor in = OnnxTensor.createTensor(
                        env,
                        java.nio.ByteBuffer.wrap(IMAGES.get(5).rgb()),
                        new long[] {1, 32, 32, 3},
                        ai.onnxruntime.OnnxJavaType.UINT8);
                OrtSession.Result out = session.run(Map.of(EncoderContract.INPUT, in))) {
            assertArrayEquals(
                    z,
                    ((float[][]) out.get(EncoderContract.OUTPUT).orElseThrow().getValue())[0],
                    1e-5f);
            float[] p = ((float[][])
                            out.get(EncoderContract.PROBABILITIES).orElseThrow().getValue())
                    [0];
            for (int c = 0; c < 4; c++) {
                assertEquals(e[c] / sum, p[c], 1e-5);
            }
        }
        assertThrows(
                IllegalArgumentException.class, () -> model(NET, EncoderLayout.DEFAULT.withClassifier(classifier)));
        String twice = assertThrows(
                        IllegalArgumentException.class,
                        () -> new LinearClassifier(new float[6], new float[3], List.of("cat", "dog", "cat")))
                .getMessage();
        assertEquals("Expected a different label for each class, found a duplicate among [cat, dog, cat]", twice);
        assertThrows(
                IllegalArgumentException.class,
                () -> model(NET, EncoderLayout.DEFAULT.withHead(ProjectionHead.of(d + 1, 8, 4, 2, false, true))));
    }

    @Test
    void weightsBesideTheFile(@TempDir Path dir) throws IOException, OrtException {
        Path file = dir.resolve("large.onnx");
        float[][] expected = embed(model(NET, EncoderLayout.DEFAULT));
        EncoderWriter.write(
                file, NET, new Preprocessing(32), Encoders.weights(NET, null), Map.of(), EncoderLayout.DEFAULT, 1000);
        Path data = only(dir, ".data");
        assertTrue(Files.size(data) > 10 * Files.size(file));
        assertEquals(List.of(), ModelInspector.check(file).problems());
        assertEquals(
                Files.size(file) + Files.size(data), ModelInspector.check(file).bytes());
        assertEquals(
                Sha256.hex(Files.readAllBytes(data)),
                ModelInspector.check(file).metadata().get("external_data.sha256"));
        OrtEnvironment.getEnvironment().createSession(file.toString()).close();
        assertArrayEquals(expected, embed(ModelFile.read(file)));

        // Another model in its place takes its own data with it, and leaves nothing of the old.
        EncoderWriter.write(
                file,
                NET,
                new Preprocessing(32),
                n -> {
                    float[] w = Encoders.weights(NET, null).apply(n);
                    w[0] += 0.5f;
                    return w;
                },
                Map.of(),
                EncoderLayout.DEFAULT,
                1000);
        assertTrue(!Files.exists(data) && !only(dir, ".data").equals(data));
        assertTrue(compare(expected, embed(ModelFile.read(file)))[1] > 0);
        // A conversion reads the data and writes one file.
        Path half = dir.resolve("half.onnx");
        new Conversion(Precision.FLOAT16, 0, true, null).apply(file, half);
        assertEquals(List.of(), ModelInspector.check(half).problems());

        Path moved = only(dir, ".data");
        byte[] content = Files.readAllBytes(moved);
        Files.write(moved, java.util.Arrays.copyOf(content, content.length - 1));
        String cut = ModelInspector.check(file).problems().toString();
        assertTrue(cut.contains("which is too short"), cut);
        assertThrows(InvalidEncoderException.class, () -> ModelFile.read(file));
        Files.delete(moved);
        assertTrue(ModelInspector.check(file).problems().toString().contains("missing"));
        for (String outside : List.of("../secret", "/etc/passwd", "a/../../b", "")) {
            ModelProto.Builder m = ModelFile.parse(file).toBuilder();
            m.getGraphBuilder().getInitializerBuilderList().stream()
                    .filter(t -> t.getExternalDataCount() > 0)
                    .forEach(t -> t.getExternalDataBuilder(0).setValue(outside));
            String refused = ModelInspector.check(m.build(), dir, 0).problems().toString();
            assertTrue(refused.contains("outside its folder"), outside);
        }
    }

    private static Path only(Path dir, String ending) throws IOException {
        try (var all = Files.list(dir)) {
            List<Path> found = all.filter(
                            p -> p.toString().endsWith(ending) || p.toString().endsWith(".part"))
                    .toList();
            assertEquals(1, found.size(), found.toString());
            return found.get(0);
        }
    }

    /** The new file needs neither the options nor the configuration that stood beside the old one. */
    @Test
    void settingsGoIntoTheFile(@TempDir Path dir) throws IOException {
        Path from = Files.createDirectory(dir.resolve("from"));
        Path to = Files.createDirectory(dir.resolve("to"));
        Path vendor = Files.write(
                from.resolve("vendor.onnx"),
                Graphs.withMetadata(
                        Foreign.model("resnet18-batchnorm"),
                        Map.of(
                                "preprocessing.resize",
                                "short-side",
                                "preprocessing.resize_short",
                                "70",
                                "author",
                                "somebody")));
        Files.writeString(
                from.resolve("preprocessor_config.json"),
                "{\"do_normalize\": true, \"image_mean\": [0.4, 0.5, 0.6], \"image_std\": [0.2, 0.3, 0.4], \"resample\": 3}");
        EncoderSettings given = EncoderSettings.of(
                Map.of("mean", "0.1,0.2,0.3", "resize", "stretch", "output", inner(vendor)), "argument");
        float[][] expected;
        try (OnnxEncoder e = OnnxEncoder.open(vendor, given, RuntimeSettings.DEFAULT)) {
            expected = e.embed(IMAGES);
        }
        for (Precision p : Precision.values()) {
            Conversion c = new Conversion(
                    p,
                    0,
                    true,
                    given,
                    p == Precision.INT8 ? new CalibrationSettings(IMAGES, CalibrationMethod.MIN_MAX) : null);
            Path out = to.resolve(p + ".onnx");
            c.apply(vendor, out);
            try (OnnxEncoder e = OnnxEncoder.open(out)) {
                assertEquals("0.1,0.2,0.3", e.settings().get("mean").orElseThrow());
                assertEquals("0.2,0.3,0.4", e.settings().get("std").orElseThrow());
                assertEquals("bicubic", e.settings().get("interpolation").orElseThrow());
                assertEquals("somebody", e.metadata().get("author"));
                // The length that only the other rule has is gone.
                assertFalse(e.metadata().containsKey("preprocessing.resize_short"));
                float part = p == Precision.FLOAT32 ? 1e-6f : p == Precision.FLOAT16 ? 0.01f : 0.2f;
                assertTrue(
                        Foreign.largestDifference(expected, e.embed(IMAGES)) <= part * Foreign.largest(expected),
                        p.toString());
            }
        }
        // Beside that configuration the new file would be fed otherwise.
        Path beside = from.resolve("new.onnx");
        IllegalArgumentException wins = assertThrows(
                IllegalArgumentException.class,
                () -> new Conversion(Precision.FLOAT16, 0, true, given, null).apply(vendor, beside));
        assertTrue(
                wins.getMessage().contains("new.onnx is not written: the preprocessor_config.json beside"),
                wins.getMessage());
        assertFalse(Files.exists(beside));
        // What contradicts the file is refused in any precision.
        EncoderSettings wrong = EncoderSettings.of(Map.of("channels", "grey"), "argument");
        assertThrows(
                InvalidEncoderException.class,
                () -> new Conversion(Precision.FLOAT32, 0, true, wrong, null).apply(vendor, to.resolve("wrong.onnx")));
    }

    /** The embedding is inside the graph: what the last layer takes. */
    private static String inner(Path file) throws IOException {
        ai.onnx.proto.OnnxMl.GraphProto graph = ModelFile.read(file).getGraph();
        return graph.getNode(graph.getNodeCount() - 1).getInput(0);
    }

    @Test
    void takenOutPreprocessingBecomesSettings(@TempDir Path dir) throws IOException {
        Path file = Files.write(
                dir.resolve("bytes.onnx"), model(NET, EncoderLayout.DEFAULT).toByteArray());
        EncoderSettings given = EncoderSettings.of(Map.of("resize-short", "80", "layout", "nhwc"), "argument");
        Path out = dir.resolve("bare.onnx");
        new Conversion(Precision.FLOAT32, 0, false, given, null).apply(file, out);
        try (OnnxEncoder a = OnnxEncoder.open(file, given, RuntimeSettings.DEFAULT);
                OnnxEncoder b = OnnxEncoder.open(out)) {
            assertEquals("metadata", b.settings().values().get("std").source());
            assertEquals(80, b.preprocessing().shortSide());
            float[][] expected = a.embed(IMAGES);
            assertTrue(Foreign.largestDifference(expected, b.embed(IMAGES)) <= 1e-4 * Foreign.largest(expected));
        }
    }
}
