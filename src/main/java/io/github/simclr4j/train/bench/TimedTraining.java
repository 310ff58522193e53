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
 * Trains for some minutes on a machine that is soon gone, such as a borrowed GPU: finds the batch that fits, compares
 * precisions and memory layouts, and trains the fastest way for the time that is left. A later call with the same folder takes up
 * the plan and the training of the earlier one.
 */
public final class TimedTraining {
    /** Share of the time that trials may take. */
    private static final double TRIALS = 0.3;
    /** Share of the time after which training is saved, so that the rest is enough for that. */
    private static final double TRAINING = 0.95;
    /** Seconds of training that give one rate. */
    private static final double WINDOW = 1;

    private final IntFunction<PretrainSettings> settings;
    private final Path folder;
    private final Progress progress;

    /** Reads the images for a batch size. */
    @FunctionalInterface
    public interface Reader {
        /** Returns the images; they are read once a training. */
        TrainingImages read(int batch) throws IOException;
    }

    /**
     * What came of it.
     *
     * @param rate views a second of the training, measured again and again; null if there was no time for it
     * @param chosen how it trained
     * @param trials all ways that were tried, those of an earlier call too
     * @param steps steps of the whole run that are done
     * @param allSteps steps of the whole run
     * @param epochs what the epochs of this call came to
     * @param onnx the encoder file's bytes if the run is complete; null otherwise
     */
    public record Outcome(Rate rate, Trial chosen, List<Trial> trials, long steps, long allSteps, List<EpochSummary> epochs,
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
     * @param settings for a batch
     * @param folder of the plan and the checkpoints
     */
    public TimedTraining(IntFunction<PretrainSettings> settings, Path folder, Progress progress) {
        this.settings = settings;
        this.folder = folder;
        this.progress = progress;
    }

    /**
     * Plans and trains.
     *
     * @param auto the device with the precision that it takes by itself
     * @param images reads them
     * @param count how many images there are
     * @param batch the only batch that is tried; 0 for all that fit
     * @param minutes that all this may take
     * @throws IOException if images or checkpoints can't be read, or not even a small batch fits into memory
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
                progress.warn("the training needs more memory than its steps alone: half of the batch is taken");
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
            onnx = trainer.run(images.read(chosen.batch()), RunOptions.checkpoints(state).withListener(clock)).onnx();
        } catch (InterruptedIOException e) {
            if (!clock.isOver) {
                throw e;
            }
        }
        return new Outcome(clock.rates.isEmpty() ? null : new Rate(clock.rates), chosen, plan.trials(), clock.step, clock.steps,
                clock.epochs, onnx);
    }

    /** Interrupts the training when the time is over, and takes its rate. */
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
            // What is saved and measured between two epochs is no training.
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
            if (now > end && !isOver) {
                isOver = true;
                Thread.currentThread().interrupt();
            }
        }
    }
}
