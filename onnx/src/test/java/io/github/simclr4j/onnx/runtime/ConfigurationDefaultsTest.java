// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What configurations leave out. Expected values: the classes of transformers 5.18 (models/NAME/image_processing_NAME.py), timm 1.0.29
 * (data/config.py, data/transforms_factory.py) and OpenCLIP 3 (transform.py).
 */
class ConfigurationDefaultsTest {
    private static final String CLIP = "mean=0.48145466,0.4578275,0.40821073 std=0.26862954,0.26130258,0.27577711";
    private static final String HALF = "mean=0.5,0.5,0.5 std=0.5,0.5,0.5";
    private static final String IMAGENET = "mean=0.485,0.456,0.406 std=0.229,0.224,0.225";

    @TempDir
    private Path dir;

    private String read(String name, String json) throws IOException {
        return text(EncoderSettings.read(Files.writeString(dir.resolve(name), json)));
    }

    private static String text(EncoderSettings settings) {
        List<String> all = new ArrayList<>();
        settings.values().forEach((k, v) -> all.add(k + "=" + v.text()));
        return String.join(" ", all);
    }

    private String processor(String name) throws IOException {
        return read("preprocessor_config.json", "{\"image_processor_type\":\"" + name + "ImageProcessor\"}");
    }

    @Test
    void aClassAloneMeansItsDefaults() throws IOException {
        assertEquals(
                "image-size=224x224 resize=short-side resize-short=224 interpolation=bicubic " + CLIP,
                processor("CLIP"));
        assertEquals(
                "image-size=224x224 resize=short-side resize-short=224 interpolation=bicubic " + CLIP,
                processor("Bit"));
        assertEquals("image-size=224x224 resize=stretch interpolation=bilinear " + HALF, processor("ViT"));
        assertEquals(
                "image-size=224x224 resize=stretch resize-short=256 interpolation=bicubic " + HALF, processor("DeiT"));
        assertEquals("image-size=224x224 resize=stretch interpolation=bicubic " + HALF, processor("Beit"));
        assertEquals("image-size=224x224 resize=stretch interpolation=bicubic " + HALF, processor("Siglip"));
        assertEquals("image-size=384 resize=stretch interpolation=bicubic " + HALF, processor("ConvNext"));
        assertEquals(
                "image-size=224x224 resize=short-side resize-short=256 interpolation=bicubic " + IMAGENET,
                processor("Levit"));
        // include_top divides by the deviation once more.
        assertTrue(processor("EfficientNet")
                .startsWith("image-size=346x346 resize=stretch interpolation=bicubic scale=0.00392"));
        assertTrue(processor("EfficientNet").endsWith("mean=0.5,0.5,0.5 std=0.25,0.25,0.25"));
    }

    @Test
    void aFileWithoutMeanTakesThatOfItsClass() throws IOException {
        Path folder = Path.of("src/test/resources/io/github/simclr4j/onnx/cases/clip");
        try (OnnxEncoder e = OnnxEncoder.open(folder.resolve("model.onnx"))) {
            assertTrue(text(e.settings()).contains(CLIP), text(e.settings()));
            assertTrue(text(e.settings()).contains("resize-short=36 interpolation=bicubic"), text(e.settings()));
            assertEquals(
                    "preprocessor_config.json",
                    e.settings().values().get("mean").source());
        }
    }

    @Test
    void timmsConfigurationsAreRead() throws IOException {
        Path folder = Path.of("src/test/resources/io/github/simclr4j/onnx/cases/timm");
        try (OnnxEncoder e = OnnxEncoder.open(folder.resolve("model.onnx"))) {
            assertTrue(
                    text(e.settings()).contains("resize=short-side resize-short=35 interpolation=bicubic"),
                    text(e.settings()));
            assertTrue(text(e.settings()).contains(HALF), text(e.settings()));
        }
        assertEquals(
                "image-size=224 resize=short-side resize-short=256 interpolation=bicubic " + IMAGENET,
                read("config.json", "{\"architecture\":\"resnet50\",\"pretrained_cfg\":{}}"));
        assertEquals(
                "image-size=256 resize=stretch resize-short=256 interpolation=bilinear " + HALF,
                read(
                        "config.json",
                        "{\"architecture\":\"x\",\"input_size\":[3,256,256],\"crop_pct\":1.0,\"crop_mode\":\"squash\",\"interpolation\":\"bilinear\","
                                + "\"mean\":[0.5,0.5,0.5],\"std\":[0.5,0.5,0.5]}"));
        assertTrue(assertThrows(
                        IOException.class, () -> read("config.json", "{\"pretrained_cfg\":{\"crop_mode\":\"border\"}}"))
                .getMessage()
                .contains("crop_mode border"));
    }

    @Test
    void openClipsConfigurationIsRead() throws IOException {
        assertEquals(
                "image-size=336 resize=short-side resize-short=336 interpolation=bicubic " + CLIP,
                read(
                        "open_clip_config.json",
                        "{\"model_cfg\":{\"embed_dim\":768,\"vision_cfg\":{\"image_size\":336}},\"preprocess_cfg\":{}}"));
        assertEquals(
                "image-size=224 resize=stretch interpolation=bilinear " + HALF,
                read(
                        "open_clip_config.json",
                        "{\"preprocess_cfg\":{\"mean\":[0.5,0.5,0.5],\"std\":[0.5,0.5,0.5],\"interpolation\":\"bilinear\",\"resize_mode\":\"squash\"}}"));
        assertThrows(
                IOException.class,
                () -> read("open_clip_config.json", "{\"preprocess_cfg\":{\"resize_mode\":\"longest\"}}"));
    }

    @Test
    void theFirstThatIsThereWinsAndOtherFilesOfThatNameSayNothing() throws IOException {
        Files.writeString(dir.resolve("config.json"), "{\"model_type\":\"vit\",\"hidden_size\":8}");
        assertEquals("", text(EncoderSettings.beside(dir)));
        Files.writeString(dir.resolve("open_clip_config.json"), "{\"preprocess_cfg\":{}}");
        assertTrue(text(EncoderSettings.beside(dir)).contains(CLIP));
        Files.writeString(dir.resolve("config.json"), "{\"architecture\":\"x\",\"pretrained_cfg\":{}}");
        assertTrue(text(EncoderSettings.beside(dir)).contains(IMAGENET));
        Files.writeString(dir.resolve("preprocessor_config.json"), "{\"image_processor_type\":\"ViTImageProcessor\"}");
        assertTrue(text(EncoderSettings.beside(dir)).contains(HALF));
    }
}
