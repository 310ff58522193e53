package io.github.simclr4j.train;

import ai.djl.ndarray.NDArray;
import java.util.Map;

/**
 * Moves weights by their gradients. State is kept by weight name in tensors that live as long as the weights. Weights with
 * one dimension (batch norm, biases) get no weight decay, and no layer adaptation.
 */
interface Optimiser {
    /**
     * One step; gradients must be there, gradient mode must be off.
     *
     * @param weights by name
     * @param rate learning rate
     */
    void step(Map<String, NDArray> weights, double rate);

    /** State tensors by name, to save and to fill again. */
    Map<String, NDArray> state();

    /** {@code lars} or {@code adam}. */
    static Optimiser of(String name, Map<String, NDArray> weights, double weightDecay) {
        return switch (name) {
            case "lars" -> new Lars(weights, 0.9, weightDecay, 0.001);
            case "adam" -> new Adam(weights, weightDecay);
            default -> throw new IllegalArgumentException(
                    "Unknown optimiser, expected adam or lars, found " + name);
        };
    }

    /** True for batch norm's scale and shift, and biases. */
    static boolean excluded(NDArray weight) {
        return weight.getShape().dimension() == 1;
    }
}
