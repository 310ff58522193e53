// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.convert.Conversion;
import io.github.simclr4j.onnx.file.InvalidEncoderException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Features of several outputs or poolings, by a graph that hands on its image in several forms, against the image's own pixels. */
class ConcatenatedOutputsTest {
    private static final RuntimeSettings ONE = RuntimeSettings.DEFAULT.withThreads(1);
    /** 9x9 pixels: an output of 243 halves ends at no multiple of four bytes. */
    private static final int PLACES = 81;

    private static EncoderSettings settings(String output, String pooling) {
        return EncoderSettings.of(
                Map.of("scale", "1", "mean", "0", "std", "1", "output", output, "pooling", pooling), "argument");
    }

    private static AttributeProto half() {
        return AttributeProto.newBuilder()
                .setName("to")
                .setType(AttributeProto.AttributeType.INT)
                .setI(Graphs.HALF)
                .build();
    }

    /**
     * From an image [N, 3, 9, 9]: {@code flat} [N, 243] and {@code a,b}, which is equal, are outputs; {@code half}, the same in float16,
     * {@code map} [N, 3, 9, 9] and {@code tokens} [N, 81, 3] are inside.
     *
     * @param batch -1 if it is free
     */
    private static byte[] graph(int batch) {
        return Graphs.model(GraphProto.newBuilder()
                .addInput(Graphs.value("in", Graphs.FLOAT, batch, 3, 9, 9))
                .addInitializer(Graphs.shape("shape", 0, PLACES, 3))
                .addNode(Graphs.node("Flatten", List.of("in"), List.of("flat")))
                .addNode(Graphs.node("Identity", List.of("flat"), List.of("a,b")))
                .addNode(Graphs.node("Cast", List.of("flat"), List.of("half")).addAttribute(half()))
                .addNode(Graphs.node("Relu", List.of("in"), List.of("map")))
                .addNode(Graphs.node("Transpose", List.of("in"), List.of("pixels"))
                        .addAttribute(Graphs.ints("perm", 0, 2, 3, 1)))
                .addNode(Graphs.node("Reshape", List.of("pixels", "shape"), List.of("tokens")))
                .addOutput(Graphs.value("flat", Graphs.FLOAT, batch, 3 * PLACES))
                .addOutput(Graphs.value("a,b", Graphs.FLOAT, batch, 3 * PLACES)));
    }

    private static int value(RgbImage image, int place, int channel) {
        return image.rgb()[3 * place + channel] & 255;
    }

