// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.tribuo;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.ObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.PrimitiveProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import com.oracle.labs.mlrg.olcut.provenance.impl.SkeletalConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.StringProvenance;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.runtime.EncoderSettings;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import io.github.simclr4j.train.Pretraining;
import io.github.simclr4j.train.loop.CheckpointFolder;
import io.github.simclr4j.train.settings.Presets;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.tribuo.extraction.FeatureCache;
import io.github.simclr4j.tribuo.extraction.ImageFeatureExtractor;
import io.github.simclr4j.tribuo.extraction.PreparedImage;
import io.github.simclr4j.tribuo.extraction.SimCLRFeatureExtractor;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import org.tribuo.Output;
import org.tribuo.OutputFactory;

/**
 * Extracts features with an encoder that is pretrained on images first, so that one configuration file describes the way from unlabelled
 * images to an evaluated model.
 *
 * <p>The encoder is pretrained when its features, their names or its provenance are first requested, so that all other components of the
 * configuration are checked before; for Tribuo's data sets this is when they are created. It is written to a file. If the file already
 * exists and records the same settings and images, it is used as it is; an encoder with other settings or images is replaced.
 *
 * <p>An interrupted training leaves its checkpoints, and the next use of the same configuration continues from them.
 *
 * <p>All methods may be called by several threads at once; while one of them trains, the others wait. {@link #close} frees the encoder's
 * native session, and stops a training in another thread after its step.
 *
 * @param <T> the output type
 * @since 0.1.0
 */
public final class PretrainedFeatureExtractor<T extends Output<T>> implements ImageFeatureExtractor<T> {
    private static final Logger logger = Logger.getLogger(PretrainedFeatureExtractor.class.getName());
    /** A number of images for checks; the recorded settings do not depend on it. */
    private static final int FEW = 2;

    @Config(mandatory = true, description = "Output factory to use.")
    private OutputFactory<T> outputFactory;

    @Config(
            mandatory = true,
            description = "Training images: a folder, an archive, a table or the binaries of a data set.")
    private Path images;

    @Config(mandatory = true, description = "File of the encoder (ONNX).")
    private Path encoderFile;

    @Config(
            description =
                    "Folder of the checkpoints; by default one beside the encoder, which is deleted when the training is complete.")
    private Path checkpoint;

    @Config(description = "Metrics file, which gets one line of JSON per epoch; none for no such file.")
    private Path metrics;

    @Config(description = "Encoder whose weights the training starts from (ONNX); none for random weights.")
    private Path init;

    @Config(description = "Method of pretraining, such as simclr or mocov2.")
    private String method = "simclr";

    @Config(description = "The method's own options by name, such as temperature and 0.1.")
    private Map<String, String> options = new HashMap<>();

    @Config(description = "Preset of defaults, such as small, photos or serving; empty for none.")
    private String preset = "";

    @Config(description = "Architecture, such as resnet18 or vit-small; the preset's, or resnet18, by default.")
    private String encoder;

    @Config(description = "Multiplies the channels of every layer; empty for the encoder's default, 0.25 for a ResNet.")
    private String width = "";

    @Config(description = "Stem of the network, cifar or imagenet; empty for the encoder's default.")
    private String stem = "";

    @Config(description = "Further options of the encoder by name, such as patch-size and 8.")
    private Map<String, String> encoderOptions = new HashMap<>();

    @Config(description = "Side of the views in pixels, at least 8; the preset's, or 32, by default.")
    private Integer imageSize;

    @Config(description = "Projection head: none, linear, nonlinear or deep; empty for the method's default.")
    private String head = "";

    @Config(description = "Length of the projections; 0 for the method's default.")
    private int projection = 0;

    @Config(description = "Random views: a preset or augmentations in order; empty for the method's default.")
    private String views = "";

    @Config(description = "Passes over the images; the preset's, or 100, by default.")
    private Integer epochs;

    @Config(description = "Images a step, all of them if there are fewer; the preset's, or 128, by default.")
    private Integer batch;

    @Config(
            description =
                    "Images that go through the network at once, a divisor of the batch; 0 for all; the preset's, or 0, by default.")
    private Integer microBatch;

    @Config(description = "Optimizer: lars, sgd, nesterov, adam or adamw; the preset's, or adamw, by default.")
    private String optimizer;

    @Config(description = "Learning rate after the warm-up; 0 for the default of optimizer and batch size.")
    private double learningRate = 0;

    @Config(description = "Weight decay; negative for the method's default.")
    private double weightDecay = -1;

    @Config(description = "Precision: auto, float32, bfloat16 or float16.")
    private String precision = "auto";

    @Config(description = "Seed of initial weights, order and views.")
    private long seed = 1;

    @Config(description = "Largest number of images, which are drawn at random by the seed; 0 for all.")
    private int limit = 0;

    @Config(description = "Device: auto, cpu, gpu or gpu:N.")
    private String device = "auto";

    @Config(description = "CPU threads of the training and of one call of the encoder; 0 for the libraries' defaults.")
    private int threads = 0;

