package io.github.simclr4j.train;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.onnx.network.EncoderLayout;
import io.github.simclr4j.onnx.network.EncoderWriter;
import io.github.simclr4j.onnx.network.LinearClassifier;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.onnx.network.WeightReader;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.train.augment.Views;
import io.github.simclr4j.train.data.Feed;
import io.github.simclr4j.train.data.TrainingImages;
import io.github.simclr4j.train.loop.Batch;
import io.github.simclr4j.train.loop.Checkpoint;
import io.github.simclr4j.train.loop.Passes;
import io.github.simclr4j.train.loop.Step;
import io.github.simclr4j.train.method.Distillation;
import io.github.simclr4j.train.method.Method;
import io.github.simclr4j.train.method.SoftLabels;
import io.github.simclr4j.train.monitor.Diagnosis;
import io.github.simclr4j.train.monitor.Knn;
import io.github.simclr4j.train.monitor.Metrics;
import io.github.simclr4j.train.monitor.Monitor;
import io.github.simclr4j.train.network.Head;
import io.github.simclr4j.train.network.Network;
import io.github.simclr4j.train.optim.Schedule;
import io.github.simclr4j.train.torch.Torch;
import io.github.simclr4j.util.Progress;
import io.github.simclr4j.util.Sha256;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * The loop of a run: batches, steps, epochs, and what is said and saved of them. What is learnt is the {@link Method}'s, and how
 * a step is taken is {@link Step}'s. Not thread-safe.
 *
 * <p>On one machine's CPU the same settings, images and number of threads give the same weights, to the bit, whether or not the
 * run was cut into parts.
 */
public final class Pretrainer {
    /** Names a run in its metadata and metrics; the time at which it began. */
    public static final String RUN = "training.started";

    /** Images to which the batch norms of a loaded encoder are fitted. */
    private static final int FIT = 256;
    /** Images that show whether weights are of any use. */
    private static final int LOOKED_AT = 64;
    private static final String NO_MIXED = "Mixed precision needs a GPU, and this run is on the CPU: leave it out";

    private final PretrainSettings settings;
    private final Device device;
    private final Progress progress;
    private Start start;
    private SoftLabels soft;

    /**
     * Prepares a run.
     *
     * @param settings what to do
     * @param device {@code auto} (the first GPU, or the CPU where there is none), {@code cpu}, {@code gpu} or {@code gpu:N}
     * @param threads threads on the CPU, 0 for libtorch's own choice
     * @param progress who is told of it
     * @throws IllegalArgumentException if the device's name is none of these, if there are fewer than 0 threads, or for mixed
     *     precision on the CPU
     * @throws IllegalStateException if a GPU is asked for and there is none: it never falls back
     */
    public Pretrainer(PretrainSettings settings, String device, int threads, Progress progress) {
        this.settings = settings;
        this.progress = progress;
        if (threads < 0) {
            throw new IllegalArgumentException("Threads must be at least 0 (libtorch's own choice), found " + threads);
        }
        if (settings.mixed() && device.equals("cpu")) {
            throw new IllegalArgumentException(NO_MIXED);
        }
        this.device = Torch.device(device, progress);
        if (settings.mixed() && !this.device.isGpu()) {
            throw new IllegalArgumentException(NO_MIXED);
        }
        Torch.threads(threads);
    }

    /**
     * Starts from the weights of an encoder file in place of random ones; the head starts at random.
     *
     * @param file an encoder of ours, or a residual network that PyTorch exported
     * @throws IOException if it can't be read, or is no network of this run's architecture
     */
    public void startFrom(Path file) throws IOException {
        WeightReader.Loaded loaded = WeightReader.read(file, settings.encoder());
        if (!loaded.missing().isEmpty()) {
            throw new IOException(file + " lacks what " + settings.encoder() + " needs: " + String.join(", ", loaded.missing())
                    + "; choose --encoder, --width and --stem as the file has them");
        }
        if (!loaded.leftOver().isEmpty()) {
            progress.line(file + " also has " + String.join(", ", loaded.leftOver()) + ", which is left out");
        }
        start = new Start(OnnxEncoder.sha256(file), loaded.weights());
    }

    /** Learns what a teacher says of each image in place of its label; the settings' method is supervised training. */
    public void distil(SoftLabels labels) {
        soft = labels;
    }

