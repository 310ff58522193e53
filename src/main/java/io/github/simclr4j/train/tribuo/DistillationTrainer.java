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
 * Distillation (Chen et al. 2020b, section 2.3): a teacher that was trained on the labelled examples, such as by a
 * {@link FineTuneTrainer}, says how likely each class is for every example, and a student of the same or a smaller architecture
 * learns these soft labels. The loss is equation 2, {@code -sum over y of P(y|x; t) * log S(y|x; t)}, where P is the teacher's
 * distribution and S the student's, both at the temperature t.
 *
 * <p>The student learns from all examples of the training set, with a label or with the unknown one, and from all of another
 * data source, whatever their outputs; that source is read once, by the first training. The teacher sees each image as it is,
 * once; the student its random views.
 *
 * <p>The teacher is trained on the same examples, and closed if it is an {@link EncodedModel}.
 */
public non-sealed class DistillationTrainer extends EndToEndTrainer {
    /** Provenance of a training: how many examples had a label. */
    public static final String LABELLED = "distillation-labelled";
    /** Provenance of a training: how many examples had none. */
    public static final String UNLABELLED = "distillation-unlabelled";

    @Config(mandatory = true, description = "Trainer of the teacher; its models must give probabilities.")
    private Trainer<Label> teacher;

    @Config(description = "Unlabelled examples, whatever their outputs, beside those of the training set with the unknown one.")
    private ConfigurableDataSource<Label> unlabelled;

    @Config(description = "The encoder that the student starts from (ONNX); none for a student with random weights.")
    private Path encoder;

    @Config(description = "Architecture of a student with random weights: resnet18, 34, 50, 101 or 152.")
    private String architecture = "resnet18";

    @Config(description = "Multiplies the channels of every layer of a student with random weights.")
    private double width = 0.25;

    @Config(description = "How a student with random weights starts: cifar or imagenet.")
    private String stem = "cifar";

    @Config(description = "Side in pixels of the images of a student with random weights, 8 to 1024.")
    private int imageSize = 32;

    @Config(description = "Temperature of the teacher's and the student's distribution.")
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
     * @param teacher trains the teacher; its models must give probabilities
     */
    public static Builder builder(Trainer<Label> teacher) {
        return new Builder(teacher);
    }

    /** Collects the settings of a {@link DistillationTrainer}. */
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

        /** Adds unlabelled examples to those of the training set whose output is unknown; null, the default, for none. */
        public Builder unlabelled(ConfigurableDataSource<Label> source) {
            unlabelled = source;
            return this;
        }

        /** Starts the student from an encoder file; null, the default, for a student with random weights. */
        public Builder encoder(Path file) {
            encoder = file;
            return this;
        }

        /** Sets the architecture of a student with random weights; a ResNet-18 of width 0.25 by default. */
        public Builder student(ResNet network) {
            student = network;
            return this;
        }

        /** Sets the side in pixels of the images of a student with random weights, 8 to 1024; 32 by default. */
        public Builder imageSize(int side) {
            imageSize = side;
            return this;
        }

        /** Sets the temperature of the teacher's and the student's distribution, above 0 and finite; 1 by default. */
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
    EncodedModel<Label> train(Dataset<Label> examples, Map<String, Provenance> run, TrainerProvenance provenance,
            int invocation, Progress progress) throws IOException {
        List<Example<Label>> all = pool();
        MutableDataset<Label> labelled = new MutableDataset<>(examples.getSourceProvenance(), examples.getOutputFactory());
        for (Example<Label> example : examples) {
            if (!example.getOutput().equals(LabelFactory.UNKNOWN_LABEL)) {
                // A data set makes the names in its examples its own: give it copies.
                labelled.add(example.copy());
            }
            all.add(example);
        }
        PixelExamples.twoClasses(labelled.getOutputs().stream().map(Label::getLabel).collect(Collectors.toSet()));
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
     * Distils a teacher that is trained already, on images that are in no data set; it counts as no invocation.
     *
     * @param model what the teacher trained; it stays the caller's
     * @param images with labels or without, which are not looked at
     * @param description what they are, for the model's provenance
     * @throws IOException if the encoder can't be read or is of no known architecture, or if the thread was interrupted
     */
    public EncodedModel<Label> distil(EncodedModel<Label> model, ImageSet images, String description, Progress progress)
            throws IOException {
        List<RgbImage> decoded = images.pixels().stream().map(p -> new RgbImage(images.side(), images.side(), p)).toList();
        StartingPoint start = encoder == null ? null : StartingPoint.of(encoder);
        int size = start == null ? imageSize : start.imageSize();
        ImmutableOutputInfo<Label> outputs = model.getOutputIDInfo();
        return run(start, decoded, soften(model.predictImages(decoded), outputs), outputs,
                LinearModels.data(description, images.count(), 3 * size * size, outputs.size()), getProvenance(),
                Map.of(), 0, progress);
    }

    private EncodedModel<Label> run(StartingPoint start, List<RgbImage> images, SoftLabels soft,
            ImmutableOutputInfo<Label> outputs, DatasetProvenance data, TrainerProvenance provenance,
            Map<String, Provenance> run, int invocation, Progress progress) throws IOException {
        // Images that are kept larger than the student's stay so: a small crop of them is still sharp.
        ImageSet set = PixelExamples.set(images, mostLikely(soft), outputs, images.get(0).width());
        EncoderTrainer student = trainer(start == null ? ResNet.of(architecture, width, stem) : start.network(),
                start == null ? imageSize : start.imageSize(), set.count(), new Distillation(soft), temperature, invocation,
                progress);
        if (start != null) {
            student.startFrom(encoder);
        }
        return LinearModels.of("distilled", student.run(set, RunOptions.checkpoints(null)), outputs, data, provenance, run,
                start, threads());
    }

    /** The unlabelled examples beside the training set's; a list of the caller's own. */
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

    /** The teacher's distributions at the temperature; frees the teacher. */
    private SoftLabels ask(Model<Label> model, List<Example<Label>> all, ImmutableOutputInfo<Label> outputs) {
        try {
            if (!model.generatesProbabilities()) {
                throw new IllegalArgumentException("Expected a teacher that gives probabilities, found "
                        + model.getClass().getSimpleName() + " which gives scores");
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
            soft[i] = SoftLabels.at(temperature, classes.stream().mapToDouble(c -> scores.get(c).getScore()).toArray());
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
        return super.toString() + ",teacher=" + teacher + ",encoder=" + encoder + ",architecture=" + architecture + ",width="
                + width + ",stem=" + stem + ",imageSize=" + imageSize + ",temperature=" + temperature + ")";
    }
}
