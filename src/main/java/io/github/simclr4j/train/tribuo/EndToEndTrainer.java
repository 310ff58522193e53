package io.github.simclr4j.train.tribuo;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import io.github.simclr4j.onnx.network.Architecture;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import io.github.simclr4j.train.augment.AugmentationPipeline;
import io.github.simclr4j.train.device.Devices;
import io.github.simclr4j.train.loop.EncoderTrainer;
import io.github.simclr4j.train.loop.Seeds;
import io.github.simclr4j.train.method.MethodFactory;
import io.github.simclr4j.train.network.Precision;
import io.github.simclr4j.train.settings.PretrainBuilder;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.tribuo.extraction.PixelFeatureExtractor;
import io.github.simclr4j.tribuo.model.EncodedModel;
import io.github.simclr4j.tribuo.training.Invocations;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.util.Collections;
import java.util.Map;
import java.util.logging.Logger;
import org.tribuo.Dataset;
import org.tribuo.Trainer;
import org.tribuo.classification.Label;
import org.tribuo.provenance.TrainerProvenance;
import org.tribuo.provenance.impl.TrainerProvenanceImpl;

/**
 * Trains an encoder and a linear classifier on its features together (Chen et al. 2020, appendix B.5): SGD with Nesterov's
 * momentum 0.9 at the rate {@code 0.05 * B / 256} for a batch of B, then half a cosine to 0; no warm-up, no weight decay; views
 * that are cropped and flipped.
 *
 * <p>It takes examples of pixels, as {@link PixelFeatureExtractor} makes them at the encoder's image size. Its models are
 * {@link EncodedModel}s of the trained encoder and Tribuo's own linear model: they run in ONNX Runtime, are saved with the
 * encoder inside, can be written as one ONNX file, and are the caller's to close. Their provenance has the settings, and what
 * the file of the encoder that training started from says of itself under {@code started-from-}.
 *
 * <p>A training that fails counts as no invocation.
 *
 * <p>On one machine's CPU the same settings, examples, invocation count and number of threads give the same weights, to the
 * bit.
 */
public abstract sealed class EndToEndTrainer implements Trainer<Label> permits FineTuneTrainer, DistillationTrainer {
    private static final Logger logger = Logger.getLogger(EndToEndTrainer.class.getName());

    @Config(description = "Passes over the examples.")
    private int epochs = 60;

    @Config(description = "Images a step, each gives two views; all of them if there are fewer.")
    private int batchSize = 64;

    @Config(description = "Learning rate; 0 for 0.05 * batch / 256.")
    private double learningRate = 0;

    @Config(description = "Random views: a preset or augmentations in order.")
    private String views = "supervised";

    @Config(description = "Where to train: auto, cpu, gpu or gpu:N.")
    private String device = "auto";

    @Config(description = "Threads on the CPU, 0 for the libraries' own choice.")
    private int threads = 0;

    @Config(description = "Seed of first weights, the order and the views.")
    private long seed = Trainer.DEFAULT_SEED;

    @Config(description = "Precision of the convolutions: auto, float32, bfloat16 or float16.")
    private String precision = "float32";

    private final Invocations invocations = new Invocations();

    /** For OLCUT. */
    EndToEndTrainer() {}

    EndToEndTrainer(Builder<?> b) {
        epochs = b.epochs;
        batchSize = b.batchSize;
        learningRate = b.learningRate;
        views = b.views;
        device = b.device;
        threads = b.threads;
        seed = b.seed;
        precision = b.precision;
    }

    /** The settings of another, with no invocation yet. */
    EndToEndTrainer(EndToEndTrainer other) {
        epochs = other.epochs;
        batchSize = other.batchSize;
        learningRate = other.learningRate;
        views = other.views;
        device = other.device;
        threads = other.threads;
        seed = other.seed;
        precision = other.precision;
    }

    /**
     * Collects the settings that all of these trainers have.
     *
     * @param <B> the builder itself
     */
    public abstract static sealed class Builder<B extends Builder<B>> permits FineTuneTrainer.Builder, DistillationTrainer.Builder {
        private int epochs = 60;
        private int batchSize = 64;
        private double learningRate;
        private String views = "supervised";
        private String device = "auto";
        private int threads;
        private long seed = Trainer.DEFAULT_SEED;
        private String precision = "float32";

        Builder() {}

        abstract B self();

        /** Sets the passes over the examples, at least 1; 60 by default. */
        public B epochs(int passes) {
            epochs = passes;
            return self();
        }

        /** Sets how many images a step has, at least 2; 64 by default, all of them if there are fewer. */
        public B batchSize(int images) {
            batchSize = images;
            return self();
        }

        /** Sets the learning rate, which then follows half a cosine to 0; 0, the default, for 0.05 * batch / 256. */
        public B learningRate(double rate) {
            learningRate = rate;
            return self();
        }

        /** Sets the random views, see {@link AugmentationPipeline#of}; cropped and flipped by default. */
        public B views(String text) {
            views = text;
            return self();
        }

