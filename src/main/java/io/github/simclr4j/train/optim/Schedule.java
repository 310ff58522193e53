// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.optim;

import java.util.List;

/**
 * A learning rate schedule: linear warm-up from 0, then a cosine to 0
 * (<a href="https://arxiv.org/abs/1608.03983">Loshchilov and Hutter 2017</a>, without restarts), two steps, or a constant.
 *
 * @param base learning rate at the end of the warm-up
 * @param warmupSteps optimizer steps of the warm-up
 * @param totalSteps optimizer steps of the run
 * @param shape {@code cosine}, {@code step} (a tenth after 60% of the run, a hundredth after 80%) or {@code constant}
 * @since 0.1.0
 */
public record Schedule(double base, long warmupSteps, long totalSteps, String shape) {
    /** The names of the shapes. */
    public static final List<String> SHAPES = List.of("cosine", "step", "constant");

    /**
     * Checks the shape.
     *
     * @throws IllegalArgumentException if the shape is not one of {@link #SHAPES}
     */
    public Schedule {
        if (!SHAPES.contains(shape)) {
            throw new IllegalArgumentException("Unknown schedule, expected cosine, step or constant, found " + shape);
        }
    }

    /**
     * Returns the learning rate of a step.
     *
     * @param step from 0 to {@code totalSteps}
     */
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
