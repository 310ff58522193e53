package io.github.simclr4j.tribuo.evaluation;

import com.oracle.labs.mlrg.olcut.config.PropertyException;
import io.github.simclr4j.onnx.runtime.EncoderSettings;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import io.github.simclr4j.tribuo.extraction.ImageFeatureExtractor;
import io.github.simclr4j.tribuo.extraction.SimCLRFeatureExtractor;
import io.github.simclr4j.util.OptionValues;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;

/**
 * What a {@link Protocol} measures: an encoder, labelled images to train and to test on, and how. Several protocols may be given
 * the same context, each with its own options ({@link #with(OptionValues)}); what is costly to make is made once for all of them
 * ({@link #features}, {@link #shared}). It is used by one thread at a time.
 *
 * <p>{@link #close} frees what was shared and the extractor. The images stay the caller's to close, and so does an extractor that
 * was given.
 */
public final class ProtocolContext implements AutoCloseable {
    private final Given given;
    private final OptionValues options;
    /** What features are called in messages, and what makes them; null for the encoder. */
    private final String title;
    private final ImageFeatureExtractor<Label> extractor;
    private final Listener listener;
    /** What the contexts of one evaluation have together. */
    private final Map<Object, Object> shared;

    /** What does not differ between the contexts of one evaluation. */
    private record Given(Path encoder, EncoderSettings settings, RuntimeSettings runtime, String device, LabelledImages train,
            LabelledImages test, Map<String, Double> shares, long[] seeds, Progress progress) {}

    private record FeaturesOf(String title) {}

    /**
     * Makes what is shared.
     *
     * @param <V> what it makes
     * @param <X> what it throws
     */
    @FunctionalInterface
    public interface Maker<V, X extends Exception> {
        /** Returns a new value. */
        V make() throws X;
    }

    /** Is told of each accuracy as soon as it is measured. */
    @FunctionalInterface
    public interface Listener {
        /**
         * Something was measured.
         *
         * @param share of the labels, as the context writes it
         * @param seed of the choice of the labels
         * @param accuracy from 0 to 1
         */
        void measured(String share, long seed, double accuracy);
    }

    /** Collects what a context needs; the encoder and the images are required. */
    public static final class Builder {
        private Path encoder;
        private EncoderSettings settings = EncoderSettings.none();
        private RuntimeSettings runtime = RuntimeSettings.DEFAULT;
        private String device = "auto";
        private LabelledImages train;
        private LabelledImages test;
        private Map<String, Double> shares = Map.of("100%", 1.0);
        private long[] seeds = {1};
        private Progress progress = Progress.NONE;

        private Builder() {}

        /** Sets the encoder file. */
        public Builder encoder(Path file) {
            encoder = file;
            return this;
        }

        /** Sets what is known of the encoder beyond what its file says. */
        public Builder settings(EncoderSettings values) {
            settings = values;
            return this;
        }

        /** Sets how the encoder is run; its threads are those of training as well. */
        public Builder runtime(RuntimeSettings values) {
            runtime = values;
            return this;
        }

        /** Sets where protocols train that train encoders: {@code auto}, {@code cpu}, {@code gpu} or {@code gpu:N}. */
        public Builder device(String name) {
            device = name;
            return this;
        }

        /** Sets the images to train on. */
        public Builder train(LabelledImages images) {
            train = images;
            return this;
        }

        /** Sets the images to test on. */
        public Builder test(LabelledImages images) {
            test = images;
            return this;
        }

        /** Sets the shares of the training labels, as written and as numbers above 0 and at most 1; by default all labels. */
        public Builder shares(Map<String, Double> values) {
            shares = Collections.unmodifiableMap(new LinkedHashMap<>(values));
            return this;
        }

        /** Sets the seeds, one a run, of the choice of the labels and all else that is random; by default 1. */
        public Builder seeds(long... values) {
            seeds = values.clone();
            return this;
        }

        /** Sets who is told how far the work is. */
        public Builder progress(Progress told) {
            progress = told;
            return this;
        }

        /**
         * Makes the context.
         *
         * @throws IllegalArgumentException if the encoder or images are missing, there is no share or no seed, or a share is out
         *     of range
         */
        public ProtocolContext build() {
            if (encoder == null || train == null || test == null) {
                throw new IllegalArgumentException("An evaluation needs an encoder, images to train on and images to test on");
            }
            if (shares.isEmpty() || seeds.length == 0) {
                throw new IllegalArgumentException("An evaluation needs a share of the labels and a seed");
            }
            shares.forEach((text, share) -> {
                if (!(share > 0 && share <= 1)) {
                    throw new IllegalArgumentException("A share of the labels must be above 0 and at most 1, found " + text);
                }
            });
            return new ProtocolContext(
                    new Given(encoder, settings, runtime, device, train, test, shares, seeds, progress),
                    OptionValues.defaults(List.of()), "encoder", null, (share, seed, accuracy) -> { }, new LinkedHashMap<>());
        }
    }

