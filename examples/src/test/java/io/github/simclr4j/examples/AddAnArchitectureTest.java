// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.onnx.network.Architecture;
import io.github.simclr4j.onnx.network.EncoderFamilies;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.train.Pretraining;
import io.github.simclr4j.train.PretrainingResult;
import io.github.simclr4j.train.data.BuiltInImages;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The architecture that the example adds. */
class AddAnArchitectureTest {
    @Test
    void theArchitectureIsFoundByItsName() {
        Architecture plain = EncoderFamilies.of("plain-cnn", Map.of("channels", "4"));
        assertEquals(32, plain.dimension());
        // Convolutions 3 -> 4 -> 8 -> 16 -> 32 of 3x3, and four numbers for each channel of a batch norm.
        assertEquals(
                9 * (3 * 4 + 4 * 8 + 8 * 16 + 16 * 32),
                plain.graph(32).weights().stream()
                        .filter(w -> w.name().startsWith("conv"))
                        .mapToInt(w -> w.shape().stream().reduce(1, Math::multiplyExact))
                        .sum());
    }

    @Test
    @Tag("slow")
    void theArchitectureIsTrainedAndItsFileNamesIt(@TempDir Path dir) throws IOException {
        BuiltInImages.write(dir.resolve("photos"), 4, 1);
        try (Pretraining pretraining = Pretraining.builder()
                .images(dir.resolve("photos"))
                .encoder("plain-cnn")
                .encoderOption("channels", "4")
                .epochs(1)
                .batch(16)
                .precision("float32")
                .device("cpu")
                .threads(1)
                .progress(Progress.NONE)
                .build()) {
            PretrainingResult result = pretraining.run();
            result.writeEncoder(dir.resolve("encoder.onnx"));
        }
        try (OnnxEncoder encoder = OnnxEncoder.open(dir.resolve("encoder.onnx"))) {
            assertEquals(32, encoder.dimension());
            assertEquals(
                    "plain-cnn channels 4", encoder.architecture().orElseThrow().describe());
            assertTrue(
                    encoder.metadata().containsKey("training.method"),
                    encoder.metadata().toString());
        }
    }
}
