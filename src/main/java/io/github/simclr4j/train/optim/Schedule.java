package io.github.simclr4j.train.optim;

import java.util.List;

/**
 * Learning rate: linear warm-up from 0, then half a cosine to 0 (Loshchilov and Hutter 2017, without restarts), steps, or none.
 *
 * @param base the rate at the end of the warm-up
 * @param warmupSteps steps of the warm-up
 * @param totalSteps all steps
 * @param shape {@code cosine}, {@code step} (a tenth after 60%, a hundredth after 80%) or {@code constant}
 */
public record Schedule(double base, long warmupSteps, long totalSteps, String shape) {
    /** The shapes. */
    public static final List<String> SHAPES = List.of("cosine", "step", "constant");

    /**
     * Checks the shape.
     *
     * @throws IllegalArgumentException if it is none of the three
     */
    public Schedule {
        if (!SHAPES.contains(shape)) {
            throw new IllegalArgumentException("Unknown schedule, expected cosine, step or constant, found " + shape);
        }
    }

    /** Returns the rate of a step, from 0 to {@code totalSteps}. */
    public double at(long step) {
        if (step < warmupSteps) {
            return base * step / warmupSteps;
        }
        return switch (shape) {
            case "constant" -> base;
            case "step" -> base * (step < 0.6 * totalSteps ? 1 : step < 0.8 * totalSteps ? 0.1 : 0.01);
            default -> {
                double done = (double) (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps);
                yield 0.5 * base * (1 + Math.cos(Math.PI * Math.min(1, done)));
            }
        };
    }
}
