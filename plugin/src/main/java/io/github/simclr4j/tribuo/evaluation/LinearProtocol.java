// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.evaluation;

import java.io.IOException;

/**
 * Evaluates fixed features by a linear classifier; see {@link LinearEvaluation}.
 *
 * @since 0.1.0
 */
public final class LinearProtocol implements Protocol {
    @Override
    public String name() {
        return "linear";
    }

    @Override
    public String help() {
        return "a linear classifier on fixed features";
    }

    @Override
    public String paper() {
        return "https://arxiv.org/abs/2002.05709";
    }

    @Override
    public Accuracies run(ProtocolContext context) throws IOException {
        FeatureSets features = context.features();
        return Accuracies.evaluate(
                context, (share, seed) -> LinearEvaluation.evaluate(features.train(), features.test(), share, seed));
    }
}
