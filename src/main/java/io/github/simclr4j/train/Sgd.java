package io.github.simclr4j.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.LinkedHashMap;
import java.util.Map;

/** Gradient descent with momentum: {@code v = momentum * v + g + decay * w; w = w - rate * v}. */
final class Sgd implements Optimiser {
    private final double momentum;
    private final double weightDecay;
    private final Map<String, NDArray> velocity = new LinkedHashMap<>();

    Sgd(Map<String, NDArray> weights, double momentum, double weightDecay) {
        this.momentum = momentum;
        this.weightDecay = weightDecay;
        weights.forEach((name, w) ->
                velocity.put(name + ".velocity", w.getManager().zeros(w.getShape(), w.getDataType())));
    }

    @Override
    public void step(Map<String, NDArray> weights, Map<String, NDArray> gradients, double rate) {
        weights.forEach((name, w) -> {
            try (NDManager m = w.getManager().newSubManager()) {
                NDArray v = velocity.get(name + ".velocity");
                v.muli(momentum).addi(gradients.get(name));
                if (weightDecay > 0 && !Optimiser.excluded(w)) {
                    NDArray decay = w.mul(weightDecay);
                    decay.attach(m);
                    v.addi(decay);
                }
                NDArray move = v.mul(rate);
                move.attach(m);
                w.subi(move);
            }
        });
    }

    @Override
    public Map<String, NDArray> state() {
        return velocity;
    }
}
