// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.gson.JsonObject;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.images.Preprocessing.Interpolation;
import io.github.simclr4j.images.Preprocessing.Resize;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.convert.Conversion;
import io.github.simclr4j.onnx.convert.Precision;
import io.github.simclr4j.onnx.file.InvalidEncoderException;
import io.github.simclr4j.onnx.internal.TensorValues;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Encoders of others against the outputs of the framework that exported them. */
class ForeignEncoderTest {
    private static final RuntimeSettings ONE = RuntimeSettings.DEFAULT.withThreads(1);

    static List<String> names() {
        return Foreign.names();
    }

    private static OnnxEncoder open(String name) throws IOException {
        return OnnxEncoder.open(Foreign.model(name), name + ".onnx", Foreign.settings(name), ONE);
    }

    private static OnnxEncoder open(String name, Map<String, String> settings) throws IOException {
        return OnnxEncoder.open(Foreign.model(name), name + ".onnx", EncoderSettings.of(settings, "argument"), ONE);
    }

    @ParameterizedTest
    @MethodSource("names")
    void givesTheExportersOwnOutputs(String name) throws IOException {
        float[][] expected = Foreign.expected(name, "values");
        try (OnnxEncoder e = open(name)) {
            assertEquals(expected[0].length, e.dimension());
            float[][] found = e.embed(Foreign.pictures(e.preprocessing().size()));
            double relative = Foreign.largestDifference(expected, found) / Foreign.largest(expected);
            System.out.printf(
                    Locale.ROOT,
                    "%-20s %-28s largest difference %.2g, of %.3g%n",
                    name,
                    e.settings().get("input").orElseThrow() + " -> "
                            + e.settings().get("output").orElseThrow(),
                    Foreign.largestDifference(expected, found),
                    Foreign.largest(expected));
            // Half precision has eleven bits, and the layers add up their rounding.
            assertTrue(relative < (name.endsWith("half") ? 0.01 : 2e-5), name + " " + relative);
        }
    }

    @Test
    void tokensArePooledAsOneSays() throws IOException {
        for (String[] way : new String[][] {{"class", "values"}, {"mean", "mean"}, {"mean-patches", "patches"}}) {
            try (OnnxEncoder e = open(
                    "vit-tokens",
                    Map.of(
                            "mean",
                            "0.485,0.456,0.406",
                            "std",
                            "0.229,0.224,0.225",
                            "output",
                            "last_hidden_state",
                            "pooling",
                            way[0]))) {
                assertTrue(
                        Foreign.largestDifference(Foreign.expected("vit-tokens", way[1]), e.embed(Foreign.pictures(32)))
                                < 1e-5,
                        way[0]);
            }
        }
        // Of two outputs the flat one that is usually the embedding; of 1 + 4 x 4 tokens the first.
        try (OnnxEncoder e = open("vit-tokens", Map.of("mean", "0.485,0.456,0.406", "std", "0.229,0.224,0.225"))) {
            assertEquals("pooler_output", e.settings().get("output").orElseThrow());
            assertTrue(
                    Foreign.largestDifference(Foreign.expected("vit-tokens", "pooler"), e.embed(Foreign.pictures(32)))
                            < 1e-5);
        }
        try (OnnxEncoder e = open("vit-tokens", Map.of("output", "last_hidden_state"))) {
            assertEquals(
                    new EncoderSettings.Value("class", "graph"),
                    e.settings().values().get("pooling"));
        }
    }

    @Test
    void anyValueOfTheGraphCanBeTheOutput() throws IOException {
        // What goes into the classifier of the folded ResNet is what its headless sister would give: 16 channels.
        try (OnnxEncoder e = open("resnet18-folded", Map.of("output", "/Flatten_output_0"))) {
            assertEquals(16, e.dimension());
        }
        IOException missing =
                assertThrows(InvalidEncoderException.class, () -> open("resnet18-folded", Map.of("output", "nowhere")));
        assertTrue(missing.getMessage().contains("output float [batch, 10]"), missing.getMessage());
    }

