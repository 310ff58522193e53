package io.github.simclr4j.train.loop;

import ai.djl.ndarray.NDManager;
import io.github.simclr4j.onnx.network.LinearClassifier;
import io.github.simclr4j.onnx.network.WeightReader;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.train.augment.ViewGenerator;
import io.github.simclr4j.train.augment.ViewPool;
import io.github.simclr4j.train.data.BatchLoader;
import io.github.simclr4j.train.data.TrainingImages;
import io.github.simclr4j.train.device.Compute;
import io.github.simclr4j.train.method.Method;
import io.github.simclr4j.train.method.MethodContext;
import io.github.simclr4j.train.method.RunResources;
import io.github.simclr4j.train.monitor.Knn;
import io.github.simclr4j.train.network.Network;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.train.torch.Torch;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * Trains an encoder by any method: chooses the device, makes the networks, and runs the {@linkplain TrainingRun loop}. Not
 * thread-safe.
 *
 * <p>On one machine the same settings, images, precision, devices and number of threads give the same weights, to the bit, whether or
 * not the run was cut into parts. Another number of devices gives the same but for rounding, and continues the same checkpoints.
 */
public final class EncoderTrainer {
    /** Images to which the batch norms of a loaded encoder are fitted. */
    private static final int FIT = 256;

    private final PretrainSettings settings;
    private final Compute compute;
    private final Progress progress;
    private Start start;

    private record Start(String sha256, Map<String, float[]> weights) {}

    /**
     * Prepares a training.
     *
     * @param settings what to do
     * @param device {@code auto} (the first GPU, or the CPU where there is none), {@code cpu}, {@code gpu} or {@code gpu:N}
     * @param threads threads on the CPU, 0 for libtorch's own choice
     * @param progress who is told of it
     * @throws IllegalArgumentException if the device's name is none of these, if there are fewer than 0 threads, or for float16 on
     *     the CPU
     * @throws IllegalStateException if a GPU is asked for and there is none; training never falls back to another device silently
     */
    public EncoderTrainer(PretrainSettings settings, String device, int threads, Progress progress) {
        this(settings, Compute.choose(device, settings.precision(), threads, progress), progress);
    }

    /**
     * Prepares a training on a device that was chosen before.
     *
     * @param settings what to do; the precision is that of {@code compute}
     */
    public EncoderTrainer(PretrainSettings settings, Compute compute, Progress progress) {
        settings.checkKeptHead();
        this.settings = settings.withPrecision(compute.precision());
        this.compute = compute;
        this.progress = progress;
    }

    /** Returns where and how this trainer computes. */
    public Compute compute() {
        return compute;
    }

    /**
     * Starts from the weights of an encoder file in place of random ones; the head starts at random.
     *
     * @param file an encoder of this library, or one of the same architecture that PyTorch exported
     * @throws IOException if it can't be read, or is no network of this run's architecture
     */
    public void startFrom(Path file) throws IOException {
        WeightReader.Loaded loaded = WeightReader.read(file, settings.encoder(), settings.imageSize());
        if (!loaded.missing().isEmpty()) {
            throw new IOException(file + " lacks what " + settings.encoder().describe() + " needs: "
                    + String.join(", ", loaded.missing()) + "; choose the encoder with the settings that the file has");
        }
        if (!loaded.leftOver().isEmpty()) {
            progress.line(file + " also has " + String.join(", ", loaded.leftOver()) + ", which is left out");
        }
        start = new Start(OnnxEncoder.sha256(file), loaded.weights());
    }

    /**
     * What came of a training.
     *
     * @param onnx the encoder file's bytes
     * @param epochs epochs in all, those before a restart included
     * @param steps steps in all, likewise
     * @param resumedAt epochs that were done before, 0 for a fresh run
     * @param finalLoss mean loss of the last epoch in which a step was taken; NaN if there was none, as float16 may leave out all
     *     steps of a short run
     * @param viewsPerSecond of this run; 0 if nothing was left to do
     * @param knn accuracy of nearest neighbours after the last epoch, or NaN
     * @param classifier of a method that trains one, on the encoder's features; null for the other methods, and where there is one
     *     class
     * @param settings what the encoder was trained with, as its file says it
     * @param run the run's name, which its lines in the file of metrics have
     */
    public record Result(byte[] onnx, int epochs, long steps, int resumedAt, double finalLoss, double viewsPerSecond, double knn,
            LinearClassifier classifier, Map<String, String> settings, String run) {}

