// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train;

import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.onnx.network.Architecture;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import io.github.simclr4j.train.data.TrainingImages;
import io.github.simclr4j.train.device.Devices;
import io.github.simclr4j.train.loop.RunOptions;
import io.github.simclr4j.train.loop.TrainingListener;
import io.github.simclr4j.train.method.MethodFactory;
import io.github.simclr4j.train.network.Precision;
import io.github.simclr4j.train.settings.Preset;
import io.github.simclr4j.train.settings.PretrainBuilder;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.logging.Logger;

/**
 * The settings of a {@link Pretraining.Builder}. The class is long because each setting is a documented method.
 *
 * @param <B> type of the builder
 */
abstract class PretrainingOptions<B extends PretrainingOptions<B>> {
    /** A number of images for which settings are checked before the images are opened. */
    private static final int FEW = 2;

    private final PretrainBuilder settings = new PretrainBuilder();
    private final Map<String, String> encoderOptions = new LinkedHashMap<>();
    private String encoder;
    private Architecture architecture;
    private SampleOpener images;
    private int limit;
    private List<String> devices = List.of("auto");
    private int threads;
    private int megabytes;
    private int decoders;
    private Path init;
    private Path checkpoint;
    private double checkpointMinutes = 10;
    private int keepCheckpoints = 2;
    private Path metrics;
    private Pretraining.Opener bank;
    private Pretraining.Opener queries;
    private int neighboursEvery = 10;
    private final List<TrainingListener> listeners = new ArrayList<>();
    private Progress progress = Progress.logging(Logger.getLogger(Pretraining.class.getName()));

    @FunctionalInterface
    private interface SampleOpener {
        ImageInput open(int limit, long seed, Progress progress) throws IOException;
    }

    PretrainingOptions() {}

    abstract B self();

    /**
     * Sets the training images: a folder, an archive, a table or the binaries of a data set, see {@link ImageSource#open(Path)}. They are
     * opened by {@link Pretraining.Builder#build} and closed by {@link Pretraining#close}.
     */
    public B images(Path path) {
        images = (most, seed, told) -> ImageInput.open(path, most, seed, told);
        return self();
    }

    /** Sets the training images; the caller closes the source after the run. */
    public B images(ImageSource source) {
        images = (most, seed, told) -> ImageInput.of(source, most, seed);
        return self();
    }

    /** Sets decoded training images of any size, without labels. The list is copied, the pixels are not. */
    public B images(List<RgbImage> decoded) {
        return images(new DecodedImages(decoded));
    }

    /** Sets training images that are already squares of one size; {@link #limit} and {@link #memory} have no effect on them. */
    public B images(TrainingImages set) {
        images = (most, seed, told) -> ImageInput.of(set);
        return self();
    }

    /** Sets the largest number of images, which are drawn at random by the seed; 0, the default, for all. */
    public B limit(int count) {
        limit = count;
        return self();
    }

    /**
     * Chooses the method by name, such as {@code mocov2}; {@code simclr} by default. Methods in other jars are found, too, see
     * {@link MethodFactory}.
     *
     * @throws IllegalArgumentException if there is no method with this name; the message lists the names
     */
    public B method(String name) {
        settings.method(name);
        return self();
    }

    /** Chooses the method, which need not be registered. */
    public B method(MethodFactory factory) {
        settings.method(factory);
        return self();
    }

    /**
     * Sets one of the method's own options.
     *
     * @param name declared {@linkplain MethodFactory#options name}, such as {@code temperature} or {@code queue}
     * @param value a number, a string or a boolean; null for the default
     */
    public B option(String name, Object value) {
        settings.option(name, value);
        return self();
    }

    /**
     * Chooses a preset by name; none by default.
     * <ul>
     *   <li>{@code small} is for images of 32 to 64 pixels;
     *   <li>{@code photos} is for photographs;
     *   <li>{@code serving} is for an encoder that runs on small machines.
     * </ul>
     *
     * <p>A preset only sets defaults: settings of this builder take precedence in any order of calls. Presets in other jars are found, too,
     * see {@link Preset}.
     *
     * @throws IllegalArgumentException if there is no preset with this name; the message lists the names
     * @since 0.1.0
     */
    public B preset(String name) {
        settings.preset(name);
        return self();
    }

    /** Chooses the preset, which need not be registered; null for none. */
    public B preset(Preset chosen) {
        settings.preset(chosen);
        return self();
    }

    /** Chooses the architecture. It cannot be combined with {@link #width}, {@link #stem} and {@link #encoderOption}. */
    public B encoder(Architecture chosen) {
        architecture = chosen;
        encoder = null;
        return self();
    }