    @Test
    void aFixedBatchIsFilledUpAndRepeated() throws IOException {
        try (OnnxEncoder e = open("resnet34-spatial")) {
            assertEquals(1, e.batch());
            List<RgbImage> five = new ArrayList<>();
            for (int k = 0; k < 5; k++) {
                five.add(Foreign.picture(64, 64, k % 2));
            }
            float[][] v = e.embed(five);
            assertArrayEquals(v[0], v[4]);
            assertArrayEquals(v[1], v[3]);
        }
        byte[] four = Graphs.withBatch(Foreign.model("tensorflow-nhwc"), 4);
        try (OnnxEncoder e = OnnxEncoder.open(
                four, "four", EncoderSettings.of(Map.of("mean", "0.5", "std", "0.5"), "argument"), ONE)) {
            assertEquals(4, e.batch());
            List<RgbImage> six = new ArrayList<>();
            for (int k = 0; k < 6; k++) {
                six.add(Foreign.picture(64, 64, k % 2));
            }
            float[][] v = e.embed(six);
            assertTrue(
                    Foreign.largestDifference(Foreign.expected("tensorflow-nhwc", "values"), new float[][] {v[4], v[5]})
                            < 1e-5);
        }
    }

    @Test
    void batchesBuffersAndThreadsGiveTheSame() throws Exception {
        for (String name : List.of("resnet18-bytes", "mobilenet-v2")) {
            RuntimeSettings three = ONE.withBatch(3);
            try (OnnxEncoder e = OnnxEncoder.open(Foreign.model(name), name, Foreign.settings(name), three)) {
                assertEquals(3, e.batch());
                List<RgbImage> images = new ArrayList<>();
                ByteBuffer direct =
                        ByteBuffer.allocateDirect(8 * 64 * 64 * 3 + 5).position(5);
                for (int k = 0; k < 8; k++) {
                    images.add(Foreign.picture(64, 64, k));
                    direct.put(images.get(k).rgb());
                }
                direct.position(5);
                ByteBuffer heap = ByteBuffer.allocate(direct.remaining())
                        .put(direct.duplicate())
                        .flip();
                float[][] expected = e.embed(images);
                assertTrue(Foreign.largestDifference(expected, e.embed(direct)) < 1e-5);
                assertTrue(Foreign.largestDifference(expected, e.embed(heap)) < 1e-5);
                assertEquals(5, direct.position());
                assertEquals(0, e.embed(List.of()).length);
                assertThrows(IllegalArgumentException.class, () -> e.embed(ByteBuffer.allocate(7)));
                ExecutorService pool = Executors.newFixedThreadPool(4);
                try {
                    List<Callable<float[][]>> calls = new ArrayList<>();
                    for (int i = 0; i < 24; i++) {
                        int from = i % 8;
                        calls.add(() -> e.embed(images.subList(from, 8)));
                    }
                    List<Future<float[][]>> results = pool.invokeAll(calls);
                    for (int i = 0; i < 24; i++) {
                        float[][] part = java.util.Arrays.copyOfRange(expected, i % 8, 8);
                        assertTrue(
                                Foreign.largestDifference(part, results.get(i).get()) < 1e-5);
                    }
                } finally {
                    pool.shutdown();
                }
            }
        }
    }

    @Test
    void channelsCanBeSwappedOrGrey() throws IOException {
        RgbImage picture = Foreign.picture(64, 64, 0);
        byte[] swapped = picture.rgb().clone();
        for (int i = 0; i < swapped.length; i += 3) {
            byte r = swapped[i];
            swapped[i] = swapped[i + 2];
            swapped[i + 2] = r;
        }
        try (OnnxEncoder rgb = open("convnext", Map.of("mean", "0.4,0.5,0.6"));
                OnnxEncoder bgr = open("convnext", Map.of("mean", "0.4,0.5,0.6", "channels", "bgr"))) {
            assertArrayEquals(rgb.embed(List.of(picture)), bgr.embed(List.of(new RgbImage(64, 64, swapped))));
        }
        // A graph that hands its one-channel image on: 0.299 R + 0.587 G + 0.114 B.
        try (OnnxEncoder grey = OnnxEncoder.open(
                Graphs.flatten(1, 8, 8, Graphs.FLOAT),
                "grey",
                EncoderSettings.of(Map.of("scale", "1"), "argument"),
                ONE)) {
            byte[] rgb = new byte[192];
            rgb[0] = (byte) 200;
            rgb[1] = 100;
            rgb[2] = 50;
            assertEquals(
                    Math.round(0.299 * 200 + 0.587 * 100 + 0.114 * 50),
                    grey.embed(List.of(new RgbImage(8, 8, rgb)))[0][0]);
        }
    }

