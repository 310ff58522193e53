package io.github.simclr4j.train.tribuo;

import io.github.simclr4j.images.Images;
import io.github.simclr4j.tribuo.evaluation.ProtocolContext;
import io.github.simclr4j.util.Option;
import java.io.IOException;
import java.util.List;

/**
 * Fine-tuning (Chen et al. 2020, table 7): the encoder is trained further with a classifier on it, see {@link FineTuneTrainer}.
 */
public class FineTuneProtocol extends TrainingProtocol {
    /** Passes over the labelled images. */
    public static final Option<Integer> EPOCHS = Option.whole("epochs", 60, 1, Integer.MAX_VALUE,
            "Passes over the labelled images", "with 1% of the labels in Chen et al. 2020; 30 with 10%");
    /** Images a step. */
    public static final Option<Integer> BATCH = Option.whole("batch", 64, 2, Integer.MAX_VALUE,
            "Images a step; each gives two views", "Chen et al. 2020 have 4096");
    /** Learning rate of the first step. */
    public static final Option<Double> LEARNING_RATE = Option.atLeast("learning-rate", 0, 0,
            "Learning rate of SGD with Nesterov's momentum, which then follows half a cosine to 0; 0 for 0.05*B/256",
            "Chen et al. 2020");
    /** How views are made. */
    public static final Option<String> VIEWS = new Option<>("views", String.class, "supervised", "a preset or augmentations",
            TrainingProtocol::isViews, List.of(), "Random views: a preset, or augmentations in order",
            "crop and flip, Chen et al. 2020");

    static final List<Option<?>> TRAINING = List.of(EPOCHS, BATCH, LEARNING_RATE, VIEWS);

    @Override
    public String name() {
        return "finetune";
    }

    @Override
    public String help() {
        return "the encoder and a classifier are trained together, from the encoder's own weights";
    }

    @Override
    public String paper() {
        return "https://arxiv.org/abs/2002.05709";
    }

    @Override
    double measure(ProtocolContext context, Draw draw) throws IOException {
        return accuracy(tuned(context, draw), context);
    }
}
