package io.github.simclr4j.train.optim;

import io.github.simclr4j.train.method.MoCo;

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
        if (!name.matches("lars|sgd|nesterov|adam|adamw")) {
            throw unknown(name);
        }
        if (!schedule.matches("cosine|step|constant")) {
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

    private static IllegalArgumentException unknown(String name) {
        return new IllegalArgumentException("Unknown optimizer, expected lars, sgd, nesterov, adam or adamw, found " + name);
    }

    /** AdamW at the rate for a batch, with a tenth of the epochs (at most 10) to warm up, then a cosine. */
    public static OptimizerSettings adamw(int batch, int epochs) {
        return new OptimizerSettings("adamw", rate("adamw", "sqrt", batch), 1e-4, 0.9, warmup(epochs), "cosine", 0, 0);
    }

    /** The warm-up for a number of epochs: a tenth of them, at most the 10 of Chen et al. 2020. */
    public static double warmup(int epochs) {
        return Math.min(10, epochs / 10.0);
    }

    /**
     * The learning rate that goes with a batch. LARS: {@code 0.3 * B / 256} or {@code 0.075 * sqrt(B)} (Chen et al. 2020,
     * appendix B.1). SGD: {@code 0.03 * B / 256} (He et al. 2020), of which the square root is 0.03 * sqrt(B / 256). Adam and
     * AdamW: {@code 0.008 * sqrt(B / 128)}, or {@code 0.008 * B / 128}: the 0.008 is ours and no paper's.
     *
     * @param name of the optimiser, as above
     * @param scaling {@code linear} or {@code sqrt}
     * @param batch images a step, B
     * @throws IllegalArgumentException if the optimiser or the scaling is none of these
     */
    public static double rate(String name, String scaling, int batch) {
        boolean linear = switch (scaling) {
            case "linear" -> true;
            case "sqrt" -> false;
            default -> throw new IllegalArgumentException(
                    "Unknown learning rate scaling, expected linear or sqrt, found " + scaling);
        };
        return switch (name) {
            case "lars" -> linear ? 0.3 * batch / 256 : 0.075 * Math.sqrt(batch);
            case "sgd", "nesterov" -> 0.03 * (linear ? batch / 256.0 : Math.sqrt(batch / 256.0));
            case "adam", "adamw" -> 0.008 * (linear ? batch / 128.0 : Math.sqrt(batch / 128.0));
            default -> throw unknown(name);
        };
    }

    /**
     * Whether the last batch norm of a residual block starts at 0. Not with Adam: each of its first steps moves a weight by the
     * learning rate at most, however large the gradient, and blocks that add nothing at first make a short run much worse.
     */
    public static boolean zeroGamma(String name) {
        return !name.startsWith("adam");
    }

    /** Whether {@link #momentum} is used. */
    public boolean usesMomentum() {
        return !name.startsWith("adam");
    }

    /** The schedule of a run. */
    public Schedule schedule(long stepsPerEpoch, int epochs) {
        long total = stepsPerEpoch * epochs;
        return new Schedule(rate, Math.min(total, Math.round(warmupEpochs * stepsPerEpoch)), total, schedule);
    }
}
