// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.simclr4j.images.source.ImagesUnavailableException;
import io.github.simclr4j.train.augment.AugmentationPipeline;
import io.github.simclr4j.train.augment.ViewGenerator;
import io.github.simclr4j.train.augment.ViewPool;
import io.github.simclr4j.train.data.BatchLoader;
import io.github.simclr4j.train.data.TrainingImages;
import io.github.simclr4j.train.method.Branch;
import io.github.simclr4j.train.method.Method;
import io.github.simclr4j.train.method.MethodFactory;
import io.github.simclr4j.train.method.RunStart;
import io.github.simclr4j.train.monitor.Diagnosis;
import io.github.simclr4j.train.monitor.Knn;
import io.github.simclr4j.train.monitor.Metrics;
import io.github.simclr4j.train.monitor.Monitor;
import io.github.simclr4j.train.network.Network;
import io.github.simclr4j.train.optim.Averages;
import io.github.simclr4j.train.optim.Schedule;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.train.torch.TensorChecks;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Instant;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;

/** The training loop of one run: epochs, steps, checkpoints and reports. */
final class TrainingRun {
    /** Key of a run's name, the time at which it began, in checkpoints and metrics; it is not in the encoder file. */
    static final String RUN = "training.started";
    /** Number of images on which the weights are checked for finite results. */
    private static final int LOOKED_AT = 64;

    private final PretrainSettings s;
    private final TrainingImages images;
    private final RunOptions options;
    private final Network network;
    private final Method method;
    private final TrainingStep step;
    private final BatchLoader loader;
    private final ViewPool pool;
    private final Progress progress;
    private final Monitor monitor;
    private final Diagnosis diagnosis;
    private final Network average;
    private final List<ViewGenerator> views;
    private final Map<String, NDArray> tensors;
    private final Map<String, String> description;
    private final CheckpointPolicy checkpoints;
    private final RunListeners listeners;
    private final int stepsPerEpoch;
    private MetricsLines metrics;
    private double loss = Double.NaN;
    private double knn = Double.NaN;
    private long seen;

    TrainingRun(
            PretrainSettings s,
            TrainingImages images,
            RunOptions options,
            Network network,
            Method method,
            TrainingStep step,
            BatchLoader loader,
            ViewPool pool,
            Progress progress,
            String startedFrom) {
        this.s = s;
        this.images = images;
        this.options = options;
        this.network = network;
        this.method = method;
        this.step = step;
        this.loader = loader;
        this.pool = pool;
        this.progress = progress;
        listeners = new RunListeners(progress);
        monitor = new Monitor(network.manager(), method.figures());
        stepsPerEpoch = images.count() / s.batch();
        diagnosis = new Diagnosis(
                method.lossAtCollapse(),
                s.optimizer().warmupEpochs(),
                (double) method.settlingSteps() / stepsPerEpoch,
                method.needsSpread() && !trainsClassifier(s));
        views = s.generators();
        description = describe(startedFrom);
        tensors = new LinkedHashMap<>(step.tensors());
        tensors.put("monitor", monitor.state());
        // The last that can fail, because nobody closes it before the run exists.
        average = s.optimizer().average() > 0 ? network.copy() : null;
        if (average != null) {
            average.tensors().forEach((name, a) -> tensors.put("average." + name, a));
        }
        checkpoints = new CheckpointPolicy(options, tensors, progress);
    }

    private Map<String, String> describe(String startedFrom) {
        Map<String, String> all = RunDescription.of(
                s, images.count(), images.fingerprint(), images.classes(), images.labels(), startedFrom);
        all.put(RUN, Instant.now().toString());
        return all;
    }

    EncoderTrainer.Result toTheEnd() throws IOException {
        try (checkpoints) {
            return train();
        } catch (Throwable e) {
            listeners.ended(e);
            throw e;
        } finally {
            if (average != null) {
                average.close();
            }
            if (metrics != null) {
                metrics.close();
            }
        }
    }

