// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.report.chart;

import java.util.Locale;

/** Bars in the cells of a table whose other cells have the numbers, so that no information is in a bar alone. */
public final class Bars {
    /** Style rules of pages with bars. */
    public static final String STYLE = """
            td.bar { width: 40%; min-width: 6rem; padding: .3rem 0 .3rem 1rem; vertical-align: middle; }
            .bar svg { display: block; width: 100%; height: .85rem; print-color-adjust: exact; }
            .bar .rail { fill: var(--line); } thead td.bar { border-bottom: 1px solid var(--edge); }
            @media (max-width: 40rem) { td.bar { display: none; } }
            """;

    private static final int COLOURS = 6;

    private Bars() {}

    /**
     * Returns a cell with a bar.
     *
     * @param share length of the bar, 0 to 1; NaN for no bar
     * @param colour index of its colour, from 0
     */
    public static String cell(double share, int colour) {
        String bar = Double.isNaN(share)
                ? ""
                : String.format(
                        Locale.ROOT,
                        "<rect width=\"%.2f%%\" height=\"100%%\" rx=\"3\"" + " fill=\"var(--c%d)\"/>",
                        100 * Math.max(0, Math.min(1, share)),
                        colour % COLOURS);
        return "<td class=\"bar\"><svg aria-hidden=\"true\"><rect class=\"rail\" width=\"100%\" height=\"100%\" rx=\"3\"/>"
                + bar + "</svg></td>";
    }
}
