// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.file.InvalidEncoderException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Settings, and the configurations of others, against what transformers makes of them. */
class EncoderSettingsTest {
    private static final RuntimeSettings ONE = RuntimeSettings.DEFAULT.withThreads(1);

    @TempDir
    private Path dir;

    private EncoderSettings read(String json) throws IOException {
        return EncoderSettings.read(Files.writeString(dir.resolve("preprocessor_config.json"), json));
    }

    private static String text(EncoderSettings settings) {
        List<String> all = new ArrayList<>();
        settings.values().forEach((k, v) -> all.add(k + "=" + v.text()));
        return String.join(" ", all);
    }

    /** What src/test/python/processors.py had transformers compute; a network that hands its input on shows what it is fed. */
    @Test
    void processorsAreReadAsTransformersMeansThem() throws IOException {
        JsonArray cases = JsonParser.parseString(new String(Foreign.bytes("processors.json"), StandardCharsets.UTF_8))
                .getAsJsonArray();
        int read = 0;
        for (JsonElement element : cases) {
            JsonObject c = element.getAsJsonObject();
            String name = c.get("name").getAsString();
            String config = c.get("config").toString();
            if (!c.has("pictures")) {
                IOException e = assertThrows(IOException.class, () -> read(config), name);
                assertTrue(
                        e.getMessage().contains("preprocessor_config.json")
                                && e.getMessage().contains("image-size"),
                        name + ": " + e.getMessage());
                continue;
            }
            read++;
            JsonArray shape = c.getAsJsonArray("shape");
            byte[] network =
                    Graphs.flatten(3, shape.get(1).getAsInt(), shape.get(2).getAsInt(), Graphs.FLOAT);
            try (OnnxEncoder e = OnnxEncoder.open(network, name, read(config), ONE)) {
                for (JsonElement picture : c.getAsJsonArray("pictures")) {
                    compare(name, e, picture.getAsJsonObject());
                }
            }
        }
        assertTrue(read > 30, "read " + read);
    }

    private static void compare(String name, OnnxEncoder e, JsonObject picture) {
        JsonArray size = picture.getAsJsonArray("size");
        float[] found = e.embed(List.of(
                Foreign.picture(size.get(0).getAsInt(), size.get(1).getAsInt(), 0)))[0];
        JsonArray values = picture.getAsJsonArray("values");
        Preprocessing.Scaling scaling = e.preprocessing().scaling();
        int off = 0;
        for (int i = 0; i < values.size(); i++) {
            int place = (int) ((long) i * found.length / values.size());
            double level = scaling.scale() / scaling.deviation().get(place / (found.length / 3));
            double difference = Math.abs(values.get(i).getAsDouble() - found[place]) / level;
            // Rounding to bytes: one level now and then; DINOv3's processor does not round at all.
            assertTrue(difference < 1.2, name + " " + size + " at " + place + ": " + difference + " levels");
            off += difference > 0.3 ? 1 : 0;
        }
        assertTrue(name.startsWith("DINOv3") || off <= values.size() / 10, name + " " + size + ": " + off + " differ");
    }

    @Test
    void nullIsNothing() throws IOException {
        // ViTImageProcessorFast of transformers 4.5x.
        assertEquals(
                "image-size=224x224 resize=stretch interpolation=bilinear scale=0.00392156862745098"
                        + " mean=0.5,0.5,0.5 std=0.5,0.5,0.5",
                text(read("""
                {"crop_size": null, "data_format": "channels_first", "default_to_square": true, "device": null,
                 "do_center_crop": null, "do_convert_rgb": null, "do_normalize": true, "do_rescale": true, "do_resize": true,
                 "image_mean": [0.5, 0.5, 0.5], "image_processor_type": "ViTImageProcessorFast", "image_std": [0.5, 0.5, 0.5],
                 "input_data_format": null, "resample": 2, "rescale_factor": 0.00392156862745098, "return_tensors": null,
                 "size": {"height": 224, "width": 224}}""")));
        assertEquals(
                "",
                text(read("{\"crop_size\": null, \"do_center_crop\": null, \"size\": null, \"resample\": null,"
                        + " \"rescale_factor\": null,"
                        + " \"image_mean\": null, \"image_std\": null, \"do_pad\": null, \"size_divisor\": null}")));
        assertEquals(
                "image-size=32x32 resize=stretch",
                text(read("{\"do_resize\": true,"
                        + " \"size\": {\"height\": 32, \"width\": 32,"
                        + " \"shortest_edge\": null, \"longest_edge\": null}}")));
        assertEquals("image-size=8", text(read("{\"image_size\": 8, \"mean\": null}")));
    }

    /** Switches are off where a file says null, whatever the class does by default. */
    @Test
    void aSwitchOfNullIsOff() throws IOException {
        assertEquals(
                "image-size=32x32 resize=stretch mean=0 std=1",
                text(read("{\"image_processor_type\": \"X\","
                        + " \"do_resize\": true, \"size\": {\"height\": 32, \"width\": 32}, \"crop_size\": {\"height\": 16, \"width\": 16},"
                        + " \"do_center_crop\": null, \"do_normalize\": null, \"image_mean\": [0.5, 0.5, 0.5]}")));
    }

    @Test
    void aFileThatIsNotThereIsSaid() {
        Path file = Path.of("nowhere", "settings.json");
        String message = assertThrows(IOException.class, () -> EncoderSettings.read(file))
                .getMessage();
        assertTrue(message.startsWith(file + ": no such file"), message);
    }

