package io.github.simclr4j.train.optim;

import ai.djl.ndarray.NDArray;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntToDoubleFunction;

/** What goes with the name of an optimizer. A further optimizer is a class and a constant here. */
enum OptimizerKind {
    /** Rates of Chen et al. 2020, appendix B.1. */
    LARS(true, true, b -> 0.3 * b / 256, b -> 0.075 * Math.sqrt(b), Lars::new),
    /** The rate of He et al. 2020, section 3.3. */
    SGD(true, true, b -> 0.03 * (b / 256.0), b -> 0.03 * Math.sqrt(b / 256.0), (s, w, r) -> new Sgd(s, w, r, false)),
    /** As SGD. */
    NESTEROV(true, true, SGD.linear, SGD.squareRoot, (s, w, r) -> new Sgd(s, w, r, true)),
    /** The rate is ours. */
    ADAM(false, false, b -> 0.008 * (b / 128.0), b -> 0.008 * Math.sqrt(b / 128.0), (s, w, r) -> new Adam(s, w, r, false)),
    /** As Adam. */
    ADAMW(false, false, ADAM.linear, ADAM.squareRoot, (s, w, r) -> new Adam(s, w, r, true));

    private final boolean momentum;
    private final boolean zeroGamma;
    private final IntToDoubleFunction linear;
    private final IntToDoubleFunction squareRoot;
    private final Factory factory;

    /** Makes an optimizer for weights. */
    @FunctionalInterface
    interface Factory {
        Optimizer create(OptimizerSettings settings, Map<String, NDArray> weights, WeightRules rules);
    }

    OptimizerKind(
            boolean momentum, boolean zeroGamma, IntToDoubleFunction linear, IntToDoubleFunction squareRoot, Factory factory) {
        this.momentum = momentum;
        this.zeroGamma = zeroGamma;
        this.linear = linear;
        this.squareRoot = squareRoot;
        this.factory = factory;
    }

    /** The kind of a name. */
    static OptimizerKind of(String name) {
        return Arrays.stream(values()).filter(k -> k.id().equals(name)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("Unknown optimizer, expected " + all() + ", found " + name));
    }

    private static String all() {
        List<String> names = Optimizer.names();
        int last = names.size() - 1;
        return String.join(", ", names.subList(0, last)) + " or " + names.get(last);
    }

    /** The name that users write. */
    String id() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Whether the momentum of the settings is used. */
    boolean momentum() {
        return momentum;
    }

    /** Whether the last batch norm of a residual block should start at 0. */
    boolean zeroGamma() {
        return zeroGamma;
    }

    /** The learning rate of a batch where it grows with it. */
    IntToDoubleFunction linear() {
        return linear;
    }

    /** The learning rate of a batch where it grows with its square root. */
    IntToDoubleFunction squareRoot() {
        return squareRoot;
    }

    Factory factory() {
        return factory;
    }
}
