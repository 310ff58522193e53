// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.optim;

/**
 * The settings of an optimizer and its learning rate schedule.
 *
 * @param name {@code lars}, {@code sgd}, {@code nesterov} (SGD with Nesterov momentum), {@code adam} or {@code adamw}
 * @param rate learning rate after the warm-up, above 0 and finite
 * @param weightDecay weight decay, at least 0 and finite; biases and batch norm are exempt
 * @param momentum momentum of {@code lars}, {@code sgd} and {@code nesterov}, from 0 (inclusive) to 1 (exclusive)
 * @param warmupEpochs epochs of linear learning rate warm-up from 0, at least 0 and finite
 * @param schedule schedule after the warm-up: {@code cosine} (to zero), {@code step} (a tenth after 60% of the run, a hundredth
 *     after 80%, as in MoCo v1) or {@code constant}
 * @param clip largest norm of all gradients together, at least 0 and finite; 0 for no clipping
 * @param average momentum of the exponential moving average of the weights, from 0 (inclusive) to 1 (exclusive); 0 for none.
 *     With an average, the averaged weights are exported.
 * @since 0.1.0
 */
public record OptimizerSettings(
        String name,
        double rate,
        double weightDecay,
        double momentum,
        double warmupEpochs,
        String schedule,
        double clip,
        double average) {

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a name is unknown or a value is out of range
     */
    public OptimizerSettings {
        OptimizerKind.of(name);
        if (!Schedule.SHAPES.contains(schedule)) {
            throw new IllegalArgumentException(
                    "Unknown schedule, expected cosine, step or constant, found " + schedule);
        }
        if (!(rate > 0 && Double.isFinite(rate))) {
            throw new IllegalArgumentException("The learning rate must be above 0 and finite, found " + rate);
        }
        if (!notNegative(weightDecay) || !notNegative(warmupEpochs) || !notNegative(clip)) {
            throw new IllegalArgumentException(
                    "Weight decay, warm-up and clipping must be at least 0 and finite, found " + weightDecay + ", "
                            + warmupEpochs + " and " + clip);
        }
        if (!(momentum >= 0 && momentum < 1) || !(average >= 0 && average < 1)) {
            throw new IllegalArgumentException(
                    "A momentum must be from 0 to below 1, found " + momentum + " and " + average);
        }
    }

    private static boolean notNegative(double value) {
        return value >= 0 && Double.isFinite(value);
    }

    /**
     * Returns a builder with weight decay 1e-4, momentum 0.9 and a cosine schedule, without warm-up, clipping or average.
     *
     * @param name name of the optimizer
     * @param rate learning rate
     */
    public static Builder builder(String name, double rate) {
        return new Builder(new OptimizerSettings(name, rate, 1e-4, 0.9, 0, "cosine", 0, 0));
    }

    /** Returns a builder that starts from these settings. */
    public Builder toBuilder() {
        return new Builder(this);
    }

    /**
     * Returns AdamW with the square root learning rate of a batch size, a {@link #warmup warm-up} and a cosine schedule.
     *
     * @param batch images per step
     * @param epochs epochs of the run
     */
    public static OptimizerSettings adamw(int batch, int epochs) {
        return builder("adamw", rate("adamw", "sqrt", batch))
                .warmupEpochs(warmup(epochs))
                .build();
    }

    /**
     * Returns the default warm-up in epochs: a tenth of the run, at most the 10 epochs of
     * <a href="https://arxiv.org/abs/2002.05709">Chen et al. 2020</a>.
     *
     * @param epochs epochs of the run
     */
    public static double warmup(int epochs) {
        return Math.min(10, epochs / 10.0);
    }

    /**
     * Returns the default learning rate of a batch size B.
     *
     * <ul>
     *   <li>LARS: {@code 0.3 * B / 256} (linear) or {@code 0.075 * sqrt(B)}
     *       (<a href="https://arxiv.org/abs/2002.05709">Chen et al. 2020</a>, appendix B.1)
     *   <li>SGD and Nesterov: {@code 0.03 * B / 256} (<a href="https://arxiv.org/abs/1911.05722">He et al. 2020</a>) or
     *       {@code 0.03 * sqrt(B / 256)}
     *   <li>Adam and AdamW: {@code 0.008 * B / 128} or {@code 0.008 * sqrt(B / 128)}; the 0.008 comes from no paper, it was chosen
     *       for this library
     * </ul>
     *
     * @param name name of the optimizer
     * @param scaling {@code linear} or {@code sqrt}
     * @param batch images per step, B
     * @throws IllegalArgumentException if the optimizer or the scaling is unknown
     */
    public static double rate(String name, String scaling, int batch) {
        OptimizerKind kind = OptimizerKind.of(name);
        return switch (scaling) {
            case "linear" -> kind.linear().applyAsDouble(batch);
            case "sqrt" -> kind.squareRoot().applyAsDouble(batch);
            default ->
                throw new IllegalArgumentException(
                        "Unknown learning rate scaling, expected linear or sqrt, found " + scaling);
        };
    }

    /**
     * Scales the learning rate of a batch of 256 to another batch size.
     *
     * @param base learning rate of a batch of 256
     * @param scaling {@code linear} or {@code sqrt}
     * @param batch images per step
     */
    public static double scaled(double base, String scaling, int batch) {
        double batches = batch / 256.0;
        return base * (scaling.equals("linear") ? batches : Math.sqrt(batches));
    }

    /**
     * Tells whether the scale (gamma) of the last batch norm of a residual block starts at 0.
     *
     * <p>It does except with Adam and AdamW. Their first steps move a weight by at most the learning rate, however large the
     * gradient, so that blocks which start as the identity make a short run much worse.
     *
     * @param name name of the optimizer
     */
    public static boolean zeroGamma(String name) {
        return OptimizerKind.of(name).zeroGamma();
    }

    /** Tells whether the optimizer uses {@link #momentum}. */
    public boolean usesMomentum() {
        return OptimizerKind.of(name).momentum();
    }

    /**
     * Returns the learning rate schedule of a run.
     *
     * @param stepsPerEpoch optimizer steps per epoch
     * @param epochs epochs of the run
     */
    public Schedule schedule(long stepsPerEpoch, int epochs) {
        long total = stepsPerEpoch * epochs;
        return new Schedule(rate, Math.min(total, Math.round(warmupEpochs * stepsPerEpoch)), total, schedule);
    }

    /** Builds settings; {@link #build} checks them. */
    public static final class Builder {
        private final String name;
        private double rate;
        private double weightDecay;
        private double momentum;
        private double warmupEpochs;
        private String schedule;
        private double clip;
        private double average;

        private Builder(OptimizerSettings from) {
            name = from.name;
            rate = from.rate;
            weightDecay = from.weightDecay;
            momentum = from.momentum;
            warmupEpochs = from.warmupEpochs;
            schedule = from.schedule;
            clip = from.clip;
            average = from.average;
        }

        /** Sets the learning rate after the warm-up. */
        public Builder rate(double value) {
            rate = value;
            return this;
        }

        /** Sets the weight decay; biases and batch norm are exempt. */
        public Builder weightDecay(double value) {
            weightDecay = value;
            return this;
        }

        /** Sets the momentum of LARS, SGD and Nesterov. */
        public Builder momentum(double value) {
            momentum = value;
            return this;
        }

        /** Sets the epochs of linear learning rate warm-up from 0. */
        public Builder warmupEpochs(double value) {
            warmupEpochs = value;
            return this;
        }

        /** Sets the schedule after the warm-up: {@code cosine}, {@code step} or {@code constant}. */
        public Builder schedule(String value) {
            schedule = value;
            return this;
        }

        /** Sets the largest norm of all gradients together; 0 for no clipping. */
        public Builder clip(double value) {
            clip = value;
            return this;
        }

        /** Sets the momentum of the exponential moving average of the weights; 0 for none. */
        public Builder average(double value) {
            average = value;
            return this;
        }

        /**
         * Returns the settings.
         *
         * @throws IllegalArgumentException if a value is out of range
         */
        public OptimizerSettings build() {
            return new OptimizerSettings(name, rate, weightDecay, momentum, warmupEpochs, schedule, clip, average);
        }
    }
}