    /** What a part of an embedding must be, by the pixels: {@code planes}, {@code first}, {@code mean} or {@code others}. */
    private static float[] expected(RgbImage image, String parts) {
        List<Float> values = new ArrayList<>();
        for (String part : parts.split(" ")) {
            for (int c = 0; c < 3; c++) {
                int from = part.equals("others") ? 1 : 0;
                int to = part.equals("first") ? 1 : PLACES;
                float sum = 0;
                for (int i = from; i < to; i++) {
                    sum += value(image, i, c);
                    if (part.equals("planes")) {
                        values.add((float) value(image, i, c));
                    }
                }
                if (!part.equals("planes")) {
                    values.add(sum / (to - from));
                }
            }
        }
        float[] v = new float[values.size()];
        for (int i = 0; i < v.length; i++) {
            v[i] = values.get(i);
        }
        return v;
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "tokens | class+mean | first mean",
                "tokens | mean-patches + class | others first",
                "map | mean | mean",
                "flat, tokens | class+mean | planes first mean",
                "tokens,flat | mean | mean planes",
                "tokens,map,flat | class,mean,none | first mean planes",
                "half,map,tokens | none,mean,class+mean-patches | planes mean first others",
                "a,b | none | planes",
                "half,flat | none,none | planes planes"
            })
    void featuresAreConcatenatedInTheOrderOfTheSettings(String output, String pooling, String parts)
            throws IOException {
        for (int batch : new int[] {-1, 2}) {
            try (OnnxEncoder e =
                    OnnxEncoder.open(graph(batch), "several", settings(output, pooling), ONE.withBatch(2))) {
                List<RgbImage> images = new ArrayList<>();
                for (int k = 0; k < 5; k++) {
                    images.add(Foreign.picture(9, 9, k));
                }
                float[][] found = e.embed(images);
                for (int k = 0; k < 5; k++) {
                    assertArrayEquals(expected(images.get(k), parts), found[k], 1e-4f, "image " + k);
                }
                assertEquals(found[0].length, e.dimension());
                assertEquals(
                        new EncoderSettings.Value(output, "argument"),
                        e.settings().values().get("output"));
                assertEquals(
                        new EncoderSettings.Value(pooling, "argument"),
                        e.settings().values().get("pooling"));
            }
        }
    }

    /** Without a rule each output gets the usual one; what is said of it then gives the same features. */
    @Test
    void whatIsPooledWithoutARuleIsSaid() throws IOException {
        RgbImage image = Foreign.picture(9, 9, 7);
        String rule;
        try (OnnxEncoder e = OnnxEncoder.open(graph(-1), "several", settings("half,map,tokens", ""), ONE)) {
            assertEquals(
                    new EncoderSettings.Value("none,mean,mean", "graph"),
                    e.settings().values().get("pooling"));
            rule = e.settings().get("pooling").orElseThrow();
            assertArrayEquals(expected(image, "planes mean mean"), e.embed(List.of(image))[0], 1e-4f);
        }
        try (OnnxEncoder e = OnnxEncoder.open(graph(-1), "several", settings("half,map,tokens", rule), ONE)) {
            assertArrayEquals(expected(image, "planes mean mean"), e.embed(List.of(image))[0], 1e-4f);
        }
        try (OnnxEncoder e = OnnxEncoder.open(graph(-1), "several", settings("flat,half", ""), ONE)) {
            assertTrue(e.settings().get("pooling").isEmpty());
        }
    }

    @Test
    void settingsThatContradictTheGraphAreRefused() {
        String[][] cases = {
            {"flat,nowhere", "", "does not compute a value nowhere"},
            {"flat,", "", "does not compute a value"},
            {"flat,half,flat", "", "the setting output names flat twice"},
            {"flat,tokens", "mean,class,mean", "expected one entry or one for each of 2 outputs, flat, tokens"},
            {"tokens", "none", "pooling none"},
            {"map", "class", "pooling class"},
            {"map", "mean+class", "pooling class"},
            {"flat,half", "mean", "nothing to pool: remove the setting pooling"},
            {"flat,tokens", "mean,class", "nothing to pool: use none for it in the setting pooling"}
        };
        for (String[] c : cases) {
            IOException e = assertThrows(
                    InvalidEncoderException.class,
                    () -> OnnxEncoder.open(graph(-1), "several", settings(c[0], c[1]), ONE)
                            .close(),
                    c[0]);
            assertTrue(e.getMessage().contains(c[2]), e.getMessage());
        }
        for (String bad : List.of("max", "mean+", "mean+mean", "none+mean", ",mean")) {
            IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> settings("flat", bad), bad);
            assertTrue(e.getMessage().startsWith("pooling from argument: expected "), e.getMessage());
        }
    }

    @Test
    void listsInAJsonFileAreTheSame(@TempDir Path dir) throws IOException {
        Path file = Files.writeString(
                dir.resolve("s.json"), "{\"output\": [\"tokens\", \"flat\"], \"pooling\": [\"class+mean\", \"none\"]}");
        EncoderSettings read = EncoderSettings.read(file);
        assertEquals("tokens,flat", read.get("output").orElseThrow());
        assertEquals("class+mean,none", read.get("pooling").orElseThrow());
    }

    /** A converted file has the settings inside, and the values as outputs. */
    @Test
    void aConvertedFileNeedsNoSettings(@TempDir Path dir) throws IOException {
        Path file = Files.write(dir.resolve("vendor.onnx"), graph(-1));
        Path out = dir.resolve("own/encoder.onnx");
        Files.createDirectories(out.getParent());
        new Conversion(null, 0, true, settings("tokens,half", "class+mean"), null).apply(file, out);
        // Again, by what the file says itself.
        Path again = dir.resolve("own/again.onnx");
        new Conversion(null, 0, true, EncoderSettings.of(Map.of("interpolation", "nearest"), "argument"), null)
                .apply(out, again);
        RgbImage image = Foreign.picture(9, 9, 2);
        for (Path converted : List.of(out, again)) {
            try (OnnxEncoder e = OnnxEncoder.open(converted)) {
                assertEquals(
                        new EncoderSettings.Value("tokens,half", "metadata"),
                        e.settings().values().get("output"));
                assertEquals(
                        new EncoderSettings.Value("class+mean", "metadata"),
                        e.settings().values().get("pooling"));
                assertArrayEquals(expected(image, "first mean planes"), e.embed(List.of(image))[0], 1e-4f);
            }
        }
    }
}
