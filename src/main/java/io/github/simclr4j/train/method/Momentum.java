// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import io.github.simclr4j.util.Option;

/**
 * The momentum m of a momentum encoder: {@code theirs = m * theirs + (1 - m) * mine} after each step.
 *
 * <p>It rises along half a cosine from a start to an end value (BYOL, Grill et al. 2020, implementation details,
 * <a href="https://arxiv.org/abs/2006.07733">arXiv:2006.07733</a>).
 *
 * @param start value at the beginning of the run, from 0 (inclusive) to 1 (exclusive)
 * @param end value after the last step, from {@code start} to 1
 * @since 0.1.0
 */
public record Momentum(double start, double end) {
    /** The option of the momentum at the end, which each method with a momentum encoder has with a default of its own. */
    static final Option<Double> END = Option.between(
            "momentum-encoder-end",
            1,
            0,
            1,
            "Momentum at the end of a cosine ramp, as in BYOL (Grill et al. 2020); 0 for a constant momentum",
            "Grill et al. 2020, implementation details");

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a value is out of range or {@code end} is below {@code start}
     */
    public Momentum {
        if (!(start >= 0 && start < 1) || !(end >= start && end <= 1)) {
            throw new IllegalArgumentException(
                    "The momentum of a momentum encoder must be at least 0 and below 1 and must not fall, found "
                            + start + " to " + end);
        }
    }

    /**
     * Returns the momentum of two option values.
     *
     * @param start value at the beginning of the run
     * @param end value after the last step; 0 for a constant momentum
     * @throws IllegalArgumentException if a value is out of range or {@code end} is below {@code start}
     */
    public static Momentum rising(double start, double end) {
        return new Momentum(start, end == 0 ? start : end);
    }

    /**
     * Returns the momentum at a point of the run.
     *
     * @param done fraction of the run that is done, from 0 to 1
     */
    public double at(double done) {
        return start + (end - start) * (1 - Math.cos(Math.PI * done)) / 2;
    }
}
