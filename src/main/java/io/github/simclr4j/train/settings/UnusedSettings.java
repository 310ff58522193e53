// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.settings;

import io.github.simclr4j.onnx.network.Architecture;
import io.github.simclr4j.onnx.network.EncoderFamilies;
import io.github.simclr4j.onnx.network.Layer;
import io.github.simclr4j.train.method.MethodFactory;
import io.github.simclr4j.train.method.MethodFactory.HeadUse;
import io.github.simclr4j.util.Option;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Finds settings that were given but have no effect beside the others, such as a momentum for an optimizer without momentum. The options
 * that a method declares are not among them: {@link MethodFactory#withoutEffect} tells about those.
 *
 * @since 0.1.0
 */
public final class UnusedSettings {
    private final Set<String> given;
    private final Map<String, String> unused = new LinkedHashMap<>();

    private UnusedSettings(Set<String> given) {
        this.given = given;
    }

    /**
     * Returns the given settings that have no effect on a training.
     *
     * @param given names of the given settings, such as {@code momentum}, {@code views2} or {@code init}; options of the encoder have their
     *     declared names. Other names are ignored
     * @param settings the resulting settings
     * @param encoder name of the chosen architecture, which the method may have replaced by another one
     * @return for each name the condition under which the setting has an effect, which completes "has an effect only"
     */
    public static Map<String, String> of(Set<String> given, PretrainSettings settings, String encoder) {
        UnusedSettings all = new UnusedSettings(given);
        all.ofHead(settings);
        all.ofOptimizer(settings);
        all.ofViews(settings);
        all.ofWeights(settings);
        all.ofEncoder(settings, encoder);
        return all.unused;
    }

    private void only(boolean effect, String when, String... names) {
        for (String name : names) {
            if (!effect && given.contains(name)) {
                unused.putIfAbsent(name, when);
            }
        }
    }

    private static String without(MethodFactory method) {
        return "without the setting method " + method.name() + ", which ";
    }

    private void ofHead(PretrainSettings s) {
        HeadUse use = s.method().headUse();
        only(
                use == HeadUse.FEATURES || use == HeadUse.PARTS,
                without(s.method())
                        + (use == HeadUse.CLASSIFIER
                                ? "has a linear classifier and the cross entropy"
                                : "has no projection head"),
                "head",
                "head-norm",
                "head-output-norm",
                "hidden",
                "projection");
        only(
                use == HeadUse.FEATURES || s.head().kept() == 0,
                without(s.method()) + "has no projection head after the features",
                "keep-head");
        only(
                s.head().layers() > 0,
                "with the setting head linear, nonlinear or deep",
                "head-norm",
                "head-output-norm",
                "hidden",
                "projection");
        only(s.head().batchNorm(), "with the setting head-norm true", "head-output-norm");
        only(s.head().layers() > 1, "with the setting head nonlinear or deep", "hidden");
    }

    private void ofOptimizer(PretrainSettings s) {
        only(
                !given.contains("learning-rate"),
                "without the setting learning-rate, which sets the rate for any batch size",
                "lr-scaling");
        only(s.optimizer().usesMomentum(), "with the setting optimizer lars, sgd or nesterov", "momentum");
    }

    private void ofViews(PretrainSettings s) {
        only(s.views() > 1, without(s.method()) + "has one view of each image", "views2");
    }

    private void ofWeights(PretrainSettings s) {
        only(
                !given.contains("init"),
                "without the setting init, whose file contains the weights of the batch norms",
                "zero-gamma");
        if (given.contains("zero-gamma")) {
            only(
                    s.encoder().graph(s.imageSize()).nodes().stream()
                            .anyMatch(n -> n.layer() instanceof Layer.BatchNorm norm && norm.endsBranch()),
                    "with an encoder whose residual blocks end in a batch norm, unlike "
                            + s.encoder().name(),
                    "zero-gamma");
        }
    }

    private void ofEncoder(PretrainSettings s, String encoder) {
        for (Option<?> option : EncoderFamilies.family(encoder).options()) {
            if (given.contains(option.name())) {
                only(
                        changes(s, encoder, option),
                        without(s.method()) + "trains an encoder of its own for each of the values",
                        option.name());
            }
        }
    }

    /** Returns whether a method trains different encoders for the values of an option; true for an option without a list of values. */
    private static boolean changes(PretrainSettings s, String encoder, Option<?> option) {
        List<String> values = option.type() == Boolean.class ? List.of("false", "true") : option.choices();
        try {
            List<Architecture> trained = values.stream()
                    .map(v -> s.method().encoder(EncoderFamilies.of(encoder, Map.of(option.name(), v)), s.imageSize()))
                    .distinct()
                    .toList();
            return trained.size() != 1 || values.size() == 1;
        } catch (IllegalArgumentException e) {
            // Some value does not fit the defaults of the other options, so that the value matters.
            return true;
        }
    }
}