    private record Start(String sha256, Map<String, float[]> weights) {}

    /**
     * What came of it.
     *
     * @param onnx the encoder file's bytes
     * @param epochs epochs in all, those before a restart included
     * @param steps steps in all, likewise
     * @param resumedAt epochs that were done before, 0 for a fresh run
     * @param finalLoss mean loss of the last epoch in which a step was taken; NaN if there was none, as mixed precision may leave
     *     out all steps of a short run
     * @param viewsPerSecond of this run; 0 if nothing was left to do
     * @param knn accuracy of nearest neighbours after the last epoch, or NaN
     * @param classifier of supervised training, on the encoder's features; null for the other methods, and
     *     where there is one class
     * @param settings what the encoder was trained with, as its file says it
     */
    public record Result(byte[] onnx, int epochs, long steps, int resumedAt, double finalLoss, double viewsPerSecond, double knn,
            LinearClassifier classifier, Map<String, String> settings) {}

    /**
     * Trains to the end. A run whose epochs are all done already is not trained further: its encoder is made again, with the
     * settings that it was trained with. Metrics that can't be written are a warning: each epoch is saved before.
     *
     * @param images at least two; with labels where the method needs them, of two classes or more
     * @throws IOException if the images are not that, if a checkpoint can't be read or written or has more epochs done than are to
     *     be, or if the file of the metrics holds other things
     * @throws InterruptedIOException if the thread was interrupted; the state is saved first
     * @throws IllegalStateException if the loss is no longer a number; the last good checkpoint stays
     */
    public Result run(TrainingImages images, RunOptions options) throws IOException {
        if (images.count() < 2) {
            throw new IOException("Contrastive learning needs at least 2 images, found " + images.count());
        }
        if (settings.method().needsLabels() && images.labels() == null) {
            throw new IOException("Training by " + settings.method().name() + " with these settings needs labels:"
                    + " expected one sub-folder a class");
        }
        if (settings.method().needsLabels() && soft == null && Arrays.stream(images.labels()).distinct().count() < 2) {
            throw new IOException("Training by " + settings.method().name() + " with these settings needs images of at least two"
                    + " classes, found one, from which nothing is learnt: expected one sub-folder a class");
        }
        PretrainSettings used = settings.on(images.count());
        if (used != settings) {
            progress.warn("only " + images.count() + " images: batch " + settings.batch() + " becomes " + used.batch()
                    + (used.microBatch() == settings.microBatch() ? "" : ", in one piece"));
        }
        if (used.method().moco() && used.passes().groups() == 1) {
            progress.warn("batch norm has the statistics of the whole batch, by which a key can tell its query: split it with"
                    + " --bn-splits, which must divide the batch of " + used.batch());
        }
        if (options.asked() != null) {
            Knn.check(options.neighbours(), options.asked());
        }
        Torch.noGradient();
        Head head = used.method().name().equals("supervised") ? Head.classifier(images.classes().size()) : used.head();
        Passes passes = used.passes();
        try (Network network = new Network(used.encoder(), head, used.zeroGamma(), device, DataType.FLOAT32, used.seed())) {
            try (Feed feed = Feed.of(images, network.manager())) {
                if (start != null) {
                    load(start, network, feed, used, images.count());
                }
                try (Method method = soft == null
                        ? Method.of(used, network, used.batch(), passes)
                        : new Distillation(network, soft, used.method().temperature())) {
                    return new Run(used, images, options, network, method, new Step(used, network, method, passes), feed)
                            .toTheEnd();
                }
            }
        }
    }

    private static void load(Start start, Network network, Feed feed, PretrainSettings s, int images) throws IOException {
        network.load(start.weights());
        long seed = Batch.mix(s.seed(), -1);
        int n = Math.min(s.batch(), FIT);
        feed.begin(Passes.permutation(images, new Random(seed)), n, 0);
        try (NDManager m = network.manager().newSubManager()) {
            Views[] views = {new Views(s.firstView(), s.imageSize()), new Views(s.secondView(), s.imageSize())};
            Batch batch = new Batch(feed, views, feed.next(), null, seed, seed);
            network.fitStatistics(batch.rows(m, IntStream.range(0, 2 * n).toArray()));
        }
    }

