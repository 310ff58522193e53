// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.report.chart;

import io.github.simclr4j.cli.report.HtmlPage;
import io.github.simclr4j.cli.report.Numbers;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleFunction;
import java.util.stream.IntStream;

/**
 * A line chart as inline SVG. Tick marks and text keep their size at every width, because all positions are percentages and only the
 * lines are stretched. Lines differ by colour and dash pattern. Not thread-safe.
 */
public final class LineChart {
    /** Style rules of pages with charts. */
    public static final String STYLE = """
            .chart { font-size: .8rem; } .chart > svg { display: block; width: 100%; height: 100%; overflow: visible; }
            .chart text { fill: var(--quiet); } .chart .grid { stroke: var(--line); } .chart .base { stroke: var(--edge); }
            .chart .line { fill: none; stroke-width: 2.25; stroke-linejoin: round; } .chart .note { fill: var(--text); }
            .chart .limit { stroke: var(--edge); stroke-dasharray: 5 4; stroke-width: 1.5; }
            .chart .halo { paint-order: stroke; stroke: var(--card); stroke-width: 4px; stroke-linejoin: round; }
            .key { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: .5rem 0 0; padding: 0; list-style: none;
              font-size: .85rem; } .key svg { vertical-align: middle; margin-right: .4rem; }
            .chart + .scroll, .key + .scroll, .key + details, .scroll + details { margin-top: 1rem; }
            """;

    private static final String[] DASHES = {"", "7 4", "2 3", "9 3 2 3", "12 4", "4 2"};
    private static final int COLOURS = 6;
    /** Largest number of points of a line for which each point has a dot. */
    private static final int DOTS = 60;
    /** Number of points beyond which only the minimum and maximum of each interval are drawn. */
    private static final int POINTS = 1200;

    private final String title;
    private final String xTitle;
    private final List<Line> lines = new ArrayList<>();
    private final List<Limit> limits = new ArrayList<>();
    private DoubleFunction<String> format = Numbers::plain;
    private boolean logarithmic;
    private boolean fromZero;
    private int height = 250;

    /** A line; points with NaN are left out. Spreads are drawn as error bars of twice their length, or are null. */
    private record Line(String name, double[] x, double[] y, double[] spread) {}

    private record Limit(double y, String name) {}

    /**
     * Begins a chart.
     *
     * @param title description for screen readers, unique on the page
     * @param xTitle title of the horizontal axis
     */
    public LineChart(String title, String xTitle) {
        this.title = title;
        this.xTitle = xTitle;
    }

    /** Adds a line. */
    public LineChart line(String name, double[] x, double[] y) {
        return line(name, x, y, null);
    }

    /** Adds a line with an error bar of twice the spread at each point. */
    public LineChart line(String name, double[] x, double[] y, double[] spread) {
        lines.add(new Line(name, x.clone(), y.clone(), spread == null ? null : spread.clone()));
        return this;
    }

    /** Adds a dashed horizontal line, such as the loss at chance. */
    public LineChart limit(double y, String name) {
        if (Double.isFinite(y)) {
            limits.add(new Limit(y, name));
        }
        return this;
    }

    /** Sets the format of values. */
    public LineChart format(DoubleFunction<String> text) {
        format = text;
        return this;
    }

    /** Makes the horizontal axis logarithmic; its values must be above 0. */
    public LineChart logarithmic(boolean log) {
        logarithmic = log;
        return this;
    }

    /** Makes the vertical axis begin at 0. */
    public LineChart fromZero() {
        fromZero = true;
        return this;
    }

    /** Sets the height in pixels. */
    public LineChart height(int pixels) {
        height = pixels;
        return this;
    }

    /** Returns the chart with its legend as HTML, or a sentence if there is nothing to draw. */
    public String html() {
        double[] all = lines.stream()
                .flatMapToDouble(l -> Arrays.stream(l.y))
                .filter(Double::isFinite)
                .toArray();
        if (all.length == 0) {
            return "<p class=\"quiet\">Nothing was measured.</p>\n";
        }
        Axis y = vertical();
        Axis x = horizontal();
        StringBuilder out = new StringBuilder();
        int left = 14
                + 8
                        * y.marks().stream()
                                .mapToInt(m -> y.label(m).length())
                                .max()
                                .orElse(4);
        Svg.begin(title, description(), height, left, out);
        axes(x, y, out);
        for (int i = 0; i < lines.size(); i++) {
            draw(lines.get(i), i, x, y, out);
        }
        limits.forEach(l -> limit(l, y, out));
        Svg.end(out);
        if (lines.size() > 1) {
            key(out);
        }
        return out.toString();
    }

