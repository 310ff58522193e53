// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.examples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.train.Pretraining;
import io.github.simclr4j.train.PretrainingResult;
import io.github.simclr4j.train.data.BuiltInImages;
import io.github.simclr4j.train.method.MethodFactory;
import io.github.simclr4j.train.method.Methods;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.classification.evaluation.LabelEvaluation;

/** The examples that learn an encoder. */
@Tag("slow")
class PretrainTest {
    @TempDir
    static Path dir;

    @BeforeAll
    static void draw() throws IOException {
        BuiltInImages.write(dir.resolve("unlabelled"), 7, 1);
        BuiltInImages.write(dir.resolve("train"), 4, 2);
        BuiltInImages.write(dir.resolve("test"), 2, 3);
    }

    @Test
    void anEncoderIsLearntAndUsed() throws IOException {
        Path encoder = dir.resolve("encoder.onnx");
        LabelEvaluation evaluation =
                Pretrain.run(dir.resolve("unlabelled"), dir.resolve("train"), dir.resolve("test"), encoder, 1);
        assertEquals(20, evaluation.getPredictions().size());
        PretrainingResult more = Pretrain.learn(dir.resolve("unlabelled"), encoder, 2);
        assertEquals(1, more.resumedAt(), "the first epoch is not learned again");
        try (OnnxEncoder file = OnnxEncoder.open(encoder)) {
            assertEquals("1024", file.metadata().get("training.queue"));
        }
    }

    @Test
    void oneConfigurationFileDescribesTheWholeWay() throws IOException {
        Path encoder = dir.resolve("configured.onnx");
        List<String> properties = List.of(
                "unlabelled=" + dir.resolve("unlabelled"),
                "train=" + dir.resolve("train"),
                "test=" + dir.resolve("test"),
                "encoder=" + encoder,
                "epochs=1");
        String file = "/io/github/simclr4j/examples/pretrain.xml";
        LabelEvaluation evaluation = PretrainFromConfiguration.run(file, properties);
        assertEquals(20, evaluation.getPredictions().size());
        assertTrue(evaluation.getProvenance().toString().contains("training.method=simclr"));
        byte[] learned = Files.readAllBytes(encoder);
        LabelEvaluation again = PretrainFromConfiguration.run(file, properties);
        assertEquals(evaluation.accuracy(), again.accuracy());
        assertArrayEquals(learned, Files.readAllBytes(encoder));
    }

    @Test
    void aMethodFromOutsideTheLibraryIsFoundByItsNameAndLearns() throws IOException {
        assertEquals(AddAMethod.class, Methods.named("fastsiam").getClass());
        List<String> names = Methods.all().stream().map(MethodFactory::name).toList();
        assertTrue(names.indexOf("fastsiam") > names.indexOf("simclr"), names.toString());
        double first = fastSiam(1).finalLoss();
        double last = fastSiam(12).finalLoss();
        // Cosines: the loss is from -1 to 1.
        assertTrue(first > -1 && last < first - 0.1, first + " to " + last);
    }

    private static PretrainingResult fastSiam(int epochs) throws IOException {
        try (Pretraining pretraining = Pretraining.builder()
                .images(dir.resolve("unlabelled"))
                .method("fastsiam")
                .option("predictor-hidden", 8)
                .width(0.0625)
                .learningRate(0.01)
                .batch(14)
                .microBatch(7)
                .epochs(epochs)
                .precision("float32")
                .device("cpu")
                .threads(1)
                .progress(Progress.NONE)
                .build()) {
            PretrainingResult result = pretraining.run();
            assertEquals("fastsiam", result.settings().get("training.method"));
            assertEquals("8", result.settings().get("training.predictor_hidden"));
            assertFalse(Double.isNaN(result.finalLoss()));
            return result;
        }
    }
}
