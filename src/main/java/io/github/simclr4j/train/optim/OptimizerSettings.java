package io.github.simclr4j.train.optim;

/**
 * How the weights move.
 *
 * @param name {@code lars}, {@code sgd}, {@code nesterov} (SGD with Nesterov's momentum), {@code adam} or {@code adamw}
 * @param rate learning rate after the warm-up, above 0 and finite
 * @param weightDecay of weights that are neither batch norm's nor biases, at least 0 and finite
 * @param momentum of LARS and SGD of both kinds, 0 up to (not including) 1
 * @param warmupEpochs epochs in which the rate rises from 0, at least 0 and finite
 * @param schedule what follows: {@code cosine} to zero, {@code step} (a tenth after 60% of the run, a hundredth after 80%, as
 *     MoCo v1 has it) or {@code constant}
 * @param clip largest norm of all gradients together, finite; 0 for no clipping
 * @param average momentum of the moving average of the weights, which is then what is exported, below 1; 0 for none
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
     * @throws IllegalArgumentException if a name is unknown, or a value out of its range
     */
    public OptimizerSettings {
        OptimizerKind.of(name);
        if (!Schedule.SHAPES.contains(schedule)) {
            throw new IllegalArgumentException("Unknown schedule, expected cosine, step or constant, found " + schedule);
        }
        if (!(rate > 0 && Double.isFinite(rate))) {
            throw new IllegalArgumentException("Learning rate must be above 0 and finite, found " + rate);
        }
        if (!notNegative(weightDecay) || !notNegative(warmupEpochs) || !notNegative(clip)) {
            throw new IllegalArgumentException("Weight decay, warm-up and clipping must be at least 0 and finite, found "
                    + weightDecay + ", " + warmupEpochs + " and " + clip);
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
     * Begins settings with weight decay 1e-4, momentum 0.9, a cosine, and neither warm-up, clipping nor average.
     *
     * @param name of the optimizer
     * @param rate learning rate
     */
    public static Builder builder(String name, double rate) {
        return new Builder(new OptimizerSettings(name, rate, 1e-4, 0.9, 0, "cosine", 0, 0));
    }

    /** Begins settings with the values of these. */
    public Builder toBuilder() {
        return new Builder(this);
    }

    /** Returns AdamW at the rate for a batch, with a tenth of the epochs (at most 10) to warm up, then a cosine. */
    public static OptimizerSettings adamw(int batch, int epochs) {
        return builder("adamw", rate("adamw", "sqrt", batch)).warmupEpochs(warmup(epochs)).build();
    }

    /** Returns the warm-up for a number of epochs: a tenth of them, at most the 10 of Chen et al. 2020. */
    public static double warmup(int epochs) {
        return Math.min(10, epochs / 10.0);
    }

    /**
     * Returns the learning rate that goes with a batch. LARS: {@code 0.3 * B / 256} or {@code 0.075 * sqrt(B)} (Chen et al. 2020,
     * appendix B.1). SGD: {@code 0.03 * B / 256} (He et al. 2020), of which the square root is 0.03 * sqrt(B / 256). Adam and
     * AdamW: {@code 0.008 * sqrt(B / 128)}, or {@code 0.008 * B / 128}: the 0.008 is ours and no paper's.
     *
     * @param name of the optimizer, as above
     * @param scaling {@code linear} or {@code sqrt}
     * @param batch images a step, B
     * @throws IllegalArgumentException if the optimizer or the scaling is none of these
     */
    public static double rate(String name, String scaling, int batch) {
        OptimizerKind kind = OptimizerKind.of(name);
        return switch (scaling) {
            case "linear" -> kind.linear().applyAsDouble(batch);
            case "sqrt" -> kind.squareRoot().applyAsDouble(batch);
            default -> throw new IllegalArgumentException(
                    "Unknown learning rate scaling, expected linear or sqrt, found " + scaling);
        };
    }

    /**
     * Returns the learning rate of a batch, by the rate of a batch of 256.
     *
     * @param base the rate of a batch of 256
     * @param scaling {@code linear} or {@code sqrt}
     * @param batch images a step
     */
    public static double scaled(double base, String scaling, int batch) {
        double batches = batch / 256.0;
        return base * (scaling.equals("linear") ? batches : Math.sqrt(batches));
    }

    /**
     * Tells whether the last batch norm of a residual block starts at 0. Not with Adam: each of its first steps moves a weight by
     * the learning rate at most, however large the gradient, and blocks that add nothing at first make a short run much worse.
     */
    public static boolean zeroGamma(String name) {
        return OptimizerKind.of(name).zeroGamma();
    }

    /** Tells whether {@link #momentum} is used. */
    public boolean usesMomentum() {
        return OptimizerKind.of(name).momentum();
    }

    /** Returns the schedule of a run. */
    public Schedule schedule(long stepsPerEpoch, int epochs) {
        long total = stepsPerEpoch * epochs;
        return new Schedule(rate, Math.min(total, Math.round(warmupEpochs * stepsPerEpoch)), total, schedule);
    }

    /** Settings in the making; {@link #build} checks them. */
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

        /** Sets the decay of weights that are neither batch norm's nor biases. */
        public Builder weightDecay(double value) {
            weightDecay = value;
            return this;
        }

        /** Sets the momentum of LARS and SGD. */
        public Builder momentum(double value) {
            momentum = value;
            return this;
        }

        /** Sets the epochs in which the rate rises from 0. */
        public Builder warmupEpochs(double value) {
            warmupEpochs = value;
            return this;
        }

        /** Sets what follows the warm-up: {@code cosine}, {@code step} or {@code constant}. */
        public Builder schedule(String value) {
            schedule = value;
            return this;
        }

        /** Sets the largest norm of all gradients together, 0 for no clipping. */
        public Builder clip(double value) {
            clip = value;
            return this;
        }

        /** Sets the momentum of the moving average of the weights, 0 for none. */
        public Builder average(double value) {
            average = value;
            return this;
        }

        /**
         * Returns the settings.
         *
         * @throws IllegalArgumentException if a value is out of its range
         */
        public OptimizerSettings build() {
            return new OptimizerSettings(name, rate, weightDecay, momentum, warmupEpochs, schedule, clip, average);
        }
    }
}
