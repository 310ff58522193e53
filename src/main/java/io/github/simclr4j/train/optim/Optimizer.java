package io.github.simclr4j.train.optim;

import ai.djl.ndarray.NDArray;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/**
 * Moves weights by their gradients. An optimizer owns its state until it is closed, or until the manager of the first weight is;
 * the weights stay the caller's. Not thread-safe.
 */
public interface Optimizer extends AutoCloseable {
    /**
     * Moves the weights once.
     *
     * @param gradients in the order of the weights, of their shapes and types
     * @param rate learning rate
     * @throws IllegalArgumentException if there are more or fewer gradients than weights
     */
    void step(Collection<NDArray> gradients, double rate);

    /** Returns the state tensors by name, to save and to fill again. */
    Map<String, NDArray> state();

    @Override
    void close();

    /** Returns the names of the optimizers. */
    static List<String> names() {
        return Arrays.stream(OptimizerKind.values()).map(OptimizerKind::id).toList();
    }

    /** Returns the optimizer that settings name, with the {@link WeightRules#DEFAULT usual rules}. */
    static Optimizer of(OptimizerSettings settings, Map<String, NDArray> weights) {
        return of(settings, weights, WeightRules.DEFAULT);
    }

    /**
     * Returns the optimizer that settings name.
     *
     * @param settings its name, weight decay and momentum
     * @param weights by name, all on one device and of one type
     * @param rules which weights it treats in another way
     */
    static Optimizer of(OptimizerSettings settings, Map<String, NDArray> weights, WeightRules rules) {
        return OptimizerKind.of(settings.name()).factory().create(settings, weights, rules);
    }
}
