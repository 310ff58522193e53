// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.tribuo;

import io.github.simclr4j.train.loop.RunOptions;
import io.github.simclr4j.tribuo.evaluation.ProtocolContext;
import io.github.simclr4j.tribuo.model.EncodedModel;
import java.io.IOException;
import org.tribuo.classification.Label;

/**
 * The baseline of fine-tuning: the encoder's architecture is trained from random weights together with a classifier.
 *
 * @since 0.1.0
 */
public class FromScratchProtocol extends TrainingProtocol {
    @Override
    public String name() {
        return "from-scratch";
    }

    @Override
    public String help() {
        return "the encoder's architecture is trained from random weights together with a classifier, the baseline";
    }

    @Override
    public String paper() {
        return "https://arxiv.org/abs/2002.05709";
    }

    @Override
    double measure(ProtocolContext context, Draw draw) throws IOException {
        try (EncodedModel<Label> model = trainer(context, draw.seed())
                .fromScratch()
                .train(
                        known(context, draw),
                        description(context, draw),
                        RunOptions.checkpoints(null),
                        context.progress())
                .model()) {
            return accuracy(model, context);
        }
    }
}
