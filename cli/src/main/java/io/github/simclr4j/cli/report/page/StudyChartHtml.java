// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.report.page;

import io.github.simclr4j.cli.report.HtmlPage;
import io.github.simclr4j.cli.report.JsonRecord;
import io.github.simclr4j.cli.report.Numbers;
import io.github.simclr4j.cli.report.chart.Bars;
import io.github.simclr4j.cli.report.chart.HeatMap;
import io.github.simclr4j.cli.report.chart.LineChart;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/** The chart of a study, of the kind that the study declares. */
final class StudyChartHtml {
    private static final String CELLS = "cells";
    /** Ratio of the largest to the smallest number from which an axis is logarithmic. */
    private static final double LOGARITHMIC = 20;

    private final JsonRecord record;
    private final List<String> axes;
    private final List<Integer> cells;
    private final double least;
    private final double most;

    StudyChartHtml(JsonRecord record, List<String> axes) {
        this.record = record;
        this.axes = axes;
        cells = IntStream.range(0, record.list(CELLS).size()).boxed().toList();
        double[] known = cells.stream()
                .map(this::accuracy)
                .filter(OptionalDouble::isPresent)
                .mapToDouble(OptionalDouble::getAsDouble)
                .sorted()
                .toArray();
        least = known[0];
        most = known[known.length - 1];
    }

    String html() {
        return switch (record.text("chart")) {
            case "heat_map" -> heatMap();
            case "lines" ->
                lines(axes.get(0), c -> Double.parseDouble(level(c, axes.get(0))), axes.subList(1, axes.size()));
            case "parameters" ->
                lines(
                        "parameters of the encoder",
                        c -> record.number(CELLS, c, "parameters").orElse(Double.NaN),
                        axes.subList(0, axes.size() - 1));
            default -> bars();
        };
    }

    private OptionalDouble accuracy(int cell) {
        return record.number(CELLS, cell, "accuracy");
    }

    private String level(int cell, String axis) {
        return record.text(CELLS, cell, "levels", axis);
    }

    private List<String> levels(String axis) {
        return cells.stream().map(c -> level(c, axis)).distinct().toList();
    }

    private String heatMap() {
        List<String> rows = levels(axes.get(0));
        List<String> columns = levels(axes.get(1));
        List<List<HeatMap.Cell>> table = new ArrayList<>();
        for (String row : rows) {
            table.add(columns.stream()
                    .map(column -> cells.stream()
                            .filter(c -> level(c, axes.get(0)).equals(row)
                                    && level(c, axes.get(1)).equals(column))
                            .findFirst()
                            .map(c -> new HeatMap.Cell(
                                    record.figure(Numbers::percent, CELLS, c, "accuracy"),
                                    (accuracy(c).orElse(Double.NaN) - least) / Math.max(1e-9, most - least),
                                    accuracy(c).orElse(0) == most))
                            .orElse(new HeatMap.Cell("", Double.NaN, false)))
                    .toList());
        }
        return HeatMap.html(
                "Rows: " + axes.get(0) + ". Columns: " + axes.get(1) + ". The best has a frame.", rows, columns, table);
    }

    private String bars() {
        StringBuilder out = new StringBuilder(
                "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Accuracies\"><table"
                        + " style=\"width:100%\"><thead><tr>");
        axes.forEach(
                a -> out.append("<th scope=\"col\">").append(HtmlPage.escape(a)).append("</th>"));
        out.append("<th scope=\"col\" class=\"number\">Accuracy</th><td class=\"bar\"></td></tr></thead><tbody>\n");
        List<String> colours = cells.stream()
                .map(c -> name(c, axes.subList(1, axes.size())))
                .distinct()
                .toList();
        for (int c : cells) {
            out.append("<tr>");
            for (int a = 0; a < axes.size(); a++) {
                String text = HtmlPage.escape(level(c, axes.get(a)));
                out.append(a == 0 ? "<th scope=\"row\">" + text + "</th>" : "<td>" + text + "</td>");
            }
            out.append("<td class=\"number\">" + record.figure(Numbers::percent, CELLS, c, "accuracy") + "</td>"
                    + Bars.cell(accuracy(c).orElse(Double.NaN), colours.indexOf(name(c, axes.subList(1, axes.size()))))
                    + "</tr>\n");
        }
        return out.append("</tbody></table></div>\n").toString();
    }

    private String lines(String title, ToDoubleFunction<Integer> x, List<String> others) {
        Map<String, TreeMap<Double, Double>> series = new LinkedHashMap<>();
        cells.stream()
                .filter(c -> accuracy(c).isPresent())
                .forEach(c -> series.computeIfAbsent(name(c, others), s -> new TreeMap<>())
                        .put(x.applyAsDouble(c), accuracy(c).getAsDouble()));
        double[] all = series.values().stream()
                .flatMap(s -> s.keySet().stream())
                .mapToDouble(v -> v)
                .sorted()
                .toArray();
        LineChart chart = new LineChart("Linear accuracy", title)
                .format(Numbers::percent)
                .height(380)
                .logarithmic(all[0] > 0 && all[all.length - 1] / all[0] >= LOGARITHMIC);
        series.forEach((name, points) -> chart.line(
                name,
                points.keySet().stream().mapToDouble(v -> v).toArray(),
                points.values().stream().mapToDouble(v -> v).toArray()));
        return "<figure>" + chart.html() + "</figure>\n";
    }

    /** Returns the name of a series: its levels on some axes. */
    private String name(int cell, List<String> some) {
        return some.isEmpty()
                ? "accuracy"
                : String.join(
                        ", ", some.stream().map(a -> a + " " + level(cell, a)).toList());
    }
}
