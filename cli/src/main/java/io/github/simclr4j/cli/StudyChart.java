// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.train.study.CellResult;
import io.github.simclr4j.train.study.StudyResult;
import java.awt.Color;
import java.awt.Font;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.ChartEncoder;
import org.knowm.xchart.HeatMapChart;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.Styler.ChartTheme;
import org.knowm.xchart.style.Styler.LegendPosition;

/** Draws a chart of a study: the linear accuracy of the completed cells in percent. */
final class StudyChart {
    private static final String PNG = "png";
    private static final int WIDTH = 1000;
    private static final int HEIGHT = 700;
    private static final String ACCURACY = "linear accuracy, %";
    /** Ratio of the largest to the smallest number from which an axis is logarithmic. */
    private static final double LOGARITHMIC = 20;

    static {
        // Nothing is displayed on a screen.
        System.setProperty("java.awt.headless", "true");
    }

    private StudyChart() {}

    /** Returns the picture of a study with at least one completed cell, as PNG. */
    static byte[] png(StudyResult result) throws IOException {
        List<CellResult> done =
                result.cells().stream().filter(c -> c.measured() != null).toList();
        List<String> axes = result.axes();
        return switch (result.chart()) {
            case HEAT_MAP -> ChartEncoder.getBytes(heatMap(result, done), PNG);
            case BARS -> ChartEncoder.getBytes(bars(result, done), PNG);
            case LINES ->
                ChartEncoder.getBytes(
                        lines(
                                result,
                                done,
                                axes.get(0),
                                c -> Double.parseDouble(c.cell().levels().get(axes.get(0))),
                                axes.subList(1, axes.size())),
                        PNG);
            case PARAMETERS ->
                ChartEncoder.getBytes(
                        lines(
                                result,
                                done,
                                "parameters of the encoder",
                                c -> c.measured().parameters(),
                                axes.subList(0, axes.size() - 1)),
                        PNG);
        };
    }

    private static double percent(CellResult c) {
        return 100 * c.measured().accuracy();
    }

    private static List<String> levels(List<CellResult> cells, String axis) {
        return cells.stream().map(c -> c.cell().levels().get(axis)).distinct().toList();
    }

    private static void style(Styler styler) {
        styler.setChartBackgroundColor(Color.WHITE);
        styler.setPlotBackgroundColor(Color.WHITE);
        styler.setLegendPosition(LegendPosition.OutsideE);
        styler.setLegendBorderColor(Color.WHITE);
    }

    private static HeatMapChart heatMap(StudyResult result, List<CellResult> done) {
        String rows = result.axes().get(0);
        String columns = result.axes().get(1);
        HeatMapChart chart = new HeatMapChart(WIDTH, HEIGHT, ChartTheme.XChart);
        chart.setTitle(title(result));
        chart.setXAxisTitle(columns);
        chart.setYAxisTitle(rows);
        List<String> x = levels(result.cells(), columns);
        // The first row is at the top.
        List<String> y = new ArrayList<>(levels(result.cells(), rows));
        Collections.reverse(y);
        List<Number[]> values = done.stream()
                .map(c -> new Number[] {
                    x.indexOf(c.cell().levels().get(columns)),
                    y.indexOf(c.cell().levels().get(rows)),
                    percent(c)
                })
                .toList();
        chart.addSeries(ACCURACY, x, y, values);
        style(chart.getStyler());
        chart.getStyler().setShowValue(true);
        chart.getStyler().setValueFont(new Font(Font.SANS_SERIF, Font.PLAIN, 14));
        chart.getStyler().setValueFontColor(Color.BLACK);
        chart.getStyler().setHeatMapValueDecimalPattern("0.0");
        chart.getStyler().setRangeColors(new Color[] {new Color(0xf7fbff), new Color(0x9ecae1), new Color(0x3182bd)});
        double least = done.stream().mapToDouble(StudyChart::percent).min().orElseThrow();
        double most = done.stream().mapToDouble(StudyChart::percent).max().orElseThrow();
        chart.getStyler().setMin(least);
        chart.getStyler().setMax(most > least ? most : least + 1);
        return chart;
    }

    private static CategoryChart bars(StudyResult result, List<CellResult> done) {
        String first = result.axes().get(0);
        CategoryChart chart = new CategoryChart(WIDTH, HEIGHT);
        chart.setTitle(title(result));
        chart.setXAxisTitle(first);
        chart.setYAxisTitle(ACCURACY);
        style(chart.getStyler());
        List<String> groups = levels(result.cells(), first);
        Map<String, Map<String, Double>> series = new LinkedHashMap<>();
        for (CellResult c : done) {
            series.computeIfAbsent(
                            label(c, result.axes().subList(1, result.axes().size())), s -> new LinkedHashMap<>())
                    .put(c.cell().levels().get(first), percent(c));
        }
        series.forEach((name, values) -> {
            // A missing cell has no bar.
            List<Double> heights = new ArrayList<>();
            groups.forEach(g -> heights.add(values.get(g)));
            chart.addSeries(name, groups, heights);
        });
        chart.getStyler().setLegendVisible(series.size() > 1);
        chart.getStyler().setLabelsVisible(true);
        chart.getStyler().setDecimalPattern("0.0");
        chart.getStyler().setXAxisLabelRotation(groups.size() > 6 ? 30 : 0);
        chart.getStyler().setYAxisMin(0.0);
        chart.getStyler().setAvailableSpaceFill(series.size() > 1 ? 0.8 : 0.5);
        return chart;
    }

    private static XYChart lines(
            StudyResult result,
            List<CellResult> done,
            String title,
            ToDoubleFunction<CellResult> x,
            List<String> others) {
        XYChart chart = new XYChart(WIDTH, HEIGHT);
        chart.setTitle(title(result));
        chart.setXAxisTitle(title);
        chart.setYAxisTitle(ACCURACY);
        style(chart.getStyler());
        Map<String, TreeMap<Double, Double>> series = new LinkedHashMap<>();
        for (CellResult c : done) {
            series.computeIfAbsent(label(c, others), s -> new TreeMap<>()).put(x.applyAsDouble(c), percent(c));
        }
        series.forEach((name, points) ->
                chart.addSeries(name, new ArrayList<>(points.keySet()), new ArrayList<>(points.values())));
        double least = done.stream().mapToDouble(x).min().orElseThrow();
        double most = done.stream().mapToDouble(x).max().orElseThrow();
        chart.getStyler().setXAxisLogarithmic(least > 0 && most / least >= LOGARITHMIC);
        chart.getStyler().setLegendVisible(series.size() > 1);
        return chart;
    }

    private static String title(StudyResult result) {
        return result.summary()
                + (result.done() < result.cells().size()
                        ? " (" + result.done() + " of " + result.cells().size() + " cells)"
                        : "");
    }

    /** Names a series by the levels of some axes. */
    private static String label(CellResult c, List<String> axes) {
        Function<String, String> level = axis -> c.cell().levels().get(axis);
        return axes.isEmpty()
                ? ACCURACY
                : String.join(
                        ", ", axes.stream().map(a -> a + " " + level.apply(a)).toList());
    }
}