    /** One run's state and loop. */
    private final class Run {
        private final PretrainSettings s;
        private final TrainingImages images;
        private final RunOptions options;
        private final Network network;
        private final Step step;
        private final Feed feed;
        private final Monitor monitor;
        private final Diagnosis diagnosis;
        private final Network average;
        private final Views[] views;
        private final Map<String, NDArray> tensors;
        private final Map<String, String> description;
        private final int stepsPerEpoch;
        private double loss = Double.NaN;
        private double knn = Double.NaN;
        private long seen;
        private long began;
        private long saved;

        Run(PretrainSettings s, TrainingImages images, RunOptions options, Network network, Method method, Step step, Feed feed) {
            this.s = s;
            this.images = images;
            this.options = options;
            this.network = network;
            this.step = step;
            this.feed = feed;
            monitor = new Monitor(network.manager());
            stepsPerEpoch = images.count() / s.batch();
            diagnosis = new Diagnosis(method.chance(), s.optimiser().warmupEpochs(),
                    (double) method.settling() / stepsPerEpoch, !s.method().name().equals("supervised"));
            average = s.optimiser().average() > 0 ? network.copy() : null;
            views = new Views[] {new Views(s.firstView(), s.imageSize()), new Views(s.secondView(), s.imageSize())};
            tensors = new LinkedHashMap<>(step.tensors());
            tensors.put("monitor", monitor.state());
            if (average != null) {
                average.tensors().forEach((name, a) -> tensors.put("average." + name, a));
            }
            description = new TreeMap<>(s.describe());
            description.put("data.images", "" + images.count());
            description.put("data.fingerprint", images.fingerprint());
            if (s.method().needsLabels() && soft == null) {
                String labels = images.classes() + Arrays.toString(images.labels());
                description.put("data.labels", Sha256.hex(labels.getBytes(StandardCharsets.UTF_8)));
            }
            if (start != null) {
                description.put("training.started_from", start.sha256());
            }
            if (soft != null) {
                description.put("training.method", "distillation");
                description.put("training.temperature", "" + s.method().temperature());
                description.put("training.soft_labels", soft.sha256());
            }
            description.put(RUN, Instant.now().toString());
        }

        Result toTheEnd() throws IOException {
            try {
                return train();
            } finally {
                if (average != null) {
                    average.close();
                }
            }
        }

        private Result train() throws IOException {
            Checkpoint.State done = options.checkpoints() == null
                    ? null
                    : Checkpoint.read(options.checkpoints(), description, tensors, progress::warn);
            int epoch = 0;
            int first = 0;
            if (done != null) {
                epoch = done.epoch();
                first = done.step();
                loss = done.loss();
                String where = epoch + (first == 0 ? "" : " and " + first + " steps");
                if (epoch > s.epochs() || epoch == s.epochs() && first > 0) {
                    throw new IOException("The run in " + options.checkpoints() + " is past the epochs asked for, it has done " + where
                            + ": expected --epochs " + (first == 0 ? epoch : epoch + 1) + " or more, found " + s.epochs());
                }
                step.scaling(done.scale(), done.good());
                diagnosis.resume(loss, done.atChance(), done.rising());
                description.put(RUN, done.settings().get(RUN));
                if (epoch == s.epochs()) {
                    // Nothing is trained by the present settings, which may have another learning rate.
                    description.clear();
                    description.putAll(done.settings());
                    progress.line("all " + epoch + " epochs are done: the encoder is that of " + options.checkpoints()
                            + ", with the settings that it was trained with");
                } else {
                    progress.line("continuing after epoch " + where + " from " + options.checkpoints());
                }
            }
            int resumed = epoch;
            Metrics metrics =
                    options.metrics() == null ? null : new Metrics(options.metrics(), description.get(RUN), epoch);
            began = System.nanoTime();
            saved = began;
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
                // First of all: a measurement or a full disk may end the run.
                save(epoch + 1, 0);
                report(epoch, figures, wrong, speed, metrics);
                if (Thread.interrupted() && epoch + 1 < s.epochs()) {
                    throw interrupted(epoch);
                }
            }
            double speed = seen == 0 ? 0 : seen / seconds(began);
            Map<String, String> metadata = new TreeMap<>(description);
            metadata.put("training.epochs", "" + epoch);
            if (!Double.isNaN(loss)) {
                metadata.put("training.final_loss", String.format(Locale.ROOT, "%.4f", loss));
            }
            Network last = average == null ? network : average;
            boolean classifies = s.method().name().equals("supervised") && images.classes().size() > 1;
            LinearClassifier classifier = !classifies ? null : new LinearClassifier(
                    last.values(Head.dense(0) + ".weight"), last.values(Head.dense(0) + ".bias"), images.classes());
            return new Result(export(last, s.imageSize(), metadata), epoch, (long) epoch * stepsPerEpoch, resumed, loss, speed, knn,
                    classifier, metadata);
        }

