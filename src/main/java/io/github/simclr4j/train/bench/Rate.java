package io.github.simclr4j.train.bench;

import java.util.List;

/**
 * How many items a second were done, measured several times.
 *
 * @param perSecond of each repetition, at least one
 */
public record Rate(List<Double> perSecond) {
    /**
     * Copies the list.
     *
     * @throws IllegalArgumentException if it is empty
     */
    public Rate {
        perSecond = List.copyOf(perSecond);
        if (perSecond.isEmpty()) {
            throw new IllegalArgumentException("A rate needs at least one repetition");
        }
    }

    /** Returns the median. */
    public double median() {
        return quantile(0.5);
    }

    /** Returns the first and the third quartile. */
    public List<Double> quartiles() {
        return List.of(quantile(0.25), quantile(0.75));
    }

    /** Interpolates between the two nearest values, as NumPy does by default. */
    private double quantile(double share) {
        List<Double> sorted = perSecond.stream().sorted().toList();
        double at = share * (sorted.size() - 1);
        int below = (int) at;
        int above = Math.min(below + 1, sorted.size() - 1);
        return sorted.get(below) + (at - below) * (sorted.get(above) - sorted.get(below));
    }
}
