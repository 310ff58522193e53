// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.report.chart;

import io.github.simclr4j.cli.report.HtmlPage;
import java.util.List;
import java.util.Locale;

/** A heat map: a table whose cells are darker for larger values, and which reads like any table. */
public final class HeatMap {
    /** Style rules of pages with heat maps. */
    public static final String STYLE = """
            .heat { border-collapse: separate; border-spacing: 2px; font-size: .82rem; font-variant-numeric: tabular-nums;
              print-color-adjust: exact; }
            .heat th, .heat td { padding: .3rem .45rem; border: 0 !important; } .heat td { text-align: center; border-radius: .25rem;
              background: color-mix(in srgb, var(--heat) calc(var(--v) * 1%), var(--cell)); overflow-wrap: normal; }
            .heat thead th { vertical-align: bottom; font-weight: 500; } .heat thead span { writing-mode: vertical-rl;
              transform: rotate(180deg); white-space: nowrap; max-height: 9rem; overflow: hidden; text-overflow: ellipsis; }
            .heat tbody th { text-align: right; white-space: nowrap; } .heat .own { outline: 2px solid var(--edge);
              outline-offset: -2px; } .heat caption { text-align: left; color: var(--quiet); padding-bottom: .4rem; }
            @media (min-width: 40rem) { .heat caption { white-space: nowrap; } }
            """;

    private HeatMap() {}

    /**
     * A cell.
     *
     * @param html content
     * @param heat darkness, 0 to 1; NaN for none
     * @param own whether the cell is outlined, like the diagonal of a confusion matrix
     */
    public record Cell(String html, double heat, boolean own) {}

    /**
     * Returns the table.
     *
     * @param caption description of rows and columns
     * @param rows names of the rows
     * @param columns names of the columns
     * @param cells one list per row
     */
    public static String html(String caption, List<String> rows, List<String> columns, List<List<Cell>> cells) {
        StringBuilder out = new StringBuilder("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\""
                + HtmlPage.escape(caption) + "\"><table class=\"heat\"><caption>" + HtmlPage.escape(caption)
                + "</caption><thead><tr><td style=\"background:none\"></td>");
        columns.forEach(c -> out.append("<th scope=\"col\"><span>")
                .append(HtmlPage.escape(c))
                .append("</span></th>"));
        out.append("</tr></thead><tbody>\n");
        for (int r = 0; r < rows.size(); r++) {
            out.append("<tr><th scope=\"row\">")
                    .append(HtmlPage.escape(rows.get(r)))
                    .append("</th>");
            for (Cell cell : cells.get(r)) {
                out.append(String.format(
                        Locale.ROOT,
                        "<td%s style=\"--v:%.0f\">%s</td>",
                        cell.own() ? " class=\"own\"" : "",
                        Double.isNaN(cell.heat()) ? 0 : 100 * Math.max(0, Math.min(1, cell.heat())),
                        cell.html()));
            }
            out.append("</tr>\n");
        }
        return out.append("</tbody></table></div>\n").toString();
    }
}