    private EncoderTrainer.Result train() throws IOException {
        Checkpoint.State done = checkpoints.read(description);
        int epoch = 0;
        int first = 0;
        if (done != null) {
            epoch = done.epoch();
            first = done.step();
            resume(done);
        }
        int resumed = epoch;
        listeners.add(new ProgressLines(progress));
        if (options.metrics() != null) {
            metrics = new MetricsLines(new Metrics(options.metrics(), description.get(RUN), epoch));
            listeners.add(metrics);
        }
        options.listeners().forEach(listeners::add);
        if (epoch < s.epochs()) {
            listeners.started(new StartedRun(
                    description.get(RUN), settings(), epoch, s.epochs(), () -> ViewSample.draw(images, s)));
            method.begin(new RunStart(
                    images, options.folder(), done != null, new ToldListeners(progress, options.listeners())));
        }
        long began = System.nanoTime();
        checkpoints.begin();
        for (; epoch < s.epochs(); epoch++) {
            long before = seen;
            long now = System.nanoTime();
            epoch(epoch, first);
            first = 0;
            double speed = (seen - before) / seconds(now);
            Monitor.Figures figures = monitor.figures();
            loss = figures.none() ? loss : figures.loss();
            List<String> wrong = diagnosis.look(epoch + 1, figures);
            monitor.clear();
            // Save before anything else, since a measurement or a full disk may end the run.
            save(epoch + 1, 0);
            report(epoch, figures, wrong, speed);
            // After the last step the run ends as usual and leaves the interrupt to the caller.
            if (epoch + 1 < s.epochs() && Thread.currentThread().isInterrupted()) {
                throw interrupted(epoch);
            }
        }
        double speed = seen == 0 ? 0 : seen / seconds(began);
        Map<String, String> metadata = settings();
        metadata.put("training.epochs", "" + epoch);
        if (!Double.isNaN(loss)) {
            metadata.put("training.final_loss", String.format(Locale.ROOT, "%.4f", loss));
        }
        Network last = average == null ? network : average;
        EncoderTrainer.Result result = new EncoderTrainer.Result(
                EncoderExport.toBytes(last, s.encoder(), s.head(), s.imageSize(), metadata),
                epoch,
                (long) epoch * stepsPerEpoch,
                resumed,
                loss,
                speed,
                knn,
                trainsClassifier(s) && images.classes().size() > 1
                        ? EncoderExport.classifier(last, images.classes())
                        : null,
                metadata,
                description.get(RUN));
        listeners.ended(null);
        return result;
    }

    /** Returns all settings, as in the metadata of the encoder file. */
    private Map<String, String> settings() {
        Map<String, String> settings = new TreeMap<>(description);
        settings.remove(RUN);
        return settings;
    }

    /** Continues from a checkpoint. */
    private void resume(Checkpoint.State done) throws IOException {
        int epoch = done.epoch();
        loss = done.loss();
        String where = epoch + (done.step() == 0 ? "" : " and " + done.step() + " steps");
        if (epoch > s.epochs() || epoch == s.epochs() && done.step() > 0) {
            throw new IOException("The run in " + options.checkpoints() + " has done more epochs than requested, "
                    + where + ": expected " + (done.step() == 0 ? epoch : epoch + 1) + " epochs or more, found "
                    + s.epochs());
        }
        step.scaling(done.scale(), done.good());
        diagnosis.resume(loss, done.atChance(), done.rising());
        description.put(RUN, done.settings().get(RUN));
        if (epoch == s.epochs()) {
            // Nothing is trained with the current settings, which may have another learning rate.
            description.clear();
            description.putAll(done.settings());
            progress.line("all " + epoch + " epochs are already done: the encoder is exported from "
                    + options.checkpoints() + ", with the settings that it was trained with");
        } else {
            progress.line("continuing after epoch " + where + " from " + options.checkpoints());
        }
    }

    private void epoch(int epoch, int first) throws IOException {
        long epochSeed = Seeds.mix(s.seed(), epoch);
        int[] order = Seeds.permutation(images.count(), new Random(epochSeed));
        Schedule schedule = s.optimizer().schedule(stepsPerEpoch, s.epochs());
        long total = (long) stepsPerEpoch * s.epochs();
        loader.begin(order, s.batch(), first);
        progress.start("epoch " + (epoch + 1) + "/" + s.epochs(), stepsPerEpoch);
        for (int k = first; k < stepsPerEpoch; k++) {
            int[] which = next(epoch, k);
            long number = (long) epoch * stepsPerEpoch + k;
            int[] labels = images.labels() == null
                    ? null
                    : Arrays.stream(which).map(i -> images.labels()[i]).toArray();
            BatchViews batch = new BatchViews(
                    loader, views, s.method().views(), which, labels, epochSeed, Seeds.mix(epochSeed, -1 - k), pool);
            take(batch, schedule.at(number), (number + 1.0) / total);
            seen += (long) views.size() * s.batch();
            progress.at(k + 1, "");
            listeners.stepFinished(number + 1, total);
            boolean last = k + 1 == stepsPerEpoch;
            boolean interrupted = Thread.currentThread().isInterrupted();
            boolean save = !last && (interrupted || checkpoints.isDue());
            if (!monitor.sound(last || save) || (last || save) && !isSound(batch)) {
                throw diverged(epoch);
            }
            if (save) {
                save(epoch, k + 1);
            }
            // A complete epoch is saved and reported first.
            if (interrupted && !last) {
                throw interrupted(epoch);
            }
        }
        progress.end();
    }