    @Test
    void whatCannotBeDoneSaysHowToGoOn() {
        for (String bad : List.of(
                "{\"do_resize\": true, \"size\": {\"min_pixels\": 3, \"max_pixels\": 9}}",
                "{\"do_resize\": true, \"size\": {}}",
                "{\"do_resize\": true, \"size\": {\"height\": 3}}",
                "{\"do_resize\": true, \"size\": [3]}",
                "{\"do_resize\": true, \"size\": {\"shortest_edge\": 0}}",
                "{\"do_resize\": true, \"size\": 0}",
                "{\"do_resize\": true, \"size\": \"big\"}",
                "{\"do_resize\": true}",
                "{\"do_resize\": true, \"size\": {\"shortest_edge\": 200}, \"do_center_crop\": true, \"crop_size\": 224}",
                "{\"do_resize\": true, \"size\": {\"height\": 8, \"width\": {}}}",
                "{\"do_sharpen\": true, \"size\": 8}",
                "{\"do_resize\": true, \"size\": 224, \"image_mean\": [null]}",
                "{\"do_resize\": true, \"size\": 224, \"crop_pct\": 0}",
                "{\"do_resize\": true, \"size\": {\"shortest_edge\": 256}, \"do_center_crop\": true}",
                "{\"do_resize\": true, \"size\": 8, \"resample\": {}}",
                "{\"do_resize\": {}, \"size\": 8}",
                "{\"image_mean\": 0.5, \"image_processor_type\": {}}",
                "{\"image_size\": {}}")) {
            IOException e = assertThrows(IOException.class, () -> read(bad), bad);
            assertTrue(
                    e.getMessage().contains("preprocessor_config.json: ")
                            && !e.getMessage().endsWith("null")
                            && !e.getMessage().contains("Json"),
                    bad + ": " + e.getMessage());
        }
    }

    /** The nested form, in which transformers 5 keeps the image processor of a processor of texts and images. */
    @Test
    void theImageProcessorOfAProcessorIsRead() throws IOException {
        assertEquals(
                "image-size=32x32 resize=stretch",
                text(read("{\"image_processor\": {\"do_resize\": true,"
                        + " \"size\": {\"height\": 32, \"width\": 32}}, \"processor_class\": \"CLIPProcessor\"}")));
    }

    @Test
    void anImageOfTheNetworksSizePassesAProcessorThatDoesNotResize() throws IOException {
        EncoderSettings s = read("{\"do_resize\": false, \"do_rescale\": false, \"do_normalize\": false,"
                + " \"size\": {\"height\": 99, \"width\": 99}}");
        RgbImage picture = Foreign.picture(12, 9, 0);
        // The metadata's rule would enlarge and cut.
        byte[] network =
                Graphs.withMetadata(Graphs.flatten(3, 9, 12, Graphs.FLOAT), Map.of("preprocessing.resize-short", "20"));
        try (OnnxEncoder e = OnnxEncoder.open(network, "whole", s, ONE)) {
            assertArrayEquals(picture.rgb(), e.preprocessing().apply(picture).rgb());
            assertEquals("center-square", e.settings().get("resize").orElseThrow());
        }
        assertEquals(
                "image-size=16x16 resize=center-square",
                text(read("{\"do_resize\": false, \"do_center_crop\": true,"
                        + " \"crop_size\": {\"height\": 16, \"width\": 16}}")));
    }

    @Test
    void stretchOfAStrongerSourceIsTheWholeImage() throws IOException {
        EncoderSettings deit =
                EncoderSettings.of(Map.of("resize", "stretch", "resize-short", "40", "image-size", "32"), "file");
        EncoderSettings clip = EncoderSettings.of(Map.of("resize-short", "40", "image-size", "32"), "file");
        EncoderSettings stretch = EncoderSettings.of(Map.of("resize", "stretch"), "argument");
        assertEquals(0, open(stretch.or(deit)).shortSide());
        assertEquals(0, open(stretch.or(EncoderSettings.none()).or(clip)).shortSide());
        assertEquals("stretch-40", open(deit.or(clip)).rule().split("-antialiased")[0]);
        // As before: the shorter side's length may come from elsewhere than the rule.
        assertEquals(
                40,
                open(EncoderSettings.of(Map.of("resize", "short-side"), "argument")
                                .or(deit))
                        .shortSide());
        // A length alone means the shorter side.
        assertEquals(
                "short-side-36",
                open(EncoderSettings.of(Map.of("resize-short", "36"), "argument")
                                .or(deit))
                        .rule()
                        .split("-antialiased")[0]);
    }

    private static Preprocessing open(EncoderSettings settings) throws IOException {
        try (OnnxEncoder e = OnnxEncoder.open(Graphs.flatten(3, 32, 32, Graphs.FLOAT), "x", settings, ONE)) {
            return e.preprocessing();
        }
    }

    /** A key of a newer version, or of another tool, says nothing here. */
    @Test
    void unknownMetadataIsPassedOver() throws IOException {
        byte[] file = Graphs.withMetadata(
                Graphs.flatten(3, 8, 8, Graphs.FLOAT),
                Map.of("preprocessing.gamma", "2.2", "preprocessing.std", "0.5", "preprocessing.", ""));
        try (OnnxEncoder e = OnnxEncoder.open(file, "newer", EncoderSettings.none(), ONE)) {
            assertEquals(List.of(0.5, 0.5, 0.5), e.preprocessing().scaling().deviation());
        }
        assertThrows(IllegalArgumentException.class, () -> EncoderSettings.of(Map.of("gamma", "2.2"), "argument"));
        assertThrows(IOException.class, () -> read("{\"gamma\": 2.2}"));
        byte[] bad = Graphs.withMetadata(Graphs.flatten(3, 8, 8, Graphs.FLOAT), Map.of("preprocessing.std", "thin"));
        assertThrows(InvalidEncoderException.class, () -> OnnxEncoder.open(bad, "bad", EncoderSettings.none(), ONE));
    }
}
