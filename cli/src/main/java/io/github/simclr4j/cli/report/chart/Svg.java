// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.report.chart;

import io.github.simclr4j.cli.report.HtmlPage;
import java.util.Locale;

/** Common parts of charts: an SVG for the data area, in a box with margins for labels. */
final class Svg {
    /** Margins above, right of and below the data in pixels, for tick labels and the title of the axis. */
    private static final int TOP = 10;

    private static final int RIGHT = 16;
    private static final int BELOW = 48;

    private Svg() {}

    /** Begins a chart. */
    static void begin(String title, String description, int height, int left, StringBuilder out) {
        String id = "chart-" + title.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-");
        out.append("<div class=\"chart\" style=\"height:" + height + "px;padding:" + TOP + "px " + RIGHT + "px " + BELOW
                + "px " + left
                + "px\"><svg role=\"img\" aria-labelledby=\"" + id + "\" aria-describedby=\"" + id
                + "-desc\"><title id=\"" + id + "\">"
                + HtmlPage.escape(title) + "</title><desc id=\"" + id + "-desc\">" + HtmlPage.escape(description)
                + "</desc>\n");
    }

    /** Ends a chart. */
    static void end(StringBuilder out) {
        out.append("</svg></div>\n");
    }

    /** Returns a fraction from 0 to 1 as a position in an SVG. */
    static String percent(double share) {
        return String.format(Locale.ROOT, "%.3f%%", 100 * share);
    }
}
