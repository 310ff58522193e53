package io.github.simclr4j.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Accuracies of the same kind, one for each seed. */
final class Measured {
    private final List<Double> each = new ArrayList<>();

    void add(double accuracy) {
        each.add(accuracy);
    }

    double mean() {
        return each.stream().mapToDouble(a -> a).average().orElseThrow();
    }

    /** Sample standard deviation; 0 of one. */
    double deviation() {
        double mean = mean();
        double squares = each.stream().mapToDouble(a -> (a - mean) * (a - mean)).sum();
        return each.size() < 2 ? 0 : Math.sqrt(squares / (each.size() - 1));
    }

    /** In percent; with the deviation where there is one. */
    @Override
    public String toString() {
        return each.size() < 2
                ? String.format(Locale.ROOT, "%.2f%%", 100 * mean())
                : String.format(Locale.ROOT, "%.2f%% +- %.2f", 100 * mean(), 100 * deviation());
    }

    /** A row a name and a column a share. */
    static String table(String corner, Map<String, Map<String, Measured>> rows) {
        boolean one = rows.values().stream().flatMap(r -> r.values().stream()).allMatch(m -> m.each.size() < 2);
        String cell = one ? "%9s" : "%18s";
        StringBuilder table = new StringBuilder(String.format("%-14s", corner));
        rows.values().iterator().next().keySet().forEach(share -> table.append(String.format(cell, share)));
        rows.forEach((name, row) -> {
            table.append(String.format("%n%-14s", name));
            row.values().forEach(m -> table.append(String.format(cell, m)));
        });
        return table.toString();
    }

    /** The means by name and share, as they go into the JSON file. */
    static Map<String, Map<String, Double>> means(Map<String, Map<String, Measured>> rows) {
        Map<String, Map<String, Double>> means = new LinkedHashMap<>();
        rows.forEach((name, row) -> {
            Map<String, Double> some = new LinkedHashMap<>();
            row.forEach((share, m) -> some.put(share, m.mean()));
            means.put(name, some);
        });
        return means;
    }

    /** All accuracies by name and share, in the order of the seeds. */
    static Map<String, Map<String, List<Double>>> runs(Map<String, Map<String, Measured>> rows) {
        Map<String, Map<String, List<Double>>> runs = new LinkedHashMap<>();
        rows.forEach((name, row) -> {
            Map<String, List<Double>> some = new LinkedHashMap<>();
            row.forEach((share, m) -> some.put(share, List.copyOf(m.each)));
            runs.put(name, some);
        });
        return runs;
    }
}
