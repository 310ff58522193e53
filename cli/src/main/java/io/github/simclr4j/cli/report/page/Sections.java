// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.report.page;

import io.github.simclr4j.cli.report.HtmlPage;
import io.github.simclr4j.cli.report.chart.LineChart;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Common sections of the reports: a verdict and key figures at the top, charts with captions, and facts at the end. */
final class Sections {
    private static final String STYLE = """
            .kind { margin: 0 0 .25rem; color: var(--quiet); font-size: .9rem; }
            .word { display: flex; gap: .9rem; align-items: flex-start; margin: 1.25rem 0 1.5rem; padding: 1rem 1.25rem;
              border-radius: .75rem; border: 1px solid currentColor; max-width: none; }
            .word svg { flex: none; margin-top: .1rem; } .word p { margin: 0; max-width: 60rem; } .word strong { display: block; font-size: 1.1rem; }
            .word span { color: var(--text); }
            .good { color: var(--good); background: var(--good-back); } .bad { color: var(--bad); background: var(--bad-back); }
            .open { color: var(--warn); background: var(--warn-back); }
            .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .75rem; margin: 0; }
            .tiles div { padding: .85rem 1rem; border: 1px solid var(--line); border-radius: .75rem; background: var(--card); }
            .tiles dt { color: var(--quiet); font-size: .85rem; } .tiles dd { margin: 0; font-size: .85rem; color: var(--quiet); }
            .tiles dd.value { font-size: 1.5rem; line-height: 1.3; color: var(--text); font-variant-numeric: tabular-nums;
              white-space: nowrap; } .value small { font-size: 1rem; color: var(--quiet); }
            .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 25rem), 1fr)); gap: 1rem; }
            figure { margin: 0; padding: 1.1rem 1.25rem; border: 1px solid var(--line); border-radius: .75rem;
              background: var(--card); min-width: 0; break-inside: avoid; }
            figcaption p { margin: .25rem 0 1rem; font-size: .88rem; color: var(--quiet); }
            pre { margin: .5rem 0; padding: 1rem 1.25rem; border: 1px solid var(--line); border-radius: .75rem;
              background: var(--card); font-size: .9rem; white-space: pre-wrap; overflow-wrap: anywhere; }
            footer { margin-top: 4rem; padding-top: 1rem; border-top: 1px solid var(--line); font-size: .88rem; }
            @media print { figure .chart { max-width: 20rem; } .tiles { grid-template-columns: repeat(5, 1fr); } footer { margin-top: 1.5rem; } }
            """;

    private Sections() {}

    /** How good the verdict is. */
    enum Kind {
        GOOD,
        BAD,
        OPEN
    }

    /**
     * A key figure.
     *
     * @param name name of the figure
     * @param html its value
     * @param note a short note, as HTML
     */
    record Tile(String name, String html, String note) {}

    /** Begins a page with the style rules of these sections and of charts. */
    static HtmlPage page(String title, String kind) {
        return new HtmlPage(title)
                .style(STYLE)
                .style(LineChart.STYLE)
                .html("<p class=\"kind\">" + HtmlPage.escape(kind) + "</p>\n");
    }

    /** Adds the verdict: a heading and one or two sentences, which may contain figures. */
    static void word(HtmlPage page, Kind kind, String heading, String html) {
        String icon = switch (kind) {
            case GOOD -> "<path d=\"M5 12.5l4.5 4.5L19 7.5\"/>";
            case BAD -> "<path d=\"M12 6v8M12 17.5v.5\"/>";
            case OPEN -> "<path d=\"M12 7v5.5l3.5 2\"/>";
        };
        page.html("<div class=\"word " + kind.name().toLowerCase(Locale.ROOT) + "\"><svg width=\"24\" height=\"24\""
                + " viewBox=\"0 0 24 24\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"2.2\" stroke-linecap=\"round\""
                + " stroke-linejoin=\"round\" aria-hidden=\"true\"><circle cx=\"12\" cy=\"12\" r=\"10.5\"/>" + icon
                + "</svg><p><strong>"
                + HtmlPage.escape(heading) + "</strong><span>" + html + "</span></p></div>\n");
    }

    /** Adds the key figures. */
    static void tiles(HtmlPage page, List<Tile> tiles) {
        page.html("<dl class=\"tiles\">\n");
        tiles.forEach(t -> page.html("<div><dt>" + HtmlPage.escape(t.name()) + "</dt><dd class=\"value\">" + t.html()
                + "</dd>" + (t.note().isEmpty() ? "" : "<dd>" + t.note() + "</dd>") + "</div>\n"));
        page.html("</dl>\n");
    }

    /** Returns a picture or chart with its heading and a caption that explains it. */
    static String figure(String heading, String howToRead, String html) {
        return "<figure><figcaption><h3>" + HtmlPage.escape(heading) + "</h3><p>" + HtmlPage.escape(howToRead)
                + "</p></figcaption>\n" + html + "</figure>\n";
    }

    /** Adds figures side by side, as many as fit. */
    static void figures(HtmlPage page, List<String> figures) {
        page.html("<div class=\"charts\">\n" + String.join("", figures) + "</div>\n");
    }

    /** Returns a collapsed section. */
    static String details(String summary, String html) {
        return "<details><summary>" + HtmlPage.escape(summary) + "</summary>\n" + html + "</details>\n";
    }

    /** Returns a table whose cells are HTML; the first column has the names of the rows. */
    static String table(List<String> header, List<List<String>> rows) {
        StringBuilder out = new StringBuilder(
                "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"table\"><table>" + "<thead><tr>");
        for (int c = 0; c < header.size(); c++) {
            out.append("<th scope=\"col\"")
                    .append(c > 0 ? " class=\"number\"" : "")
                    .append(">")
                    .append(HtmlPage.escape(header.get(c)))
                    .append("</th>");
        }
        out.append("</tr></thead><tbody>\n");
        for (List<String> row : rows) {
            out.append("<tr><th scope=\"row\">").append(row.get(0)).append("</th>");
            row.stream()
                    .skip(1)
                    .forEach(cell ->
                            out.append("<td class=\"number\">").append(cell).append("</td>"));
            out.append("</tr>\n");
        }
        return out.append("</tbody></table></div>\n").toString();
    }

    /** Adds names and values, if there are any. */
    static void facts(HtmlPage page, String heading, Map<String, String> facts) {
        if (!facts.isEmpty()) {
            page.element("h2", heading).facts(facts.entrySet());
        }
    }

    /** Adds the command that reproduces the result. */
    static void command(HtmlPage page, String command) {
        if (!command.isEmpty()) {
            page.element("h2", "Reproduce").html("<pre><code>" + HtmlPage.escape(command) + "</code></pre>\n");
        }
    }

    /** Ends a page. */
    static HtmlPage end(HtmlPage page, String version) {
        return page.html(
                "<footer class=\"quiet\">Made by simclr4j" + (version.isEmpty() ? "" : " " + HtmlPage.escape(version))
                        + ". This file holds everything that it shows and loads nothing.</footer>\n");
    }
}