    /**
     * Trains to the end. A run whose epochs are all done already is not trained further: its encoder is made again, with the
     * settings that it was trained with. Metrics that can't be written are a warning: each epoch is saved before.
     *
     * @param images at least two; with labels where the method needs them, of two classes or more
     * @throws IOException if the images are not that, if a checkpoint can't be read or written or has more epochs done than are to
     *     be, or if the file of the metrics holds other things
     * @throws InterruptedIOException if the thread was interrupted; the state is saved first
     * @throws IllegalArgumentException if the devices can't share the batch norm groups, such as those of a batch that too few images
     *     leave
     * @throws IllegalStateException if the loss is no longer finite; the last good checkpoint stays
     */
    public Result run(TrainingImages images, RunOptions options) throws IOException {
        check(images);
        PretrainSettings fitting = settings.on(images.count());
        if (fitting != settings) {
            progress.warn("only " + images.count() + " images: batch " + settings.batch() + " becomes " + fitting.batch()
                    + (fitting.microBatch() == settings.microBatch() ? "" : ", in one piece"));
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
        MethodContext.Run run = new MethodContext.Run(used.options(), used.batch(), classes, used.seed(), used.head()::append);
        Torch.noGradient();
        try (MethodContext context = new MethodContext(used.network(classes), used.zeroGamma(), compute.computation(), run);
                BatchLoader loader = BatchLoader.of(images);
                ViewPool pool = new ViewPool(compute.threads())) {
            Method method = used.method().create(context);
            warnOfSharedStatistics(used, method);
            if (start != null) {
                load(context.exported(), loader, pool, used, images.count());
                restartCopies(context);
            }
            try (TrainingStep step = new TrainingStep(used, context, method, compute.others())) {
                return new TrainingRun(used, images, options, context.exported(), method, step, loader, pool, progress,
                        start == null ? null : start.sha256()).toTheEnd();
            }
        }
    }

    /** Followers and copies start equal to the network that was loaded. */
    private static void restartCopies(MethodContext context) {
        Map<String, float[]> values = new HashMap<>();
        Network from = context.exported();
        from.tensors().keySet().forEach(name -> values.put(name, from.values(name)));
        context.followers().values().forEach(f -> f.network().load(values));
        context.trained().stream().skip(1).forEach(n -> n.load(values));
    }

    private void check(TrainingImages images) throws IOException {
        if (images.count() < 2) {
            throw new IOException((images.count() == 1 ? "One image is" : "No images are") + " too few: training compares images with"
                    + " each other, and needs at least 2"
                    + (images.skipped().isEmpty() ? "" : "; " + images.skipped().size() + " could not be read"));
        }
        if (!settings.needsLabels()) {
            return;
        }
        String who = "Training by " + settings.method().name() + " with these settings needs ";
        if (images.labels() == null) {
            throw new IOException(who + "labels: expected one sub-folder a class");
        }
        if (Arrays.stream(images.labels()).distinct().count() < 2) {
            throw new IOException(who + "images of at least two classes, found one, from which nothing is learnt: expected one"
                    + " sub-folder a class");
        }
    }

    /** Keys that share batch norm statistics with their queries give them away (He et al. 2020, section 3.3). */
    private void warnOfSharedStatistics(PretrainSettings used, Method method) {
        if (method.needsGroups() && used.groups() == 1) {
            progress.warn("batch norm has the statistics of the whole batch, by which a key can tell its query: split it into groups"
                    + " (batch norm splits), whose number must divide the batch of " + used.batch());
        }
    }

    private void load(Network network, BatchLoader loader, ViewPool pool, PretrainSettings s, int images) throws IOException {
        network.load(start.weights());
        long seed = Seeds.mix(s.seed(), -1);
        int n = Math.min(s.batch(), FIT);
        loader.begin(Seeds.permutation(images, new Random(seed)), n, 0);
        try (NDManager m = network.manager().newSubManager()) {
            BatchViews batch = new BatchViews(loader, views(s), loader.next(), null, seed, seed, pool);
            network.fitStatistics(batch.rows(m, IntStream.range(0, s.method().views() * n).toArray()));
        }
    }

    /** Returns how each view is made. */
    static List<ViewGenerator> views(PretrainSettings s) {
        List<ViewGenerator> views = new ArrayList<>();
        for (int v = 0; v < s.method().views(); v++) {
            views.add(new ViewGenerator(v == 0 ? s.firstView() : s.otherViews(), s.imageSize()));
        }
        for (int v = 0; v < s.smallViews().count(); v++) {
            views.add(new ViewGenerator(s.smallView(), s.smallViews().size()));
        }
        return views;
    }
}
