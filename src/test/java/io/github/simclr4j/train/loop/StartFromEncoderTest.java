// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.network.Architecture;
import io.github.simclr4j.onnx.network.EncoderFamilies;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.train.data.ImageSet;
import io.github.simclr4j.train.network.Precision;
import io.github.simclr4j.train.settings.PretrainBuilder;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.train.testing.Small;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Training that starts from the weights of an encoder without batch norm. */
class StartFromEncoderTest {
    private static final Architecture VIT = EncoderFamilies.of("vit-tiny", Map.of("patch-size", "16"));

    @TempDir
    private Path dir;

    private Path encoder() throws IOException {
        return Files.write(dir.resolve("start.onnx"), EncoderExport.untrained(VIT, 32, 7));
    }

    private static EncoderTrainer trainer(int imageSize) {
        PretrainSettings s = new PretrainBuilder()
                .encoder(VIT)
                .imageSize(imageSize)
                .batch(4)
                .epochs(1)
                .optimizer("sgd")
                .learningRate(1e-12)
                .precision(Precision.FLOAT32)
                .build(4);
        return new EncoderTrainer(s, "cpu", 1, Progress.NONE);
    }

    @Test
    void aVisionTransformerThatHardlyMovesGivesTheEmbeddingsThatItStartedFrom() throws IOException {
        List<RgbImage> images = Small.drawings(4);
        EncoderTrainer trainer = trainer(32);
        trainer.startFrom(encoder());
        Path after = Files.write(
                dir.resolve("after.onnx"),
                trainer.run(ImageSet.of(images, 32), RunOptions.checkpoints(null))
                        .onnx());
        float[][] expected = embed(encoder(), images);
        float[][] actual = embed(after, images);
        for (int i = 0; i < expected.length; i++) {
            for (int j = 0; j < expected[i].length; j++) {
                assertEquals(expected[i][j], actual[i][j], 1e-4, "image " + i + ", feature " + j);
            }
        }
    }

    @Test
    void positionEmbeddingsOfAnotherImageSizeAreRefusedWithTheSizeThatTheyAreFor() throws IOException {
        Path file = encoder();
        IOException e = assertThrows(IOException.class, () -> trainer(64).startFrom(file));
        assertTrue(e.getMessage().contains("32"), e.getMessage());
        assertTrue(e.getMessage().contains("image size"), e.getMessage());
    }

    private static float[][] embed(Path file, List<RgbImage> images) throws IOException {
        try (OnnxEncoder encoder = OnnxEncoder.open(file, 1)) {
            return encoder.embed(images);
        }
    }
}
