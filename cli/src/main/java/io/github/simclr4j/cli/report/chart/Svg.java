package io.github.simclr4j.cli.report.chart;

import io.github.simclr4j.cli.report.HtmlPage;
import java.util.Locale;

/** What charts have in common: an SVG that is the area of the data, in a box with room for texts at its sides. */
final class Svg {
    /** Pixels above the data, to the right of it, and below it, for the marks of the axis and its title. */
    private static final int TOP = 10;
    private static final int RIGHT = 16;
    private static final int BELOW = 48;

    private Svg() {}

    /** Begins a chart. */
    static void begin(String title, String description, int height, int left, StringBuilder out) {
        String id = "chart-" + title.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-");
        out.append("<div class=\"chart\" style=\"height:" + height + "px;padding:" + TOP + "px " + RIGHT + "px " + BELOW + "px " + left
                + "px\"><svg role=\"img\" aria-labelledby=\"" + id + "\" aria-describedby=\"" + id + "-desc\"><title id=\"" + id + "\">"
                + HtmlPage.escape(title) + "</title><desc id=\"" + id + "-desc\">" + HtmlPage.escape(description) + "</desc>\n");
    }

    /** Ends it. */
    static void end(StringBuilder out) {
        out.append("</svg></div>\n");
    }

    /** Returns a share from 0 to 1 as a place in an SVG. */
    static String percent(double share) {
        return String.format(Locale.ROOT, "%.3f%%", 100 * share);
    }
}
