// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.GraphProto;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.internal.TensorValues;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Features that are NaN or infinite leave no encoder. */
class InvalidFeaturesTest {
    private static final EncoderSettings PLAIN = EncoderSettings.of(Map.of("mean", "0", "std", "1"), "test");

    @TempDir
    private Path dir;

    /** An encoder whose features are infinite where an image is black. */
    private static byte[] inverse() {
        GraphProto.Builder g = Graphs.image(
                        Graphs.node("Flatten", List.of("in"), List.of("flat")),
                        Graphs.node("Div", List.of("one", "flat"), List.of("out")))
                .addInitializer(TensorValues.floats("one", new float[] {1}, 1));
        return Graphs.model(g);
    }

    private static RgbImage image(int value) {
        byte[] rgb = new byte[8 * 8 * 3];
        Arrays.fill(rgb, (byte) value);
        return new RgbImage(8, 8, rgb);
    }

    @Test
    void theEncoderSaysWhichImage() throws IOException {
        try (OnnxEncoder e =
                OnnxEncoder.open(inverse(), "inverse.onnx", PLAIN, RuntimeSettings.DEFAULT.withThreads(1))) {
            assertEquals(2, e.embed(List.of(image(1), image(2))).length);
            InvalidFeaturesException bad =
                    assertThrows(InvalidFeaturesException.class, () -> e.embed(List.of(image(1), image(2), image(0))));
            assertEquals(2, bad.index());
            assertTrue(
                    bad.getMessage().contains("inverse.onnx")
                            && bad.getMessage().contains("export it in float32"),
                    bad.getMessage());
        }
    }

    @Test
    void thePipelineNamesTheFile() throws IOException {
        for (int i = 0; i < 20; i++) {
            BufferedImage b = new BufferedImage(8, 8, BufferedImage.TYPE_INT_RGB);
            for (int p = 0; p < 64; p++) {
                b.setRGB(p % 8, p / 8, i == 13 ? 0 : 0x404040);
            }
            ImageIO.write(b, "png", dir.resolve(String.format("%02d.png", i)).toFile());
        }
        // One that can't be read, before it in the batch.
        Files.writeString(dir.resolve("12.png"), "no image");
        List<Path> files = java.util.stream.IntStream.range(0, 20)
                .mapToObj(i -> dir.resolve(String.format("%02d.png", i)))
                .toList();
        try (OnnxEncoder e =
                        OnnxEncoder.open(inverse(), "inverse.onnx", PLAIN, RuntimeSettings.DEFAULT.withThreads(1));
                EncoderPipeline pipeline =
                        new EncoderPipeline(e, files, new EncoderPipeline.Settings(2, 8, 2), item -> {})) {
            InvalidFeaturesException bad =
                    assertThrows(InvalidFeaturesException.class, () -> pipeline.forEachRemaining(i -> {}));
            assertTrue(
                    bad.getMessage().contains("13.png") && bad.getMessage().contains("inverse.onnx"), bad.getMessage());
        }
    }

    @Test
    void theLogarithmOfTheSampleIsRefused() throws IOException {
        byte[] bytes = getClass()
                .getResourceAsStream("/io/github/simclr4j/onnx/cases/nan.onnx")
                .readAllBytes();
        EncoderSettings half = EncoderSettings.of(Map.of("mean", "0.5", "std", "0.5"), "test");
        try (OnnxEncoder e = OnnxEncoder.open(bytes, "nan.onnx", half, RuntimeSettings.DEFAULT)) {
            assertTrue(assertThrows(InvalidFeaturesException.class, () -> e.embed(List.of(image(10))))
                    .getMessage()
                    .contains("NaN"));
        }
    }
}