        private void epoch(int epoch, int first) throws IOException {
            long epochSeed = Batch.mix(s.seed(), epoch);
            int[] order = Passes.permutation(images.count(), new Random(epochSeed));
            Schedule schedule = s.optimiser().schedule(stepsPerEpoch, s.epochs());
            long total = (long) stepsPerEpoch * s.epochs();
            feed.begin(order, s.batch(), first);
            progress.start("epoch " + (epoch + 1) + "/" + s.epochs(), stepsPerEpoch);
            for (int k = first; k < stepsPerEpoch; k++) {
                int[] which = next(epoch, k);
                long number = (long) epoch * stepsPerEpoch + k;
                int[] labels = images.labels() == null
                        ? null : Arrays.stream(which).map(i -> images.labels()[i]).toArray();
                Batch batch = new Batch(feed, views, which, labels, epochSeed, Batch.mix(epochSeed, -1 - k));
                try (NDManager m = network.manager().newSubManager()) {
                    Step.Result result = step.take(batch, schedule.at(number), (number + 1.0) / total, m);
                    if (!result.skipped()) {
                        monitor.add(result.outcome());
                        if (average != null) {
                            average.follow(network, s.optimiser().average());
                        }
                    }
                }
                seen += 2L * s.batch();
                progress.at(k + 1, "");
                boolean last = k + 1 == stepsPerEpoch;
                boolean interrupted = Thread.interrupted();
                boolean save = !last && (interrupted || seconds(saved) > 60 * options.everyMinutes());
                if (!monitor.sound(last || save) || (last || save) && !sound(batch)) {
                    throw diverged(epoch);
                }
                if (save) {
                    save(epoch, k + 1);
                }
                if (interrupted && (!last || epoch + 1 < s.epochs())) {
                    if (!last) {
                        throw interrupted(epoch);
                    }
                    // The epoch is over: it is reported and saved first.
                    Thread.currentThread().interrupt();
                }
            }
            progress.end();
        }

        private int[] next(int epoch, int done) throws IOException {
            try {
                return feed.next();
            } catch (InterruptedIOException e) {
                Thread.interrupted();
                if (!monitor.sound(true) || !Torch.finite(tensors.values())) {
                    throw diverged(epoch);
                }
                save(epoch, done);
                throw interrupted(epoch);
            }
        }

        /**
         * Whether the run can go on from here: the loss of a step is of the weights before it, which a wild step may have left
         * worthless since.
         */
        private boolean sound(Batch batch) {
            if (!Torch.finite(tensors.values())) {
                return false;
            }
            try (NDManager m = network.manager().newSubManager()) {
                int[] some = IntStream.range(0, Math.min(batch.size(), LOOKED_AT)).toArray();
                Network.Pass pass = new Network.Pass(true, 1, null, null);
                NDArray x = batch.rows(m, some).toType(network.type(), false);
                return Torch.finite(List.of(network.project(network.encode(x, pass), pass)));
            }
        }

        private InterruptedIOException interrupted(int epoch) {
            progress.end();
            return new InterruptedIOException("interrupted in epoch " + (epoch + 1) + (options.checkpoints() == null
                    ? "" : "; run the same command again to continue from " + options.checkpoints()));
        }

        private IllegalStateException diverged(int epoch) throws IOException {
            progress.end();
            String where = "";
            if (options.checkpoints() != null) {
                List<Path> all = Checkpoint.list(options.checkpoints());
                where = all.isEmpty() ? "" : "; the last good state is " + all.get(all.size() - 1)
                        + ", from which the same command with a lower rate continues";
            }
            return new IllegalStateException("The loss or a weight is no longer a number in epoch " + (epoch + 1)
                    + ": lower the learning rate (" + s.optimiser().rate() + ")" + where);
        }

