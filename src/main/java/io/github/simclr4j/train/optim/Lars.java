// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.optim;

import ai.djl.ndarray.NDArray;
import java.util.List;
import java.util.Map;

/**
 * Layer-wise adaptive rate scaling (<a href="https://arxiv.org/abs/1708.03888">You et al. 2017</a>, algorithm 1), with the
 * learning rate inside the momentum as in SimCLR's reference implementation:
 *
 * <pre>
 * g' = g + decay * w
 * v  = momentum * v + rate * (trust * |w| / |g'|) * g'
 * w  = w - v
 * </pre>
 *
 * <p>Weights without layer adaptation, that is batch norm and biases, use {@code v = momentum * v + rate * g}.
 */
final class Lars extends ScriptedOptimizer {
    /** The trust coefficient of SimCLR's reference implementation. */
    private static final double TRUST = 0.001;

    private final double trust;

    Lars(OptimizerSettings settings, Map<String, NDArray> weights, WeightRules rules) {
        this(settings, weights, rules, TRUST);
    }

    Lars(OptimizerSettings settings, Map<String, NDArray> weights, WeightRules rules, double trust) {
        super(settings, weights, rules, "velocity");
        this.trust = trust;
    }

    @Override
    void move(Group group, List<NDArray> gradients, double rate) {
        List<NDArray> velocity = group.state().get(0);
        if (group.plain()) {
            SCRIPT.update(
                    "plain",
                    group.weights(),
                    gradients,
                    velocity,
                    rate,
                    settings().momentum());
        } else {
            SCRIPT.update(
                    "lars",
                    group.weights(),
                    gradients,
                    velocity,
                    rate,
                    settings().momentum(),
                    settings().weightDecay(),
                    trust);
        }
    }
}
