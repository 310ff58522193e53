// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.examples;

import io.github.simclr4j.train.Pretraining;
import io.github.simclr4j.train.PretrainingResult;
import io.github.simclr4j.train.loop.EpochSummary;
import java.io.IOException;
import java.nio.file.Path;
import org.tribuo.classification.evaluation.LabelEvaluation;

/**
 * Pretrains an encoder on unlabelled images and uses it in a Tribuo pipeline. Arguments: the unlabelled images, a training folder, a
 * test folder, and the encoder file to write.
 *
 * @since 0.1.0
 */
public final class Pretrain {
    private Pretrain() {}

    /** Pretrains an encoder and writes it. A run that was interrupted resumes from its last checkpoint. */
    public static PretrainingResult learn(Path images, Path encoder, int epochs) throws IOException {
        try (Pretraining pretraining = Pretraining.builder()
                .images(images)
                .method("mocov2")
                .option("queue", 1024)
                .encoder("resnet18")
                .width(0.25)
                .imageSize(32)
                .epochs(epochs)
                .batch(64)
                .checkpoint(encoder.resolveSibling("checkpoints"))
                .listener(Pretrain::print)
                .build()) {
            PretrainingResult result = pretraining.run();
            result.writeEncoder(encoder);
            return result;
        }
    }

    private static void print(EpochSummary epoch) {
        System.out.printf(
                "Epoch %d of %d: loss %.3f%n",
                epoch.epoch(), epoch.epochs(), epoch.figures().loss());
    }

    /** Pretrains an encoder and evaluates a linear classifier of its features. */
    public static LabelEvaluation run(Path images, Path train, Path test, Path encoder, int epochs) throws IOException {
        learn(images, encoder, epochs);
        return ImageClassifier.run(encoder, train, test);
    }

    /** Prints Tribuo's evaluation. */
    public static void main(String[] args) throws IOException {
        System.out.println(run(Path.of(args[0]), Path.of(args[1]), Path.of(args[2]), Path.of(args[3]), 100));
    }
}
