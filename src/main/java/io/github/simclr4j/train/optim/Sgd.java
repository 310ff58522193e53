// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.optim;

import ai.djl.ndarray.NDArray;
import java.util.List;
import java.util.Map;

/**
 * Stochastic gradient descent with momentum: {@code d = g + decay * w; v = momentum * v + d; w = w - rate * v}.
 *
 * <p>With Nesterov momentum (<a href="https://proceedings.mlr.press/v28/sutskever13.html">Sutskever et al. 2013</a>,
 * section 2) the last step is {@code w = w - rate * (d + momentum * v)}.
 */
final class Sgd extends ScriptedOptimizer {
    private final boolean nesterov;

    Sgd(OptimizerSettings settings, Map<String, NDArray> weights, WeightRules rules, boolean nesterov) {
        super(settings, weights, rules, "velocity");
        this.nesterov = nesterov;
    }

    @Override
    void move(Group group, List<NDArray> gradients, double rate) {
        // The fused kernel expects an empty velocity if the momentum is 0.
        List<NDArray> velocity = settings().momentum() > 0 ? group.state().get(0) : List.of();
        SCRIPT.update(
                "sgd",
                group.weights(),
                gradients,
                velocity,
                rate,
                settings().momentum(),
                group.plain() ? 0.0 : settings().weightDecay(),
                nesterov);
    }
}
