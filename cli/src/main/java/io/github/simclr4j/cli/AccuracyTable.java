package io.github.simclr4j.cli;

import io.github.simclr4j.tribuo.evaluation.Accuracies;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** Accuracies of several features or protocols by the share of the labels, to print and to write. */
final class AccuracyTable {
    private AccuracyTable() {}

    /** Returns the mean over the seeds in percent, with the deviation where there are several. */
    static String text(Accuracies accuracies, String share) {
        double mean = 100 * accuracies.mean(share);
        return accuracies.runs().get(share).size() < 2
                ? String.format(Locale.ROOT, "%.2f%%", mean)
                : String.format(Locale.ROOT, "%.2f%% +- %.2f", mean, 100 * accuracies.deviation(share));
    }

    /** Returns a table with a row a name and a column a share. */
    static String of(String corner, Map<String, Accuracies> rows) {
        boolean one = rows.values().stream().flatMap(r -> r.runs().values().stream()).allMatch(r -> r.size() < 2);
        String cell = one ? "%9s" : "%18s";
        StringBuilder table = new StringBuilder(String.format("%-14s", corner));
        rows.values().iterator().next().runs().keySet().forEach(share -> table.append(String.format(cell, share)));
        rows.forEach((name, row) -> {
            table.append(String.format("%n%-14s", name));
            row.runs().keySet().forEach(share -> table.append(String.format(cell, text(row, share))));
        });
        return table.toString();
    }

    /** Returns the means over the seeds by name and share, as they go into the JSON file. */
    static Map<String, Map<String, Double>> means(Map<String, Accuracies> rows) {
        Map<String, Map<String, Double>> all = new LinkedHashMap<>();
        rows.forEach((name, row) -> {
            Map<String, Double> means = new LinkedHashMap<>();
            row.runs().keySet().forEach(share -> means.put(share, row.mean(share)));
            all.put(name, means);
        });
        return all;
    }

    /** Returns the sample standard deviations over the seeds by name and share, as they go into the JSON file. */
    static Map<String, Map<String, Double>> deviations(Map<String, Accuracies> rows) {
        Map<String, Map<String, Double>> all = new LinkedHashMap<>();
        rows.forEach((name, row) -> {
            Map<String, Double> deviations = new LinkedHashMap<>();
            row.runs().keySet().forEach(share -> deviations.put(share, row.deviation(share)));
            all.put(name, deviations);
        });
        return all;
    }

    /** Returns all accuracies by name and share in the order of the seeds, as they go into the JSON file. */
    static Map<String, Map<String, List<Double>>> runs(Map<String, Accuracies> rows) {
        return rows.entrySet().stream().collect(Collectors.toMap(Map.Entry::getKey, e -> e.getValue().runs(), (a, b) -> a,
                LinkedHashMap::new));
    }
}
