// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.model;

import io.github.simclr4j.tribuo.evaluation.LinearEvaluation;
import io.github.simclr4j.tribuo.extraction.Fixture;
import io.github.simclr4j.tribuo.training.SelfTrainingTrainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.TreeMap;
import org.tribuo.MutableDataset;
import org.tribuo.classification.Label;

/**
 * The saved model among the test resources, and how it was made: run {@link #main} for a new version, and keep the old file.
 */
final class OldModel {
    static final String FILE = "encoded-model-0.tribuo";
    /** Blue, green, red. */
    static final double[] SCORES = {0.07570770865853928, 0.9242263848505103, 6.590649095035802E-5};

    private OldModel() {}

    static double[] scores(EncodedModel<Label> model) {
        return new TreeMap<>(model.predict(Fixture.picture(Fixture.CLASSES.get("green"), new Random(3)))
                        .getOutputScores())
                .values().stream().mapToDouble(Label::getScore).toArray();
    }

    /** Writes the file and prints its scores. */
    public static void main(String[] args) throws IOException {
        Path encoder = Fixture.encoder(Path.of("encoder.onnx"), 1);
        Path images = Fixture.images(Files.createTempDirectory("images"), 5, 1);
        MutableDataset<Label> data = Fixture.empty(Fixture.LABELS);
        Fixture.features(encoder, images).forEach(data::add);
        try (EncodedModel<Label> model = EncodedModel.containing(
                Fixture.LABELS,
                encoder,
                new SelfTrainingTrainer(LinearEvaluation.trainer(data, 1), 0.9).train(data),
                1)) {
            model.serializeToFile(Path.of(FILE));
            System.out.println(Arrays.toString(scores(model)));
        }
    }
}