    @Config(description = "Memory for decoded images in the training, in units of 2^20 bytes; 0 for the free heap.")
    private int memory = 0;

    @Config(description = "Cache of features on disk, so that a known image needs no inference.")
    private FeatureCache cache;

    private boolean sizeChosen;
    private SimCLRFeatureExtractor<T> extractor;
    private volatile Pretraining training;
    private volatile boolean closed;

    /** For OLCUT. */
    private PretrainedFeatureExtractor() {}

    /** Used by the OLCUT configuration system, and should not be called by external code. */
    @Override
    public void postConfig() {
        if (!Files.exists(images)) {
            throw new PropertyException("", "images", "Expected a file or a folder, found nothing at " + images);
        }
        if (Files.isDirectory(encoderFile)) {
            throw new PropertyException("", "encoderFile", "Expected a file, found the folder " + encoderFile);
        }
        if (init != null && !Files.isRegularFile(init)) {
            throw new PropertyException("", "init", "Expected an encoder file, found none at " + init);
        }
        EndToEndTrainer.check("threads", () -> RuntimeSettings.DEFAULT.withThreads(threads));
        sizeChosen = imageSize != null;
        try {
            recordDefaults(builder().check().settings(FEW));
        } catch (IllegalArgumentException e) {
            throw new PropertyException(e, "", "", e.getMessage());
        }
    }

    /** Fills in the defaults of properties that were not set, for the provenance. */
    private void recordDefaults(PretrainSettings all) {
        encoder = encoder != null
                ? encoder
                : preset.isEmpty() ? "resnet18" : Presets.named(preset).encoder();
        imageSize = all.imageSize();
        epochs = all.epochs();
        batch = all.batch();
        microBatch = all.microBatch();
        optimizer = all.optimizer().name();
    }

    private Pretraining.Builder builder() {
        Pretraining.Builder b = Pretraining.builder()
                .images(images)
                .limit(limit)
                .method(method)
                .precision(precision)
                .seed(seed)
                .device(device)
                .threads(threads)
                .memory(memory)
                .checkpoint(state())
                .progress(Progress.logging(logger));
        ifGiven(preset.isEmpty() ? null : preset, b::preset);
        ifGiven(encoder, b::encoder);
        ifGiven(sizeChosen ? imageSize : null, b::imageSize);
        ifGiven(epochs, b::epochs);
        ifGiven(batch, b::batch);
        ifGiven(microBatch, b::microBatch);
        ifGiven(optimizer, b::optimizer);
        options.forEach(b::option);
        encoderOptions.forEach(b::encoderOption);
        ifGiven(width.isEmpty() ? null : width, w -> b.encoderOption("width", w));
        ifGiven(stem.isEmpty() ? null : stem, b::stem);
        ifGiven(head.isEmpty() ? null : head, b::head);
        ifGiven(projection == 0 ? null : projection, b::projection);
        ifGiven(views.isEmpty() ? null : views, b::views);
        ifGiven(learningRate == 0 ? null : learningRate, b::learningRate);
        ifGiven(weightDecay < 0 ? null : weightDecay, b::weightDecay);
        return b.metrics(metrics).init(init);
    }

    private static <V> void ifGiven(V value, Consumer<V> setting) {
        if (value != null) {
            setting.accept(value);
        }
    }

    private Path state() {
        return checkpoint != null ? checkpoint : encoderFile.resolveSibling(encoderFile.getFileName() + ".checkpoint");
    }

    /**
     * Returns the extractor of the encoder, which is pretrained first if necessary. It belongs to this extractor and is closed with it.
     *
     * @throws UncheckedIOException if images, the encoder file or a checkpoint cannot be read or written, or if the thread was interrupted; it
     *     then stays interrupted
     * @throws java.util.concurrent.CancellationException if this extractor is closed while it trains
     * @throws IllegalStateException if this extractor is closed, the device is not available, or the loss is no longer finite
     */
    public synchronized SimCLRFeatureExtractor<T> extractor() {
        if (closed) {
            throw new IllegalStateException("The extractor of " + encoderFile + " is closed");
        }
        if (extractor == null) {
            try {
                learn();
            } catch (InterruptedIOException e) {
                Thread.currentThread().interrupt();
                throw new UncheckedIOException(e.getMessage(), e);
            } catch (IOException e) {
                throw new UncheckedIOException(e.getMessage(), e);
            }
            extractor = new SimCLRFeatureExtractor<>(
                    outputFactory,
                    encoderFile,
                    EncoderSettings.none(),
                    RuntimeSettings.DEFAULT.withThreads(threads),
                    cache);
        }
        return extractor;
    }

    private void learn() throws IOException {
        try (Pretraining pretraining = builder().build()) {
            if (pretraining.matches(encoderFile)) {
                logger.info(
                        encoderFile + " has the settings and the images of this configuration: it is used as it is");
                return;
            }
            if (Files.exists(encoderFile)) {
                logger.warning(
                        encoderFile + " was trained with other settings or on other images: it will be replaced");
            }
            training = pretraining;
            if (closed) {
                pretraining.cancel();
            }
            pretraining.run().writeEncoder(encoderFile);
            if (checkpoint == null) {
                new CheckpointFolder(state()).delete();
            }
        } finally {
            training = null;
        }
    }

