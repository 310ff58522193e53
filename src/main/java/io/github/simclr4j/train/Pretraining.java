// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train;

import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.train.data.TrainingImages;
import io.github.simclr4j.train.device.Compute;
import io.github.simclr4j.train.loop.Checkpoint;
import io.github.simclr4j.train.loop.EncoderTrainer;
import io.github.simclr4j.train.loop.EpochSummary;
import io.github.simclr4j.train.loop.RunDescription;
import io.github.simclr4j.train.loop.RunOptions;
import io.github.simclr4j.train.loop.TrainingListener;
import io.github.simclr4j.train.method.RunResources;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.util.Progress;
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
 * Pretrains an encoder on images by any method:
 *
 * <pre>{@code
 * try (Pretraining pretraining = Pretraining.builder().images(Path.of("photos")).method("mocov2").epochs(100).build()) {
 *     pretraining.run().writeEncoder(Path.of("encoder.onnx"));
 * }
 * }</pre>
 *
 * <p>Settings are immutable after {@link Builder#build}. Training is deterministic: on one machine the same settings, images, precision,
 * devices and number of threads give bit-identical weights. With a {@linkplain Builder#checkpoint checkpoint} folder, the next run with
 * the same settings and images continues a run that was cancelled, interrupted or killed, and ends with the weights of an
 * uninterrupted run.
 *
 * <p>{@link #run} frees all native memory before it returns or throws. {@link #close} closes the image source if the pretraining opened
 * it from a path. All methods may be called from any thread. Only one run is possible at a time, and {@link #close} must not be called
 * before it has ended.
 *
 * @since 0.1.0
 */
public final class Pretraining implements AutoCloseable {
    private final PretrainSettings settings;
    private final ImageInput images;
    private final Machine machine;
    private final Path init;
    private final RunOptions options;
    private final Neighbours neighbours;
    private final boolean sizeChosen;
    private final Progress progress;
    private final AtomicBoolean running = new AtomicBoolean();
    private volatile boolean cancelled;
    private volatile boolean closed;

    /**
     * The resources of a run.
     *
     * @param devices names of the devices
     * @param threads CPU threads, 0 for libtorch's default
     * @param megabytes memory for decoded images in units of 2^20 bytes, 0 for the free heap
     * @param decoders number of threads that decode ahead, 0 for one per core
     */
    record Machine(List<String> devices, int threads, int megabytes, int decoders) {}

    /** Opens images when a run begins. */
    @FunctionalInterface
    interface Opener {
        ImageInput open(Progress progress) throws IOException;
    }

    /**
     * Labelled images for the nearest-neighbour accuracy.
     *
     * @param bank images that vote
     * @param queries images to classify, or null to classify each image of the bank by the others
     * @param everyEpochs epochs between two measurements
     */
    record Neighbours(Opener bank, Opener queries, int everyEpochs) {}

    Pretraining(
            PretrainSettings settings,
            ImageInput images,
            Machine machine,
            Path init,
            RunOptions options,
            Neighbours neighbours,
            boolean sizeChosen,
            Progress progress) {
        this.settings = settings;
        this.images = images;
        this.machine = machine;
        this.init = init;
        this.options = options;
        this.neighbours = neighbours;
        this.sizeChosen = sizeChosen;
        this.progress = progress;
    }

    /** Returns a builder with the default settings of SimCLR. */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Builds a {@link Pretraining}. Only the images are required.
     *
     * <p>Other settings have the default in their documentation, unless the chosen
     * {@linkplain io.github.simclr4j.train.settings.Preset preset} or method has a default of its own. {@link #build} checks the ranges.
     * A builder can be used several times. Not thread-safe.
     *
     * <p>Sources of defaults: [1] Chen et al. 2020, <a href="https://arxiv.org/abs/2002.05709">SimCLR</a>; [2] He et al. 2020,
     * <a href="https://arxiv.org/abs/1911.05722">MoCo</a>; [3] Chen et al. 2020b,
     * <a href="https://arxiv.org/abs/2006.10029">SimCLRv2</a>. A default without a source is this library's choice.
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
         * @return a pretraining, which the caller closes
         * @throws IOException if the images cannot be read or lack labels that the method needs
         * @throws IllegalArgumentException if there are no images, a value is out of range, or values do not fit each other
         */
        public Pretraining build() throws IOException {
            return open();
        }
    }

    /** Returns the settings that determine the weights, including the method's defaults. */
    public PretrainSettings settings() {
        return settings;
    }

    /**
     * Trains to the end, from the newest checkpoint if there is one.
     *
     * <p>If all epochs are already done, the encoder is exported from the checkpoint. Without checkpoints a second run repeats all work.
     *
     * @return the encoder and figures of the run
     * @throws IOException if images, the encoder to start from or a checkpoint cannot be read, if there are fewer than two readable images,
     *     or if a checkpoint cannot be written or belongs to other settings
     * @throws InterruptedIOException if the thread was interrupted before the last step ended; the state is saved first. After the last
     *     step the training ends as usual, at most without the accuracy of nearest neighbours, and the thread stays interrupted
     * @throws CancellationException if {@link #cancel} was called; the state is saved first
     * @throws IllegalArgumentException for float16 on the CPU, if the memory does not hold two batches, or if there are so few images that
     *     the devices cannot share a batch's groups
     * @throws IllegalStateException if a GPU is requested and there is none, if the loss is no longer finite (the last good checkpoint is
     *     kept), if another thread runs this pretraining, or if it is closed
     */
    public PretrainingResult run() throws IOException {
        if (closed) {
            throw new IllegalStateException("The pretraining is closed");
        }
        if (!running.compareAndSet(false, true)) {
            throw new IllegalStateException(
                    "Another thread is running this pretraining: wait for it, or build a second one");
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
        EncoderTrainer trainer = new EncoderTrainer(
                settings,
                Compute.choose(machine.devices(), settings.precision(), machine.threads(), progress),
                progress);
        if (init != null) {
            trainer.startFrom(init);
        }
        try (ImageInput bank = neighbours == null ? null : neighbours.bank().open(progress);
                ImageInput queries = neighbours == null || neighbours.queries() == null
                        ? null
                        : neighbours.queries().open(progress)) {
            RunOptions all = options;
            if (bank != null) {
                bank.checkLabels("The accuracy of nearest neighbours");
                all = all.withNeighbours(read(bank), queries == null ? null : read(queries), neighbours.everyEpochs());
            }
            if (!sizeChosen) {
                warnOfLargeImages();
            }
            TrainingImages set = read(images);
            checkCancelled();
            if (init == null && settings.needsMoreThan(set.count())) {
                progress.warn("only " + set.count()
                        + " images: an encoder with random initial weights learns little from fewer than "
                        + PretrainSettings.FEW_IMAGES
                        + "; start from a trained encoder (init), or choose a method that learns from a"
                        + " teacher");
            }
            return new PretrainingResult(trainer.run(set, all.withListener(new StopWhenCancelled())), set.skipped());
        }
    }

    private void warnOfLargeImages() {
        images.medianShortSide().ifPresent(side -> {
            if (settings.isFarSmallerThan(side)) {
                progress.warn(
                        "at least half of the images have a short side of " + side + " pixels or more, and views have "
                                + settings.imageSize() + ": choose the image size, or a preset for such images");
            }
        });
    }

    private TrainingImages read(ImageInput input) throws IOException {
        return input.read(
                settings.imageSize(),
                machine.megabytes(),
                settings.batch(),
                machine.decoders(),
                new CancellableProgress());
    }

    /**
     * Tells whether a file is the encoder that this pretraining would create: whether its metadata have the same settings and images.
     *
     * <p>Precisions are compared only if one was chosen, presets by the settings that they lead to. Images are not decoded, so that a
     * change of images with the same names and sizes may go unnoticed, see
     * {@link io.github.simclr4j.images.source.ImageSource#fingerprint}.
     *
     * @param encoder a file, which need not exist
     * @throws IOException if the file is not an encoder, or if it, the images or a file that the method's options name cannot be read
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
        recorded.remove(PretrainSettings.PRESET);
        PretrainSettings.renameOptimizer(recorded);
        String count = recorded.getOrDefault("data.images", "");
        int readable = count.matches("\\d{1,9}") ? Integer.parseInt(count) : 0;
        if (readable < 2 || readable > images.count() || settings.needsLabels() && readable < images.count()) {
            return false;
        }
        Map<String, String> own;
        try (RunResources resources = new RunResources(1)) {
            own = RunDescription.of(
                    settings.on(readable).opened(resources),
                    readable,
                    images.fingerprint(settings.imageSize(), readable),
                    images.classes(),
                    images.labels(),
                    init == null ? null : OnnxEncoder.sha256(init));
        }
        own.remove(PretrainSettings.PRESET);
        if (settings.precision() == null) {
            own.remove("training.precision");
            recorded.remove("training.precision");
        }
        Map<String, String> now = Map.copyOf(own);
        own.keySet().removeIf(key -> Checkpoint.isOffAndUnknown(key, now, recorded));
        return own.equals(recorded);
    }

    /**
     * Cancels the run: it finishes its step, saves a checkpoint if it has a folder for them, and throws a {@link CancellationException}.
     *
     * <p>A run whose last step is already done ends normally. A cancelled pretraining cannot run again, but another one with the same
     * settings continues from the checkpoint.
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
        return new CancellationException("The pretraining was cancelled"
                + (options.checkpoints() == null
                        ? ""
                        : "; a pretraining with the same settings continues from " + options.checkpoints()));
    }

    /** Closes the image source if the pretraining opened it; a second call has no effect. */
    @Override
    public void close() throws IOException {
        closed = true;
        images.close();
    }

    /** Interrupts the training's own thread, which then stops at the next point where it can save its state. */
    private final class StopWhenCancelled implements TrainingListener {
        @Override
        public void preparing(long done) {
            if (cancelled) {
                Thread.currentThread().interrupt();
            }
        }

        @Override
        public void stepFinished(long step, long steps) {
            // An interrupt would disturb the report that follows the last step of an epoch.
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

    /** Forwards progress, and stops the reading of images when the run is cancelled. */
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
