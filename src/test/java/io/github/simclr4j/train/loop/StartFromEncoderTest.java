// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.network.Architecture;
import io.github.simclr4j.onnx.network.EncoderFamilies;
import io.github.simclr4j.onnx.network.ResNet;
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
import java.util.ArrayList;
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

    @Test
    void aDeeperNetworkIsRefusedInsteadOfBeingCutOff() throws IOException {
        ResNet deep = new ResNet(34, 1.0 / 16, ResNet.Stem.CIFAR);
        Path file = Files.write(dir.resolve("deep.onnx"), EncoderExport.untrained(deep, 32, 7));
        EncoderTrainer trainer =
                new EncoderTrainer(Small.build(Small.settings("simclr", "sgd", 0.1, 4, 1)), "cpu", 1, Progress.NONE);
        IOException e = assertThrows(IOException.class, () -> trainer.startFrom(file));
        assertTrue(
                e.getMessage().contains("deep.onnx is not resnet18")
                        && e.getMessage().contains("its architecture is resnet34, expected resnet18")
                        && e.getMessage().contains("16 more convolutions, the first is layer1.2.conv1"),
                e.getMessage());
    }

    @Test
    void onlyNetworksWithBatchNormAreWarnedOfSharedStatistics() throws IOException {
        for (Architecture net : List.of(VIT, Small.NET)) {
            List<String> warnings = new ArrayList<>();
            PretrainSettings s = Small.build(
                    Small.settings("mocov2", "sgd", 0.1, 4, 1).encoder(net).headNorm(false));
            Progress told = new Progress() {
                @Override
                public void warn(String text) {
                    warnings.add(text);
                }
            };
            new EncoderTrainer(s, "cpu", 1, told).run(ImageSet.of(Small.drawings(4), 32), RunOptions.checkpoints(null));
            assertEquals(
                    net == Small.NET,
                    warnings.stream().anyMatch(w -> w.contains("shares batch norm statistics")),
                    net.name() + ": " + warnings);
        }
    }

    private static float[][] embed(Path file, List<RgbImage> images) throws IOException {
        try (OnnxEncoder encoder = OnnxEncoder.open(file, 1)) {
            return encoder.embed(images);
        }
    }
}