    @Override
    public double[][] features(List<RgbImage> pictures) {
        return extractor().features(pictures);
    }

    @Override
    public float[][] floatFeatures(List<RgbImage> pictures) {
        return extractor().floatFeatures(pictures);
    }

    @Override
    public PreparedImage prepare(byte[] file) throws IOException {
        return extractor().prepare(file);
    }

    @Override
    public PreparedImage prepare(RgbImage image) {
        return extractor().prepare(image);
    }

    @Override
    public double[][] encode(List<PreparedImage> prepared) {
        return extractor().encode(prepared);
    }

    @Override
    public String[] featureNames() {
        return extractor().featureNames();
    }

    @Override
    public OutputFactory<T> getOutputFactory() {
        return outputFactory;
    }

    /** Returns the provenance of the encoder and its training; the data of the training are read from the encoder file. */
    @Override
    public ConfiguredObjectProvenance getProvenance() {
        return new PretrainedProvenance(this, extractor());
    }

    /** Frees the encoder; a second call has no effect. */
    @Override
    public void close() {
        closed = true;
        Pretraining now = training;
        if (now != null) {
            now.cancel();
        }
        synchronized (this) {
            if (extractor != null) {
                extractor.close();
            }
        }
    }

    @Override
    public String toString() {
        return "PretrainedFeatureExtractor(images=" + images + ",method=" + method + ",encoder=" + encoder
                + ",encoderFile=" + encoderFile + ")";
    }

    /** The provenance of a pretrained encoder: its content, its preprocessing, and the settings and images of its training. */
    public static final class PretrainedProvenance extends SkeletalConfiguredObjectProvenance {
        private static final long serialVersionUID = 1L;
        /** Key of the training's settings, as {@code training.name=value}. */
        public static final String TRAINING = "training-settings";
        /** Key of the fingerprint of the training images. */
        public static final String IMAGES = "training-images";

        private static final List<String> MEASURED = List.of(
                SimCLRFeatureExtractor.ExtractorProvenance.ENCODER_HASH,
                SimCLRFeatureExtractor.ExtractorProvenance.PREPROCESSING,
                SimCLRFeatureExtractor.ExtractorProvenance.SETTINGS,
                TRAINING,
                IMAGES);

        private final HashMap<String, PrimitiveProvenance<?>> measured;

        private PretrainedProvenance(PretrainedFeatureExtractor<?> host, SimCLRFeatureExtractor<?> trained) {
            super(host, "FeatureExtractor");
            measured = new HashMap<>(trained.getProvenance().getInstanceValues());
            measured.keySet().retainAll(MEASURED);
            Map<String, String> metadata = trained.encoder().metadata();
            put(
                    TRAINING,
                    metadata.entrySet().stream()
                            .filter(e -> e.getKey().startsWith("training."))
                            .map(Object::toString)
                            .sorted()
                            .collect(Collectors.joining(", ")));
            put(IMAGES, metadata.getOrDefault("data.fingerprint", ""));
        }

        private void put(String key, String value) {
            measured.put(key, new StringProvenance(key, value));
        }

        /**
         * Deserialization constructor.
         *
         * @param map the provenances
         */
        public PretrainedProvenance(Map<String, Provenance> map) {
            this(split(map));
        }

        private PretrainedProvenance(ExtractedInfo info) {
            super(info);
            measured = new HashMap<>(info.instanceValues);
        }

        private static ExtractedInfo split(Map<String, Provenance> map) {
            String name = PretrainedProvenance.class.getSimpleName();
            Map<String, Provenance> configured = new HashMap<>(map);
            String className = ObjectProvenance.checkAndExtractProvenance(
                            configured, CLASS_NAME, StringProvenance.class, name)
                    .getValue();
            String hostName = ObjectProvenance.checkAndExtractProvenance(
                            configured, HOST_SHORT_NAME, StringProvenance.class, name)
                    .getValue();
            Map<String, PrimitiveProvenance<?>> measured = new HashMap<>();
            MEASURED.forEach(
                    key -> ObjectProvenance.maybeExtractProvenance(configured, key, StringProvenance.class, name)
                            .ifPresent(value -> measured.put(key, value)));
            return new ExtractedInfo(className, hostName, configured, measured);
        }

        @Override
        public Map<String, PrimitiveProvenance<?>> getInstanceValues() {
            Map<String, PrimitiveProvenance<?>> all = super.getInstanceValues();
            all.putAll(measured);
            return all;
        }

        @Override
        public boolean equals(Object other) {
            return super.equals(other) && other instanceof PretrainedProvenance that && measured.equals(that.measured);
        }

        @Override
        public int hashCode() {
            return 31 * super.hashCode() + measured.hashCode();
        }
    }
}
