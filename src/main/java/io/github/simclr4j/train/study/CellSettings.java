// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.study;

import io.github.simclr4j.onnx.network.EncoderFamilies;
import io.github.simclr4j.onnx.network.EncoderFamily;
import io.github.simclr4j.train.Pretraining;
import io.github.simclr4j.train.method.MethodFactory;
import io.github.simclr4j.train.method.Methods;
import io.github.simclr4j.train.settings.Presets;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.train.settings.UnusedSettings;
import io.github.simclr4j.util.Option;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.function.Function;

/**
 * The settings of a pretraining by name, such as {@code batch}, {@code views2} or {@code weight-decay}: common settings, and the options
 * of methods and encoder families by their declared names.
 *
 * @since 0.1.0
 */
public final class CellSettings {
    private static final Map<String, BiConsumer<Pretraining.Builder, String>> COMMON = new LinkedHashMap<>();

    static {
        COMMON.put("method", Pretraining.Builder::method);
        COMMON.put("preset", Pretraining.Builder::preset);
        COMMON.put("encoder", Pretraining.Builder::encoder);
        COMMON.put("views", Pretraining.Builder::views);
        COMMON.put("views2", Pretraining.Builder::otherViews);
        COMMON.put("head", Pretraining.Builder::head);
        COMMON.put("optimizer", Pretraining.Builder::optimizer);
        COMMON.put("lr-scaling", Pretraining.Builder::rateScaling);
        COMMON.put("schedule", Pretraining.Builder::schedule);
        COMMON.put("precision", Pretraining.Builder::precision);
        COMMON.put("init", (b, file) -> b.init(Path.of(file)));
        add("image-size", CellSettings::whole, Pretraining.Builder::imageSize);
        add("hidden", CellSettings::whole, Pretraining.Builder::hidden);
        add("projection", CellSettings::whole, Pretraining.Builder::projection);
        add("keep-head", CellSettings::whole, Pretraining.Builder::keepHead);
        add("batch", CellSettings::whole, Pretraining.Builder::batch);
        add("micro-batch", CellSettings::whole, Pretraining.Builder::microBatch);
        add("bn-splits", CellSettings::whole, Pretraining.Builder::batchNormSplits);
        add("epochs", CellSettings::whole, Pretraining.Builder::epochs);
        add("seed", CellSettings::seed, Pretraining.Builder::seed);
        add("learning-rate", CellSettings::number, Pretraining.Builder::learningRate);
        add("momentum", CellSettings::number, Pretraining.Builder::momentum);
        add("weight-decay", CellSettings::number, Pretraining.Builder::weightDecay);
        add("warmup-epochs", CellSettings::number, Pretraining.Builder::warmupEpochs);
        add("clip", CellSettings::number, Pretraining.Builder::clip);
        add("weight-average", CellSettings::number, Pretraining.Builder::weightAverage);
        add("zero-gamma", CellSettings::flag, Pretraining.Builder::zeroGamma);
        add("head-norm", CellSettings::flag, Pretraining.Builder::headNorm);
        add("head-output-norm", CellSettings::flag, Pretraining.Builder::headOutputNorm);
    }

    private CellSettings() {}

    private static <T> void add(String name, Function<String, T> parser, BiConsumer<Pretraining.Builder, T> setter) {
        COMMON.put(name, (builder, text) -> {
            try {
                setter.accept(builder, parser.apply(text.strip()));
            } catch (NumberFormatException e) {
                throw new IllegalArgumentException("The setting " + name + " must be a number, found " + text, e);
            }
        });
    }

    private static int whole(String text) {
        return Integer.parseInt(text);
    }

    private static long seed(String text) {
        return Long.parseLong(text);
    }

    private static double number(String text) {
        double value = Double.parseDouble(text);
        if (!Double.isFinite(value)) {
            throw new NumberFormatException(text);
        }
        return value;
    }

    private static boolean flag(String text) {
        if (!text.equals("true") && !text.equals("false")) {
            throw new IllegalArgumentException("A flag must be true or false, found " + text);
        }
        return Boolean.parseBoolean(text);
    }

    /**
     * Applies settings to a pretraining.
     *
     * @param settings values by name
     * @param builder builder of the pretraining
     * @return names that are neither common settings nor options of the chosen method or encoder
     * @throws IllegalArgumentException if the method or encoder is unknown, or a value has the wrong type
     */
    static Set<String> apply(Map<String, String> settings, Pretraining.Builder builder) {
        MethodFactory method = Methods.named(settings.getOrDefault("method", "simclr"));
        EncoderFamily family = EncoderFamilies.family(encoder(settings));
        Set<String> unknown = new TreeSet<>();
        settings.forEach((name, value) -> {
            if (COMMON.containsKey(name)) {
                COMMON.get(name).accept(builder, value);
            } else if (has(method.options(), name)) {
                builder.option(name, value);
            } else if (has(family.options(), name)) {
                builder.encoderOption(name, value);
            } else if (name.startsWith(method.name() + "-")
                    && has(method.options(), name.substring(method.name().length() + 1))) {
                // A method's option that shares its name with a common setting.
                builder.option(name.substring(method.name().length() + 1), value);
            } else {
                unknown.add(name);
            }
        });
        return unknown;
    }

    /**
     * Returns the settings that have no effect on a training.
     *
     * @param settings values by name
     * @param training the settings of the training that they come to
     * @return for each name the condition under which the setting has an effect, which completes "has an effect only"
     */
    static Map<String, String> unused(Map<String, String> settings, PretrainSettings training) {
        Map<String, String> unused =
                new LinkedHashMap<>(UnusedSettings.of(settings.keySet(), training, encoder(settings)));
        MethodFactory method = training.method();
        method.withoutEffect(training.options()).forEach((option, when) -> {
            boolean own = settings.containsKey(option.name()) && !COMMON.containsKey(option.name());
            String name = own ? option.name() : method.name() + "-" + option.name();
            if (settings.containsKey(name)) {
                unused.put(name, "with settings " + when);
            }
        });
        return unused;
    }

    /** Returns the name of the architecture that some settings come to. */
    static String encoder(Map<String, String> settings) {
        String preset = settings.get("preset");
        return settings.getOrDefault(
                "encoder", preset == null ? "resnet18" : Presets.named(preset).encoder());
    }

    private static boolean has(List<Option<?>> options, String name) {
        return options.stream().anyMatch(o -> o.name().equals(name));
    }
}
