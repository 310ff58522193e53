package io.github.simclr4j.train.method;

/**
 * The momentum m of a network that follows another: {@code theirs = m * theirs + (1 - m) * mine} after each step. It rises from a
 * start to an end along half a cosine (BYOL, Grill et al. 2020, implementation details,
 * <a href="https://arxiv.org/abs/2006.07733">arXiv:2006.07733</a>).
 *
 * @param start at the beginning of the run, 0 up to (not including) 1
 * @param end after the last step, from the start to 1
 */
public record Momentum(double start, double end) {
    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a value is out of range, or the momentum falls
     */
    public Momentum {
        if (!(start >= 0 && start < 1) || !(end >= start && end <= 1)) {
            throw new IllegalArgumentException("A momentum encoder's momentum must be from 0 to below 1 and must not fall, found "
                    + start + " to " + end);
        }
    }

    /**
     * Returns a momentum by two options' values.
     *
     * @param start at the beginning of the run
     * @param end after the last step; 0 for no rise
     * @throws IllegalArgumentException if a value is out of range, or the momentum falls
     */
    public static Momentum rising(double start, double end) {
        return new Momentum(start, end == 0 ? start : end);
    }

    /**
     * Returns the momentum at a share of the run.
     *
     * @param done 0 to 1
     */
    public double at(double done) {
        return start + (end - start) * (1 - Math.cos(Math.PI * done)) / 2;
    }
}