    private Axis vertical() {
        double low = Double.POSITIVE_INFINITY;
        double high = Double.NEGATIVE_INFINITY;
        for (Line l : lines) {
            for (int i = 0; i < l.y.length; i++) {
                if (Double.isFinite(l.y[i])) {
                    double spread = l.spread == null ? 0 : l.spread[i];
                    low = Math.min(low, l.y[i] - spread);
                    high = Math.max(high, l.y[i] + spread);
                }
            }
        }
        for (Limit l : limits) {
            low = Math.min(low, l.y);
            high = Math.max(high, l.y);
        }
        return Axis.linear(fromZero ? Math.min(0, low) : low, high, 5, true, format);
    }

    private Axis horizontal() {
        double[] values = lines.stream()
                .flatMapToDouble(l -> Arrays.stream(l.x))
                .sorted()
                .distinct()
                .toArray();
        double least = values[0];
        double most = values[values.length - 1];
        if (logarithmic && least > 0 && most > least) {
            return Axis.logarithmic(Arrays.stream(values).boxed().toList());
        }
        boolean whole = Arrays.stream(values).allMatch(v -> v == Math.rint(v));
        return Axis.linear(
                least, most, whole ? (int) Math.max(1, Math.min(6, most - least)) : 5, false, Numbers::plain);
    }

    private void axes(Axis x, Axis y, StringBuilder out) {
        for (double mark : y.marks()) {
            String at = Svg.percent(1 - y.place(mark));
            out.append("<line class=\"grid\" x1=\"0\" x2=\"100%\" y1=\"" + at + "\" y2=\"" + at
                    + "\"/><text x=\"-8\" y=\"" + at + "\" dy=\".32em\" text-anchor=\"end\">"
                    + HtmlPage.escape(y.label(mark)) + "</text>\n");
        }
        out.append("<line class=\"base\" x1=\"0\" x2=\"100%\" y1=\"100%\" y2=\"100%\"/>\n");
        for (double mark : x.marks()) {
            String at = Svg.percent(x.place(mark));
            out.append("<text x=\"" + at + "\" y=\"100%\" dy=\"1.5em\" text-anchor=\"middle\">"
                    + HtmlPage.escape(x.label(mark)) + "</text>\n");
        }
        out.append("<text x=\"50%\" y=\"100%\" dy=\"3em\" text-anchor=\"middle\">" + HtmlPage.escape(xTitle)
                + "</text>\n");
    }

    private void draw(Line line, int number, Axis x, Axis y, StringBuilder out) {
        String colour = colour(number);
        StringBuilder path = new StringBuilder();
        boolean pen = false;
        for (int i : shown(line)) {
            if (!Double.isFinite(line.y[i])) {
                // Measurements at intervals are connected; failed ones leave no point.
                continue;
            }
            path.append(pen ? 'L' : 'M')
                    .append(String.format(
                            Locale.ROOT, "%.1f %.1f", 1000 * x.place(line.x[i]), 1000 * (1 - y.place(line.y[i]))));
            pen = true;
        }
        out.append(
                "<svg width=\"100%\" height=\"100%\" viewBox=\"0 0 1000 1000\" preserveAspectRatio=\"none\" overflow=\"visible\">"
                        + "<path class=\"line\" vector-effect=\"non-scaling-stroke\" stroke=\"" + colour
                        + "\" stroke-dasharray=\""
                        + DASHES[number % DASHES.length] + "\" d=\"" + path + "\"/></svg>\n");
        for (int i = 0; i < line.y.length && line.y.length <= DOTS; i++) {
            if (Double.isFinite(line.y[i])) {
                dot(line, i, colour, x, y, out);
            }
        }
    }

