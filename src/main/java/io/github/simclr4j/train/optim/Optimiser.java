package io.github.simclr4j.train.optim;

import ai.djl.ndarray.NDArray;
import java.util.Map;

/**
 * Moves weights by their gradients. State is kept by weight name in tensors that live as long as the weights. Weights with
 * one dimension (batch norm, biases) get no weight decay, and no layer adaptation.
 */
public interface Optimiser {
    /**
     * One step; gradient mode must be off.
     *
     * @param weights by name
     * @param gradients by the same names
     * @param rate learning rate
     */
    void step(Map<String, NDArray> weights, Map<String, NDArray> gradients, double rate);

    /** State tensors by name, to save and to fill again. */
    Map<String, NDArray> state();

    /** The optimiser that settings name. */
    static Optimiser of(OptimizerSettings settings, Map<String, NDArray> weights) {
        double decay = settings.weightDecay();
        return switch (settings.name()) {
            case "lars" -> new Lars(weights, settings.momentum(), decay, 0.001);
            case "sgd", "nesterov" -> new Sgd(weights, settings.momentum(), decay, settings.name().equals("nesterov"));
            case "adam" -> new Adam(weights, decay, false);
            case "adamw" -> new Adam(weights, decay, true);
            default -> throw new IllegalArgumentException(settings.name());
        };
    }

    /** True for batch norm's scale and shift, and biases. */
    static boolean excluded(NDArray weight) {
        return weight.getShape().dimension() == 1;
    }
}
