// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.tribuo;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.IntProvenance;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.train.data.ImageSet;
import io.github.simclr4j.train.loop.EncoderTrainer;
import io.github.simclr4j.train.loop.RunOptions;
import io.github.simclr4j.train.method.Distillation;
import io.github.simclr4j.train.method.SoftLabels;
import io.github.simclr4j.tribuo.extraction.PixelFeatureExtractor;
import io.github.simclr4j.tribuo.model.EncodedModel;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.tribuo.ConfigurableDataSource;
import org.tribuo.Dataset;
import org.tribuo.Example;
import org.tribuo.ImmutableOutputInfo;
import org.tribuo.Model;
import org.tribuo.MutableDataset;
import org.tribuo.Prediction;
import org.tribuo.Trainer;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;
import org.tribuo.provenance.DatasetProvenance;
import org.tribuo.provenance.TrainerProvenance;

/**
 * Distillation with unlabelled examples (<a href="https://arxiv.org/abs/2006.10029">Chen et al. 2020b</a>, section 2.3).
 *
 * <p>A teacher, such as a {@link FineTuneTrainer}'s model, is trained on the labelled examples and predicts class probabilities for
 * every example. A student of the same or a smaller architecture learns these soft labels. The loss is equation 2,
 * {@code -sum over y of P(y|x; t) * log S(y|x; t)}, where P is the teacher's distribution and S the student's, both at the
 * temperature t.
 *
 * <p>The student learns from all examples of the training set, with a label or with the unknown output, and from all examples of an
 * optional second data source, whose outputs are ignored. That source is read once, by the first training. The teacher predicts each
 * image as it is, once; the student sees random views.
 *
 * <p>The trainer closes the teacher if it is an {@link EncodedModel}.
 *
 * @since 0.1.0
 */
