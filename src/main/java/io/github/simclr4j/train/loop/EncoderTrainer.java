// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import ai.djl.ndarray.NDManager;
import io.github.simclr4j.onnx.network.Layer;
import io.github.simclr4j.onnx.network.LinearClassifier;
import io.github.simclr4j.onnx.network.WeightReader;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.train.augment.ViewPool;
import io.github.simclr4j.train.data.BatchLoader;
import io.github.simclr4j.train.data.TrainingImages;
import io.github.simclr4j.train.device.Compute;
import io.github.simclr4j.train.method.Method;
import io.github.simclr4j.train.method.MethodContext;
import io.github.simclr4j.train.method.RunResources;
import io.github.simclr4j.train.monitor.Knn;
import io.github.simclr4j.train.network.BatchNormFit;
import io.github.simclr4j.train.network.Network;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.train.torch.Torch;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * Trains an encoder by any method: creates the networks on the device and runs the {@linkplain TrainingRun training loop}.
 *
 * <p>Training is deterministic. On one machine the same settings, images, precision, devices and number of threads give bit-identical
 * weights, whether or not the run was interrupted and continued. Another number of devices gives the same weights except for
 * rounding, and can continue the same checkpoints. Not thread-safe.
 *
 * @since 0.1.0
 */
public final class EncoderTrainer {
    /** Number of images on which the batch norms of a loaded encoder are recalibrated. */
    private static final int FIT = 256;

    private final PretrainSettings settings;
    private final Compute compute;
    private final Progress progress;
    private Start start;

    private record Start(String sha256, Map<String, float[]> weights) {}

    /**
     * Prepares a training.
     *
     * @param settings settings of the run
     * @param device {@code auto} (the first GPU, or the CPU if there is none), {@code cpu}, {@code gpu} or {@code gpu:N}
     * @param threads CPU threads, 0 for libtorch's default
     * @param progress receives progress and warnings
     * @throws IllegalArgumentException if the device's name is unknown, if {@code threads} is negative, or for float16 on the CPU
     * @throws IllegalStateException if a GPU is requested and there is none; there is no silent fallback to another device
     */
    public EncoderTrainer(PretrainSettings settings, String device, int threads, Progress progress) {
        this(settings, Compute.choose(device, settings.precision(), threads, progress), progress);
    }

    /**
     * Prepares a training on a chosen device.
     *
     * @param settings settings of the run; their precision is replaced by that of {@code compute}
     * @param compute devices, precision and threads
     * @param progress receives progress and warnings
     */
    public EncoderTrainer(PretrainSettings settings, Compute compute, Progress progress) {
        settings.checkKeptHead();
        this.settings = settings.withPrecision(compute.precision());
        this.compute = compute;
        this.progress = progress;
    }

    /** Returns the devices, precision and threads of this trainer. */
    public Compute compute() {
        return compute;
    }

    /**
     * Starts from the weights of an encoder file instead of random ones; the head still starts at random.
     *
     * @param file an encoder of this library, or one of the same architecture exported from PyTorch
     * @throws IOException if the file cannot be read or has another architecture
     */
    public void startFrom(Path file) throws IOException {
        WeightReader.Loaded loaded = WeightReader.read(file, settings.encoder(), settings.imageSize());
        if (!loaded.missing().isEmpty()) {
            throw new IOException(file + " lacks weights of "
                    + settings.encoder().describe() + ": " + String.join(", ", loaded.missing())
                    + "; choose the encoder settings with which the file was trained");
        }
        if (!loaded.differences().isEmpty()) {
            throw new IOException(file + " is not " + settings.encoder().describe() + ": "
                    + String.join(", ", loaded.differences())
                    + "; choose the encoder settings with which the file was trained");
        }
        if (!loaded.leftOver().isEmpty()) {
            progress.line(file + " also has " + String.join(", ", loaded.leftOver()) + ", which is ignored");
        }
        start = new Start(OnnxEncoder.sha256(file), loaded.weights());
    }

    /**
     * The result of a training.
     *
     * @param onnx content of the encoder file
     * @param epochs number of epochs in total, those before a restart included
     * @param steps number of steps in total, those before a restart included
     * @param resumedAt number of epochs that were finished before this run, 0 for a fresh run
     * @param finalLoss mean loss of the last epoch with at least one step; NaN if there was none, because float16 may skip all steps of
     *     a short run
     * @param viewsPerSecond throughput of this run; 0 if all epochs were already done
     * @param knn nearest-neighbour accuracy after the last epoch, 0 to 1, or NaN if it was not measured
     * @param classifier the classifier on the encoder's features; null for methods that train none, or if there is only one class
     * @param settings settings that the encoder was trained with, as in the metadata of its file
     * @param run name of the run in the metrics file
     */
    public record Result(
            byte[] onnx,
            int epochs,
            long steps,
            int resumedAt,
            double finalLoss,
            double viewsPerSecond,
            double knn,
            LinearClassifier classifier,
            Map<String, String> settings,
            String run) {}

