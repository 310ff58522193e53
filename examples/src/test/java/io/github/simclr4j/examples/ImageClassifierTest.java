package io.github.simclr4j.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.onnx.EncoderWriter;
import io.github.simclr4j.onnx.ResNet;
import io.github.simclr4j.train.BuiltInImages;
import io.github.simclr4j.train.Pretrainer;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.classification.evaluation.LabelEvaluation;

class ImageClassifierTest {
    @Test
    void theExampleRuns(@TempDir Path dir) throws IOException {
        BuiltInImages.write(dir.resolve("train"), 10, 1);
        BuiltInImages.write(dir.resolve("test"), 5, 2);
        Path encoder = dir.resolve("encoder.onnx");
        EncoderWriter.write(encoder, Pretrainer.untrained(new ResNet(18, 0.125, ResNet.Stem.CIFAR), 32, 1));
        LabelEvaluation evaluation = ImageClassifier.run(encoder, dir.resolve("train"), dir.resolve("test"));
        assertEquals(10, evaluation.getConfusionMatrix().getDomain().size());
        assertTrue(evaluation.accuracy() >= 0 && evaluation.accuracy() <= 1);
    }
}
