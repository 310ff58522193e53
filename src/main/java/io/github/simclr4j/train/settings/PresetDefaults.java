// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.settings;

import io.github.simclr4j.train.method.MethodFactory;
import io.github.simclr4j.util.Option;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What a run is, as far as a preset's defaults depend on it, and where a {@link Preset} puts them. Not thread-safe.
 *
 * @since 0.1.0
 */
public final class PresetDefaults {
    private final MethodFactory method;
    private final String encoder;
    private final Map<String, Object> values = new HashMap<>();
    private final Map<String, String> encoderOptions = new LinkedHashMap<>();
    private final Map<String, String> options = new LinkedHashMap<>();

    /**
     * Describes a run.
     *
     * @param method how views become a loss
     * @param encoder name of the architecture, in lower case
     */
    public PresetDefaults(MethodFactory method, String encoder) {
        this.method = method;
        this.encoder = encoder;
    }

    /** Returns the method. */
    public MethodFactory method() {
        return method;
    }

    /** Returns the name of the architecture, which is the preset's own where none was chosen. */
    public String encoder() {
        return encoder;
    }

    /** Sets the side of the views in pixels. */
    public PresetDefaults imageSize(int side) {
        return put("imageSize", side);
    }

    /** Sets how many images a step has. */
    public PresetDefaults batch(int images) {
        return put("batch", images);
    }

    /** Sets how many images go through the network at once. It has no effect on a batch that is no multiple of it. */
    public PresetDefaults microBatch(int images) {
        return put("microBatch", images);
    }

    /** Sets the passes over the images. */
    public PresetDefaults epochs(int passes) {
        return put("epochs", passes);
    }

    /** Chooses the optimizer. */
    public PresetDefaults optimizer(String name) {
        return put("optimizer", name);
    }

    /** Sets the learning rate for a batch of 256, with {@link #optimizer this} optimizer; it has no effect on another one. */
    public PresetDefaults baseLearningRate(double rate) {
        return put("baseLearningRate", rate);
    }

    /** Sets the weight decay, with {@link #optimizer this} optimizer; it has no effect on another one. */
    public PresetDefaults weightDecay(double decay) {
        return put("weightDecay", decay);
    }

    /** Sets how views are made, in place of the method's own: a preset of views, or augmentations in order. */
    public PresetDefaults views(String text) {
        return put("views", text);
    }

    /**
     * Sets an option of the encoder's family. It has no effect on a family that has no such option or no such value, so that a preset
     * can go with any encoder.
     *
     * @param name such as {@code width} or {@code stem}
     */
    public PresetDefaults encoderOption(String name, Object value) {
        encoderOptions.put(name, value.toString());
        return this;
    }

    /** Sets one of the method's own options. */
    public <T> PresetDefaults option(Option<T> option, T value) {
        options.put(option.name(), option.check(value).toString());
        return this;
    }

    private PresetDefaults put(String name, Object value) {
        values.put(name, value);
        return this;
    }

    /** Returns a default that the preset set, if it did; the name is that of the method here that sets it. */
    public <T> Optional<T> get(String name, Class<T> type) {
        return Optional.ofNullable(values.get(name)).map(type::cast);
    }

    /** Returns the options of the encoder's family that were set here, by their names. */
    public Map<String, String> encoderOptions() {
        return encoderOptions;
    }

    /** Returns the options of the method that were set here, by their names. */
    public Map<String, String> options() {
        return options;
    }
}
