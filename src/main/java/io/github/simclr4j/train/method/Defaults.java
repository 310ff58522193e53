package io.github.simclr4j.train.method;

import io.github.simclr4j.util.Option;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What a run is, as far as a method's defaults depend on it, and where a {@link MethodFactory} puts them. A value that the user gave
 * wins over any default.
 */
public final class Defaults {
    private final int images;
    private final int imageSize;
    private final int batch;
    private final int microBatch;
    private final int epochs;
    private final String optimizer;
    private int features = 512;
    private final Map<String, Object> values = new HashMap<>();
    private final Map<String, Object> options = new HashMap<>();

    /**
     * Describes a run.
     *
     * @param images how many there are
     * @param imageSize side of the views in pixels
     * @param batch images a step
     * @param microBatch images that go through the network at once, 0 for all
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

    /** Returns the number of images a step. */
    public int batch() {
        return batch;
    }

    /** Returns the number of images that go through the network at once, 0 for all. */
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

    /** Says how long a feature is; 512, as of a ResNet-18, where it is not said. */
    public Defaults ofFeatures(int length) {
        features = length;
        return this;
    }

    /**
     * Returns a published width for this encoder: at most eight times the length of a feature, as heads were published for a ResNet-18 at
     * least, and would take most of the time of a narrower network.
     */
    public int width(int published) {
        return Math.min(published, 8 * features);
    }

    /** Sets the kind of the head: none, linear, nonlinear or deep. */
    public Defaults head(String kind) {
        return put("head", kind);
    }

    /** Sets whether batch norm stands behind the head's dense layers. */
    public Defaults headNorm(boolean norm) {
        return put("headNorm", norm);
    }

    /** Sets whether, with batch norm in the head, one stands behind its last layer, too. */
    public Defaults headOutputNorm(boolean norm) {
        return put("headOutputNorm", norm);
    }

    /** Sets the width of the head's hidden layers, 0 for the encoder's dimension. */
    public Defaults hidden(int width) {
        return put("hidden", width);
    }

    /** Sets the length of a projection. */
    public Defaults projection(int length) {
        return put("projection", length);
    }

    /** Sets how views are made: a preset, or augmentations in order. */
    public Defaults views(String text) {
        return put("views", text);
    }

    /** Sets how the second and further views are made, where they differ. */
    public Defaults otherViews(String text) {
        return put("otherViews", text);
    }

    /** Sets the schedule of the learning rate. */
    public Defaults schedule(String name) {
        return put("schedule", name);
    }

    /** Sets the epochs in which the learning rate rises. */
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

    /** Sets the learning rate after the warm-up for a batch of 256; how it goes with the batch is the run's own setting. */
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

    /** Sets the number of groups of a batch with batch norm statistics of their own. */
    public Defaults bnSplits(int groups) {
        return put("bnSplits", groups);
    }

    /** Sets the default of one of the method's own options, where it depends on the run. */
    public <T> Defaults option(Option<T> option, T value) {
        options.put(option.name(), option.check(value));
        return this;
    }

    private Defaults put(String name, Object value) {
        values.put(name, value);
        return this;
    }

    /** Returns a default that the method set, if it did. */
    public <T> Optional<T> get(String name, Class<T> type) {
        return Optional.ofNullable(values.get(name)).map(type::cast);
    }

    /** Returns the defaults of the method's own options that were set here, by their names. */
    public Map<String, Object> options() {
        return options;
    }

    /** Whether images are so small that a blur would take away what there is to see: up to 64 pixels. */
    public boolean isSmall() {
        return imageSize <= 64;
    }
}