    private ProtocolContext(Given given, OptionValues options, String title, ImageFeatureExtractor<Label> extractor,
            Listener listener, Map<Object, Object> shared) {
        this.given = given;
        this.options = options;
        this.title = title;
        this.extractor = extractor;
        this.listener = listener;
        this.shared = shared;
    }

    /** Returns a builder. */
    public static Builder builder() {
        return new Builder();
    }

    /** Returns the same evaluation with the options of a protocol; what is shared is shared with this. */
    public ProtocolContext with(OptionValues values) {
        return new ProtocolContext(given, values, title, extractor, listener, shared);
    }

    /** Returns the same evaluation with somebody who is told of each accuracy; what is shared is shared with this. */
    public ProtocolContext with(Listener told) {
        return new ProtocolContext(given, options, title, extractor, told, shared);
    }

    /**
     * Returns the evaluation of other features of the same images, such as their pixels, which the encoder is compared with.
     *
     * @param name what messages call the features; two kinds of features have two names
     * @param features makes them, and stays the caller's to close
     */
    public ProtocolContext with(String name, ImageFeatureExtractor<Label> features) {
        return new ProtocolContext(given, options, name, features, listener, shared);
    }

    /** Returns the encoder file. */
    public Path encoder() {
        return given.encoder;
    }

    /** Returns what is known of the encoder beyond what its file says. */
    public EncoderSettings settings() {
        return given.settings;
    }

    /** Returns how the encoder is run; its threads are those of training as well. */
    public RuntimeSettings runtime() {
        return given.runtime;
    }

    /** Returns where encoders are trained: {@code auto}, {@code cpu}, {@code gpu} or {@code gpu:N}. */
    public String device() {
        return given.device;
    }

    /** Returns the images to train on. */
    public LabelledImages train() {
        return given.train;
    }

    /** Returns the images to test on. */
    public LabelledImages test() {
        return given.test;
    }

    /** Returns the shares of the training labels, as they are written and as numbers, in order. */
    public Map<String, Double> shares() {
        return given.shares;
    }

    /** Returns the seeds, one a run. */
    public long[] seeds() {
        return given.seeds.clone();
    }

    /** Returns the values of the protocol's options. */
    public OptionValues options() {
        return options;
    }

    /** Returns who is told how far the work is. */
    public Progress progress() {
        return given.progress;
    }

    /** Returns who is told of each accuracy. */
    public Listener listener() {
        return listener;
    }

    /**
     * Returns a value that protocols of this evaluation share, made when it is first asked for and closed with the context if it
     * is {@link AutoCloseable}.
     *
     * @param key which value; the same for whoever means the same
     * @param maker makes it
     */
    @SuppressWarnings("unchecked") // A key stands for one kind of value.
    public <V, X extends Exception> V shared(Object key, Maker<V, X> maker) throws X {
        V value = (V) shared.get(key);
        if (value == null) {
            value = maker.make();
            shared.put(key, value);
        }
        return value;
    }

    /**
     * Returns the extractor of the encoder's features.
     *
     * @throws IllegalStateException if the encoder can't be read
     * @throws IllegalArgumentException if its settings don't fit it
     */
    public SimCLRFeatureExtractor<Label> extractor() {
        return shared(SimCLRFeatureExtractor.class, () -> {
            try {
                return new SimCLRFeatureExtractor<>(new LabelFactory(), encoder(), settings(), runtime(), null);
            } catch (PropertyException e) {
                throw plain(e);
            }
        });
    }

    /** OLCUT's words are for those who configured a property, and say the cause twice. */
    private static RuntimeException plain(PropertyException e) {
        String message = e.getCause() == null ? e.getMsg() : e.getCause().getMessage();
        return e.getCause() instanceof IllegalArgumentException
                ? new IllegalArgumentException(message, e)
                : new IllegalStateException(message, e);
    }

    /**
     * Returns the features of all images, read once for all protocols.
     *
     * @throws IllegalStateException if the images don't have the same classes, see {@link LabelledImages#sameClasses}, or one has
     *     no image that can be read, or the encoder can't be read
     */
    public FeatureSets features() {
        return shared(new FeaturesOf(title), () -> FeatureSets.read(
                train(), test(), extractor == null ? extractor() : extractor, title, progress()));
    }

    /**
     * Frees what protocols share, the last first.
     *
     * @throws IOException if something can't be closed; the rest is closed all the same
     */
    @Override
    public void close() throws IOException {
        List<Object> values = new ArrayList<>(shared.values());
        Collections.reverse(values);
        shared.clear();
        IOException failure = null;
        for (Object value : values) {
            if (value instanceof AutoCloseable closeable) {
                try {
                    closeable.close();
                } catch (Exception e) {
                    failure = failure == null ? new IOException("Can't close " + value + ": " + e.getMessage(), e) : failure;
                }
            }
        }
        if (failure != null) {
            throw failure;
        }
    }
}