    /** Chooses the architecture by name, such as {@code resnet50} or {@code vit-small}; {@code resnet18} by default. */
    public B encoder(String name) {
        encoder = name;
        architecture = null;
        return self();
    }

    /**
     * Multiplies the number of channels of every layer by a factor above 0 and up to 8. The default is 0.25 for a ResNet and 1, the published
     * width, for other architectures.
     */
    public B width(double factor) {
        return encoderOption("width", factor);
    }

    /**
     * Sets the stem of the network: {@code cifar} for images of about 32 pixels ([1], appendix B.9), the default of a ResNet, or
     * {@code imagenet} for about 224.
     */
    public B stem(String name) {
        return encoderOption("stem", name);
    }

    /**
     * Sets an option of the encoder's family, such as {@code patch-size} of a vision transformer.
     *
     * @param name declared {@linkplain io.github.simclr4j.onnx.network.EncoderFamily#options name}
     * @param value a number, a string or a boolean; null for the default
     */
    public B encoderOption(String name, Object value) {
        encoderOptions.put(name, value == null ? null : value.toString());
        return self();
    }

    /**
     * Starts from the weights of an encoder file instead of random ones. The file is one of this library, or one of the same architecture
     * exported from PyTorch. The projection head starts at random.
     */
    public B init(Path encoderFile) {
        init = encoderFile;
        return self();
    }

    /** Sets the side of the views in pixels, at least 8; 32 by default (224 in [1]). */
    public B imageSize(int side) {
        settings.imageSize(side);
        return self();
    }

    /** Sets the kind of the projection head: none, linear, nonlinear ([1], section 4.2; the default) or deep (three layers, [3]). */
    public B head(String kind) {
        settings.head(kind);
        return self();
    }

    /** Sets whether batch norm follows the head's dense layers instead of biases; true by default [1]. */
    public B headNorm(boolean norm) {
        settings.headNorm(norm);
        return self();
    }

    /** Sets whether, with {@link #headNorm}, batch norm follows the head's last layer, too; true by default [1]. */
    public B headOutputNorm(boolean norm) {
        settings.headOutputNorm(norm);
        return self();
    }

    /** Sets the width of the head's hidden layers, up to 32768; 0, the default, for the encoder's dimension [1, 3]. */
    public B hidden(int width) {
        settings.hidden(width);
        return self();
    }

    /** Sets the length of the projections, 1 to 32768. The default is 128 [1], or 64 for a ResNet of a width below 1. */
    public B projection(int length) {
        settings.projection(length);
        return self();
    }

    /** Sets the number of the head's layers that stay with the exported encoder ([3], section 2.1); 0 by default. */
    public B keepHead(int layers) {
        settings.keepHead(layers);
        return self();
    }

    /**
     * Sets the composition of the views: a preset or augmentations in order, see
     * {@link io.github.simclr4j.train.augment.AugmentationPipeline#of}. The default is the preset {@code simclr} ([1], appendix A), or
     * {@code simclr-cifar} ([1], appendix B.9) for views of at most 64 pixels.
     */
    public B views(String text) {
        settings.views(text);
        return self();
    }

    /** Sets the composition of the second and further views, if it differs from the first. */
    public B otherViews(String text) {
        settings.otherViews(text);
        return self();
    }

    /** Sets the number of images per step, at least 2; 128 by default (4096 in [1], 256 in [2]), or all images if there are fewer. */
    public B batch(int size) {
        settings.batch(size);
        return self();
    }

    /**
     * Sets the number of images that go through the network at once, a divisor of the batch; 0, the default, for the whole batch. The gradient
     * is that of the whole batch (Gao et al. 2021, <a href="https://arxiv.org/abs/2101.06983">arXiv:2101.06983</a>).
     */
    public B microBatch(int size) {
        settings.microBatch(size);
        return self();
    }

    /**
     * Sets the number of groups of a batch that have their own batch norm statistics (shuffle BN, [2], section 3.3): a divisor of the batch and a
     * multiple of the number of micro-batches; 0, the default, for one group per micro-batch.
     */
    public B batchNormSplits(int groups) {
        settings.bnSplits(groups);
        return self();
    }

    /** Sets the passes over the images, at least 1; 100 by default (100 to 1000 in [1]). */
    public B epochs(int passes) {
        settings.epochs(passes);
        return self();
    }

    /** Chooses the optimizer: lars [1], sgd (with momentum, [2]), nesterov, adam or adamw (the default). */
    public B optimizer(String name) {
        settings.optimizer(name);
        return self();
    }

    /**
     * Sets the learning rate after the warm-up, above 0. The default depends on the optimizer and the batch size, see
     * {@link io.github.simclr4j.train.optim.OptimizerSettings#rate}.
     */
    public B learningRate(double rate) {
        settings.learningRate(rate);
        return self();
    }

