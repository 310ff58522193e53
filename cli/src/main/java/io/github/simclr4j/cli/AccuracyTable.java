// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.tribuo.evaluation.Accuracies;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleBiFunction;
import java.util.stream.Collectors;

/** Formats the accuracies of several features or protocols, by share of the labels, as text and JSON. */
final class AccuracyTable {
    private AccuracyTable() {}

    /** Returns the mean over the seeds in percent, with the standard deviation if there are several seeds. */
    static String text(Accuracies accuracies, String share) {
        double mean = 100 * accuracies.mean(share);
        return accuracies.runs().get(share).size() < 2
                ? String.format(Locale.ROOT, "%.2f%%", mean)
                : String.format(Locale.ROOT, "%.2f%% +- %.2f", mean, 100 * accuracies.deviation(share));
    }

    /** Returns a table with one row per name and one column per share. */
    static String of(String corner, Map<String, Accuracies> rows) {
        boolean one =
                rows.values().stream().flatMap(r -> r.runs().values().stream()).allMatch(r -> r.size() < 2);
        String cell = one ? "%9s" : "%18s";
        StringBuilder table = new StringBuilder(String.format("%-14s", corner));
        rows.values().iterator().next().runs().keySet().forEach(share -> table.append(String.format(cell, share)));
        rows.forEach((name, row) -> {
            table.append(String.format("%n%-14s", name));
            row.runs().keySet().forEach(share -> table.append(String.format(cell, text(row, share))));
        });
        return table.toString();
    }

    /**
     * Adds the means over the seeds, all accuracies in the order of the seeds, and the sample standard deviations to a
     * JSON result, each by name and share.
     *
     * @param means key of the means
     * @param stem start of the keys of the accuracies and of the deviations
     */
    static void addTo(Map<String, Object> json, String means, String stem, Map<String, Accuracies> rows) {
        json.put(means, byShare(rows, Accuracies::mean));
        json.put(
                stem + "Runs",
                rows.entrySet().stream()
                        .collect(Collectors.toMap(
                                Map.Entry::getKey, e -> e.getValue().runs(), (a, b) -> a, LinkedHashMap::new)));
        json.put(stem + "Deviations", byShare(rows, Accuracies::deviation));
    }

    private static Map<String, Map<String, Double>> byShare(
            Map<String, Accuracies> rows, ToDoubleBiFunction<Accuracies, String> figure) {
        Map<String, Map<String, Double>> all = new LinkedHashMap<>();
        rows.forEach((name, row) -> {
            Map<String, Double> figures = new LinkedHashMap<>();
            row.runs().keySet().forEach(share -> figures.put(share, figure.applyAsDouble(row, share)));
            all.put(name, figures);
        });
        return all;
    }
}