    private void dot(Line line, int i, String colour, Axis x, Axis y, StringBuilder out) {
        String at = Svg.percent(x.place(line.x[i]));
        if (line.spread != null && line.spread[i] > 0) {
            out.append("<line stroke=\"" + colour + "\" stroke-width=\"2\" x1=\"" + at + "\" x2=\"" + at + "\" y1=\""
                    + Svg.percent(1 - y.place(line.y[i] - line.spread[i])) + "\" y2=\""
                    + Svg.percent(1 - y.place(line.y[i] + line.spread[i]))
                    + "\"/>\n");
        }
        out.append("<circle r=\"3\" fill=\"" + colour + "\" cx=\"" + at + "\" cy=\""
                + Svg.percent(1 - y.place(line.y[i])) + "\"><title>"
                + HtmlPage.escape(
                        line.name + ", " + xTitle + " " + Numbers.plain(line.x[i]) + ": " + format.apply(line.y[i]))
                + "</title></circle>\n");
    }

    private static void limit(Limit limit, Axis y, StringBuilder out) {
        double place = 1 - y.place(limit.y);
        String at = Svg.percent(place);
        out.append("<line class=\"limit\" x1=\"0\" x2=\"100%\" y1=\"" + at + "\" y2=\"" + at
                + "\"/><text class=\"note halo\" x=\"100%\""
                + " y=\"" + at + "\" dy=\"" + (place < 0.12 ? "1.3em" : "-.5em") + "\" text-anchor=\"end\">"
                + HtmlPage.escape(limit.name) + "</text>\n");
    }

    /** Returns the points of a line that are drawn: all, or the minimum and maximum of each interval of a long line. */
    private static int[] shown(Line line) {
        int n = line.y.length;
        if (n <= POINTS) {
            return IntStream.range(0, n).toArray();
        }
        List<Integer> some = new ArrayList<>(List.of(0));
        int stretch = (2 * n + POINTS - 1) / POINTS;
        for (int from = 0; from < n; from += stretch) {
            int least = from;
            int most = from;
            for (int i = from; i < Math.min(n, from + stretch); i++) {
                least = line.y[i] < line.y[least] ? i : least;
                most = line.y[i] > line.y[most] ? i : most;
            }
            some.add(Math.min(least, most));
            some.add(Math.max(least, most));
        }
        some.add(n - 1);
        return some.stream().mapToInt(i -> i).distinct().toArray();
    }

    private void key(StringBuilder out) {
        out.append("<ul class=\"key\">\n");
        for (int i = 0; i < lines.size(); i++) {
            out.append(
                    "<li><svg width=\"30\" height=\"10\" aria-hidden=\"true\"><line x1=\"1\" x2=\"29\" y1=\"5\" y2=\"5\" stroke=\""
                            + colour(i) + "\" stroke-width=\"3\" stroke-dasharray=\"" + DASHES[i % DASHES.length]
                            + "\"/></svg>"
                            + HtmlPage.escape(lines.get(i).name) + "</li>\n");
        }
        out.append("</ul>\n");
    }

    /** Returns a description of the lines in words. */
    private String description() {
        StringBuilder text = new StringBuilder();
        for (Line l : lines) {
            int[] known = IntStream.range(0, l.y.length)
                    .filter(i -> Double.isFinite(l.y[i]))
                    .toArray();
            if (known.length == 0) {
                continue;
            }
            int first = known[0];
            int last = known[known.length - 1];
            double least = Arrays.stream(known).mapToDouble(i -> l.y[i]).min().orElseThrow();
            double most = Arrays.stream(known).mapToDouble(i -> l.y[i]).max().orElseThrow();
            text.append(l.name)
                    .append(": ")
                    .append(format.apply(l.y[first]))
                    .append(" at ")
                    .append(xTitle)
                    .append(' ')
                    .append(Numbers.plain(l.x[first]))
                    .append(", ")
                    .append(format.apply(l.y[last]))
                    .append(" at ")
                    .append(Numbers.plain(l.x[last]))
                    .append("; from ")
                    .append(format.apply(least))
                    .append(" to ")
                    .append(format.apply(most))
                    .append(". ");
        }
        limits.forEach(l -> text.append(l.name).append(". "));
        return text.toString().strip();
    }

    private static String colour(int number) {
        return "var(--c" + number % COLOURS + ")";
    }
}
