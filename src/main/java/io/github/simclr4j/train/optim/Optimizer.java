package io.github.simclr4j.train.optim;
import ai.djl.ndarray.NDArray;
import java.util.*;
public final class Optimizer implements AutoCloseable {
    private final Optimiser o; private final Map<String, NDArray> w;
    private Optimizer(Optimiser o, Map<String, NDArray> w) { this.o = o; this.w = w; }
    public static Optimizer of(OptimizerSettings s, Map<String, NDArray> w) { return new Optimizer(Optimiser.of(s, w), w); }
    public void step(List<NDArray> g, double rate) { Map<String, NDArray> m = new LinkedHashMap<>(); int i = 0; for (String n : w.keySet()) m.put(n, g.get(i++)); o.step(w, m, rate); }
    public Map<String, NDArray> state() { return o.state(); }
    public void close() {}
}