    /** A graph that hands on what it gets shows what it is fed. */
    @Test
    void layoutAndTypeAreFed() throws IOException {
        RgbImage picture = Foreign.picture(9, 8, 0);
        for (int type : new int[] {Graphs.FLOAT, Graphs.HALF}) {
            try (OnnxEncoder e = OnnxEncoder.open(
                    Graphs.flatten(3, 8, 9, type),
                    "planes",
                    EncoderSettings.of(Map.of("scale", "1", "mean", "1,2,3", "std", "1,1,2"), "argument"),
                    ONE)) {
                float[] v = e.embed(List.of(picture))[0];
                for (int c = 0; c < 3; c++) {
                    for (int i = 0; i < 72; i++) {
                        float x = ((picture.rgb()[3 * i + c] & 255) - (c + 1)) / (c == 2 ? 2f : 1f);
                        assertEquals(x, v[c * 72 + i]);
                    }
                }
            }
        }
    }

    @Test
    void settingsAreMergedFieldByField(@TempDir Path dir) throws IOException {
        Path model = Files.write(
                dir.resolve("vendor.onnx"),
                Graphs.withMetadata(
                        Foreign.model("resnet50-folded"),
                        Map.of(
                                "preprocessing.std",
                                "0.1",
                                "preprocessing.mean",
                                "0.2",
                                "preprocessing.channels",
                                "bgr")));
        Files.writeString(dir.resolve("preprocessor_config.json"), """
                {"do_resize": true, "size": {"shortest_edge": 80}, "do_center_crop": true, "crop_size": 64, "resample": 3,
                 "do_rescale": true, "rescale_factor": 0.00392156862745098, "do_normalize": true,
                 "image_mean": [0.3, 0.3, 0.3]}""");
        Path json =
                Files.writeString(dir.resolve("mine.json"), "{\"interpolation\": \"lanczos\", \"resize_short\": 72}");
        EncoderSettings given =
                EncoderSettings.of(Map.of("resize-short", "70"), "argument").or(EncoderSettings.read(json));
        try (OnnxEncoder e = OnnxEncoder.open(model, given, ONE)) {
            Preprocessing p = e.preprocessing();
            assertEquals(70, p.shortSide());
            assertEquals(Resize.SHORT_SIDE, p.resize());
            assertEquals(Interpolation.LANCZOS, p.interpolation());
            assertEquals(64, p.size());
            assertEquals(List.of(0.3, 0.3, 0.3), p.scaling().mean());
            assertEquals(List.of(0.1, 0.1, 0.1), p.scaling().deviation());
            Map<String, EncoderSettings.Value> s = e.settings().values();
            assertEquals("argument", s.get("resize-short").source());
            assertEquals("mine.json", s.get("interpolation").source());
            assertEquals("preprocessor_config.json", s.get("mean").source());
            assertEquals("metadata", s.get("std").source());
            assertEquals("bgr", s.get("channels").text());
            assertEquals("graph", s.get("layout").source());
            assertTrue(p.rule().contains("short-side-70") && p.rule().contains("lanczos"), p.rule());
        }
    }

    @Test
    void configurationsOfHuggingFaceAreRead(@TempDir Path dir) throws IOException {
        Path file = dir.resolve("preprocessor_config.json");
        // In the forms of the processors of ViT (the older one), ConvNeXT, CLIP and EfficientNet.
        String[][] cases = {
            {
                "{\"do_normalize\": true, \"do_resize\": true, \"image_mean\": [0.5,0.5,0.5], \"image_std\": [0.5,0.5,0.5], \"size\": 224}",
                "image-size=224 resize=stretch mean=0.5,0.5,0.5 std=0.5,0.5,0.5"
            },
            {
                "{\"crop_pct\": 0.875, \"do_normalize\": true, \"do_resize\": true, \"resample\": 3, \"size\": {\"shortest_edge\": 224}}",
                "image-size=224 resize=short-side resize-short=256 interpolation=bicubic"
            },
            {
                "{\"crop_size\": {\"height\": 224, \"width\": 192}, \"do_center_crop\": true, \"size\": {\"shortest_edge\": 256}}",
                "image-size=224x192 resize=short-side resize-short=256"
            },
            {
                "{\"do_rescale\": true, \"rescale_factor\": 0.5, \"rescale_offset\": true, \"do_normalize\": false, \"resample\": 0,"
                        + " \"size\": {\"height\": 224, \"width\": 224}}",
                "image-size=224x224 resize=stretch interpolation=nearest scale=0.5 mean=1 std=1"
            },
        };
        for (String[] c : cases) {
            EncoderSettings s = EncoderSettings.read(Files.writeString(file, c[0]));
            StringBuilder found = new StringBuilder();
            s.values()
                    .forEach((k, v) ->
                            found.append(k).append('=').append(v.text()).append(' '));
            assertEquals(c[1], found.toString().strip());
        }
        for (String bad : List.of(
                "[]",
                "{\"size\": {\"longest_edge\": 3}, \"do_resize\": true}",
                "{\"image_size\": \"big\"}",
                "{\"imagesize\": 3}",
                "{",
                "{\"do_resize\": true, \"resample\": 9, \"size\": 3}",
                "null",
                "{\"mean\": [1, 2]}")) {
            IOException e =
                    assertThrows(IOException.class, () -> EncoderSettings.read(Files.writeString(file, bad)), bad);
            assertTrue(e.getMessage().contains("preprocessor_config.json"), e.getMessage());
        }
    }

