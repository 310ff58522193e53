// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.optim;

import ai.djl.ndarray.NDArray;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntToDoubleFunction;

/** The optimizers by name, with their default learning rates. A new optimizer is a class and a constant here. */
enum OptimizerKind {
    /** LARS, with the rates of <a href="https://arxiv.org/abs/2002.05709">Chen et al. 2020</a>, appendix B.1. */
    LARS(true, true, b -> 0.3 * b / 256, b -> 0.075 * Math.sqrt(b), Lars::new),
    /** SGD with momentum, with the rate of <a href="https://arxiv.org/abs/1911.05722">He et al. 2020</a>, section 3.3. */
    SGD(true, true, b -> 0.03 * (b / 256.0), b -> 0.03 * Math.sqrt(b / 256.0), (s, w, r) -> new Sgd(s, w, r, false)),
    /** SGD with Nesterov momentum, with the rates of {@link #SGD}. */
    NESTEROV(true, true, SGD.linear, SGD.squareRoot, (s, w, r) -> new Sgd(s, w, r, true)),
    /** Adam. No paper has these rates; they were chosen for this library. */
    ADAM(
            false,
            false,
            b -> 0.008 * (b / 128.0),
            b -> 0.008 * Math.sqrt(b / 128.0),
            (s, w, r) -> new Adam(s, w, r, false)),
    /** AdamW, with the rates of {@link #ADAM}. */
    ADAMW(false, false, ADAM.linear, ADAM.squareRoot, (s, w, r) -> new Adam(s, w, r, true));

    private final boolean momentum;
    private final boolean zeroGamma;
    private final IntToDoubleFunction linear;
    private final IntToDoubleFunction squareRoot;
    private final Factory factory;

    /** Creates an optimizer for weights. */
    @FunctionalInterface
    interface Factory {
        Optimizer create(OptimizerSettings settings, Map<String, NDArray> weights, WeightRules rules);
    }

    OptimizerKind(
            boolean momentum,
            boolean zeroGamma,
            IntToDoubleFunction linear,
            IntToDoubleFunction squareRoot,
            Factory factory) {
        this.momentum = momentum;
        this.zeroGamma = zeroGamma;
        this.linear = linear;
        this.squareRoot = squareRoot;
        this.factory = factory;
    }

    /** Returns the optimizer of a name. */
    static OptimizerKind of(String name) {
        return Arrays.stream(values())
                .filter(k -> k.id().equals(name))
                .findFirst()
                .orElseThrow(
                        () -> new IllegalArgumentException("Unknown optimizer, expected " + all() + ", found " + name));
    }

    private static String all() {
        List<String> names = Optimizer.names();
        int last = names.size() - 1;
        return String.join(", ", names.subList(0, last)) + " or " + names.get(last);
    }

    /** Returns the name that users write. */
    String id() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Tells whether the optimizer uses the momentum of the settings. */
    boolean momentum() {
        return momentum;
    }

    /** Tells whether the scale of the last batch norm of a residual block should start at 0. */
    boolean zeroGamma() {
        return zeroGamma;
    }

    /** Returns the learning rate by batch size, for linear scaling. */
    IntToDoubleFunction linear() {
        return linear;
    }

    /** Returns the learning rate by batch size, for square root scaling. */
    IntToDoubleFunction squareRoot() {
        return squareRoot;
    }

    Factory factory() {
        return factory;
    }
}
