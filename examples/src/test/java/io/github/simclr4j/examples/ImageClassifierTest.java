// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.train.loop.EncoderExport;
import io.github.simclr4j.util.AtomicFiles;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.classification.evaluation.LabelEvaluation;

class ImageClassifierTest {
    /** Dark and bright noise, which any features tell apart. */
    private static Path images(Path folder, int each, long seed) throws IOException {
        Random random = new Random(seed);
        for (int bright = 0; bright < 2; bright++) {
            Path of = Files.createDirectories(folder.resolve(bright == 0 ? "dark" : "bright"));
            for (int i = 0; i < each; i++) {
                BufferedImage image = new BufferedImage(32, 32, BufferedImage.TYPE_INT_RGB);
                for (int p = 0; p < 32 * 32; p++) {
                    image.setRGB(p % 32, p / 32, (random.nextInt(64) + 180 * bright) * 0x010101);
                }
                ImageIO.write(image, "png", of.resolve(i + ".png").toFile());
            }
        }
        return folder;
    }

    @Test
    void theExampleRuns(@TempDir Path dir) throws IOException {
        Path encoder = dir.resolve("encoder.onnx");
        AtomicFiles.write(encoder, EncoderExport.untrained(new ResNet(18, 0.125, ResNet.Stem.CIFAR), 32, 1));
        LabelEvaluation evaluation =
                ImageClassifier.run(encoder, images(dir.resolve("train"), 10, 1), images(dir.resolve("test"), 10, 2));
        assertEquals(2, evaluation.getConfusionMatrix().getDomain().size());
        assertTrue(evaluation.accuracy() > 0.9, evaluation.toString());
    }
}