    /**
     * Trains to the end.
     *
     * <p>If all epochs are already done, the encoder is exported again with the settings that it was trained with. A failure to write
     * metrics is only a warning, since each epoch is saved before.
     *
     * @param images at least two images; with labels of at least two classes if the method needs labels
     * @param options checkpoints, metrics and listeners
     * @return the encoder and figures of the run
     * @throws IOException if the images do not qualify, if a checkpoint cannot be read or written or has more epochs done than
     *     requested, or if the metrics file has other content
     * @throws InterruptedIOException if the thread was interrupted before the last step ended; the state is saved first
     * @throws IllegalArgumentException if the devices cannot share the batch norm groups, for example because too few images make the
     *     batch small
     * @throws IllegalStateException if the loss is no longer finite; the last good checkpoint is kept
     */
    public Result run(TrainingImages images, RunOptions options) throws IOException {
        check(images);
        PretrainSettings fitting = settings.on(images.count());
        if (fitting != settings) {
            progress.warn(
                    "only " + images.count() + " images: batch " + settings.batch() + " becomes " + fitting.batch()
                            + (fitting.microBatch() == settings.microBatch() ? "" : ", without micro-batches"));
        }
        fitting.checkDevices(compute.devices());
        try (RunResources resources = new RunResources(compute.threads())) {
            return run(fitting.opened(resources), images, options);
        } catch (UncheckedIOException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    private Result run(PretrainSettings used, TrainingImages images, RunOptions options) throws IOException {
        if (options.asked() != null) {
            Knn.check(options.neighbours(), options.asked());
        }
        int classes = images.classes().size();
        MethodContext.Run run =
                new MethodContext.Run(used.options(), used.batch(), classes, used.seed(), used.head()::append);
        Torch.noGradient();
        try (MethodContext context =
                        new MethodContext(used.network(classes), used.zeroGamma(), compute.computation(), run);
                BatchLoader loader = BatchLoader.of(images);
                ViewPool pool = new ViewPool(compute.threads())) {
            Method method = used.method().create(context);
            warnOfSharedStatistics(used, method);
            if (start != null) {
                load(context.exported(), loader, pool, used, images.count());
                restartCopies(context);
            }
            try (TrainingStep step = new TrainingStep(used, context, method, compute.others())) {
                return new TrainingRun(
                                used,
                                images,
                                options,
                                context.exported(),
                                method,
                                step,
                                loader,
                                pool,
                                progress,
                                start == null ? null : start.sha256())
                        .toTheEnd();
            }
        }
    }

    /** Makes momentum encoders and copies equal to the loaded network. */
    private static void restartCopies(MethodContext context) {
        Map<String, float[]> values = new HashMap<>();
        Network from = context.exported();
        from.tensors().keySet().forEach(name -> values.put(name, from.values(name)));
        context.followers().values().forEach(f -> f.network().load(values));
        context.trained().stream().skip(1).forEach(n -> n.load(values));
    }

    private void check(TrainingImages images) throws IOException {
        if (images.count() < 2) {
            throw new IOException((images.count() == 1 ? "One image is" : "No images are")
                    + " too few: training compares images with"
                    + " each other, and needs at least 2"
                    + (images.skipped().isEmpty() ? "" : "; " + images.skipped().size() + " could not be read"));
        }
        if (!settings.needsLabels()) {
            return;
        }
        String who = "Training by " + settings.method().name() + " with these settings needs ";
        if (images.labels() == null) {
            throw new IOException(who + "labels: expected one sub-folder per class");
        }
        if (Arrays.stream(images.labels()).distinct().count() < 2) {
            throw new IOException(
                    who + "images of at least two classes, found one: expected one" + " sub-folder per class");
        }
    }

    /** Warns if keys share batch norm statistics with their queries, which reveal the positive (He et al. 2020, section 3.3). */
    private void warnOfSharedStatistics(PretrainSettings used, Method method) {
        if (method.needsGroups() && used.groups() == 1 && hasBatchNorm(method)) {
            progress.warn(
                    "the whole batch shares batch norm statistics, by which a key can tell its query: split the batch into groups"
                            + " (batch norm splits), whose number must divide the batch of " + used.batch());
        }
    }

    private static boolean hasBatchNorm(Method method) {
        return method.branches().stream()
                .flatMap(b -> b.network().graph().nodes().stream())
                .anyMatch(n -> n.layer() instanceof Layer.BatchNorm);
    }

    private void load(Network network, BatchLoader loader, ViewPool pool, PretrainSettings s, int images)
            throws IOException {
        network.load(start.weights());
        long seed = Seeds.mix(s.seed(), -1);
        int n = Math.min(s.batch(), FIT);
        loader.begin(Seeds.permutation(images, new Random(seed)), n, 0);
        int views = s.method().views();
        BatchViews batch = new BatchViews(loader, s.generators(), views, loader.next(), null, seed, seed, pool);
        BatchNormFit fit = new BatchNormFit(network);
        // Never more rows at once than in a pass of a training step.
        int most = s.microBatch() == 0 ? n : Math.min(n, s.microBatch());
        for (int from = 0; from < views * n; from += most) {
            try (NDManager m = network.manager().newSubManager()) {
                int to = Math.min(views * n, from + most);
                fit.add(batch.rows(m, IntStream.range(from, to).toArray()));
            }
        }
        fit.apply();
    }
}
