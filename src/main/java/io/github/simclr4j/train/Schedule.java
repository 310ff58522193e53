package io.github.simclr4j.train;

/**
 * Learning rate: linear warm-up from 0, then half a cosine to 0 (Loshchilov and Hutter 2017, without restarts).
 *
 * @param base the rate at the end of the warm-up
 * @param warmupSteps steps of the warm-up
 * @param totalSteps all steps
 */
public record Schedule(double base, long warmupSteps, long totalSteps) {
    /** The rate of a step, from 0 to {@code totalSteps}. */
    public double at(long step) {
        if (step < warmupSteps) {
            return base * step / warmupSteps;
        }
        double done = (double) (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps);
        return 0.5 * base * (1 + Math.cos(Math.PI * Math.min(1, done)));
    }
}