    @Test
    void whoSaysAllNeedsNoConfiguration(@TempDir Path dir) throws IOException {
        Path file = Files.write(dir.resolve("vendor.onnx"), Foreign.model("resnet18-folded"));
        Files.writeString(
                dir.resolve("preprocessor_config.json"), "{\"size\": {\"longest_edge\": 3}, \"do_resize\": true}");
        Map<String, String> all = new HashMap<>(Map.of(
                "image-size",
                "64",
                "resize",
                "stretch",
                "interpolation",
                "bicubic",
                "scale",
                "1/255",
                "mean",
                "0.5",
                "std",
                "0.5",
                "channels",
                "rgb"));
        OnnxEncoder.open(file, EncoderSettings.of(all, "argument"), RuntimeSettings.DEFAULT)
                .close();
        all.remove("std");
        assertThrows(
                InvalidEncoderException.class,
                () -> OnnxEncoder.open(file, EncoderSettings.of(all, "argument"), RuntimeSettings.DEFAULT));
    }

    @Test
    void whatIsMissingOrContradictsIsSaid() {
        String[][] cases = {
            {"resnet50-folded", "", "", "the setting image-size"},
            {"resnet18-folded", "image-size", "32", "takes input float [batch, 3, 64, 64]"},
            {"resnet18-bytes", "mean", "0.5", "takes bytes"},
            {"resnet18-folded", "layout", "nhwc", "1 or 3 channels"},
            {"resnet18-folded", "input", "x", "has no input x"},
            {"resnet18-folded", "resize-short", "50", "shorter side"},
            {"resnet18-folded", "channels", "grey", "expected 1 channels"},
        };
        for (String[] c : cases) {
            IOException e = assertThrows(
                    InvalidEncoderException.class,
                    () -> open(c[0], c[1].isEmpty() ? Map.of() : Map.of(c[1], c[2]))
                            .close(),
                    c[0] + " " + c[1]);
            assertTrue(e.getMessage().contains(c[3]) && e.getMessage().startsWith(c[0]), e.getMessage());
        }
        for (String[] bad : new String[][] {
            {"size", "3"}, {"mean", "a"}, {"mean", "1,2"}, {"layout", "cnhw"}, {"image-size", "1x2x3"}
        }) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> EncoderSettings.of(Map.of(bad[0], bad[1]), "argument"),
                    bad[0]);
        }
    }

    @Test
    void providersAreNamedAndMissingOnesSaidSo() throws IOException {
        assertTrue(Provider.available().contains(Provider.CPU));
        assertThrows(IllegalArgumentException.class, () -> RuntimeSettings.DEFAULT.withProvider("tpu"));
        for (Provider p : Provider.values()) {
            if (!Provider.available().contains(p)) {
                String name = p.name().toLowerCase(Locale.ROOT);
                RuntimeException e = assertThrows(
                        IllegalStateException.class,
                        () -> OnnxEncoder.open(
                                Foreign.model("convnext"), "convnext", EncoderSettings.none(), ONE.withProvider(name)));
                assertTrue(e.getMessage().contains(name) && e.getMessage().contains("it has cpu"), e.getMessage());
            }
        }
        int[] called = new int[1];
        try (OnnxEncoder e = OnnxEncoder.open(
                Foreign.model("convnext"),
                "convnext",
                Foreign.settings("convnext"),
                ONE.withProvider("cpu").withCustomiser(o -> {
                    o.setMemoryPatternOptimization(false);
                    called[0]++;
                }))) {
            assertEquals(1, called[0]);
            assertEquals(12, e.embed(Foreign.pictures(64))[0].length);
        }
    }

    @Test
    void resizingIsPillows() {
        RgbImage picture = Foreign.picture(52, 41, 0);
        JsonObject expected = Foreign.json("resize.json");
        for (Interpolation filter : Interpolation.values()) {
            JsonObject of = expected.getAsJsonObject(filter.name().toLowerCase(Locale.ROOT));
            Map<String, Preprocessing> ways = Map.of(
                    "stretch", with(16, 24, Resize.STRETCH, 0, filter),
                    "short", with(16, 24, Resize.SHORT_SIDE, 27, filter),
                    "enlarge", with(64, 64, Resize.SHORT_SIDE, 66, filter));
            ways.forEach((name, rule) -> {
                byte[] want = Base64.getDecoder().decode(of.get(name).getAsString());
                byte[] found = rule.apply(picture).rgb();
                assertArrayEquals(want, found, filter + " " + name);
            });
        }
    }

    private static Preprocessing with(int height, int width, Resize resize, int shortSide, Interpolation filter) {
        return new Preprocessing(
                height, width, resize, shortSide, filter, Preprocessing.Channels.RGB, Preprocessing.Scaling.UNIT);
    }

    /**
     * ONNX Runtime ends the process (SIGSEGV) on a float16 product of a transposed value, as vision transformers have them, unless
     * one of its optimisers is left out.
     */
    @Test
    void aFloat16ProductOfATransposedValueIsNoEndOfTheProcess() throws IOException {
        TensorProto weight = TensorValues.halves("w", new short[64], 8, 8);
        GraphProto.Builder g = GraphProto.newBuilder()
                .addInput(Graphs.value("x", TensorProto.DataType.FLOAT16_VALUE, -1, 3, 8, 8))
                .addInitializer(weight)
                .addInitializer(TensorValues.longs("shape", new long[] {0, 24, 8}, 3))
                .addInitializer(TensorValues.longs("flat", new long[] {0, -1}, 2))
                .addNode(Graphs.node("Reshape", List.of("x", "shape"), List.of("a")))
                .addNode(
                        Graphs.node("Transpose", List.of("a"), List.of("t")).addAttribute(Graphs.ints("perm", 1, 0, 2)))
                .addNode(Graphs.node("MatMul", List.of("t", "w"), List.of("p")))
                .addNode(
                        Graphs.node("Transpose", List.of("p"), List.of("b")).addAttribute(Graphs.ints("perm", 1, 0, 2)))
                .addNode(Graphs.node("Reshape", List.of("b", "flat"), List.of("y")))
                .addOutput(Graphs.value("y", TensorProto.DataType.FLOAT16_VALUE, -1, 192));
        byte[] model = Graphs.model(g);
        EncoderSettings unit = EncoderSettings.of(Map.of("mean", "0", "std", "1"), "argument");
        RuntimeSettings runtime = RuntimeSettings.DEFAULT.withOptions(
                Map.of("optimization.disable_specified_optimizers", "ConstantSharing"));
        for (RuntimeSettings r : List.of(RuntimeSettings.DEFAULT, runtime)) {
            try (OnnxEncoder e = OnnxEncoder.open(model, "half", unit, r)) {
                assertEquals(192, e.embed(Foreign.pictures(8))[0].length);
            }
        }
        // Convolutional networks are a third faster with it.
        assertFalse(RuntimeSettings.hasHalfProducts(
                Graphs.builder(Foreign.model("resnet18-half")).build()));
        assertTrue(RuntimeSettings.hasHalfProducts(Graphs.builder(model).build()));
        assertFalse(RuntimeSettings.hasHalfProducts(
                Graphs.builder(Foreign.model("vit-tokens")).build()));
    }

    @ParameterizedTest
    @MethodSource("names")
    void inFloat16TheEmbeddingsStay(String name) throws IOException {
        EncoderSettings settings = Foreign.settings(name);
        ModelProto half = new Conversion(Precision.FLOAT16, 0, true, settings, null)
                .convert(Graphs.builder(Foreign.model(name)).build());
        try (OnnxEncoder e = OnnxEncoder.open(half.toByteArray(), name, 1)) {
            float[][] expected = Foreign.expected(name, "values");
            float[][] found = e.embed(Foreign.pictures(e.preprocessing().size()));
            assertTrue(Foreign.largestDifference(expected, found) < 0.02 * Foreign.largest(expected), name);
        }
    }
}
