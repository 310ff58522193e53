package io.github.simclr4j.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Adam (Kingma and Ba 2015, algorithm 1; beta 0.9 and 0.999, epsilon 1e-8) with decoupled weight decay (Loshchilov and
 * Hutter 2019, algorithm 2).
 */
final class Adam implements Optimiser {
    private static final double BETA1 = 0.9;
    private static final double BETA2 = 0.999;
    private static final double EPSILON = 1e-8;
    private static final String STEP = "step";

    private final double weightDecay;
    private final Map<String, NDArray> state = new LinkedHashMap<>();

    Adam(Map<String, NDArray> weights, double weightDecay) {
        this.weightDecay = weightDecay;
        weights.forEach((name, w) -> {
            state.put(name + ".mean", w.getManager().zeros(w.getShape()));
            state.put(name + ".square", w.getManager().zeros(w.getShape()));
        });
        NDManager any = weights.values().iterator().next().getManager();
        state.put(STEP, any.zeros(new Shape(1)));
    }

    @Override
    public void step(Map<String, NDArray> weights, double rate) {
        state.get(STEP).addi(1);
        int t = (int) state.get(STEP).toFloatArray()[0];
        double correction1 = 1 - Math.pow(BETA1, t);
        double correction2 = Math.sqrt(1 - Math.pow(BETA2, t));
        weights.forEach((name, w) -> {
            try (NDManager m = w.getManager().newSubManager(); NDArray g = w.getGradient()) {
                g.attach(m);
                NDArray mean = state.get(name + ".mean");
                NDArray square = state.get(name + ".square");
                mean.muli(BETA1).addi(g.mul(1 - BETA1));
                square.muli(BETA2).addi(g.square().mul(1 - BETA2));
                if (weightDecay > 0 && !Optimiser.excluded(w)) {
                    w.muli(1 - rate * weightDecay);
                }
                NDArray root = square.sqrt();
                root.attach(m);
                NDArray update = mean.div(root.div(correction2).add(EPSILON));
                update.attach(m);
                w.subi(update.mul(rate / correction1));
            }
        });
    }

    @Override
    public Map<String, NDArray> state() {
        return state;
    }
}
