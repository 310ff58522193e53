// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.train.data.TrainingImages;
import io.github.simclr4j.train.device.Compute;
import io.github.simclr4j.train.settings.PretrainBuilder;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.train.testing.Interrupt;
import io.github.simclr4j.train.testing.Small;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Whole runs on one thread of the CPU, for tests. */
public final class Runs {
    /** No checkpoints, no metrics. */
    public static final RunOptions NOTHING = RunOptions.checkpoints(null);

    private Runs() {}

    /** Returns what a run ends with. */
    public static EncoderTrainer.Result run(PretrainSettings s, TrainingImages images, RunOptions options)
            throws IOException {
        return new EncoderTrainer(s, "cpu", 1, Progress.NONE).run(images, options);
    }

    static EncoderTrainer.Result run(PretrainBuilder b, TrainingImages images, RunOptions options) throws IOException {
        return run(Small.build(b), images, options);
    }

    /** Returns a run that is interrupted after some steps, and then continued. */
    public static EncoderTrainer.Result cut(PretrainSettings s, TrainingImages set, int steps, Path folder)
            throws IOException {
        InterruptedIOException e = assertThrows(
                InterruptedIOException.class,
                () -> new EncoderTrainer(s, "cpu", 1, Interrupt.after(steps)).run(set, RunOptions.checkpoints(folder)));
        assertTrue(e.getMessage().contains(folder.toString()), e.getMessage());
        return run(s, set, RunOptions.checkpoints(folder));
    }

    /** Returns what a run ends with whose views are made by a number of threads; libtorch has one. */
    public static EncoderTrainer.Result onViewThreads(
            PretrainSettings s, TrainingImages images, RunOptions options, int threads) throws IOException {
        Compute one = Compute.choose("cpu", s.precision(), 1, Progress.NONE);
        return new EncoderTrainer(s, new Compute(one.computation(), threads), Progress.NONE).run(images, options);
    }

    /** Returns options that save after every step. */
    static RunOptions everyStep(Path dir, TrainingImages neighbours) {
        RunOptions options = RunOptions.checkpoints(dir.resolve("checkpoints"))
                .withCheckpointsKept(1e-9, 99)
                .withMetrics(dir.resolve("metrics.jsonl"));
        return neighbours == null ? options : options.withNeighbours(neighbours, neighbours, 1);
    }

    /** Returns options with a folder for checkpoints and a file for metrics. */
    static RunOptions with(Path checkpoints, Path metrics) {
        return RunOptions.checkpoints(checkpoints).withMetrics(metrics);
    }

    /** Collects warnings. */
    static final class Warnings implements Progress {
        final List<String> all = new ArrayList<>();

        @Override
        public void warn(String text) {
            all.add(text);
        }
    }
}
