// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.bench;

import io.github.simclr4j.train.data.TrainingImages;
import io.github.simclr4j.train.device.Compute;
import io.github.simclr4j.train.loop.CheckpointFolder;
import io.github.simclr4j.train.loop.EncoderTrainer;
import io.github.simclr4j.train.loop.EpochSummary;
import io.github.simclr4j.train.loop.RunOptions;
import io.github.simclr4j.train.loop.TrainingListener;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

/**
 * Trains within a time limit, for a machine that is available only for some minutes, such as a borrowed GPU.
 *
 * <p>It finds the largest batch that fits, compares precisions and memory layouts, and trains with the fastest combination for the
 * remaining time. A later call with the same folder continues with the plan and the training of an earlier one.
 *
 * @since 0.1.0
 */
public final class TimedTraining {
    /** Fraction of the time that trials may take. */
    private static final double TRIALS = 0.3;
    /** Fraction of the time after which training stops, so that the rest is enough to save it. */
    private static final double TRAINING = 0.95;
    /** Seconds of training per measurement of the throughput. */
    private static final double WINDOW = 1;

    private final IntFunction<PretrainSettings> settings;
    private final Path folder;
    private final Progress progress;

    /** Reads the images for a batch size. */
    @FunctionalInterface
    public interface Reader {
        /** Returns the images; called once per training. */
        TrainingImages read(int batch) throws IOException;
    }

    /**
     * The result of a timed training.
     *
     * @param rate throughput of the training in views per second, measured repeatedly; null if there was no time for it
     * @param chosen the chosen configuration
     * @param trials all configurations that were tried, including those of an earlier call
     * @param steps number of finished steps of the whole run
     * @param allSteps number of steps of the whole run
     * @param epochs results of the epochs of this call
     * @param onnx content of the encoder file if the run is complete; null otherwise
     */
    public record Outcome(
            Rate rate,
            Trial chosen,
            List<Trial> trials,
            long steps,
            long allSteps,
            List<EpochSummary> epochs,
            byte[] onnx) {
        /** Copies the lists. */
        public Outcome {
            trials = List.copyOf(trials);
            epochs = List.copyOf(epochs);
        }
    }

    /**
     * Prepares a training.
     *
     * @param settings settings for a batch size
     * @param folder folder of the plan and the checkpoints
     * @param progress receives progress and warnings
     */
    public TimedTraining(IntFunction<PretrainSettings> settings, Path folder, Progress progress) {
        this.settings = settings;
        this.folder = folder;
        this.progress = progress;
    }

    /**
     * Plans and trains.
     *
     * @param auto the device with its default precision
     * @param images reads the images
     * @param count number of images
     * @param batch the only batch size to try; 0 to try all that fit
     * @param minutes time limit in minutes
     * @throws IOException if images or checkpoints cannot be read, or if not even a small batch fits into memory
     * @throws InterruptedIOException if the thread was interrupted; the state is saved first
     */
    public Outcome run(Compute auto, Reader images, int count, int batch, double minutes) throws IOException {
        long start = System.nanoTime();
        TrainingPlan plan = TrainingPlan.read(folder);
        if (plan == null) {
            plan = TrainingPlan.make(settings, auto, batch, count, start + (long) (TRIALS * minutes * 60e9), progress);
            plan.write(folder);
        }
        progress.line("training with " + plan.chosen());
        Path state = folder.resolve("state");
        while (true) {
            Clock clock = new Clock(start + (long) (TRAINING * minutes * 60e9));
            try {
                return train(auto, images, plan, state, clock);
            } catch (RuntimeException | OutOfMemoryError e) {
                if (!TrainingPlan.isOutOfMemory(e) || plan.chosen().batch() < 4) {
                    throw e;
                }
                progress.warn("the training needs more memory than its steps alone: the batch is halved");
                auto.releaseMemory();
                plan = plan.halved();
                plan.write(folder);
                new CheckpointFolder(state).delete();
            }
        }
    }

    private Outcome train(Compute auto, Reader images, TrainingPlan plan, Path state, Clock clock) throws IOException {
        Trial chosen = plan.chosen();
        Compute compute = auto.with(chosen.precision(), chosen.layout());
        EncoderTrainer trainer = new EncoderTrainer(settings.apply(chosen.batch()), compute, progress);
        clock.views = chosen.batch() * settings.apply(chosen.batch()).views();
        byte[] onnx = null;
        try {
            onnx = trainer.run(
                            images.read(chosen.batch()),
                            RunOptions.checkpoints(state).withListener(clock))
                    .onnx();
        } catch (InterruptedIOException e) {
            if (!clock.isOver) {
                throw e;
            }
        }
        return new Outcome(
                clock.rates.isEmpty() ? null : new Rate(clock.rates),
                chosen,
                plan.trials(),
                clock.step,
                clock.steps,
                clock.epochs,
                onnx);
    }

    /** Interrupts the training when the time is over, and measures its throughput. */
    private static final class Clock implements TrainingListener {
        private final long end;
        private final List<Double> rates = new ArrayList<>();
        private final List<EpochSummary> epochs = new ArrayList<>();
        private int views;
        private long step;
        private long steps;
        private boolean isOver;
        private long from;
        private long since = -1;

        Clock(long end) {
            this.end = end;
        }

        @Override
        public void epochFinished(EpochSummary summary) {
            epochs.add(summary);
            // Time between two epochs, for saving and measurements, does not count as training.
            since = -1;
        }

        @Override
        public void stepFinished(long done, long all) {
            long now = System.nanoTime();
            step = done;
            steps = all;
            if (since < 0) {
                since = done;
                from = now;
            } else if (now - from > WINDOW * 1e9) {
                rates.add(views * (done - since) / ((now - from) / 1e9));
                since = done;
                from = now;
            }
            // After the last step the training ends by itself.
            if (now > end && !isOver && done < all) {
                isOver = true;
                Thread.currentThread().interrupt();
            }
        }
    }
}
