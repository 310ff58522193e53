package io.github.simclr4j.examples;

import io.github.simclr4j.train.Pretraining;
import io.github.simclr4j.train.PretrainingResult;
import io.github.simclr4j.train.loop.EpochSummary;
import java.io.IOException;
import java.nio.file.Path;
import org.tribuo.classification.evaluation.LabelEvaluation;

/**
 * Learns an encoder from unlabelled images and uses it in a Tribuo pipeline: arguments are the unlabelled images, a folder to train
 * on, a folder to test on, and where the encoder goes.
 */
public final class Pretrain {
    private Pretrain() {}

    /** Learns an encoder and writes it; a run that was interrupted goes on where it was. */
    public static PretrainingResult learn(Path images, Path encoder, int epochs) throws IOException {
        try (Pretraining pretraining = Pretraining.builder()
                .images(images)
                .method("mocov2").option("queue", 1024)
                .encoder("resnet18").width(0.25).imageSize(32)
                .epochs(epochs).batch(64)
                .checkpoint(encoder.resolveSibling("checkpoints"))
                .listener(Pretrain::print)
                .build()) {
            PretrainingResult result = pretraining.run();
            result.writeEncoder(encoder);
            return result;
        }
    }

    private static void print(EpochSummary epoch) {
        System.out.printf("Epoch %d of %d: loss %.3f%n", epoch.epoch(), epoch.epochs(), epoch.figures().loss());
    }

    /** Learns an encoder and evaluates a linear classifier on its features. */
    public static LabelEvaluation run(Path images, Path train, Path test, Path encoder, int epochs) throws IOException {
        learn(images, encoder, epochs);
        return ImageClassifier.run(encoder, train, test);
    }

    /** Prints Tribuo's evaluation. */
    public static void main(String[] args) throws IOException {
        System.out.println(run(Path.of(args[0]), Path.of(args[1]), Path.of(args[2]), Path.of(args[3]), 100));
    }
}
