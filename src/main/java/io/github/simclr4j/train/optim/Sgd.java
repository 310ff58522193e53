package io.github.simclr4j.train.optim;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Gradient descent with momentum: {@code d = g + decay * w; v = momentum * v + d; w = w - rate * v}, or by Nesterov's
 * (Sutskever et al. 2013, section 2) {@code w = w - rate * (d + momentum * v)}.
 */
final class Sgd implements Optimiser {
    private final double momentum;
    private final double weightDecay;
    private final boolean nesterov;
    private final Map<String, NDArray> velocity = new LinkedHashMap<>();

    Sgd(Map<String, NDArray> weights, double momentum, double weightDecay, boolean nesterov) {
        this.momentum = momentum;
        this.weightDecay = weightDecay;
        this.nesterov = nesterov;
        weights.forEach((name, w) ->
                velocity.put(name + ".velocity", w.getManager().zeros(w.getShape(), w.getDataType())));
    }

    @Override
    public void step(Map<String, NDArray> weights, Map<String, NDArray> gradients, double rate) {
        weights.forEach((name, w) -> {
            try (NDManager m = w.getManager().newSubManager()) {
                NDArray v = velocity.get(name + ".velocity");
                NDArray d = gradients.get(name);
                if (weightDecay > 0 && !Optimiser.excluded(w)) {
                    NDArray decay = w.mul(weightDecay);
                    decay.attach(m);
                    d = decay.addi(d);
                }
                v.muli(momentum).addi(d);
                NDArray move = v.mul(nesterov ? rate * momentum : rate);
                move.attach(m);
                if (nesterov) {
                    NDArray now = d.mul(rate);
                    now.attach(m);
                    move.addi(now);
                }
                w.subi(move);
            }
        });
    }

    @Override
    public Map<String, NDArray> state() {
        return velocity;
    }
}
