// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.convert;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.file.InvalidEncoderException;
import io.github.simclr4j.onnx.file.ModelFile;
import io.github.simclr4j.onnx.file.ModelInspector;
import io.github.simclr4j.onnx.internal.GraphIndex;
import io.github.simclr4j.onnx.internal.TensorValues;
import io.github.simclr4j.onnx.runtime.EncoderSettings;
import io.github.simclr4j.onnx.runtime.Foreign;
import io.github.simclr4j.onnx.runtime.Graphs;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What int8's ranges are measured on, by graphs whose ranges show it. */
class CalibrationTest {
    private static final int ROWS = 8;
    private static final int COLUMNS = 12;
    private static final List<RgbImage> IMAGES =
            List.of(picture(40, 21, 0), picture(17, 60, 1), picture(12, 8, 2), picture(100, 90, 3), picture(33, 33, 4));

    /** Little red and much blue, so that the order of the channels shows. */
    private static RgbImage picture(int width, int height, int k) {
        byte[] rgb = Foreign.picture(width, height, k).rgb();
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = (byte) ((rgb[i] & 255) / 3 + i % 3 * 80);
        }
        return new RgbImage(width, height, rgb);
    }

    /**
     * A convolution of 1x1 that hands the input on (a third of each channel is added to the next), then a mean: the range of
     * the input is that of the prepared images.
     */
    private static ModelProto model(boolean channelsLast, int channels, long batch) {
        float[] kernel = new float[channels * channels];
        for (int i = 0; i < channels; i++) {
            kernel[i * channels + i] = 1;
            kernel[i * channels + (i + 1) % channels] += 0.25f;
        }
        GraphProto.Builder g = GraphProto.newBuilder()
                .addInput(
                        channelsLast
                                ? Graphs.value("x", Graphs.FLOAT, batch, ROWS, COLUMNS, channels)
                                : Graphs.value("x", Graphs.FLOAT, batch, channels, ROWS, COLUMNS))
                .addInitializer(TensorValues.floats("k", kernel, channels, channels, 1, 1));
        String x = "x";
        if (channelsLast) {
            x = "planes";
            g.addNode(Graphs.node("Transpose", List.of("x"), List.of(x)).addAttribute(Graphs.ints("perm", 0, 3, 1, 2)));
        }
        g.addNode(Graphs.node("Conv", List.of(x, "k"), List.of("y")))
                .addNode(Graphs.node("GlobalAveragePool", List.of("y"), List.of("pooled")))
                .addNode(Graphs.node("Flatten", List.of("pooled"), List.of("out")))
                .addOutput(Graphs.value("out", Graphs.FLOAT, batch, channels));
        return Graphs.builder(Graphs.model(g)).build();
    }

    private static ModelProto int8(ModelProto model, Map<String, String> settings) throws IOException {
        return new Conversion(
                        Precision.INT8,
                        0,
                        true,
                        EncoderSettings.of(settings, "argument"),
                        new CalibrationSettings(
                                IMAGES, CalibrationMethod.MIN_MAX, RuntimeSettings.DEFAULT.withThreads(1), false))
                .convert(model);
    }

    /** The range of a value, out of its scale and its zero point. */
    private static float[] range(ModelProto int8, String value) {
        Map<String, ai.onnx.proto.OnnxMl.TensorProto> constants = new GraphIndex(int8.getGraph()).initialisers;
        float scale = TensorValues.floats(constants.get(value + "_scale"))[0];
        int zero = constants.get(value + "_zero_point").getRawData().byteAt(0) & 255;
        return new float[] {-zero * scale, (255 - zero) * scale};
    }

    /** By hand: what {@link Preprocessing} cuts out, then the values one by one. */
    private static float[] byHand(Preprocessing cut, String channels, double scale, double[] mean, double[] deviation) {
        float low = 0;
        float high = 0;
        for (RgbImage image : IMAGES) {
            byte[] rgb = cut.apply(image).rgb();
            assertEquals(3 * ROWS * COLUMNS, rgb.length);
            for (int p = 0; p < rgb.length; p += 3) {
                int[] v = {rgb[p] & 255, rgb[p + 1] & 255, rgb[p + 2] & 255};
                int[] ordered = switch (channels) {
                    case "rgb" -> v;
                    case "bgr" -> new int[] {v[2], v[1], v[0]};
                    default -> new int[] {(int) Math.round(0.299 * v[0] + 0.587 * v[1] + 0.114 * v[2])};
                };
                for (int c = 0; c < ordered.length; c++) {
                    float f = (float) ((ordered[c] * scale - mean[c]) / deviation[c]);
                    low = Math.min(low, f);
                    high = Math.max(high, f);
                }
            }
        }
        return new float[] {low, high};
    }

    private static void assertRange(float[] expected, float[] found, String what) {
        float width = expected[1] - expected[0];
        assertEquals(width, found[1] - found[0], 1e-4 * width, what);
        // A zero point is a whole level, which moves a range by up to half of one.
        assertArrayEquals(expected, found, width / 255, what);
    }

    private static Preprocessing cut(Preprocessing.Resize resize, int shortSide, Preprocessing.Interpolation filter) {
        return new Preprocessing(
                ROWS, COLUMNS, resize, shortSide, filter, Preprocessing.Channels.RGB, Preprocessing.Scaling.UNIT);
    }

    @Test
    void imagesArePreparedAsTheEncoderPreparesThem() throws IOException {
        double[] mean = {0.1, 0.6, 0.9};
        double[] deviation = {0.5, 0.2, 0.1};
        String means = "0.1,0.6,0.9";
        String deviations = "0.5,0.2,0.1";
        float[] cubic = byHand(
                cut(Preprocessing.Resize.SHORT_SIDE, 14, Preprocessing.Interpolation.BICUBIC),
                "bgr",
                1 / 255.0,
                mean,
                deviation);
        Map<String, String> options = Map.of(
                "resize-short", "14", "interpolation", "bicubic", "channels", "bgr", "mean", means, "std", deviations);
        // Either layout, any batch: free, fixed with whole batches only, with some to fill up, with more than there
        // are.
        for (boolean last : new boolean[] {false, true}) {
            for (long batch : new long[] {-1, 1, 2, 16}) {
                float[] found = range(int8(model(last, 3, batch), options), last ? "planes" : "x");
                assertRange(cubic, found, last + " " + batch);
            }
        }
        float[] grey = byHand(
                cut(Preprocessing.Resize.STRETCH, 0, Preprocessing.Interpolation.NEAREST),
                "grey",
                1,
                new double[] {7},
                new double[] {2});
        float[] found = range(
                int8(
                        model(false, 1, -1),
                        Map.of("resize", "stretch", "interpolation", "nearest", "scale", "1", "mean", "7", "std", "2")),
                "x");
        assertRange(grey, found, "grey");
        // What the metadata say, and what is given in its place.
        byte[] file = Graphs.withMetadata(
                model(false, 3, -1).toByteArray(),
                Map.of(
                        "preprocessing.mean",
                        "9",
                        "preprocessing.std",
                        deviations,
                        "preprocessing.resize_short",
                        "14",
                        "preprocessing.resize",
                        "short-side",
                        "preprocessing.interpolation",
                        "bicubic",
                        "preprocessing.channels",
                        "bgr"));
        assertRange(cubic, range(int8(Graphs.builder(file).build(), Map.of("mean", means)), "x"), "metadata");
    }

    @Test
    void theConfigurationBesideTheFileCounts(@TempDir Path dir) throws IOException {
        Path file = Files.write(dir.resolve("vendor.onnx"), model(false, 3, -1).toByteArray());
        CalibrationSettings images = new CalibrationSettings(IMAGES, CalibrationMethod.MIN_MAX);
        Conversion conversion = new Conversion(Precision.INT8, 0, true, images);
        Path out = dir.resolve("int8.onnx");
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> conversion.apply(file, out));
        assertTrue(
                e.getMessage().contains("vendor.onnx") && e.getMessage().contains("the settings mean and std"),
                e.getMessage());
        Files.writeString(dir.resolve("preprocessor_config.json"), """
                {"do_resize": true, "size": {"height": 8, "width": 12}, "resample": 2, "do_normalize": true,
                 "image_mean": [0.25, 0.5, 0.75], "image_std": [0.1, 0.2, 0.4]}""");
        conversion.apply(file, out);
        float[] expected = byHand(
                cut(Preprocessing.Resize.STRETCH, 0, Preprocessing.Interpolation.BILINEAR),
                "rgb",
                1 / 255.0,
                new double[] {0.25, 0.5, 0.75},
                new double[] {0.1, 0.2, 0.4});
        assertRange(expected, range(ModelFile.read(out), "x"), "beside");
    }

    /** A wrong value would be of another size: the ranges of the values behind the input are those of an encoder's run, too. */
    @Test
    void aFixedBatchIsConverted() throws IOException {
        byte[] file = Foreign.model("resnet34-spatial");
        EncoderSettings settings = Foreign.settings("resnet34-spatial");
        List<RgbImage> images = Foreign.pictures(64);
        ModelProto int8 = new Conversion(
                        Precision.INT8,
                        0,
                        true,
                        settings.or(EncoderSettings.of(Map.of("mean", "0", "std", "1"), "argument")),
                        new CalibrationSettings(
                                images, CalibrationMethod.MSE, RuntimeSettings.DEFAULT.withThreads(1), false))
                .convert(Graphs.builder(file).build());
        assertEquals(List.of(), ModelInspector.check(int8, null, 0).problems());
        try (OnnxEncoder a = OnnxEncoder.open(file, "a", settings, RuntimeSettings.DEFAULT);
                OnnxEncoder b = OnnxEncoder.open(int8.toByteArray(), "b", settings, RuntimeSettings.DEFAULT)) {
            float[][] expected = a.embed(images);
            assertTrue(Foreign.largestDifference(expected, b.embed(images)) < 0.15 * Foreign.largest(expected));
        }
    }

    /** As in a feature pyramid: what one level hands out, the next convolves. */
    @Test
    void anOutputMayGoIntoAConvolutionToo() throws IOException, OrtException {
        float[] kernel = {1, 0, 0.5f, 0, -1, 0, 0.25f, 0, 1};
        GraphProto.Builder g = GraphProto.newBuilder()
                .addInput(Graphs.value("x", Graphs.FLOAT, -1, 3, 8, 8))
                .addInitializer(TensorValues.floats("k", kernel, 3, 3, 1, 1));
        String x = "x";
        for (String level : List.of("p1", "p2", "p3")) {
            g.addNode(Graphs.node("Conv", List.of(x, "k"), List.of(level)));
            x = level;
        }
        g.addNode(Graphs.node("Add", List.of("p1", "p3"), List.of("sum")))
                .addNode(Graphs.node("MaxPool", List.of("p2"), List.of("pool"))
                        .addAttribute(Graphs.ints("kernel_shape", 2, 2)))
                .addNode(Graphs.node("Conv", List.of("pool", "k"), List.of("last")));
        for (String out : List.of("p1", "p2", "sum", "last")) {
            g.addOutput(Graphs.value(out, Graphs.FLOAT, -1, 3, -1, -1));
        }
        ModelProto model = Graphs.builder(Graphs.model(g)).build();
        // Ranges twice as wide as what goes in below.
        ModelProto int8 = int8(model, Map.of("mean", "0", "std", "0.5"));
        assertEquals(List.of(), ModelInspector.check(int8, null, 0).problems());
        float[][][][] in = new float[2][3][8][8];
        for (int i = 0; i < 2 * 3 * 8 * 8; i++) {
            in[i / 192][i / 64 % 3][i / 8 % 8][i % 8] = i * 37 % 100 / 100f;
        }
        OrtEnvironment env = OrtEnvironment.getEnvironment();
        try (OrtSession a = env.createSession(model.toByteArray());
                OrtSession b = env.createSession(int8.toByteArray());
                OnnxTensor t = OnnxTensor.createTensor(env, in);
                OrtSession.Result expected = a.run(Map.of("x", t));
                OrtSession.Result found = b.run(Map.of("x", t))) {
            for (String out : List.of("p1", "p2", "sum", "last")) {
                assertArrayEquals(values(expected, out), values(found, out), 0.1f, out);
            }
        }
    }

    private static float[] values(OrtSession.Result result, String name) {
        java.nio.FloatBuffer b = ((OnnxTensor) result.get(name).orElseThrow()).getFloatBuffer();
        float[] v = new float[b.remaining()];
        b.get(v);
        return v;
    }

    @Test
    void aDamagedFileIsRefusedBeforeNativeCodeSeesIt(@TempDir Path dir) throws IOException {
        Path out = dir.resolve("out.onnx");
        List<byte[]> damaged = new ArrayList<>();
        GraphProto.Builder cycle =
                Graphs.builder(model(false, 3, -1).toByteArray()).getGraphBuilder();
        cycle.addNode(Graphs.node("Identity", List.of("a"), List.of("b")))
                .addNode(Graphs.node("Identity", List.of("b"), List.of("a")));
        cycle.setNode(1, cycle.getNode(1).toBuilder().setInput(0, "a"));
        damaged.add(Graphs.model(cycle));
        // The pooled value goes round through nothing but changes of shape.
        GraphProto.Builder round =
                Graphs.builder(model(false, 3, -1).toByteArray()).getGraphBuilder();
        round.addNode(Graphs.node("Identity", List.of("pooled"), List.of("b")));
        round.setNode(1, round.getNode(1).toBuilder().setOpType("Identity").setInput(0, "b"));
        damaged.add(Graphs.model(round));
        damaged.add(Graphs.changed(
                model(false, 3, -1).toByteArray(),
                m -> m.getGraphBuilder().getInitializerBuilder(0).setDims(0, 1 << 30)));
        damaged.add(Graphs.changed(
                model(false, 3, -1).toByteArray(),
                m -> m.getGraphBuilder().getNodeBuilder(0).addAttribute(Graphs.ints("strides", 0, 0))));
        for (byte[] bytes : damaged) {
            Path file = Files.write(dir.resolve("damaged.onnx"), bytes);
            for (Conversion c : List.of(
                    new Conversion(Precision.FLOAT32, 0, true, null),
                    new Conversion(Precision.FLOAT16, 0, true, null),
                    new Conversion(Precision.INT8, 0, true, new CalibrationSettings(IMAGES, CalibrationMethod.MSE)))) {
                InvalidEncoderException e = assertThrows(InvalidEncoderException.class, () -> c.apply(file, out));
                assertTrue(e.getMessage().contains("damaged.onnx is damaged or unsafe"), e.getMessage());
            }
        }
        assertFalse(Files.exists(out));
    }

    /** Safe to parse, so that the conversion itself meets them: each must end in one sentence that names the file. */
    @Test
    void whatIsMissingInsideIsSaid(@TempDir Path dir) throws IOException {
        byte[] good = model(false, 3, -1).toByteArray();
        GraphProto.Builder chain = Graphs.builder(good).getGraphBuilder().removeNode(2);
        String x = "pooled";
        for (int i = 0; i < 50_000; i++) {
            chain.addNode(Graphs.node("Identity", List.of(x), List.of("i" + i)));
            x = "i" + i;
        }
        chain.addNode(Graphs.node("Flatten", List.of(x), List.of("out")));
        // Deep, but nothing is wrong with it.
        Int8Quantizer deep =
                new Int8Quantizer(Graphs.builder(Graphs.model(chain)).build(), false);
        assertFalse(deep.calibrated().contains("pooled"));
        List<byte[]> odd = List.of(
                Graphs.changed(good, m -> m.getGraphBuilder().getNodeBuilder(0).clearInput()),
                Graphs.changed(
                        good, m -> m.getGraphBuilder().addNode(Graphs.node("Conv", List.of("x", "k"), List.of()))),
                Graphs.changed(
                        good,
                        m -> m.getGraphBuilder()
                                .setInitializer(0, TensorValues.floats("k", new float[0], 0, 3, 1, 1))));
        for (byte[] bytes : odd) {
            Path file = Files.write(dir.resolve("odd.onnx"), bytes);
            for (Precision p : Precision.values()) {
                CalibrationSettings images =
                        p == Precision.INT8 ? new CalibrationSettings(IMAGES, CalibrationMethod.MSE) : null;
                EncoderSettings unit = EncoderSettings.of(Map.of("mean", "0", "std", "1"), "argument");
                try {
                    new Conversion(p, 0, true, unit, images).apply(file, dir.resolve("out.onnx"));
                    assertFalse(p == Precision.INT8, "int8 needs what is missing");
                } catch (IOException | IllegalArgumentException | IllegalStateException e) {
                    assertTrue(e.getMessage().contains("odd.onnx"), p + " " + e);
                }
            }
        }
    }

    @Test
    void anUnsoundFileLeavesTheOldResult(@TempDir Path dir) throws IOException {
        // It passes the check of what is safe, but its output is not what it says.
        Path file = Files.write(
                dir.resolve("odd.onnx"),
                Graphs.changed(
                        model(false, 3, -1).toByteArray(),
                        m -> m.getGraphBuilder()
                                .getOutputBuilder(0)
                                .getTypeBuilder()
                                .getTensorTypeBuilder()
                                .getShapeBuilder()
                                .getDimBuilder(1)
                                .setDimValue(7)));
        Path out = Files.writeString(dir.resolve("out.onnx"), "what was there");
        InvalidEncoderException e = assertThrows(
                InvalidEncoderException.class, () -> new Conversion(Precision.FLOAT16, 0, true, null).apply(file, out));
        assertTrue(e.getMessage().contains("odd.onnx is not sound"), e.getMessage());
        assertEquals("what was there", Files.readString(out));
    }
}