    /** Sets how the default learning rate scales with the batch size: sqrt (the default, better below 4096, [1], B.1) or linear. */
    public B rateScaling(String scaling) {
        settings.rateScaling(scaling);
        return self();
    }

    /** Sets the momentum of LARS, SGD and Nesterov, at least 0 and below 1; 0.9 by default [1, 2]. */
    public B momentum(double m) {
        settings.momentum(m);
        return self();
    }

    /** Sets the weight decay, at least 0; 1e-4 by default [2] (1e-6 in [1]). Biases and batch norm are exempt. */
    public B weightDecay(double decay) {
        settings.weightDecay(decay);
        return self();
    }

    /** Sets the learning rate warm-up in epochs, at least 0; by default a tenth of the epochs, at most 10 [1]. */
    public B warmupEpochs(double warmup) {
        settings.warmupEpochs(warmup);
        return self();
    }

    /**
     * Sets the learning rate schedule after the warm-up: cosine ([1], the default), step (a tenth after 60% of the run, a hundredth after 80%,
     * [2]) or constant.
     */
    public B schedule(String name) {
        settings.schedule(name);
        return self();
    }

    /** Sets the norm to which the gradient is clipped (Pascanu et al. 2013), at least 0; 0, the default, for no clipping. */
    public B clip(double norm) {
        settings.clip(norm);
        return self();
    }

    /**
     * Sets the momentum of an exponential moving average of the weights (Polyak and Juditsky 1992), at least 0 and below 1. The averaged weights
     * are then evaluated and exported. 0, the default, for no average.
     */
    public B weightAverage(double m) {
        settings.weightAverage(m);
        return self();
    }

    /**
     * Sets whether the scale of the last batch norm of each residual block starts at 0 (Goyal et al. 2017, section 5.1). The default is true,
     * or false for Adam and AdamW, which move away from 0 slowly.
     */
    public B zeroGamma(boolean zero) {
        settings.zeroGamma(zero);
        return self();
    }

    /**
     * Sets the precision of convolutions and tokens: float32, bfloat16, float16 (on GPUs) or auto. The default, auto, is bfloat16 if the device
     * supports it natively, else float32.
     *
     * @throws IllegalArgumentException if the name is unknown
     */
    public B precision(String name) {
        settings.precision(Precision.parse(name));
        return self();
    }

    /** Sets the seed of weights, order, views and the choice of images; 1 by default. */
    public B seed(long number) {
        settings.seed(number);
        return self();
    }

    /**
     * Chooses the device: {@code auto} (the first GPU, or the CPU if there is none; the default), {@code cpu}, {@code gpu} or {@code gpu:N}.
     * If a requested GPU is not available, {@link Pretraining#run} fails.
     */
    public B device(String name) {
        return devices(name);
    }

    /**
     * Chooses devices that share each step: different GPUs, or {@code cpu} once per replica.
     *
     * <p>Each device has a copy of the networks and processes an equal share of the {@linkplain #batchNormSplits batch norm groups}. The loss is
     * computed on the embeddings of all devices. Except for rounding, the encoder is that of one device with the same groups, and checkpoints
     * can be continued with another number of devices.
     *
     * @param names at least one, as for {@link #device}; {@code auto} must be the only one
     */
    public B devices(String... names) {
        devices = List.of(names);
        settings.devices(devices.size());
        return self();
    }

    /** Sets the number of CPU threads of the training; 0, the default, for libtorch's default. */
    public B threads(int number) {
        threads = number;
        return self();
    }

    /**
     * Sets the memory for decoded images in units of 2^20 bytes. A set that does not fit is decoded again in every epoch, ahead of the trainer.
     * 0, the default, stands for the free heap, at most half of which is used for decoding ahead.
     */
    public B memory(int mebibytes) {
        megabytes = mebibytes;
        return self();
    }

    /** Sets the number of threads that decode ahead if the images do not fit into memory; 0, the default, for one per core. */
    public B decoders(int number) {
        decoders = number;
        return self();
    }

    /**
     * Sets the folder of the checkpoints; none by default. The run saves its state there after each epoch and at intervals, and continues from
     * the newest checkpoint. The folder is kept after the run.
     */
    public B checkpoint(Path folder) {
        checkpoint = folder;
        return self();
    }

    /** Sets the minutes between two checkpoints within an epoch, above 0; 10 by default. */
    public B checkpointMinutes(double minutes) {
        checkpointMinutes = minutes;
        return self();
    }

    /** Sets the number of checkpoints to keep, at least 1; 2 by default. */
    public B keepCheckpoints(int newest) {
        keepCheckpoints = newest;
        return self();
    }

