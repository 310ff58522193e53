// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.train.method.Defaults;
import io.github.simclr4j.train.method.MethodFactory;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What the methods have in place of the common default of a setting, in words for the help. It is read from
 * {@link MethodFactory#defaults}: first for small images and AdamW, then for other optimizers, larger images and longer
 * runs, as far as they differ.
 */
final class MethodDefaults {
    /** Number of training images of CIFAR-10. */
    private static final int IMAGES = 50_000;
    /** Length of the features of a ResNet-50, for which the published widths of heads are not reduced. */
    private static final int FEATURES = 2048;

    private static final int SMALL = 32;
    private static final int LARGE = 224;
    private static final int EPOCHS = 100;

    /**
     * A kind of run.
     *
     * @param when its description, which follows the values before it; empty for the first
     */
    private record Run(String when, String optimizer, int imageSize, int epochs) {
        /** Tells whether what is said of another kind of run also holds for this one, unless a later one says otherwise. */
        boolean isKindOf(Run other) {
            return (other.optimizer.equals(optimizer) || other.optimizer.equals("adamw"))
                    && other.imageSize <= imageSize
                    && other.epochs <= epochs;
        }
    }

    /** From the general to the special, so that only what differs has to be said. */
    private static final List<Run> RUNS = List.of(
            new Run("", "adamw", SMALL, EPOCHS),
            new Run("with lars: ", "lars", SMALL, EPOCHS),
            new Run("with sgd: ", "sgd", SMALL, EPOCHS),
            new Run("above 64 pixels: ", "adamw", LARGE, EPOCHS),
            new Run("with lars above 64 pixels: ", "lars", LARGE, EPOCHS),
            new Run("with sgd above 64 pixels: ", "sgd", LARGE, EPOCHS),
            new Run("with lars above 64 pixels, from 300 epochs: ", "lars", LARGE, 300),
            new Run("with lars above 64 pixels, from 1000 epochs: ", "lars", LARGE, 1000));

    private final Collection<MethodFactory> methods;

    MethodDefaults(Collection<MethodFactory> methods) {
        this.methods = methods;
    }

    /**
     * Lists the methods whose default differs from the common one, each part after a semicolon, such as
     * {@code ; mocov1 and cmc linear; above 64 pixels: simsiam deep}.
     *
     * @param setting name of the setting in {@link Defaults}
     */
    String of(String setting) {
        Map<MethodFactory, Map<Run, Optional<String>>> said = new LinkedHashMap<>();
        StringBuilder text = new StringBuilder();
        for (Run run : RUNS) {
            Map<String, List<String>> values = new LinkedHashMap<>();
            for (MethodFactory m : methods) {
                Optional<String> value = value(m, run, setting);
                Map<Run, Optional<String>> before = said.computeIfAbsent(m, k -> new LinkedHashMap<>());
                if (!value.equals(expected(before, run))) {
                    values.computeIfAbsent(value.orElse("the common default"), k -> new ArrayList<>())
                            .add(m.name());
                    before.put(run, value);
                }
            }
            if (!values.isEmpty()) {
                text.append("; ")
                        .append(run.when)
                        .append(values.entrySet().stream()
                                .map(e -> DeclaredOptions.and(e.getValue()) + " " + e.getKey())
                                .collect(Collectors.joining("; ")));
            }
        }
        return text.toString();
    }

    /** Returns what a reader of the parts so far takes for the value: the last one that also holds for the run. */
    private static Optional<String> expected(Map<Run, Optional<String>> said, Run run) {
        Optional<String> value = Optional.empty();
        for (Map.Entry<Run, Optional<String>> e : said.entrySet()) {
            if (run.isKindOf(e.getKey())) {
                value = e.getValue();
            }
        }
        return value;
    }

    private static Optional<String> value(MethodFactory method, Run run, String setting) {
        String optimizer = setting.equals("rateFactor") ? "adamw" : run.optimizer;
        Defaults d = new Defaults(IMAGES, run.imageSize, 128, 0, run.epochs, optimizer).ofFeatures(FEATURES);
        method.defaults(d);
        return d.get(setting, Object.class).map(MethodDefaults::text);
    }

    /** Writes 2.0 as 2 and 1.0E-6 as 1e-6. */
    private static String text(Object value) {
        return value.toString().replaceAll("\\.0(?=E|$)", "").replaceAll("(?<=\\d)E(?=-?\\d)", "e");
    }
}