        private void save(int epoch, int done) throws IOException {
            saved = System.nanoTime();
            if (options.checkpoints() == null) {
                return;
            }
            // An interrupted thread can't write.
            boolean interrupted = Thread.interrupted();
            try {
                write(epoch, done);
            } catch (IOException e) {
                if (!(e.getCause() instanceof ClosedByInterruptException)) {
                    throw e;
                }
                // It was interrupted while it wrote.
                interrupted = Thread.interrupted();
                write(epoch, done);
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }

        private void write(int epoch, int done) throws IOException {
            double[] scaling = step.scaling();
            Checkpoint.write(options.checkpoints(), (long) epoch * stepsPerEpoch + done, options.keep(),
                    new Checkpoint.State(epoch, done, loss, scaling[0], scaling[1], diagnosis.atChance(), diagnosis.rising(),
                            description), tensors);
        }

        private void report(int epoch, Monitor.Figures f, List<String> wrong, double speed, Metrics metrics) throws IOException {
            double rate = s.optimiser().schedule(stepsPerEpoch, s.epochs()).at((long) (epoch + 1) * stepsPerEpoch - 1);
            boolean measure = options.neighbours() != null
                    && ((epoch + 1) % options.everyEpochs() == 0 || epoch + 1 == s.epochs());
            if (measure) {
                try {
                    knn = Knn.accuracy(average == null ? network : average, s.imageSize(), options.neighbours(), options.asked());
                } catch (InterruptedIOException e) {
                    // The epoch is reported without it; its thread stays marked.
                    measure = false;
                }
            }
            progress.line(String.format(Locale.ROOT, "epoch %d/%d  loss %.4f  rate %.2g  top-1 %.1f%%  top-5 %.1f%%  alignment"
                    + " %.3f  uniformity %.2f  spread %.2f  rank %.1f%s  %.0f views/s",
                    epoch + 1, s.epochs(), f.loss(), rate, 100 * f.top1(), 100 * f.top5(), f.alignment(), f.uniformity(),
                    f.spread(), f.effectiveRank(), measure ? String.format(Locale.ROOT, "  knn %.2f%%", 100 * knn) : "", speed));
            wrong.forEach(w -> progress.warn("epoch " + (epoch + 1) + ": " + w));
            if (metrics != null) {
                Map<String, Object> line = new LinkedHashMap<>();
                line.put("epoch", epoch + 1);
                line.put("loss", f.loss());
                line.put("learningRate", rate);
                line.put("viewsPerSecond", speed);
                line.put("top1", f.top1());
                line.put("top5", f.top5());
                line.put("alignment", f.alignment());
                line.put("uniformity", f.uniformity());
                line.put("spread", f.spread());
                line.put("effectiveRank", f.effectiveRank());
                if (measure) {
                    line.put("knn", knn);
                }
                if (!wrong.isEmpty()) {
                    line.put("warnings", wrong);
                }
                try {
                    metrics.add(line);
                } catch (IOException e) {
                    progress.warn("the run goes on, but epoch " + (epoch + 1) + " has no line of metrics: " + e.getMessage());
                }
            }
        }
    }

    /** The encoder of a network as an ONNX file, with the layers of the head that are to be kept. */
    static byte[] export(Network network, int imageSize, Map<String, String> metadata) {
        Head head = network.head();
        EncoderLayout layout = head.kept() == 0
                ? EncoderLayout.DEFAULT
                : EncoderLayout.DEFAULT.withHead(head.layers(network.architecture().dimension()).first(head.kept()));
        return EncoderWriter.toBytes(
                network.architecture(), new Preprocessing(imageSize), network::values, metadata, layout);
    }

    /** An encoder of the same architecture with random weights, to compare with. */
    public static byte[] untrained(ResNet encoder, int imageSize, long seed) {
        try (Network network = new Network(encoder, Head.simclr(1), true, Device.cpu(), DataType.FLOAT32, seed)) {
            return export(network, imageSize, Map.of("training.method", "none", "training.seed", "" + seed));
        }
    }

    private static double seconds(long start) {
        return (System.nanoTime() - start) / 1e9;
    }
}
