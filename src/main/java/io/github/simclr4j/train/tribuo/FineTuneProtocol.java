// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.tribuo;

import io.github.simclr4j.tribuo.evaluation.ProtocolContext;
import io.github.simclr4j.util.Option;
import java.io.IOException;
import java.util.List;

/**
 * Fine-tuning (<a href="https://arxiv.org/abs/2002.05709">Chen et al. 2020</a>, table 7): the encoder is trained further together with
 * a classifier, see {@link FineTuneTrainer}.
 *
 * @since 0.1.0
 */
public class FineTuneProtocol extends TrainingProtocol {
    /** Passes over the labelled images. */
    public static final Option<Integer> EPOCHS = Option.whole(
            "epochs",
            60,
            1,
            Integer.MAX_VALUE,
            "Passes over the labelled images",
            "with 1% of the labels in Chen et al. 2020; 30 with 10%");
    /** Images per step. */
    public static final Option<Integer> BATCH = Option.whole(
            "batch", 64, 2, Integer.MAX_VALUE, "Images per step, each with two views", "4096 in Chen et al. 2020");
    /** Initial learning rate. */
    public static final Option<Double> LEARNING_RATE = Option.atLeast(
            "learning-rate",
            0,
            0,
            "Initial learning rate of SGD with Nesterov momentum and a cosine schedule to 0; 0 for 0.05*B/256",
            "Chen et al. 2020");
    /** Composition of the views. */
    public static final Option<String> VIEWS = new Option<>(
            "views",
            String.class,
            "supervised",
            "a preset or augmentations",
            TrainingProtocol::isViews,
            List.of(),
            "Random views: a preset, or augmentations in order",
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
