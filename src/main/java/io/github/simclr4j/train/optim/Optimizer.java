// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.optim;

import ai.djl.ndarray.NDArray;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/**
 * Updates weights from their gradients.
 *
 * <p>An optimizer owns its state until it is closed or the manager of the first weight is closed. The weights belong to the
 * caller. Not thread-safe.
 *
 * @since 0.1.0
 */
public interface Optimizer extends AutoCloseable {
    /**
     * Performs one optimizer step.
     *
     * @param gradients one per weight, in the order, shape and data type of the weights
     * @param rate learning rate
     * @throws IllegalArgumentException if the number of gradients differs from the number of weights
     */
    void step(Collection<NDArray> gradients, double rate);

    /** Returns the state tensors by name, for a checkpoint to save and to restore in place. */
    Map<String, NDArray> state();

    @Override
    void close();

    /** Returns the names of the optimizers. */
    static List<String> names() {
        return Arrays.stream(OptimizerKind.values()).map(OptimizerKind::id).toList();
    }

    /** Returns the optimizer that the settings name, with the {@link WeightRules#DEFAULT default rules}. */
    static Optimizer of(OptimizerSettings settings, Map<String, NDArray> weights) {
        return of(settings, weights, WeightRules.DEFAULT);
    }

    /**
     * Returns the optimizer that the settings name.
     *
     * @param settings name, weight decay and momentum
     * @param weights the weights by name, all on one device and of one data type
     * @param rules which weights are exempt from weight decay or from the schedule
     * @throws IllegalArgumentException if the name is unknown
     */
    static Optimizer of(OptimizerSettings settings, Map<String, NDArray> weights, WeightRules rules) {
        return OptimizerKind.of(settings.name()).factory().create(settings, weights, rules);
    }
}