        /** Chooses the device: {@code auto} (the default), {@code cpu}, {@code gpu} or {@code gpu:N}. */
        public B device(String name) {
            device = name;
            return self();
        }

        /** Sets the threads on the CPU; 0, the default, for the libraries' own choice. */
        public B threads(int number) {
            threads = number;
            return self();
        }

        /** Sets the seed of everything random. */
        public B seed(long number) {
            seed = number;
            return self();
        }

        /** Sets the precision of the convolutions: auto, float32 (the default), bfloat16 or float16. */
        public B precision(String name) {
            precision = name;
            return self();
        }
    }

    /** Used by the OLCUT configuration system, and should not be called by external code. */
    @Override
    public void postConfig() {
        atLeast("epochs", epochs, 1);
        atLeast("batchSize", batchSize, 2);
        if (!(learningRate >= 0 && learningRate < Double.POSITIVE_INFINITY)) {
            throw new PropertyException("", "learningRate", "Expected a finite number of at least 0, found " + learningRate);
        }
        check("views", () -> AugmentationPipeline.of(views));
        // The name alone: whether there is such a device is known when training begins.
        check("device", () -> Devices.index(String.valueOf(device)));
        check("precision", () -> Precision.parse(String.valueOf(precision)));
        // The trained model runs in ONNX Runtime with as many; it must not be refused after the training.
        check("threads", () -> RuntimeSettings.DEFAULT.withThreads(threads));
    }

    /** An illegal argument is the fault of a property. */
    static void check(String what, Runnable check) {
        try {
            check.run();
        } catch (IllegalArgumentException e) {
            throw new PropertyException(e, "", what, e.getMessage());
        }
    }

    static void atLeast(String what, int value, int least) {
        if (value < least) {
            throw new PropertyException("", what, "Expected at least " + least + ", found " + value);
        }
    }

    @Override
    public EncodedModel<Label> train(Dataset<Label> examples) {
        return train(examples, Collections.emptyMap());
    }

    @Override
    public EncodedModel<Label> train(Dataset<Label> examples, Map<String, Provenance> runProvenance) {
        return train(examples, runProvenance, INCREMENT_INVOCATION_COUNT);
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalArgumentException if the invocation count is negative, or the examples are not what the trainer takes:
     *     images of the encoder's size with labels of two classes at least, and for distillation a teacher that gives
     *     probabilities
     * @throws IllegalStateException if the device can't be had, such as a GPU where there is none, or the loss is no longer a
     *     number
     * @throws UncheckedIOException if the encoder can't be read or is of no known architecture, or if the thread was interrupted
     */
    @Override
    public EncodedModel<Label> train(Dataset<Label> examples, Map<String, Provenance> runProvenance, int invocationCount) {
        try {
            return invocations.train(invocationCount, this::getProvenance, (provenance, invocation) ->
                    train(examples, runProvenance, provenance, invocation, Progress.logging(logger)));
        } catch (IOException e) {
            if (e instanceof InterruptedIOException) {
                Thread.currentThread().interrupt();
            }
            throw new UncheckedIOException(e.getMessage(), e);
        }
    }

    abstract EncodedModel<Label> train(Dataset<Label> examples, Map<String, Provenance> run, TrainerProvenance provenance,
            int invocation, Progress progress) throws IOException;

    /**
     * Returns a trainer of the encoder and a classifier on it.
     *
     * @param method supervised training, or distillation
     * @param images how many there are
     * @param invocation changes the seed; the first has the configured one
     */
    EncoderTrainer trainer(Architecture network, int imageSize, int images, MethodFactory method, Double temperature, int invocation,
            Progress progress) {
        return new EncoderTrainer(settings(network, imageSize, images, method, temperature, invocation), device, threads, progress);
    }

    PretrainSettings settings(Architecture network, int imageSize, int images, MethodFactory method, Double temperature,
            int invocation) {
        int batch = Math.max(2, Math.min(batchSize, images));
        PretrainBuilder builder = new PretrainBuilder().method(method).encoder(network).imageSize(imageSize).views(views)
                .optimizer("nesterov").learningRate(learningRate == 0 ? 0.05 * batch / 256 : learningRate).weightDecay(0.0)
                .warmupEpochs(0.0).batch(batch).epochs(epochs).precision(Precision.parse(precision)).zeroGamma(true)
                .seed(invocation == 0 ? seed : Seeds.mix(seed, invocation));
        return (temperature == null ? builder : builder.option("temperature", temperature)).build(images);
    }

    int threads() {
        return threads;
    }

    @Override
    public int getInvocationCount() {
        return invocations.get();
    }

    @Override
    public void setInvocationCount(int invocationCount) {
        invocations.set(invocationCount);
    }

    @Override
    public TrainerProvenance getProvenance() {
        return new TrainerProvenanceImpl(this);
    }

    /** The settings that all have. */
    @Override
    public String toString() {
        return getClass().getSimpleName() + "(epochs=" + epochs + ",batchSize=" + batchSize + ",learningRate=" + learningRate
                + ",views=" + views + ",device=" + device + ",threads=" + threads + ",seed=" + seed + ",precision="
                + precision;
    }
}
