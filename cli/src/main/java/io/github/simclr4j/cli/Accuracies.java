package io.github.simclr4j.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;

/** Accuracies of the same kind, one for each seed. */
final class Accuracies {
    private final List<Double> runs = new ArrayList<>();

    void add(double accuracy) {
        runs.add(accuracy);
    }

    /** All, in the order of the seeds. */
    List<Double> runs() {
        return List.copyOf(runs);
    }

    double mean() {
        return runs.stream().mapToDouble(a -> a).average().orElseThrow();
    }

    /** Sample standard deviation; 0 of one. */
    double deviation() {
        double mean = mean();
        double squares = runs.stream().mapToDouble(a -> (a - mean) * (a - mean)).sum();
        return runs.size() < 2 ? 0 : Math.sqrt(squares / (runs.size() - 1));
    }

    /** In percent; with the deviation where there is one. */
    @Override
    public String toString() {
        return runs.size() < 2
                ? String.format(Locale.ROOT, "%.2f%%", 100 * mean())
                : String.format(Locale.ROOT, "%.2f%% +- %.2f", 100 * mean(), 100 * deviation());
    }

    /** A row a name and a column a share. */
    static String table(String corner, Map<String, Map<String, Accuracies>> rows) {
        boolean one = rows.values().stream().flatMap(r -> r.values().stream()).allMatch(m -> m.runs.size() < 2);
        String cell = one ? "%9s" : "%18s";
        StringBuilder table = new StringBuilder(String.format("%-14s", corner));
        rows.values().iterator().next().keySet().forEach(share -> table.append(String.format(cell, share)));
        rows.forEach((name, row) -> {
            table.append(String.format("%n%-14s", name));
            row.values().forEach(m -> table.append(String.format(cell, m)));
        });
        return table.toString();
    }

    /** A value of each by name and share, as it goes into the JSON file. */
    static <T> Map<String, Map<String, T>> each(Map<String, Map<String, Accuracies>> rows, Function<Accuracies, T> value) {
        Map<String, Map<String, T>> all = new LinkedHashMap<>();
        rows.forEach((name, row) -> {
            Map<String, T> some = new LinkedHashMap<>();
            row.forEach((share, m) -> some.put(share, value.apply(m)));
            all.put(name, some);
        });
        return all;
    }
}
