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
 * The settings of a {@link Pretraining.Builder}. The class is long because each setting is a method with its documentation.
 *
 * @param <B> the builder
 */
abstract class PretrainingOptions<B extends PretrainingOptions<B>> {
    /** A number of images for which every setting that is right for any number is so. */
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
     * Learns from the images at a path: a folder, an archive, a table or the binaries of a data set, see
     * {@link ImageSource#open(Path)}. They are opened by {@link Pretraining.Builder#build} and closed by {@link Pretraining#close}.
     */
    public B images(Path path) {
        images = (most, seed, told) -> ImageInput.open(path, most, seed, told);
        return self();
    }

    /** Learns from a source of images, which stays the caller's to close, after the run. */
    public B images(ImageSource source) {
        images = (most, seed, told) -> ImageInput.of(source, most, seed);
        return self();
    }

    /** Learns from decoded images of any size, without labels. The list is copied, the pixels are not. */
    public B images(List<RgbImage> decoded) {
        return images(new DecodedImages(decoded));
    }

    /** Learns from images that are squares of one size already; {@link #limit} and {@link #memory} have no effect on them. */
    public B images(TrainingImages set) {
        images = (most, seed, told) -> ImageInput.of(set);
        return self();
    }

    /** Takes at most so many images, chosen at random by the seed; 0, the default, for all. */
    public B limit(int count) {
        limit = count;
        return self();
    }

    /**
     * Chooses the method by its name, such as {@code mocov2}; {@code simclr} by default. Methods in other jars are found as well, see
     * {@link MethodFactory}.
     *
     * @throws IllegalArgumentException if there is none of this name; the message lists the names
     */
    public B method(String name) {
        settings.method(name);
        return self();
    }

    /** Chooses the method; it needs no registration. */
    public B method(MethodFactory factory) {
        settings.method(factory);
        return self();
    }

    /**
     * Sets one of the method's own options.
     *
     * @param name as the method {@linkplain MethodFactory#options declares} it, such as {@code temperature} or {@code queue}
     * @param value a number, a text or a boolean; null for the default
     */
    public B option(String name, Object value) {
        settings.option(name, value);
        return self();
    }

    /**
     * Chooses a preset by its name: {@code small} for images of 32 to 64 pixels, {@code photos} for photographs, {@code serving} for an
     * encoder that runs on small machines; none by default. It sets defaults alone: whatever is set here wins over it, whichever is
     * called first. Presets in other jars are found as well, see {@link Preset}.
     *
     * @throws IllegalArgumentException if there is none of this name; the message lists the names
     * @since 0.1.0
     */
    public B preset(String name) {
        settings.preset(name);
        return self();
    }

    /**
     * Chooses the preset, which needs no registration; null for none.
     *
     * @since 0.1.0
     */
    public B preset(Preset chosen) {
        settings.preset(chosen);
        return self();
    }

    /** Chooses the architecture; {@link #width}, {@link #stem} and {@link #encoderOption} are then not to be set. */
    public B encoder(Architecture chosen) {
        architecture = chosen;
        encoder = null;
        return self();
    }

    /** Chooses the architecture by its name, such as {@code resnet50} or {@code vit-small}; {@code resnet18} by default. */
    public B encoder(String name) {
        encoder = name;
        architecture = null;
        return self();
    }

    /**
     * Multiplies the number of channels of every layer, above 0 and at most 8; 0.25 by default for a ResNet, 1, the published width,
     * for others.
     */
    public B width(double factor) {
        return encoderOption("width", factor);
    }

    /**
     * Sets how the network starts: {@code cifar} for images of about 32 pixels ([1], appendix B.9), the default of a ResNet, or
     * {@code imagenet} for about 224.
     */
    public B stem(String name) {
        return encoderOption("stem", name);
    }

    /**
     * Sets one of the options of the encoder's family, such as {@code patch-size} of a vision transformer.
     *
     * @param name as the {@linkplain io.github.simclr4j.onnx.network.EncoderFamily#options family} declares it
     * @param value a number, a text or a boolean; null for the default
     */
    public B encoderOption(String name, Object value) {
        encoderOptions.put(name, value == null ? null : value.toString());
        return self();
    }

    /**
     * Starts from the weights of an encoder file in place of random ones: one of this library, or one of the same architecture that
     * PyTorch exported. The projection head starts at random.
     */
    public B init(Path encoderFile) {
        init = encoderFile;
        return self();
    }

    /** Sets the side of the views in pixels, at least 8; 32 by default ([1] has 224). */
    public B imageSize(int side) {
        settings.imageSize(side);
        return self();
    }

    /** Sets the kind of the projection head: none, linear, nonlinear ([1], section 4.2; the default) or deep (three layers, [3]). */
    public B head(String kind) {
        settings.head(kind);
        return self();
    }

    /** Sets whether batch norm stands behind the head's dense layers, in place of biases; true by default [1]. */
    public B headNorm(boolean norm) {
        settings.headNorm(norm);
        return self();
    }

    /** Sets whether, with {@link #headNorm}, a batch norm stands behind the head's last layer, too; true by default [1]. */
    public B headOutputNorm(boolean norm) {
        settings.headOutputNorm(norm);
        return self();
    }

    /** Sets the width of the head's hidden layers, up to 32768; 0, the default, for the encoder's dimension [1, 3]. */
    public B hidden(int width) {
        settings.hidden(width);
        return self();
    }

    /** Sets the length of a projection, 1 to 32768; 128 by default [1], 64 for a ResNet of a width below 1. */
    public B projection(int length) {
        settings.projection(length);
        return self();
    }

    /** Sets how many layers of the head stay with the exported encoder ([3], section 2.1); 0 by default. */
    public B keepHead(int layers) {
        settings.keepHead(layers);
        return self();
    }

    /**
     * Sets how views are made: a preset or augmentations in order, see
     * {@link io.github.simclr4j.train.augment.AugmentationPipeline#of}; the preset {@code simclr} ([1], appendix A) by default,
     * {@code simclr-cifar} ([1], appendix B.9) for views of at most 64 pixels.
     */
    public B views(String text) {
        settings.views(text);
        return self();
    }

    /** Sets how the second and further views are made, where they differ from the first. */
    public B otherViews(String text) {
        settings.otherViews(text);
        return self();
    }

    /** Sets how many images a step has, at least 2; 128 by default ([1] has 4096, [2] 256), all of them if there are fewer. */
    public B batch(int size) {
        settings.batch(size);
        return self();
    }

    /**
     * Sets how many images go through the network at once, a divisor of the batch; 0, the default, for all. The gradient is that of
     * the whole batch (Gao et al. 2021, <a href="https://arxiv.org/abs/2101.06983">arXiv:2101.06983</a>).
     */
    public B microBatch(int size) {
        settings.microBatch(size);
        return self();
    }

    /**
     * Sets how many groups of a batch have batch norm statistics of their own, as on as many devices ([2], section 3.3): a divisor of
     * the batch and a multiple of the number of micro-batches; 0, the default, for one a micro-batch.
     */
    public B batchNormSplits(int groups) {
        settings.bnSplits(groups);
        return self();
    }

    /** Sets the passes over the images, at least 1; 100 by default ([1] has 100 to 1000). */
    public B epochs(int passes) {
        settings.epochs(passes);
        return self();
    }

    /** Chooses the optimizer: lars [1], sgd (with momentum, [2]), nesterov, adam or adamw, the default. */
    public B optimizer(String name) {
        settings.optimizer(name);
        return self();
    }

    /**
     * Sets the learning rate after the warm-up, above 0. By default it follows from the optimizer and the batch, see
     * {@link io.github.simclr4j.train.optim.OptimizerSettings#rate}.
     */
    public B learningRate(double rate) {
        settings.learningRate(rate);
        return self();
    }

    /** Sets how the default learning rate goes with the batch: sqrt, the default, better below 4096 ([1], B.1), or linear. */
    public B rateScaling(String scaling) {
        settings.rateScaling(scaling);
        return self();
    }

    /** Sets the momentum of LARS and SGD, 0 to below 1; 0.9 by default [1, 2]. */
    public B momentum(double m) {
        settings.momentum(m);
        return self();
    }

    /** Sets the decay of all weights but batch norm's and biases, at least 0; 1e-4 by default [2] ([1] has 1e-6). */
    public B weightDecay(double decay) {
        settings.weightDecay(decay);
        return self();
    }

    /** Sets the epochs in which the learning rate rises from 0, at least 0; a tenth of them by default, at most 10 [1]. */
    public B warmupEpochs(double warmup) {
        settings.warmupEpochs(warmup);
        return self();
    }

    /** Sets what follows: cosine [1], the default, step (a tenth after 60%, a hundredth after 80%, [2]) or constant. */
    public B schedule(String name) {
        settings.schedule(name);
        return self();
    }

    /** Sets the largest norm of the gradient (Pascanu et al. 2013), at least 0; 0, the default, for no clipping. */
    public B clip(double norm) {
        settings.clip(norm);
        return self();
    }

    /**
     * Sets the momentum of a moving average of the weights (Polyak and Juditsky 1992), 0 to below 1, which is then what is measured
     * and written; 0, the default, for none.
     */
    public B weightAverage(double m) {
        settings.weightAverage(m);
        return self();
    }

    /**
     * Starts the last batch norm of each residual block at 0 (Goyal et al. 2017, section 5.1); true by default, false for Adam and
     * AdamW, which leave 0 slowly.
     */
    public B zeroGamma(boolean zero) {
        settings.zeroGamma(zero);
        return self();
    }

    /**
     * Sets the type in which convolutions and tokens are computed: float32, bfloat16, float16 (on GPUs) or auto, the default:
     * bfloat16 where the device computes with it natively, else float32.
     *
     * @throws IllegalArgumentException if it is none of these
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
     * Chooses the device: {@code auto} (the first GPU, or the CPU where there is none; the default), {@code cpu}, {@code gpu} or
     * {@code gpu:N}. A GPU that is asked for and is not there is an error of {@link Pretraining#run}.
     */
    public B device(String name) {
        return devices(name);
    }

    /**
     * Chooses devices that share each step: GPUs, each named once, or {@code cpu} as often as there shall be replicas there. Each has
     * the networks and an equal part of the {@linkplain #batchNormSplits batch norm groups}; the loss is taken over all embeddings. The
     * encoder is that of one device with the same groups but for rounding, and checkpoints go on with another number of devices.
     *
     * @param names at least one, as for {@link #device}; {@code auto} only by itself
     */
    public B devices(String... names) {
        devices = List.of(names);
        settings.devices(devices.size());
        return self();
    }

    /** Sets the threads of training on the CPU; 0, the default, for libtorch's own choice. */
    public B threads(int number) {
        threads = number;
        return self();
    }

    /**
     * Sets the megabytes (2^20 bytes) that decoded images may take. A set that does not fit is decoded anew in every epoch, at most
     * so many ahead. 0, the default, for what the heap has room for, or half of that ahead.
     */
    public B memory(int mebibytes) {
        megabytes = mebibytes;
        return self();
    }

    /** Sets the threads that decode ahead where images don't fit into memory; 0, the default, for one a core. */
    public B decoders(int number) {
        decoders = number;
        return self();
    }

    /**
     * Saves the run's state in a folder, after each epoch and at intervals, and continues from what is there; none by default. The
     * folder stays after the run.
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

    /** Sets how many checkpoints stay, at least 1; 2 by default. */
    public B keepCheckpoints(int newest) {
        keepCheckpoints = newest;
        return self();
    }

    /** Adds a line of JSON an epoch to a file; none by default. */
    public B metrics(Path file) {
        metrics = file;
        return self();
    }

    /**
     * Measures the accuracy of 200 nearest neighbours (Wu et al. 2018, section 3.4) on labelled images, each by all others; none by
     * default.
     *
     * @param labelled a set of images with classes, such as a folder with one sub-folder a class
     */
    public B neighbours(Path labelled) {
        return neighbours(labelled, null);
    }

    /**
     * Measures the accuracy of 200 nearest neighbours (Wu et al. 2018, section 3.4).
     *
     * @param labelled a set of images with classes, which vote
     * @param asked a set of images with some of these classes, which are classified; null for those of {@code labelled}
     */
    public B neighbours(Path labelled, Path asked) {
        bank = told -> ImageInput.open(labelled, 0, 0, told);
        queries = asked == null ? null : told -> ImageInput.open(asked, 0, 0, told);
        return self();
    }

    /** As {@link #neighbours(Path, Path)}, with images that are decoded already. */
    public B neighbours(TrainingImages labelled, TrainingImages asked) {
        bank = told -> ImageInput.of(labelled);
        queries = asked == null ? null : told -> ImageInput.of(asked);
        return self();
    }

    /** Sets the epochs between two of these measurements, at least 1; 10 by default. The last epoch has one in any case. */
    public B neighboursEvery(int epochs) {
        neighboursEvery = epochs;
        return self();
    }

    /** Adds a listener, which is told of the run's start, steps, epochs and end on the thread that runs the pretraining. */
    public B listener(TrainingListener listener) {
        listeners.add(listener);
        return self();
    }

    /** Sets who is told how long the work goes on; by default lines go to a log at FINE and warnings at WARNING. */
    public B progress(Progress told) {
        progress = told;
        return self();
    }

    /**
     * Checks all that can be checked without the images, as {@link Pretraining.Builder#build} does first.
     *
     * @throws IllegalArgumentException if there are no images, a value is out of range, or values don't fit each other
     */
    public B check() {
        if (images == null) {
            throw new IllegalArgumentException("No images: say what to learn from");
        }
        if (limit < 0 || threads < 0 || megabytes < 0 || decoders < 0) {
            throw new IllegalArgumentException("The limit, threads, megabytes and decoders must be at least 0, found " + limit + ", "
                    + threads + ", " + megabytes + " and " + decoders);
        }
        if (Math.max(threads, decoders) > RuntimeSettings.maxThreads()) {
            throw new IllegalArgumentException("The threads and decoders must be at most " + RuntimeSettings.maxThreads()
                    + " on this machine, found " + threads + " and " + decoders);
        }
        Devices.check(devices);
        options();
        PretrainSettings some = settings(FEW);
        some.checkKeptHead();
        some.checkDevices(devices.size());
        some.encoder().graph(some.imageSize());
        return self();
    }

    /**
     * Returns the settings that this comes to, with the defaults of what is not set.
     *
     * @param count how many images there are, as some defaults depend on it
     * @throws IllegalArgumentException if a value is out of range, or values don't fit each other
     * @since 0.1.0
     */
    public PretrainSettings settings(int count) {
        chooseEncoder();
        return settings.build(count);
    }

    /** Builds what {@link Pretraining.Builder#build} says. */
    Pretraining open() throws IOException {
        // Wrong settings are said before an archive is opened, which may take a while.
        check();
        ImageInput input = images.open(limit, settings.build(FEW).seed(), progress);
        try {
            PretrainSettings all = settings.build(input.count());
            if (all.needsLabels()) {
                input.checkLabels("Training by " + all.method().name() + " with these settings");
            }
            return new Pretraining(all, input, new Pretraining.Machine(devices, threads, megabytes, decoders), init, options(),
                    bank == null ? null : new Pretraining.Neighbours(bank, queries, neighboursEvery),
                    settings.isImageSizeChosen(), progress);
        } catch (IOException | RuntimeException e) {
            input.close();
            throw e;
        }
    }

    private RunOptions options() {
        return new RunOptions(checkpoint, checkpointMinutes, keepCheckpoints, metrics, null, null, neighboursEvery, listeners);
    }

    private void chooseEncoder() {
        if (architecture == null) {
            settings.encoder(encoder, encoderOptions);
        } else if (encoderOptions.isEmpty()) {
            settings.encoder(architecture);
        } else {
            throw new IllegalArgumentException("The encoder " + architecture.describe() + " has its options, found also "
                    + encoderOptions.keySet());
        }
    }
}
