package io.github.simclr4j.train;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import io.github.simclr4j.tribuo.EncodedModel;
import io.github.simclr4j.tribuo.PixelFeatureExtractor;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.logging.Logger;
import org.tribuo.Dataset;
import org.tribuo.MutableOutputInfo;
import org.tribuo.Trainer;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;
import org.tribuo.provenance.TrainerProvenance;
import org.tribuo.provenance.impl.TrainerProvenanceImpl;

/**
 * Fine-tuning (Chen et al. 2020, section 4.2 and table 7; appendix B.5): an encoder that was learnt without labels and a new
 * linear classifier on its features are trained together on labelled images, by the cross entropy of randomly cropped and
 * flipped views.
 *
 * <p>It takes examples of pixels, as {@link PixelFeatureExtractor} makes them at the encoder's image size. Its models are
 * {@link EncodedModel}s of the tuned encoder and Tribuo's own linear model: they run in ONNX Runtime, are saved with the tuned
 * encoder inside, can be written as one ONNX file, and are the caller's to close. Their provenance has the settings, and what
 * the first encoder's file says of itself under {@code started-from-}.
 *
 * <p>On one machine's CPU the same settings, examples, invocation count and number of threads give the same weights, to the
 * bit. Needs an encoder that is a residual network, ours or one that PyTorch exported.
 */
public final class FineTuneTrainer implements Trainer<Label> {
    private static final Logger logger = Logger.getLogger(FineTuneTrainer.class.getName());

    @Config(mandatory = true, description = "The encoder to start from (ONNX).")
    private Path encoder;

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

    @Config(description = "Seed of the classifier's first weights, the order and the views.")
    private long seed = Trainer.DEFAULT_SEED;

    private int trainInvocationCounter;

    /** For OLCUT. */
    private FineTuneTrainer() {}

    /**
     * Trains on batches of 64 at the paper's rate.
     *
     * @param encoder the encoder to start from
     * @param epochs passes over the examples; the paper has 60 with 1% of ImageNet's labels and 30 with 10%
     * @param device {@code auto}, {@code cpu}, {@code gpu} or {@code gpu:N}
     * @param threads on the CPU, 0 for the libraries' own choice
     * @param seed of everything random
     * @throws PropertyException if a value is out of range
     */
    public FineTuneTrainer(Path encoder, int epochs, String device, int threads, long seed) {
        this(encoder, epochs, 64, 0, "supervised", device, threads, seed);
    }

    /**
     * Makes a trainer.
     *
     * @param encoder the encoder to start from
     * @param epochs passes over the examples, at least 1
     * @param batchSize images a step, at least 2
     * @param learningRate after which the steps follow half a cosine to 0; 0 for 0.05 * batch / 256
     * @param views random views, see {@link Composition#of}
     * @param device {@code auto}, {@code cpu}, {@code gpu} or {@code gpu:N}
     * @param threads on the CPU, 0 for the libraries' own choice
     * @param seed of everything random
     * @throws PropertyException if a value is out of range
     */
    public FineTuneTrainer(Path encoder, int epochs, int batchSize, double learningRate, String views, String device,
            int threads, long seed) {
        this.encoder = encoder;
        this.epochs = epochs;
        this.batchSize = batchSize;
        this.learningRate = learningRate;
        this.views = views;
        this.device = device;
        this.threads = threads;
        this.seed = seed;
        postConfig();
    }

    /** Used by the OLCUT configuration system, and should not be called by external code. */
    @Override
    public void postConfig() {
        Recipe.check(epochs, batchSize, learningRate, views, threads);
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
     * @throws IllegalArgumentException if an example has no label or is no image of the encoder's size, or if there are fewer
     *     than two classes
     * @throws UncheckedIOException if the encoder can't be read or is no residual network, or if the thread was interrupted
     */
    @Override
    public EncodedModel<Label> train(Dataset<Label> examples, Map<String, Provenance> runProvenance, int invocationCount) {
        TrainerProvenance provenance;
        int invocation;
        synchronized (this) {
            if (invocationCount != INCREMENT_INVOCATION_COUNT) {
                setInvocationCount(invocationCount);
            }
            provenance = getProvenance();
            invocation = trainInvocationCounter++;
        }
        try {
            StartingPoint start = StartingPoint.of(encoder);
            ImageSet images = PixelExamples.labelled(examples, examples.getOutputIDInfo(), start.imageSize());
            Pretrainer.Result result =
                    run(start, images, invocation, RunOptions.checkpoints(null), PixelExamples.log(logger));
            return LinearModels.of("fine-tuned", result, examples.getOutputIDInfo(), examples.getProvenance(), provenance,
                    runProvenance, start, threads);
        } catch (IOException e) {
            throw Recipe.unchecked(e);
        }
    }

    /**
     * A model with the figures of its training.
     *
     * @param model the caller's to close
     * @param run how the training went
     */
    public record Tuned(EncodedModel<Label> model, Pretrainer.Result run) {}

    /**
     * Trains on images that are not in a data set, with checkpoints; it counts as no invocation.
     *
     * @param images with labels
     * @param description what they are, for the model's provenance
     * @throws IOException if the encoder can't be read or is no residual network, or a checkpoint can't be read or written
     * @throws InterruptedIOException if the thread was interrupted; the state is saved first
     * @throws IllegalArgumentException if not every image has a label, or there are fewer than two classes
     */
    public Tuned train(TrainingImages images, String description, RunOptions options, Progress progress) throws IOException {
        if (images.labels() == null) {
            throw new IllegalArgumentException("Expected images with labels: one sub-folder a class");
        }
        MutableOutputInfo<Label> outputs = new LabelFactory().generateInfo();
        Set<String> found = new TreeSet<>();
        for (int label : images.labels()) {
            outputs.observe(new Label(images.classes().get(label)));
            found.add(images.classes().get(label));
        }
        PixelExamples.twoClasses(found);
        StartingPoint start = StartingPoint.of(encoder);
        Pretrainer.Result result = run(start, images, 0, options, progress);
        int features = 3 * start.imageSize() * start.imageSize();
        return new Tuned(LinearModels.of("fine-tuned", result, outputs.generateImmutableOutputInfo(),
                LinearModels.data(description, images.count(), features, found.size()), getProvenance(), Map.of(), start,
                threads), result);
    }

    private Pretrainer.Result run(StartingPoint start, TrainingImages images, int invocation, RunOptions options,
            Progress progress) throws IOException {
        Pretrainer trainer = new Pretrainer(
                Recipe.settings(start.network(), start.imageSize(), images.count(), epochs, batchSize, learningRate, views,
                        1, Recipe.seed(seed, invocation)),
                device, threads, progress);
        trainer.startFrom(encoder);
        return trainer.run(images, options);
    }

    @Override
    public synchronized int getInvocationCount() {
        return trainInvocationCounter;
    }

    @Override
    public synchronized void setInvocationCount(int invocationCount) {
        if (invocationCount < 0) {
            throw new IllegalArgumentException("Expected an invocation count of at least 0, found " + invocationCount);
        }
        trainInvocationCounter = invocationCount;
    }

    @Override
    public TrainerProvenance getProvenance() {
        return new TrainerProvenanceImpl(this);
    }

    @Override
    public String toString() {
        return "FineTuneTrainer(encoder=" + encoder + ",epochs=" + epochs + ",batchSize=" + batchSize + ",learningRate="
                + learningRate + ",views=" + views + ",device=" + device + ",threads=" + threads + ",seed=" + seed + ")";
    }
}
