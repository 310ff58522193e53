// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.bench;

import io.github.simclr4j.train.device.Compute;
import io.github.simclr4j.train.network.MemoryLayout;
import io.github.simclr4j.train.network.Precision;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.util.AtomicFiles;
import io.github.simclr4j.util.Progress;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Properties;
import java.util.function.IntFunction;

/**
 * The fastest configuration that fits into memory, and the others that were tried.
 *
 * @param chosen the configuration for the training
 * @param trials all configurations that were measured, in order
 */
record TrainingPlan(Trial chosen, List<Trial> trials) {
    private static final String FILE = "plan.properties";
    private static final Repetitions QUICK = new Repetitions(3, 0.5);
    private static final int FIRST_BATCH = 64;
    /** Largest buffer in bytes; the views of a micro-batch are rendered into one buffer. */
    private static final long LARGEST_BUFFER = Integer.MAX_VALUE;

    TrainingPlan {
        trials = List.copyOf(trials);
    }

    /** Reads the plan of an earlier call; returns null if there is none. */
    static TrainingPlan read(Path folder) throws IOException {
        Path file = folder.resolve(FILE);
        if (!Files.exists(file)) {
            return null;
        }
        Properties p = new Properties();
        try (InputStream in = Files.newInputStream(file)) {
            p.load(in);
            List<Trial> trials = new ArrayList<>();
            for (int i = 0; p.getProperty("trial." + i) != null; i++) {
                trials.add(Trial.parse(p.getProperty("trial." + i)));
            }
            return new TrainingPlan(Trial.parse(p.getProperty("chosen")), trials);
        } catch (RuntimeException e) {
            throw new IOException(file + " is not a valid plan: delete it and the checkpoints in its folder", e);
        }
    }

    void write(Path folder) throws IOException {
        Properties p = new Properties();
        p.setProperty("chosen", chosen.text());
        for (int i = 0; i < trials.size(); i++) {
            p.setProperty("trial." + i, trials.get(i).text());
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        p.store(out, null);
        Files.createDirectories(folder);
        AtomicFiles.write(folder.resolve(FILE), out.toByteArray());
    }

    /** Returns the plan with half the batch size. */
    TrainingPlan halved() {
        Trial half = new Trial(chosen.batch() / 2, chosen.precision(), chosen.layout(), chosen.viewsPerSecond());
        return new TrainingPlan(half, trials);
    }

    /**
     * Measures steps: first with batch sizes that double until one does not fit, then with the precisions and memory layouts for the
     * fastest batch size.
     *
     * @param settings settings for a batch size; if they have a precision, only this one is tried
     * @param auto the device with its default precision
     * @param batch the only batch size to try; 0 to try all that fit, up to {@code images}
     * @param images largest batch size
     * @param until time, as of {@link System#nanoTime}, after which no further configuration is tried
     * @param progress receives progress and warnings
     */
    static TrainingPlan make(
            IntFunction<PretrainSettings> settings, Compute auto, int batch, int images, long until, Progress progress)
            throws IOException {
        List<Trial> trials = new ArrayList<>();
        MemoryLayout usual = auto.layout();
        if (batch > 0) {
            trials.add(measure(settings.apply(batch), auto.with(auto.precision(), usual), progress));
        } else {
            for (int b = Math.min(FIRST_BATCH, images); b <= images; b *= 2) {
                PretrainSettings s = settings.apply(b);
                int atOnce = s.method().views() * (s.microBatch() == 0 ? b : s.microBatch());
                long bytes = 4L * atOnce * s.generators().get(0).values();
                if (bytes > LARGEST_BUFFER || !trials.isEmpty() && System.nanoTime() > until) {
                    break;
                }
                Trial trial = measure(s, auto.with(auto.precision(), usual), progress);
                trials.add(trial);
                if (!trial.fits()) {
                    break;
                }
            }
        }
        int best = fastest(trials).batch();
        for (Precision precision : precisions(settings.apply(best).precision(), auto)) {
            for (MemoryLayout layout : MemoryLayout.values()) {
                boolean done = precision == auto.precision() && layout == usual;
                if (!done && System.nanoTime() < until) {
                    trials.add(measure(settings.apply(best), auto.with(precision, layout), progress));
                }
            }
        }
        return new TrainingPlan(fastest(trials), trials);
    }

    private static Trial fastest(List<Trial> trials) throws IOException {
        return trials.stream()
                .filter(Trial::fits)
                .max(Comparator.comparing(Trial::viewsPerSecond))
                .orElseThrow(() -> new IOException("Not even the smallest batch fits into memory: " + trials.get(0)));
    }

    private static List<Precision> precisions(Precision only, Compute auto) {
        if (only != null) {
            return List.of(only);
        }
        boolean gpu = !auto.device().equals("cpu");
        return auto.precision() == Precision.BFLOAT16
                ? List.of(Precision.BFLOAT16, Precision.FLOAT32)
                : gpu ? List.of(Precision.FLOAT32, Precision.FLOAT16) : List.of(Precision.FLOAT32);
    }

    private static Trial measure(PretrainSettings s, Compute compute, Progress progress) throws IOException {
        double rate;
        try {
            rate = Benchmarks.step(s, compute, QUICK).median();
        } catch (RuntimeException | OutOfMemoryError e) {
            if (!isOutOfMemory(e)) {
                throw e;
            }
            rate = Double.NaN;
        }
        compute.releaseMemory();
        Trial trial = new Trial(s.batch(), compute.precision(), compute.layout(), rate);
        progress.line(trial.toString());
        return trial;
    }

    /** Tells whether an error means that memory was exhausted. */
    static boolean isOutOfMemory(Throwable e) {
        String message = String.valueOf(e.getMessage());
        return e instanceof OutOfMemoryError
                || message.contains("out of memory")
                || message.contains("allocate memory")
                || message.contains("ALLOC_FAILED");
    }
}
