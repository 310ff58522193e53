// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.bench;

import java.util.List;

/**
 * A throughput in items per second, measured several times.
 *
 * @param perSecond throughput of each repetition, at least one
 * @since 0.1.0
 */
public record Rate(List<Double> perSecond) {
    /**
     * Copies the list.
     *
     * @throws IllegalArgumentException if the list is empty
     */
    public Rate {
        perSecond = List.copyOf(perSecond);
        if (perSecond.isEmpty()) {
            throw new IllegalArgumentException("A rate needs at least one repetition, found none");
        }
    }

    /** Returns the median. */
    public double median() {
        return quantile(0.5);
    }

    /** Returns the first and third quartiles. */
    public List<Double> quartiles() {
        return List.of(quantile(0.25), quantile(0.75));
    }

    /** Returns a quantile by linear interpolation, like NumPy's default. */
    private double quantile(double share) {
        List<Double> sorted = perSecond.stream().sorted().toList();
        double at = share * (sorted.size() - 1);
        int below = (int) at;
        int above = Math.min(below + 1, sorted.size() - 1);
        return sorted.get(below) + (at - below) * (sorted.get(above) - sorted.get(below));
    }
}
