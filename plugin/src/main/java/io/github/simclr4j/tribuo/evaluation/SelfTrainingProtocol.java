// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.evaluation;

import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.tribuo.training.SelfTrainingTrainer;
import io.github.simclr4j.util.Option;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.tribuo.Example;
import org.tribuo.MutableDataset;
import org.tribuo.Trainer;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;
import org.tribuo.classification.evaluation.LabelEvaluator;

/**
 * Evaluates fixed features by self-training (<a href="https://aclanthology.org/P95-1026/">Yarowsky, ACL 1995</a>). The classifier of
 * linear evaluation labels the unlabelled training images that it predicts with confidence, and also learns from them; see
 * {@link SelfTrainingTrainer}. With all labels it equals linear evaluation.
 *
 * @since 0.1.0
 */
public final class SelfTrainingProtocol implements Protocol {
    /** Minimum probability of a prediction that is used as a label. */
    private static final double SURE = 0.95;

    @Override
    public String name() {
        return "self-training";
    }

    @Override
    public String help() {
        return "a linear classifier that also learns from its own confident predictions";
    }

    @Override
    public String paper() {
        return "https://aclanthology.org/P95-1026/";
    }

    @Override
    public List<Option<?>> options() {
        return List.of(UNLABELLED);
    }

    @Override
    public Accuracies run(ProtocolContext context) throws IOException {
        FeatureSets features = context.features();
        int unlabelled = context.options().get(UNLABELLED);
        return Accuracies.evaluate(context, (share, seed) -> {
            Trainer<Label> inner =
                    LinearEvaluation.trainer(LinearEvaluation.share(features.train(), share, seed), seed);
            return new LabelEvaluator()
                    .evaluate(
                            new SelfTrainingTrainer(inner, SURE).train(hide(features.train(), share, seed, unlabelled)),
                            features.test());
        });
    }

    /** Returns the examples of the share, and further examples without their labels. */
    static MutableDataset<Label> hide(MutableDataset<Label> train, double share, long seed, int unlabelled) {
        int[] known = LinearEvaluation.share(FeatureSets.labels(train), share, seed);
        int[] seen = ImageSource.draw(train.size(), unlabelled, seed);
        MutableDataset<Label> all = new MutableDataset<>(train.getSourceProvenance(), train.getOutputFactory());
        for (int i = 0; i < train.size(); i++) {
            Example<Label> example = train.getExample(i);
            if (Arrays.binarySearch(known, i) >= 0) {
                all.add(example.copy());
            } else if (Arrays.binarySearch(seen, i) >= 0) {
                all.add(SelfTrainingTrainer.labelled(example, LabelFactory.UNKNOWN_LABEL));
            }
        }
        return all;
    }
}
