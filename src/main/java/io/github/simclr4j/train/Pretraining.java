package io.github.simclr4j.train;

import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.train.data.TrainingImages;
import io.github.simclr4j.train.device.Compute;
import io.github.simclr4j.train.loop.EncoderTrainer;
import io.github.simclr4j.train.loop.EpochSummary;
import io.github.simclr4j.train.loop.RunDescription;
import io.github.simclr4j.train.loop.RunOptions;
import io.github.simclr4j.train.loop.TrainingListener;
import io.github.simclr4j.train.method.RunResources;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.util.Progress;
import io.github.simclr4j.util.Sha256;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Learns an encoder from images, by any method, as a program does it:
 *
 * <pre>{@code
 * try (Pretraining pretraining = Pretraining.builder().images(Path.of("photos")).method("mocov2").epochs(100).build()) {
 *     pretraining.run().writeEncoder(Path.of("encoder.onnx"));
 * }
 * }</pre>
 *
 * <p>Settings don't change after {@link Builder#build}. With the same settings, images, precision, devices and number of threads
 * one machine gives the same weights, to the bit. With a {@linkplain Builder#checkpoint checkpoint} folder, a run that was
 * cancelled, interrupted or killed is continued by the next run of a pretraining with the same settings and images, and ends with the
 * weights that the whole run would have had.
 *
 * <p>{@link #run} frees all native memory that it takes before it returns or throws. {@link #close} closes the image source where
 * the pretraining opened it itself, from a path. All methods may be called by any thread; one run goes on at a time, and
 * {@link #close} is called when it has ended.
 */
public final class Pretraining implements AutoCloseable {
    private final PretrainSettings settings;
    private final ImageInput images;
    private final Machine machine;
    private final Path init;
    private final RunOptions options;
    private final Neighbours neighbours;
    private final Progress progress;
    private final AtomicBoolean running = new AtomicBoolean();
    private volatile boolean cancelled;
    private volatile boolean closed;

    /**
     * What a run may use.
     *
     * @param devices names of the devices
     * @param threads on the CPU, 0 for libtorch's own choice
     * @param megabytes that decoded images may take, 0 for what the heap has room for
     * @param decoders threads that decode ahead, 0 for one a core
     */
    record Machine(List<String> devices, int threads, int megabytes, int decoders) {}

    /** Opens images when a run begins. */
    @FunctionalInterface
    interface Opener {
        ImageInput open(Progress progress) throws IOException;
    }

    /**
     * Labelled images for the accuracy of nearest neighbours.
     *
     * @param bank images that vote
     * @param queries images that are classified, or null for those of the bank
     * @param everyEpochs epochs between two measurements
     */
    record Neighbours(Opener bank, Opener queries, int everyEpochs) {}

    Pretraining(PretrainSettings settings, ImageInput images, Machine machine, Path init, RunOptions options, Neighbours neighbours,
            Progress progress) {
        this.settings = settings;
        this.images = images;
        this.machine = machine;
        this.init = init;
        this.options = options;
        this.neighbours = neighbours;
        this.progress = progress;
    }

    /** Returns a builder with nothing set: SimCLR, and the method's defaults for all else. */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Collects what a {@link Pretraining} is to do. Images must be given; everything else has the default that its method names, or
     * that of the chosen pretraining method, if it has one of its own. Ranges are checked by {@link #build}. Not thread-safe; it can
     * be used again.
     *
     * <p>Sources of defaults: [1] Chen et al. 2020, <a href="https://arxiv.org/abs/2002.05709">SimCLR</a>; [2] He et al. 2020,
     * <a href="https://arxiv.org/abs/1911.05722">MoCo</a>; [3] Chen et al. 2020b,
     * <a href="https://arxiv.org/abs/2006.10029">SimCLRv2</a>. Where none is named, the default is this library's choice.
     */
    public static final class Builder extends PretrainingOptions<Builder> {
        private Builder() {}

        @Override
        Builder self() {
            return this;
        }

        /**
         * Checks the settings and opens the images.
         *
         * @return the caller's to close
         * @throws IOException if the images can't be read, or lack labels that the method needs
         * @throws IllegalArgumentException if there are no images, a value is out of range, or values don't fit each other
         */
        public Pretraining build() throws IOException {
            return open();
        }
    }

    /** Returns the settings that decide the weights, the method's defaults included. */
    public PretrainSettings settings() {
        return settings;
    }

    /**
     * Trains to the end, from the newest checkpoint if there is one. Where all epochs are done already, nothing is trained and the
     * encoder is made from the checkpoint. A second run without checkpoints does all work again.
     *
     * @throws IOException if images, the encoder to start from or a checkpoint can't be read, there are fewer than two readable
     *     images, a checkpoint can't be written or belongs to other settings
     * @throws InterruptedIOException if the thread was interrupted; the state is saved first
     * @throws CancellationException if {@link #cancel} was called; the state is saved first
     * @throws IllegalArgumentException for float16 on the CPU, if there is too little memory for two batches, and if images are so few
     *     that the devices can't share a batch's groups
     * @throws IllegalStateException if a GPU is asked for and there is none, if the loss is no longer a number (the last good
     *     checkpoint stays), if another thread runs this pretraining, or if it is closed
     */
    public PretrainingResult run() throws IOException {
        if (closed) {
            throw new IllegalStateException("The pretraining is closed");
        }
        if (!running.compareAndSet(false, true)) {
            throw new IllegalStateException("Another thread runs this pretraining: wait for it, or build a second one");
        }
        try {
            return train();
        } catch (InterruptedIOException | CancellationException e) {
            if (cancelled) {
                throw (CancellationException) cancellation().initCause(e);
            }
            throw e;
        } finally {
            running.set(false);
        }
    }

    private PretrainingResult train() throws IOException {
        checkCancelled();
        EncoderTrainer trainer = new EncoderTrainer(settings,
                Compute.choose(machine.devices(), settings.precision(), machine.threads(), progress), progress);
        if (init != null) {
            trainer.startFrom(init);
        }
        try (ImageInput bank = neighbours == null ? null : neighbours.bank().open(progress);
                ImageInput queries = neighbours == null || neighbours.queries() == null
                        ? null : neighbours.queries().open(progress)) {
            RunOptions all = options;
            if (bank != null) {
                bank.checkLabels("The accuracy of nearest neighbours");
                all = all.withNeighbours(read(bank), queries == null ? null : read(queries), neighbours.everyEpochs());
            }
            TrainingImages set = read(images);
            checkCancelled();
            if (init == null && settings.needsMoreThan(set.count())) {
                progress.warn("only " + set.count() + " images: an encoder whose weights start at random learns little from fewer than "
                        + PretrainSettings.FEW_IMAGES + "; start from a trained encoder (init), or choose a method that learns from a"
                        + " teacher");
            }
            return new PretrainingResult(trainer.run(set, all.withListener(new StopWhenCancelled())), set.skipped());
        }
    }

    private TrainingImages read(ImageInput input) throws IOException {
        return input.read(settings.imageSize(), machine.megabytes(), settings.batch(), machine.decoders(), new CancellableProgress());
    }

    /**
     * Returns whether a file is the encoder that this pretraining makes: what it records of its settings and images is what a run
     * would record. Precisions are compared only where one was chosen. Nothing is decoded, and a change in images of the same names
     * and sizes may go unseen, see {@link io.github.simclr4j.images.source.ImageSource#fingerprint}.
     *
     * @param encoder a file, which need not exist
     * @throws IOException if it is no encoder, or if it, the images or what the method's options name can't be read
     */
    public boolean matches(Path encoder) throws IOException {
        if (!Files.exists(encoder)) {
            return false;
        }
        Map<String, String> recorded;
        try (OnnxEncoder open = OnnxEncoder.open(encoder, 1)) {
            recorded = new TreeMap<>(open.metadata());
        }
        recorded.keySet().removeIf(key -> !key.startsWith("training.") && !key.startsWith("data."));
        recorded.remove("training.final_loss");
        String count = recorded.getOrDefault("data.images", "");
        int readable = count.matches("\\d{1,9}") ? Integer.parseInt(count) : 0;
        if (readable < 2 || readable > images.count() || settings.needsLabels() && readable < images.count()) {
            return false;
        }
        Map<String, String> own;
        try (RunResources resources = new RunResources(1)) {
            own = RunDescription.of(settings.on(readable).opened(resources), readable,
                    images.fingerprint(settings.imageSize(), readable), images.classes(), images.labels(),
                    init == null ? null : Sha256.hex(Files.readAllBytes(init)));
        }
        if (settings.precision() == null) {
            own.remove("training.precision");
            recorded.remove("training.precision");
        }
        return own.equals(recorded);
    }

    /**
     * Asks the run to end: it finishes its step, saves a checkpoint where it has a folder for them, and throws. A run whose last
     * step is taken already ends as usual. This pretraining runs no more; one that is built with the same settings goes on from the
     * checkpoint.
     */
    public void cancel() {
        cancelled = true;
    }

    private void checkCancelled() {
        if (cancelled) {
            throw cancellation();
        }
    }

    private CancellationException cancellation() {
        return new CancellationException("The pretraining was cancelled" + (options.checkpoints() == null
                ? "" : "; one with the same settings continues from " + options.checkpoints()));
    }

    /** Closes the image source if the pretraining opened it; a second call does nothing. */
    @Override
    public void close() throws IOException {
        closed = true;
        images.close();
    }

    /** Marks the training's own thread, which then stops at the next point where it can save its state. */
    private final class StopWhenCancelled implements TrainingListener {
        @Override
        public void preparing(long done) {
            if (cancelled) {
                Thread.currentThread().interrupt();
            }
        }

        @Override
        public void stepFinished(long step, long steps) {
            // The last step of an epoch is followed by the epoch's report, which an interrupt would disturb.
            if (cancelled && step % (steps / settings.epochs()) != 0) {
                Thread.currentThread().interrupt();
            }
        }

        @Override
        public void epochFinished(EpochSummary summary) {
            if (cancelled && summary.epoch() < summary.epochs()) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Passes everything on, and ends the reading of images when the run is cancelled. */
    private final class CancellableProgress implements Progress {
        @Override
        public void start(String task, long total) {
            progress.start(task, total);
        }

        @Override
        public void at(long done, String detail) {
            checkCancelled();
            progress.at(done, detail);
        }

        @Override
        public void end() {
            progress.end();
        }

        @Override
        public void line(String text) {
            progress.line(text);
        }

        @Override
        public void warn(String text) {
            progress.warn(text);
        }
    }
}