public non-sealed class DistillationTrainer extends EndToEndTrainer {
    /** Key in the provenance of a training: number of examples with a label. */
    public static final String LABELLED = "distillation-labelled";
    /** Key in the provenance of a training: number of examples without a label. */
    public static final String UNLABELLED = "distillation-unlabelled";

    @Config(mandatory = true, description = "Trainer of the teacher; its models must generate probabilities.")
    private Trainer<Label> teacher;

    @Config(
            description =
                    "Unlabelled examples, in addition to those of the training set with the unknown output; their outputs are ignored.")
    private ConfigurableDataSource<Label> unlabelled;

    @Config(description = "Encoder that the student starts from (ONNX); none for a student with random weights.")
    private Path encoder;

    @Config(
            description =
                    "Architecture of a student with random weights: resnet18, resnet34, resnet50, resnet101 or resnet152.")
    private String architecture = "resnet18";

    @Config(description = "Multiplies the channels of every layer of a student with random weights.")
    private double width = 0.25;

    @Config(description = "Stem of a student with random weights: cifar or imagenet.")
    private String stem = "cifar";

    @Config(description = "Side in pixels of the images of a student with random weights, 8 to 1024.")
    private int imageSize = 32;

    @Config(description = "Temperature of the teacher's and the student's distributions.")
    private double temperature = 1;

    private List<Example<Label>> pool;

    /** For OLCUT. */
    protected DistillationTrainer() {}

    private DistillationTrainer(Builder b) {
        super(b);
        teacher = b.teacher;
        unlabelled = b.unlabelled;
        encoder = b.encoder;
        architecture = b.student.name();
        width = b.student.width();
        stem = b.student.stem().name().toLowerCase(Locale.ROOT);
        imageSize = b.imageSize;
        temperature = b.temperature;
        postConfig();
    }

    /**
     * Returns a builder.
     *
     * @param teacher trainer of the teacher; its models must generate probabilities
     */
    public static Builder builder(Trainer<Label> teacher) {
        return new Builder(teacher);
    }

    /** Builds a {@link DistillationTrainer}. */
    public static final class Builder extends EndToEndTrainer.Builder<Builder> {
        private final Trainer<Label> teacher;
        private ConfigurableDataSource<Label> unlabelled;
        private Path encoder;
        private ResNet student = new ResNet(18, 0.25, ResNet.Stem.CIFAR);
        private int imageSize = 32;
        private double temperature = 1;

        private Builder(Trainer<Label> teacher) {
            this.teacher = teacher;
        }

        @Override
        Builder self() {
            return this;
        }

        /** Adds unlabelled examples to those of the training set with the unknown output; null, the default, for none. */
        public Builder unlabelled(ConfigurableDataSource<Label> source) {
            unlabelled = source;
            return this;
        }

        /** Sets the encoder file that the student starts from; null, the default, for a student with random weights. */
        public Builder encoder(Path file) {
            encoder = file;
            return this;
        }

        /** Sets the architecture of a student with random weights; a ResNet-18 of width 0.25 by default. */
        public Builder student(ResNet network) {
            student = network;
            return this;
        }

        /** Sets the image size in pixels of a student with random weights, 8 to 1024; 32 by default. */
        public Builder imageSize(int side) {
            imageSize = side;
            return this;
        }

        /** Sets the temperature of the teacher's and the student's distributions, above 0 and finite; 1 by default. */
        public Builder temperature(double t) {
            temperature = t;
            return this;
        }

        /**
         * Returns the trainer.
         *
         * @throws PropertyException if a value is out of range
         */
        public DistillationTrainer build() {
            return new DistillationTrainer(this);
        }
    }

    /** Used by the OLCUT configuration system, and should not be called by external code. */
    @Override
    public void postConfig() {
        super.postConfig();
        if (imageSize < 8 || imageSize > 1024) {
            throw new PropertyException("", "imageSize", "Expected 8 to 1024, found " + imageSize);
        }
        if (!(temperature > 0 && temperature < Double.POSITIVE_INFINITY)) {
            throw new PropertyException("", "temperature", "Expected a finite number above 0, found " + temperature);
        }
        check("architecture", () -> ResNet.of(architecture, width, stem));
    }

    @Override
    EncodedModel<Label> train(
            Dataset<Label> examples,
            Map<String, Provenance> run,
            TrainerProvenance provenance,
            int invocation,
            Progress progress)
            throws IOException {
        List<Example<Label>> all = pool();
        MutableDataset<Label> labelled =
                new MutableDataset<>(examples.getSourceProvenance(), examples.getOutputFactory());
        for (Example<Label> example : examples) {
            if (!example.getOutput().equals(LabelFactory.UNKNOWN_LABEL)) {
                // A data set modifies its examples, so it gets copies.
                labelled.add(example.copy());
            }
            all.add(example);
        }
        PixelExamples.twoClasses(
                labelled.getOutputs().stream().map(Label::getLabel).collect(Collectors.toSet()));
        StartingPoint start = encoder == null ? null : StartingPoint.of(encoder);
        int size = start == null ? imageSize : start.imageSize();
        List<RgbImage> images = new ArrayList<>(all.size());
        for (Example<Label> example : all) {
            images.add(PixelFeatureExtractor.image(example, size, size));
        }
        Map<String, Provenance> counted = new HashMap<>(run);
        counted.put(LABELLED, new IntProvenance(LABELLED, labelled.size()));
        counted.put(UNLABELLED, new IntProvenance(UNLABELLED, all.size() - labelled.size()));
        ImmutableOutputInfo<Label> outputs = labelled.getOutputIDInfo();
        SoftLabels soft = ask(teacher.train(labelled, Collections.emptyMap(), invocation), all, outputs);
        return run(start, images, soft, outputs, examples.getProvenance(), provenance, counted, invocation, progress);
    }

    /**
     * Distils a trained teacher on images that are in no data set. It does not count as an invocation.
     *
     * @param model the teacher, which the caller closes
     * @param images images; their labels are ignored
     * @param description description of the images for the model's provenance
     * @param progress receives progress and warnings
     * @return the student, which the caller closes
     * @throws IOException if the encoder cannot be read or has an unknown architecture, or if the thread was interrupted
     */
    public EncodedModel<Label> distil(EncodedModel<Label> model, ImageSet images, String description, Progress progress)
            throws IOException {
        List<RgbImage> decoded = images.pixels().stream()
                .map(p -> new RgbImage(images.side(), images.side(), p))
                .toList();
        StartingPoint start = encoder == null ? null : StartingPoint.of(encoder);
        int size = start == null ? imageSize : start.imageSize();
        ImmutableOutputInfo<Label> outputs = model.getOutputIDInfo();
        return run(
                start,
                decoded,
                soften(model.predictImages(decoded), outputs),
                outputs,
                LinearModels.data(description, images.count(), 3 * size * size, outputs.size()),
                getProvenance(),
                Map.of(),
                0,
                progress);
    }

    private EncodedModel<Label> run(
            StartingPoint start,
            List<RgbImage> images,
            SoftLabels soft,
            ImmutableOutputInfo<Label> outputs,
            DatasetProvenance data,
            TrainerProvenance provenance,
            Map<String, Provenance> run,
            int invocation,
            Progress progress)
            throws IOException {
        // Images larger than the student's input keep their size, so that small crops of them are sharp.
        ImageSet set = PixelExamples.set(
                images, mostLikely(soft), outputs, images.get(0).width());
        EncoderTrainer student = trainer(
                start == null ? ResNet.of(architecture, width, stem) : start.network(),
                start == null ? imageSize : start.imageSize(),
                set.count(),
                new Distillation(soft),
                temperature,
                invocation,
                progress);
        if (start != null) {
            student.startFrom(encoder);
        }
        return LinearModels.of(
                "distilled",
                student.run(set, RunOptions.checkpoints(null)),
                outputs,
                data,
                provenance,
                run,
                start,
                threads());
    }

    /** Returns a new list with the unlabelled examples of the second data source. */
    private synchronized List<Example<Label>> pool() {
        if (pool == null) {
            List<Example<Label>> read = new ArrayList<>();
            if (unlabelled != null) {
                unlabelled.forEach(read::add);
            }
            pool = read;
        }
        return new ArrayList<>(pool);
    }

    /** Returns the teacher's distributions at the temperature, and closes the teacher. */
    private SoftLabels ask(Model<Label> model, List<Example<Label>> all, ImmutableOutputInfo<Label> outputs) {
        try {
            if (!model.generatesProbabilities()) {
                throw new IllegalArgumentException("Expected a teacher that generates probabilities, found "
                        + model.getClass().getSimpleName() + " which generates scores");
            }
            return soften(model.predict(all), outputs);
        } finally {
            if (model instanceof EncodedModel<?> encoded) {
                encoded.close();
            }
        }
    }

    private SoftLabels soften(List<Prediction<Label>> predictions, ImmutableOutputInfo<Label> outputs) {
        List<String> classes = PixelExamples.classes(outputs);
        float[][] soft = new float[predictions.size()][];
        for (int i = 0; i < soft.length; i++) {
            Map<String, Label> scores = predictions.get(i).getOutputScores();
            soft[i] = SoftLabels.at(
                    temperature,
                    classes.stream().mapToDouble(c -> scores.get(c).getScore()).toArray());
        }
        return new SoftLabels(soft);
    }

    private static int[] mostLikely(SoftLabels soft) {
        int[] labels = new int[soft.probabilities().length];
        for (int i = 0; i < labels.length; i++) {
            float[] p = soft.probabilities()[i];
            for (int c = 1; c < p.length; c++) {
                if (p[c] > p[labels[i]]) {
                    labels[i] = c;
                }
            }
        }
        return labels;
    }

    @Override
    public String toString() {
        return super.toString() + ",teacher=" + teacher + ",encoder=" + encoder + ",architecture=" + architecture
                + ",width=" + width + ",stem=" + stem + ",imageSize=" + imageSize + ",temperature=" + temperature + ")";
    }
}
