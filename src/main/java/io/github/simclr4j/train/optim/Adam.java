package io.github.simclr4j.train.optim;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Adam (Kingma and Ba 2015, algorithm 1; beta 0.9 and 0.999, epsilon 1e-8) with weight decay in the gradient, or
 * decoupled from it (AdamW, Loshchilov and Hutter 2019, algorithm 2).
 */
final class Adam implements Optimiser {
    private static final double BETA1 = 0.9;
    private static final double BETA2 = 0.999;
    private static final double EPSILON = 1e-8;
    private static final String STEP = "step";

    private final double weightDecay;
    private final boolean decoupled;
    private int steps = -1;
    private final Map<String, NDArray> state = new LinkedHashMap<>();

    Adam(Map<String, NDArray> weights, double weightDecay, boolean decoupled) {
        this.weightDecay = weightDecay;
        this.decoupled = decoupled;
        weights.forEach((name, w) -> {
            state.put(name + ".mean", w.getManager().zeros(w.getShape(), w.getDataType()));
            state.put(name + ".square", w.getManager().zeros(w.getShape(), w.getDataType()));
        });
        NDManager any = weights.values().iterator().next().getManager();
        state.put(STEP, any.zeros(new Shape(1)));
    }

    @Override
    public void step(Map<String, NDArray> weights, Map<String, NDArray> gradients, double rate) {
        NDArray counter = state.get(STEP);
        counter.addi(1);
        // Reading the counter from a GPU would wait for it, so its value is read once only.
        steps = steps < 0 ? (int) counter.toFloatArray()[0] : steps + 1;
        double correction1 = 1 - Math.pow(BETA1, steps);
        double correction2 = Math.sqrt(1 - Math.pow(BETA2, steps));
        weights.forEach((name, w) -> {
            try (NDManager m = w.getManager().newSubManager()) {
                NDArray g = gradients.get(name).mul(1);
                g.attach(m);
                boolean decay = weightDecay > 0 && !Optimiser.excluded(w);
                if (decay && decoupled) {
                    w.muli(1 - rate * weightDecay);
                } else if (decay) {
                    NDArray pull = w.mul(weightDecay);
                    pull.attach(m);
                    g.addi(pull);
                }
                NDArray mean = state.get(name + ".mean");
                NDArray square = state.get(name + ".square");
                mean.muli(BETA1).addi(g.mul(1 - BETA1));
                square.muli(BETA2).addi(g.square().mul(1 - BETA2));
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
