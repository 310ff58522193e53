// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.runtime.EncoderSettings;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Encoders with configuration files, as the driver reads them and as the executors open them; a local file is the yardstick. */
class EncoderFileTest {
    private static final String IMAGENET =
            "{\"image_mean\": [0.485, 0.456, 0.406], \"image_std\": [0.229, 0.224, 0.225]}";

    @TempDir
    private Path dir;

    private Path model(String name, String folder) throws IOException {
        Path foreign = Path.of(
                System.getProperty("simclr.root", ".."),
                "onnx/src/test/resources/io/github/simclr4j/onnx/foreign/" + name + ".onnx");
        return Files.copy(foreign, Files.createDirectories(dir.resolve(folder)).resolve("model.onnx"));
    }

    private static void configure(Path folder, String json) throws IOException {
        Files.writeString(folder.resolve(EncoderSettings.PREPROCESSOR_CONFIG), json);
    }

    private static EncoderFile read(Path file, Map<String, String> given) throws IOException {
        return EncoderFile.read(new org.apache.hadoop.fs.Path(file.toString()), given, new Configuration());
    }

    private static float[] embedding(OnnxEncoder opened) {
        byte[] pixels = new byte[3 * 40 * 50];
        new Random(1).nextBytes(pixels);
        try (opened) {
            return opened.embed(List.of(new RgbImage(40, 50, pixels)))[0];
        }
    }

    private static float[] onExecutor(EncoderFile file) throws IOException {
        return embedding(OnnxEncoder.open(
                file.bytes(),
                file.header().name(),
                EncoderSettings.of(file.header().settings(), "param"),
                RuntimeSettings.DEFAULT.withThreads(1)));
    }

    private static void assertAsLocally(Path model) throws IOException {
        EncoderFile read = read(model, Map.of());
        float[] expected = embedding(OnnxEncoder.open(model, 1));
        assertEquals(expected.length, read.header().dimension());
        assertArrayEquals(expected, onExecutor(read), model.toString());
        org.apache.hadoop.fs.Path saved = new org.apache.hadoop.fs.Path(
                model.resolveSibling("saved" + System.nanoTime()).toString());
        read.save(saved, new Configuration());
        assertArrayEquals(expected, onExecutor(EncoderFile.load(saved, new Configuration())), model.toString());
    }

    @Test
    void aConfigurationOneFolderHigherCountsIfTheFolderIsCalledOnnx() throws IOException {
        Path model = model("mobilenet-v2", "repository/onnx");
        configure(dir.resolve("repository"), IMAGENET);
        assertEquals(
                "0.485,0.456,0.406", read(model, Map.of()).header().settings().get("mean"));
        assertAsLocally(model);
        configure(model.getParent(), "{\"mean\": 0.1, \"std\": 0.3}");
        assertEquals("0.1", read(model, Map.of()).header().settings().get("mean"));
        assertAsLocally(model);
        Path other = model("mobilenet-v2", "repository/models");
        assertFalse(read(other, Map.of()).header().settings().containsKey("mean"));
        assertAsLocally(other);
    }

    @Test
    void aFoldersPoolingOfAVectorIsLeftOutButTheCallersIsRefused() throws IOException {
        Path vector = model("mobilenet-v2", "vector");
        configure(vector.getParent(), "{\"mean\": 0.5, \"std\": 0.5, \"pooling\": \"mean\"}");
        assertAsLocally(vector);
        IOException refused = assertThrows(IOException.class, () -> read(vector, Map.of("pooling", "mean")));
        assertTrue(refused.getMessage().contains("nothing to pool"), refused.getMessage());

        Path tokens = model("vit-tokens", "tokens");
        configure(
                tokens.getParent(),
                "{\"mean\": 0.5, \"std\": 0.5, \"output\": \"pooler_output,last_hidden_state\","
                        + " \"pooling\": \"mean,class+mean\"}");
        assertEquals(
                "none,class+mean", read(tokens, Map.of()).header().settings().get("pooling"));
        assertAsLocally(tokens);
    }

    @Test
    void messagesNameTheFilesWhereTheUserHasThem() throws IOException {
        List<String> warnings = new ArrayList<>();
        Logger logger = Logger.getLogger(OnnxEncoder.class.getName());
        Handler handler = new Handler() {
            @Override
            public void publish(LogRecord warning) {
                warnings.add(warning.getMessage());
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
        Path model = model("mobilenet-v2", "repository/onnx");
        logger.addHandler(handler);
        try {
            read(model, Map.of());
        } finally {
            logger.removeHandler(handler);
        }
        assertEquals(1, warnings.size());
        assertTrue(warnings.get(0).startsWith(model + " does not state its mean and std"), warnings.get(0));
        for (Path folder : List.of(dir.resolve("repository"), model.getParent())) {
            configure(folder, "{\"mean\": ");
            IOException e = assertThrows(IOException.class, () -> read(model, Map.of()));
            String file = folder.resolve(EncoderSettings.PREPROCESSOR_CONFIG).toString();
            assertTrue(e.getMessage().startsWith(model + ": file:" + file + ": "), e.getMessage());
        }
    }

    @Test
    void damagedSettingsOfASavedStageAreNamed() throws IOException {
        Path saved = dir.resolve("saved");
        org.apache.hadoop.fs.Path folder = new org.apache.hadoop.fs.Path(saved.toString());
        read(Samples.encoder(dir.resolve("encoder.onnx"), 1), Map.of()).save(folder, new Configuration());
        Path settings = saved.resolve("settings.json");
        String whole = Files.readString(settings);
        // The checksum that Hadoop wrote beside the file.
        Files.delete(saved.resolve(".settings.json.crc"));
        for (String damaged : List.of(
                "",
                whole.substring(0, whole.length() / 2),
                "[]",
                "{}",
                "null",
                "\0\0\0",
                whole.replaceFirst("\"settings\":.*", "\"settings\":{\"mean\":null}}"),
                whole.replaceFirst("\"settings\":.*", "\"settings\":{\"mean\":[1]}}"))) {
            Files.writeString(settings, damaged);
            IOException e =
                    assertThrows(IOException.class, () -> EncoderFile.load(folder, new Configuration()), damaged);
            assertEquals(settings + " is not the settings of a saved encoder: save the stage again", e.getMessage());
        }
        Files.writeString(settings, whole);
        assertTrue(EncoderFile.load(folder, new Configuration()).header().dimension() > 1);
    }
}
