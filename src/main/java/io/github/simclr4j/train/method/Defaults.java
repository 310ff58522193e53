// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import io.github.simclr4j.onnx.network.Architecture;
import io.github.simclr4j.util.Option;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The properties of a run that a method's defaults depend on, and the defaults that a {@link MethodFactory} sets for it.
 *
 * <p>Values that the user sets take precedence over all defaults.
 *
 * @since 0.1.0
 */
public final class Defaults {
    private final int images;
    private final int imageSize;
    private final int batch;
    private final int microBatch;
    private final int epochs;
    private final String optimizer;
    private int features = 512;
    private Architecture encoder;
    private final Map<String, Object> values = new HashMap<>();
    private final Map<String, Object> options = new HashMap<>();

    /**
     * Describes a run.
     *
     * @param images number of training images
     * @param imageSize side of the views in pixels
     * @param batch images per step
     * @param microBatch images that go through the network at once, 0 for the whole batch
     * @param epochs passes over the images
     * @param optimizer name of the optimizer
     */
    public Defaults(int images, int imageSize, int batch, int microBatch, int epochs, String optimizer) {
        this.images = images;
        this.imageSize = imageSize;
        this.batch = batch;
        this.microBatch = microBatch;
        this.epochs = epochs;
        this.optimizer = optimizer;
    }

    /** Returns the number of images. */
    public int images() {
        return images;
    }

    /** Returns the side of the views in pixels. */
    public int imageSize() {
        return imageSize;
    }

    /** Returns the number of images per step. */
    public int batch() {
        return batch;
    }

    /** Returns the number of images that go through the network at once, 0 for the whole batch. */
    public int microBatch() {
        return microBatch;
    }

    /** Returns the number of passes over the images. */
    public int epochs() {
        return epochs;
    }

    /** Returns the name of the optimizer. */
    public String optimizer() {
        return optimizer;
    }

    /** Sets the length of the encoder's features; 512, as of a ResNet-18, by default. */
    public Defaults ofFeatures(int length) {
        features = length;
        return this;
    }

    /** Sets the architecture that is trained, as {@link MethodFactory#encoder} returns it. */
    public Defaults ofEncoder(Architecture trained) {
        encoder = trained;
        return this;
    }

    /** Returns the architecture that is trained, or null if it is unknown. */
    public Architecture encoder() {
        return encoder;
    }

    /**
     * Scales a published width to the run's encoder: returns at most eight times the length of the features.
     *
     * <p>Published heads belong to encoders of at least the size of a ResNet-18. On a narrower encoder they would take most of the
     * time.
     *
     * @param published the published width
     */
    public int width(int published) {
        return Math.min(published, 8 * features);
    }

    /** Sets the kind of projection head: {@code none}, {@code linear}, {@code nonlinear} or {@code deep}. */
    public Defaults head(String kind) {
        return put("head", kind);
    }

    /** Sets whether batch norm follows the head's dense layers. */
    public Defaults headNorm(boolean norm) {
        return put("headNorm", norm);
    }

    /** Sets whether batch norm follows the head's last layer, too, if the head has batch norm. */
    public Defaults headOutputNorm(boolean norm) {
        return put("headOutputNorm", norm);
    }

    /** Sets the width of the head's hidden layers; 0 for the encoder's dimension. */
    public Defaults hidden(int width) {
        return put("hidden", width);
    }

    /** Sets the length of the projections. */
    public Defaults projection(int length) {
        return put("projection", length);
    }

    /** Sets the composition of the views: a preset, or augmentations in order. */
    public Defaults views(String text) {
        return put("views", text);
    }

    /** Sets the composition of the second and further views, if it differs from the first. */
    public Defaults otherViews(String text) {
        return put("otherViews", text);
    }

    /** Sets the learning rate schedule. */
    public Defaults schedule(String name) {
        return put("schedule", name);
    }

    /** Sets the learning rate warm-up in epochs. */
    public Defaults warmupEpochs(double warmup) {
        return put("warmupEpochs", warmup);
    }

    /** Sets the weight decay. */
    public Defaults weightDecay(double decay) {
        return put("weightDecay", decay);
    }

    /** Sets the learning rate after the warm-up. */
    public Defaults learningRate(double rate) {
        return put("learningRate", rate);
    }

    /** Sets the learning rate after the warm-up for a batch of 256; the run's settings say how it scales with the batch. */
    public Defaults baseLearningRate(double rate) {
        return put("baseLearningRate", rate);
    }

    /**
     * Sets the learning rate of Adam and AdamW as a multiple of SimCLR's. Papers publish rates for LARS and SGD only; docs/methods.md has
     * the measurements behind these factors.
     *
     * @param factor above 0; without effect with other optimizers
     */
    public Defaults adamRateFactor(double factor) {
        return optimizer.startsWith("adam") ? put("rateFactor", factor) : this;
    }

    /** Sets the number of groups of a batch that have their own batch norm statistics (shuffle BN). */
    public Defaults bnSplits(int groups) {
        return put("bnSplits", groups);
    }

    /** Sets the default of one of the method's own options for this run. */
    public <T> Defaults option(Option<T> option, T value) {
        options.put(option.name(), option.check(value));
        return this;
    }

    private Defaults put(String name, Object value) {
        values.put(name, value);
        return this;
    }

    /** Returns a default if the method set it. */
    public <T> Optional<T> get(String name, Class<T> type) {
        return Optional.ofNullable(values.get(name)).map(type::cast);
    }

    /** Returns the defaults of the method's own options that the method set, by name. */
    public Map<String, Object> options() {
        return options;
    }

    /** Tells whether the images are too small for blur: up to 64 pixels. */
    public boolean isSmall() {
        return imageSize <= 64;
    }
}
