// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.optim;

import ai.djl.ndarray.NDArray;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/**
 * Adam (<a href="https://arxiv.org/abs/1412.6980">Kingma and Ba 2015</a>, algorithm 1; beta 0.9 and 0.999, epsilon 1e-8)
 * with L2 weight decay in the gradient, or with decoupled weight decay
 * (AdamW, <a href="https://arxiv.org/abs/1711.05101">Loshchilov and Hutter 2019</a>, algorithm 2).
 */
final class Adam extends ScriptedOptimizer {
    private static final double BETA1 = 0.9;
    private static final double BETA2 = 0.999;
    private static final double EPSILON = 1e-8;

    private final boolean decoupled;
    private final NDArray steps;

    Adam(OptimizerSettings settings, Map<String, NDArray> weights, WeightRules rules, boolean decoupled) {
        super(settings, weights, rules, "mean", "square");
        this.decoupled = decoupled;
        steps = number("step");
    }

    @Override
    public void step(Collection<NDArray> gradients, double rate) {
        steps.addi(1);
        super.step(gradients, rate);
    }

    @Override
    void move(Group group, List<NDArray> gradients, double rate) {
        SCRIPT.update(
                "adam",
                group.weights(),
                gradients,
                group.state().get(0),
                group.state().get(1),
                steps,
                rate,
                BETA1,
                BETA2,
                EPSILON,
                group.plain() ? 0.0 : settings().weightDecay(),
                decoupled);
    }
}
