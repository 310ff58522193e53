// SPDX-License-Identifier: Apache-2.0
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
 * Trains an encoder together with a linear classifier on its features
 * (<a href="https://arxiv.org/abs/2002.05709">Chen et al. 2020</a>, appendix B.5).
 *
 * <p>The defaults are those of the paper: SGD with Nesterov momentum 0.9, a learning rate of {@code 0.05 * B / 256} for a batch of B
 * with a cosine schedule to 0, no warm-up, no weight decay, and views that are cropped and flipped.
 *
 * <p>The trainer takes examples of pixels, as {@link PixelFeatureExtractor} makes them, at the encoder's image size. Its models are
 * {@link EncodedModel}s of the trained encoder and Tribuo's linear model. They run in ONNX Runtime, are saved with the encoder inside,
 * can be exported as one ONNX file, and must be closed by the caller. Their provenance has the settings, and the metadata of the
 * encoder file that training started from under keys that begin with {@code started-from-}.
 *
 * <p>A failed training does not count as an invocation. On a CPU of one machine the same settings, examples, invocation count and
 * number of threads give bit-identical weights.
 *
 * @since 0.1.0
 */
public abstract sealed class EndToEndTrainer implements Trainer<Label> permits FineTuneTrainer, DistillationTrainer {
    private static final Logger logger = Logger.getLogger(EndToEndTrainer.class.getName());

    @Config(description = "Passes over the examples.")
    private int epochs = 60;

    @Config(description = "Images per step, each with two views; all of them if there are fewer.")
    private int batchSize = 64;

    @Config(description = "Learning rate; 0 for 0.05 * batch / 256.")
    private double learningRate = 0;

    @Config(description = "Random views: a preset or augmentations in order.")
    private String views = "supervised";

    @Config(description = "Device: auto, cpu, gpu or gpu:N.")
    private String device = "auto";

    @Config(description = "CPU threads, 0 for the libraries' defaults.")
    private int threads = 0;

    @Config(description = "Seed of initial weights, order and views.")
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

    /** Copies the settings of another trainer, without its invocations. */
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
     * Builds these trainers: the settings that all of them have.
     *
     * @param <B> type of the builder
     */
    public abstract static sealed class Builder<B extends Builder<B>>
            permits FineTuneTrainer.Builder, DistillationTrainer.Builder {
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

        /** Sets the number of images per step, at least 2; 64 by default, all of them if there are fewer. */
        public B batchSize(int images) {
            batchSize = images;
            return self();
        }

        /** Sets the initial learning rate of the cosine schedule; 0, the default, for 0.05 * batch / 256. */
        public B learningRate(double rate) {
            learningRate = rate;
            return self();
        }

        /** Sets the random views, see {@link AugmentationPipeline#of}; cropped and flipped by default. */
        public B views(String text) {
            views = text;
            return self();
        }

        /** Sets the device: {@code auto} (the default), {@code cpu}, {@code gpu} or {@code gpu:N}. */
        public B device(String name) {
            device = name;
            return self();
        }

        /** Sets the number of CPU threads; 0, the default, for the libraries' defaults. */
        public B threads(int number) {
            threads = number;
            return self();
        }

        /** Sets the seed of all random numbers. */
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
            throw new PropertyException(
                    "", "learningRate", "Expected a finite number of at least 0, found " + learningRate);
        }
        check("views", () -> AugmentationPipeline.of(views));
        // Checks the name only; the device itself is checked when training begins.
        check("device", () -> Devices.index(String.valueOf(device)));
        check("precision", () -> Precision.parse(String.valueOf(precision)));
        // ONNX Runtime runs the trained model with as many threads, which it must not refuse after the training.
        check("threads", () -> RuntimeSettings.DEFAULT.withThreads(threads));
    }

    /** Converts an illegal argument to an exception that names the property. */
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
     * @throws IllegalArgumentException if the invocation count is negative, or if the examples do not qualify: they must be images of the
     *     encoder's size with labels of at least two classes, and for distillation the teacher must generate probabilities
     * @throws IllegalStateException if the device is not available, such as a GPU on a machine without one, or if the loss is no longer
     *     finite
     * @throws UncheckedIOException if the encoder cannot be read or has an unknown architecture, or if the thread was interrupted
     */
    @Override
    public EncodedModel<Label> train(
            Dataset<Label> examples, Map<String, Provenance> runProvenance, int invocationCount) {
        try {
            return invocations.train(
                    invocationCount,
                    this::getProvenance,
                    (provenance, invocation) ->
                            train(examples, runProvenance, provenance, invocation, Progress.logging(logger)));
        } catch (IOException e) {
            if (e instanceof InterruptedIOException) {
                Thread.currentThread().interrupt();
            }
            throw new UncheckedIOException(e.getMessage(), e);
        }
    }

    abstract EncodedModel<Label> train(
            Dataset<Label> examples,
            Map<String, Provenance> run,
            TrainerProvenance provenance,
            int invocation,
            Progress progress)
            throws IOException;

    /**
     * Returns a trainer of the encoder and a classifier on it.
     *
     * @param network the architecture
     * @param imageSize side of the images in pixels
     * @param images number of images
     * @param method supervised training or distillation
     * @param temperature temperature of distillation, or null
     * @param invocation index of the invocation, which changes the seed; invocation 0 has the configured seed
     * @param progress receives progress and warnings
     */
    EncoderTrainer trainer(
            Architecture network,
            int imageSize,
            int images,
            MethodFactory method,
            Double temperature,
            int invocation,
            Progress progress) {
        return new EncoderTrainer(
                settings(network, imageSize, images, method, temperature, invocation), device, threads, progress);
    }

    PretrainSettings settings(
            Architecture network, int imageSize, int images, MethodFactory method, Double temperature, int invocation) {
        int batch = Math.max(2, Math.min(batchSize, images));
        PretrainBuilder builder = new PretrainBuilder()
                .method(method)
                .encoder(network)
                .imageSize(imageSize)
                .views(views)
                .optimizer("nesterov")
                .learningRate(learningRate == 0 ? 0.05 * batch / 256 : learningRate)
                .weightDecay(0.0)
                .warmupEpochs(0.0)
                .batch(batch)
                .epochs(epochs)
                .precision(Precision.parse(precision))
                .zeroGamma(true)
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

    /** Returns the settings that all these trainers have, without a closing parenthesis. */
    @Override
    public String toString() {
        return getClass().getSimpleName() + "(epochs=" + epochs + ",batchSize=" + batchSize + ",learningRate="
                + learningRate
                + ",views=" + views + ",device=" + device + ",threads=" + threads + ",seed=" + seed + ",precision="
                + precision;
    }
}
