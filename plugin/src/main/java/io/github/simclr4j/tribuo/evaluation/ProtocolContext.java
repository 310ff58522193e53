// SPDX-License-Identifier: Apache-2.0
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
 * The input of a {@link Protocol}: an encoder, labelled training and test images, and settings. Several protocols may use the same
 * context, each with its own options ({@link #with(OptionValues)}). Expensive values are computed once for all of them
 * ({@link #features}, {@link #shared}). Not thread-safe.
 *
 * <p>{@link #close} frees the shared values and the encoder's extractor. The caller closes the images, and an extractor passed to
 * {@link #with(String, ImageFeatureExtractor)}.
 *
 * @since 0.1.0
 */
public final class ProtocolContext implements AutoCloseable {
    private final Given given;
    private final OptionValues options;
    /** The name of the features in messages. */
    private final String title;
    /** The extractor of the features; null for the encoder's. */
    private final ImageFeatureExtractor<Label> extractor;

    private final Listener listener;
    /** Values shared by the contexts of one evaluation. */
    private final Map<Object, Object> shared;

    /** Settings that are the same in all contexts of one evaluation. */
    private record Given(
            Path encoder,
            EncoderSettings settings,
            RuntimeSettings runtime,
            String device,
            LabelledImages train,
            LabelledImages test,
            Map<String, Double> shares,
            long[] seeds,
            Progress progress) {}

    private record FeaturesOf(String title) {}

    /**
     * Makes a shared value.
     *
     * @param <V> the type of the value
     * @param <X> the type of exceptions that it throws
     */
    @FunctionalInterface
    public interface Maker<V, X extends Exception> {
        /**
         * Returns a new value.
         *
         * @throws X if the value can't be made
         */
        V make() throws X;
    }

    /** Receives each accuracy as soon as it is measured. */
    @FunctionalInterface
    public interface Listener {
        /**
         * Called after each measurement.
         *
         * @param share share of the labels, as written in the context
         * @param seed seed of the choice of labels
         * @param accuracy the accuracy, from 0 to 1
         */
        void measured(String share, long seed, double accuracy);
    }

    /** Builds a context. The encoder, the training images and the test images are required. */
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

        /** Sets settings of the encoder that its file's metadata does not contain, or that override it. */
        public Builder settings(EncoderSettings values) {
            settings = values;
            return this;
        }

        /** Sets the threads, execution provider and session options of ONNX Runtime. Training uses the same number of threads. */
        public Builder runtime(RuntimeSettings values) {
            runtime = values;
            return this;
        }

        /** Sets the device for protocols that train encoders: {@code auto} (the default), {@code cpu}, {@code gpu} or {@code gpu:N}. */
        public Builder device(String name) {
            device = name;
            return this;
        }

        /** Sets the training images. */
        public Builder train(LabelledImages images) {
            train = images;
            return this;
        }

        /** Sets the test images. */
        public Builder test(LabelledImages images) {
            test = images;
            return this;
        }

        /** Sets the shares of the training labels: names such as {@code 10%} and numbers above 0 and at most 1. Default: all labels. */
        public Builder shares(Map<String, Double> values) {
            shares = Collections.unmodifiableMap(new LinkedHashMap<>(values));
            return this;
        }

        /** Sets the seeds, one per run, of the choice of labels and all other random numbers. Default: 1. */
        public Builder seeds(long... values) {
            seeds = values.clone();
            return this;
        }

        /** Sets the receiver of progress reports and warnings. */
        public Builder progress(Progress told) {
            progress = told;
            return this;
        }

        /**
         * Builds the context.
         *
         * @throws IllegalArgumentException if the encoder or images are missing, if there is no share or no seed, or if a share is
         *     out of range
         */
        public ProtocolContext build() {
            if (encoder == null || train == null || test == null) {
                throw new IllegalArgumentException("An evaluation needs an encoder, training images and test images");
            }
            if (shares.isEmpty() || seeds.length == 0) {
                throw new IllegalArgumentException("An evaluation needs at least one share of the labels and one seed");
            }
            shares.forEach((text, share) -> {
                if (!(share > 0 && share <= 1)) {
                    throw new IllegalArgumentException(
                            "A share of the labels must be above 0 and at most 1, found " + text);
                }
            });
            return new ProtocolContext(
                    new Given(encoder, settings, runtime, device, train, test, shares, seeds, progress),
                    OptionValues.defaults(List.of()),
                    "encoder",
                    null,
                    (share, seed, accuracy) -> {},
                    new LinkedHashMap<>());
        }
    }

    private ProtocolContext(
            Given given,
            OptionValues options,
            String title,
            ImageFeatureExtractor<Label> extractor,
            Listener listener,
            Map<Object, Object> shared) {
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

    /** Returns a context with the options of a protocol. It has the same shared values. */
    public ProtocolContext with(OptionValues values) {
        return new ProtocolContext(given, values, title, extractor, listener, shared);
    }

    /** Returns a context with a listener. It has the same shared values. */
    public ProtocolContext with(Listener told) {
        return new ProtocolContext(given, options, title, extractor, told, shared);
    }

    /**
     * Returns a context that evaluates other features of the same images, such as their pixels, for comparison.
     *
     * @param name the name of the features in messages, unique for each kind of features
     * @param features the extractor of the features; the caller closes it
     */
    public ProtocolContext with(String name, ImageFeatureExtractor<Label> features) {
        return new ProtocolContext(given, options, name, features, listener, shared);
    }

    /** Returns the encoder file. */
    public Path encoder() {
        return given.encoder;
    }

    /** Returns the encoder's settings beside or instead of those in its file. */
    public EncoderSettings settings() {
        return given.settings;
    }

    /** Returns the threads, execution provider and session options of ONNX Runtime. Training uses the same number of threads. */
    public RuntimeSettings runtime() {
        return given.runtime;
    }

    /** Returns the device that encoders are trained on: {@code auto}, {@code cpu}, {@code gpu} or {@code gpu:N}. */
    public String device() {
        return given.device;
    }

    /** Returns the training images. */
    public LabelledImages train() {
        return given.train;
    }

    /** Returns the test images. */
    public LabelledImages test() {
        return given.test;
    }

    /** Returns the shares of the training labels, by their names, in order. */
    public Map<String, Double> shares() {
        return given.shares;
    }

    /** Returns the seeds, one per run. */
    public long[] seeds() {
        return given.seeds.clone();
    }

    /** Returns the values of the protocol's options. */
    public OptionValues options() {
        return options;
    }

    /** Returns the receiver of progress reports and warnings. */
    public Progress progress() {
        return given.progress;
    }

    /** Returns the listener that receives each accuracy. */
    public Listener listener() {
        return listener;
    }

    /**
     * Returns a value that the protocols of this evaluation share. It is made at the first call, and closed with the context if it is
     * {@link AutoCloseable}.
     *
     * @param <V> the type of the value
     * @param <X> the type of exceptions that the maker throws
     * @param key identifies the value
     * @param maker makes the value
     * @throws X if the maker throws it
     */
    @SuppressWarnings("unchecked") // A key identifies one type of value.
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
     * @throws IllegalArgumentException if the settings don't fit the encoder
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

    /** Removes OLCUT's wording, which is about configured properties and repeats the cause. */
    private static RuntimeException plain(PropertyException e) {
        String message = e.getCause() == null ? e.getMsg() : e.getCause().getMessage();
        return e.getCause() instanceof IllegalArgumentException
                ? new IllegalArgumentException(message, e)
                : new IllegalStateException(message, e);
    }

    /**
     * Returns the features of all images, which are extracted once for all protocols.
     *
     * @throws IllegalStateException if the classes don't match (see {@link LabelledImages#sameClasses}), if a class has no readable
     *     training image, or if the encoder can't be read
     */
    public FeatureSets features() {
        return shared(
                new FeaturesOf(title),
                () -> FeatureSets.read(
                        train(), test(), extractor == null ? extractor() : extractor, title, progress()));
    }

    /**
     * Frees the shared values in reverse order of their creation.
     *
     * @throws IOException if a value can't be closed; the others are closed nevertheless
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
                    failure = failure == null
                            ? new IOException("Can't close " + value + ": " + e.getMessage(), e)
                            : failure;
                }
            }
        }
        if (failure != null) {
            throw failure;
        }
    }
}