    /** Sets a metrics file, which gets one line of JSON per epoch; none by default. */
    public B metrics(Path file) {
        metrics = file;
        return self();
    }

    /**
     * Measures the accuracy of 200 nearest neighbours (Wu et al. 2018, section 3.4) on labelled images, each classified by all others. It is not
     * measured by default.
     *
     * @param labelled a set of images with classes, such as a folder with one sub-folder per class
     */
    public B neighbours(Path labelled) {
        return neighbours(labelled, null);
    }

    /**
     * Measures the accuracy of 200 nearest neighbours (Wu et al. 2018, section 3.4).
     *
     * @param labelled labelled images that vote
     * @param asked labelled images of the same classes to classify; null to classify each image of {@code labelled} by all others
     */
    public B neighbours(Path labelled, Path asked) {
        bank = told -> ImageInput.open(labelled, 0, 0, told);
        queries = asked == null ? null : told -> ImageInput.open(asked, 0, 0, told);
        return self();
    }

    /** Measures the accuracy of nearest neighbours on decoded images, as {@link #neighbours(Path, Path)} does. */
    public B neighbours(TrainingImages labelled, TrainingImages asked) {
        bank = told -> ImageInput.of(labelled);
        queries = asked == null ? null : told -> ImageInput.of(asked);
        return self();
    }

    /**
     * Sets the epochs between two measurements of the nearest-neighbour accuracy, at least 1; 10 by default. It is always measured after the
     * last epoch.
     */
    public B neighboursEvery(int epochs) {
        neighboursEvery = epochs;
        return self();
    }

    /** Adds a listener, which is notified of the run's start, steps, epochs and end on the thread that runs the pretraining. */
    public B listener(TrainingListener listener) {
        listeners.add(listener);
        return self();
    }

    /** Sets the receiver of progress and warnings. By default lines are logged at FINE and warnings at WARNING. */
    public B progress(Progress told) {
        progress = told;
        return self();
    }

    /**
     * Checks everything that can be checked without the images; {@link Pretraining.Builder#build} does so first.
     *
     * @throws IllegalArgumentException if there are no images, a value is out of range, or values do not fit each other
     */
    public B check() {
        if (images == null) {
            throw new IllegalArgumentException("No images: set the training images");
        }
        if (limit < 0 || threads < 0 || megabytes < 0 || decoders < 0) {
            throw new IllegalArgumentException("The limit, threads, megabytes and decoders must be at least 0, found "
                    + limit + ", " + threads + ", " + megabytes + " and " + decoders);
        }
        if (Math.max(threads, decoders) > RuntimeSettings.maxThreads()) {
            throw new IllegalArgumentException("The threads and decoders must be at most "
                    + RuntimeSettings.maxThreads() + " on this machine, found " + threads + " and " + decoders);
        }
        Devices.check(devices);
        options();
        PretrainSettings some = settings(FEW);
        some.checkKeptHead();
        some.checkDevices(devices.size());
        some.checkNetwork();
        return self();
    }

    /**
     * Returns the resulting settings, including defaults.
     *
     * @param count number of images, on which some defaults depend
     * @throws IllegalArgumentException if a value is out of range, or values do not fit each other
     * @since 0.1.0
     */
    public PretrainSettings settings(int count) {
        chooseEncoder();
        return settings.build(count);
    }

    /** Implements {@link Pretraining.Builder#build}. */
    Pretraining open() throws IOException {
        // Report wrong settings before an archive is opened, which may take a while.
        check();
        ImageInput input = images.open(limit, settings.build(FEW).seed(), progress);
        try {
            PretrainSettings all = settings.build(input.count());
            if (all.needsLabels()) {
                input.checkLabels("Training by " + all.method().name() + " with these settings");
            }
            return new Pretraining(
                    all,
                    input,
                    new Pretraining.Machine(devices, threads, megabytes, decoders),
                    init,
                    options(),
                    bank == null ? null : new Pretraining.Neighbours(bank, queries, neighboursEvery),
                    settings.isImageSizeChosen(),
                    progress);
        } catch (IOException | RuntimeException e) {
            input.close();
            throw e;
        }
    }

    private RunOptions options() {
        return new RunOptions(
                checkpoint, checkpointMinutes, keepCheckpoints, metrics, null, null, neighboursEvery, listeners);
    }

    private void chooseEncoder() {
        if (architecture == null) {
            settings.encoder(encoder, encoderOptions);
        } else if (encoderOptions.isEmpty()) {
            settings.encoder(architecture);
        } else {
            throw new IllegalArgumentException("The encoder " + architecture.describe()
                    + " cannot be combined with encoder options, found " + encoderOptions.keySet());
        }
    }
}