    private void take(BatchViews batch, double rate, double done) {
        try (NDManager m = network.manager().newSubManager()) {
            TrainingStep.Result result = step.take(batch, rate, done, m);
            if (!result.skipped()) {
                monitor.add(result.outcome());
                if (average != null) {
                    Averages.move(
                            average.tensors(), network.tensors(), s.optimizer().average());
                }
            }
        }
    }

    private int[] next(int epoch, int done) throws IOException {
        try {
            return loader.next();
        } catch (InterruptedIOException e) {
            if (!monitor.sound(true) || !TensorChecks.finite(tensors.values())) {
                throw diverged(epoch);
            }
            save(epoch, done);
            throw interrupted(epoch);
        } catch (ImagesUnavailableException e) {
            progress.end();
            try {
                if (monitor.sound(true) && TensorChecks.finite(tensors.values())) {
                    save(epoch, done);
                }
            } catch (IOException full) {
                // The folder of checkpoints may be unavailable, too; the previous checkpoint is kept.
                e.addSuppressed(full);
            }
            throw e;
        }
    }

    /**
     * Tells whether the run can continue from here. The loss of a step belongs to the weights before the step, so the weights after it
     * are checked, too.
     */
    private boolean isSound(BatchViews batch) {
        if (!TensorChecks.finite(tensors.values())) {
            return false;
        }
        try (NDManager m = network.manager().newSubManager()) {
            int[] some = IntStream.range(0, Math.min(batch.size(), LOOKED_AT)).toArray();
            Branch branch = method.branches().stream()
                    .filter(b -> b.network() == network)
                    .findFirst()
                    .orElseThrow();
            NDArray x = batch.rows(m, some).toType(network.type(), false);
            return TensorChecks.finite(network.run(
                    x, new Network.Pass(true, 1, false, null), branch.results().toArray(String[]::new)));
        }
    }

    /** Answers an interrupt: the exception replaces the thread's interrupt status. */
    private InterruptedIOException interrupted(int epoch) {
        Thread.interrupted();
        progress.end();
        return new InterruptedIOException("interrupted in epoch " + (epoch + 1)
                + (options.checkpoints() == null
                        ? ""
                        : "; train again with the same settings to continue from " + options.checkpoints()));
    }

    private IllegalStateException diverged(int epoch) throws IOException {
        progress.end();
        return new IllegalStateException("The loss or a weight is not finite any more in epoch " + (epoch + 1)
                + ": lower the learning rate (" + s.optimizer().rate() + ")" + checkpoints.lastGood());
    }

    private void save(int epoch, int done) throws IOException {
        double[] scaling = step.scaling();
        checkpoints.save(
                (long) epoch * stepsPerEpoch + done,
                new Checkpoint.State(
                        epoch,
                        done,
                        loss,
                        scaling[0],
                        scaling[1],
                        diagnosis.atChance(),
                        diagnosis.rising(),
                        description));
    }

    private void report(int epoch, Monitor.Figures figures, List<String> wrong, double speed) throws IOException {
        boolean measure =
                options.neighbours() != null && ((epoch + 1) % options.everyEpochs() == 0 || epoch + 1 == s.epochs());
        double measured = Double.NaN;
        if (measure) {
            knn = Double.NaN;
            try {
                knn = Knn.accuracy(
                        average == null ? network : average,
                        s.generator(AugmentationPipeline.of("none")),
                        options.neighbours(),
                        options.asked(),
                        pool);
                measured = knn;
            } catch (InterruptedIOException e) {
                // The epoch is reported without the accuracy.
                Thread.currentThread().interrupt();
                if (epoch + 1 == s.epochs()) {
                    progress.warn(
                            "interrupted: the accuracy of nearest neighbours after the last epoch was not measured");
                }
            }
        }
        double rate = s.optimizer().schedule(stepsPerEpoch, s.epochs()).at((long) (epoch + 1) * stepsPerEpoch - 1);
        listeners.epochFinished(new EpochSummary(
                epoch + 1,
                s.epochs(),
                figures,
                rate,
                speed,
                measured,
                wrong,
                diagnosis.lossAtChance(),
                diagnosis.verdict()));
    }

    private static double seconds(long start) {
        return (System.nanoTime() - start) / 1e9;
    }

    private static boolean trainsClassifier(PretrainSettings s) {
        return s.method().headUse() == MethodFactory.HeadUse.CLASSIFIER;
    }
}
