// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.tribuo;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import io.github.simclr4j.train.data.ImageSet;
import io.github.simclr4j.train.data.TrainingImages;
import io.github.simclr4j.train.loop.EncoderTrainer;
import io.github.simclr4j.train.loop.RunOptions;
import io.github.simclr4j.train.method.Supervised;
import io.github.simclr4j.tribuo.model.EncodedModel;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.tribuo.Dataset;
import org.tribuo.MutableOutputInfo;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;
import org.tribuo.provenance.TrainerProvenance;

/**
 * Fine-tuning (<a href="https://arxiv.org/abs/2002.05709">Chen et al. 2020</a>, section 4.2, table 7 and appendix B.5): a pretrained
 * encoder and a new linear classifier on its features are trained together on labelled images, with the cross entropy of randomly
 * cropped and flipped views.
 *
 * <p>The encoder must have an architecture that this library knows. It can be one of this library or one exported from PyTorch.
 *
 * @since 0.1.0
 */
public non-sealed class FineTuneTrainer extends EndToEndTrainer {
    @Config(mandatory = true, description = "Encoder to start from (ONNX).")
    private Path encoder;

    @Config(
            description =
                    "Whether to start from random weights in the encoder's architecture instead of its own weights: the baseline.")
    private boolean fromScratch = false;

    @Config(description = "Image size in pixels for an encoder whose file leaves it open; 0 for the size in the file.")
    private int imageSize = 0;

    /** For OLCUT. */
    protected FineTuneTrainer() {}

    /**
     * Creates a trainer with batches of 64 at the paper's learning rate.
     *
     * @param encoder encoder file to start from
     * @param epochs passes over the examples; the paper uses 60 for 1% of ImageNet's labels and 30 for 10%
     * @param device {@code auto}, {@code cpu}, {@code gpu} or {@code gpu:N}
     * @param threads CPU threads, 0 for the libraries' defaults
     * @param seed seed of all random numbers
     * @throws PropertyException if a value is out of range
     */
    public FineTuneTrainer(Path encoder, int epochs, String device, int threads, long seed) {
        this(builder(encoder).epochs(epochs).device(device).threads(threads).seed(seed));
    }

    private FineTuneTrainer(Builder b) {
        super(b);
        this.encoder = b.encoder;
        this.fromScratch = b.fromScratch;
        this.imageSize = b.imageSize;
        postConfig();
    }

    /** Returns a builder of a trainer that starts from an encoder file. */
    public static Builder builder(Path encoder) {
        return new Builder(encoder);
    }

    /** Builds a {@link FineTuneTrainer}. */
    public static final class Builder extends EndToEndTrainer.Builder<Builder> {
        private final Path encoder;
        private boolean fromScratch;
        private int imageSize;

        private Builder(Path encoder) {
            this.encoder = encoder;
        }

        @Override
        Builder self() {
            return this;
        }

        /** Sets whether to start from random weights in the encoder's architecture instead of its own weights, as a baseline. */
        public Builder fromScratch(boolean random) {
            fromScratch = random;
            return this;
        }

        /** Sets the image size in pixels for an encoder whose file leaves it open; 0, the default, for the size in the file. */
        public Builder imageSize(int side) {
            imageSize = side;
            return this;
        }

        /**
         * Returns the trainer.
         *
         * @throws PropertyException if a value is out of range
         */
        public FineTuneTrainer build() {
            return new FineTuneTrainer(this);
        }
    }

    /**
     * Returns the side of the encoder's images in pixels.
     *
     * @throws IOException if the encoder cannot be read or has an unknown architecture
     */
    public int imageSize() throws IOException {
        return StartingPoint.of(encoder, imageSize).imageSize();
    }

    private FineTuneTrainer(FineTuneTrainer other, boolean fromScratch, int imageSize) {
        super(other);
        encoder = other.encoder;
        this.fromScratch = fromScratch;
        this.imageSize = imageSize;
        postConfig();
    }

    /** Used by the OLCUT configuration system, and should not be called by external code. */
    @Override
    public void postConfig() {
        super.postConfig();
        if (imageSize != 0 && (imageSize < 8 || imageSize > 1024)) {
            throw new PropertyException("", "imageSize", "Expected 8 to 1024, or 0, found " + imageSize);
        }
    }

    /** Returns the same trainer with random initial weights, as a baseline of fine-tuning. Its invocation count starts at 0. */
    public FineTuneTrainer fromScratch() {
        return new FineTuneTrainer(this, true, imageSize);
    }

    /**
     * Returns the same trainer with an image size, for an encoder whose file leaves it open. Its invocation count starts at 0.
     *
     * @param side side in pixels, 8 to 1024; 0 for the size in the file
     * @throws PropertyException if the side is out of range
     */
    public FineTuneTrainer withImageSize(int side) {
        return new FineTuneTrainer(this, fromScratch, side);
    }

    @Override
    EncodedModel<Label> train(
            Dataset<Label> examples,
            Map<String, Provenance> run,
            TrainerProvenance provenance,
            int invocation,
            Progress progress)
            throws IOException {
        StartingPoint start = StartingPoint.of(encoder, imageSize);
        ImageSet images = PixelExamples.labelled(examples, examples.getOutputIDInfo(), start.imageSize());
        return LinearModels.of(
                name(),
                run(start, images, invocation, RunOptions.checkpoints(null), progress),
                examples.getOutputIDInfo(),
                examples.getProvenance(),
                provenance,
                run,
                fromScratch ? null : start,
                threads());
    }

    /**
     * A trained model with the results of its training.
     *
     * @param model the model, which the caller closes
     * @param run results of the training
     */
    public record Tuned(EncodedModel<Label> model, EncoderTrainer.Result run) {}

    /**
     * Trains on images that are in no data set, with checkpoints. It does not count as an invocation.
     *
     * @param images labelled images
     * @param description description of the images for the model's provenance
     * @param options checkpoints, metrics and listeners
     * @param progress receives progress and warnings
     * @throws IOException if the encoder cannot be read or has an unknown architecture, or if a checkpoint cannot be read or written
     * @throws InterruptedIOException if the thread was interrupted before the last step ended; the state is saved first. After the last
     *     step the training ends as usual, and the thread stays interrupted
     * @throws IllegalArgumentException if an image has no label, or there are fewer than two classes
     */
    public Tuned train(TrainingImages images, String description, RunOptions options, Progress progress)
            throws IOException {
        if (images.labels() == null) {
            throw new IllegalArgumentException("Expected images with labels: one sub-folder per class");
        }
        MutableOutputInfo<Label> outputs = new LabelFactory().generateInfo();
        Set<String> found = new TreeSet<>();
        for (int label : images.labels()) {
            outputs.observe(new Label(images.classes().get(label)));
            found.add(images.classes().get(label));
        }
        PixelExamples.twoClasses(found);
        StartingPoint start = StartingPoint.of(encoder, imageSize);
        EncoderTrainer.Result result = run(start, images, 0, options, progress);
        int features = 3 * start.imageSize() * start.imageSize();
        return new Tuned(
                LinearModels.of(
                        name(),
                        result,
                        outputs.generateImmutableOutputInfo(),
                        LinearModels.data(description, images.count(), features, found.size()),
                        getProvenance(),
                        Map.of(),
                        fromScratch ? null : start,
                        threads()),
                result);
    }

    private EncoderTrainer.Result run(
            StartingPoint start, TrainingImages images, int invocation, RunOptions options, Progress progress)
            throws IOException {
        EncoderTrainer trainer = trainer(
                start.network(), start.imageSize(), images.count(), new Supervised(), null, invocation, progress);
        if (!fromScratch) {
            trainer.startFrom(encoder);
        }
        return trainer.run(images, options);
    }

    private String name() {
        return fromScratch ? "from-scratch" : "fine-tuned";
    }

    @Override
    public String toString() {
        return super.toString() + ",encoder=" + encoder + ",fromScratch=" + fromScratch + ",imageSize=" + imageSize
                + ")";
    }
}
