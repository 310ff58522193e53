package io.github.simclr4j.train.optim;
import ai.djl.ndarray.NDArray;
import java.util.Map;
public final class Averages {
    private Averages() {}
    public static void move(Map<String, NDArray> mine, Map<String, NDArray> theirs, double momentum) {
        mine.forEach((n, a) -> { try (NDArray part = theirs.get(n).mul(1 - momentum)) { a.muli(momentum).addi(part); } });
    }
}
