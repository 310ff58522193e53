package io.github.simclr4j.train.optim;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDManager;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Layer-wise adaptive rate scaling (You et al. 2017, algorithm 1, with the learning rate inside the momentum as in SimCLR's
 * own code):
 *
 * <pre>
 * g' = g + decay * w
 * v  = momentum * v + rate * (trust * |w| / |g'|) * g'
 * w  = w - v
 * </pre>
 *
 * Batch norm and biases: {@code v = momentum * v + rate * g}.
 */
public final class Lars implements Optimiser {
    private final double momentum;
    private final double weightDecay;
    private final double trust;
    private final Map<String, NDArray> velocity = new LinkedHashMap<>();

    public Lars(Map<String, NDArray> weights, double momentum, double weightDecay, double trust) {
        this.momentum = momentum;
        this.weightDecay = weightDecay;
        this.trust = trust;
        weights.forEach((name, w) -> velocity.put(name + ".velocity", w.getManager().zeros(w.getShape(), w.getDataType())));
    }

    @Override
    public void step(Map<String, NDArray> weights, Map<String, NDArray> gradients, double rate) {
        weights.forEach((name, w) -> {
            try (NDManager m = w.getManager().newSubManager()) {
                NDArray gradient = gradients.get(name);
                NDArray v = velocity.get(name + ".velocity");
                v.muli(momentum);
                if (Optimiser.excluded(w)) {
                    NDArray move = gradient.mul(rate);
                    move.attach(m);
                    v.addi(move);
                } else {
                    NDArray weight = w.duplicate();
                    weight.attach(m);
                    NDArray g = weight.mul(weightDecay).add(gradient);
                    NDArray weightNorm = weight.norm();
                    NDArray gradientNorm = g.norm();
                    NDArray usable = weightNorm.gt(0).logicalAnd(gradientNorm.gt(0));
                    NDArray ratio = NDArrays.where(
                            usable, weightNorm.mul(trust).div(gradientNorm), weightNorm.onesLike());
                    v.addi(g.mul(ratio).mul(rate));
                }
                w.subi(v);
            }
        });
    }

    @Override
    public Map<String, NDArray> state() {
        return velocity;
    }
}
