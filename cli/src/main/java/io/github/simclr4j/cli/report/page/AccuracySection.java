// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.report.page;

import io.github.simclr4j.cli.report.HtmlPage;
import io.github.simclr4j.cli.report.JsonRecord;
import io.github.simclr4j.cli.report.Numbers;
import io.github.simclr4j.cli.report.chart.Bars;
import io.github.simclr4j.cli.report.chart.LineChart;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * A section of accuracies by the share of labels, for several features or protocols.
 *
 * @param record the result
 * @param means position of the means over the seeds, by name and share
 * @param stem prefix of the runs, at {@code stem + "Runs"}, and of the standard deviations, at {@code stem + "Deviations"}
 */
record AccuracySection(JsonRecord record, String means, String stem) {

    /** Returns the names of the compared features or protocols, in order. */
    List<String> names() {
        return record.names(means);
    }

    /** Returns the shares in ascending order. */
    List<String> shares() {
        List<String> shares = new ArrayList<>(names().isEmpty() ? List.of() : record.names(means, names().get(0)));
        shares.sort(Comparator.comparingDouble(AccuracySection::percent));
        return shares;
    }

    /** Returns the largest share. */
    String most() {
        return shares().get(shares().size() - 1);
    }

    double mean(String name, String share) {
        return record.number(means, name, share).orElse(Double.NaN);
    }

    /** Returns a mean as HTML, with its standard deviation if there are several seeds. */
    String figure(String name, String share) {
        boolean several = record.list(stem + "Runs", name, share).size() > 1;
        return record.figure(Numbers::percent, means, name, share)
                + (several
                        ? " <small>± " + record.figure(Numbers::percent, stem + "Deviations", name, share) + "</small>"
                        : "");
    }

    private static double percent(String share) {
        return Double.parseDouble(share.replace("%", ""));
    }

    void addTo(HtmlPage page, String heading, String howToRead) {
        List<String> shares = shares();
        StringBuilder html = new StringBuilder();
        if (shares.size() > 1) {
            LineChart chart = new LineChart(heading, "share of the labels, %")
                    .format(Numbers::percent)
                    .logarithmic(true)
                    .height(320);
            double[] x = shares.stream().mapToDouble(AccuracySection::percent).toArray();
            for (String name : names()) {
                chart.line(
                        name,
                        x,
                        shares.stream().mapToDouble(s -> mean(name, s)).toArray(),
                        shares.stream()
                                .mapToDouble(s -> record.number(stem + "Deviations", name, s)
                                        .orElse(0))
                                .toArray());
            }
            html.append(chart.html());
        }
        html.append(table(shares));
        page.element("h2", heading)
                .html("<figure><figcaption><p>" + HtmlPage.escape(howToRead) + "</p></figcaption>\n" + html
                        + "</figure>\n");
    }

    private String table(List<String> shares) {
        StringBuilder out = new StringBuilder(
                "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Accuracies\"><table"
                        + " style=\"width:100%\"><thead><tr><th scope=\"col\">Labels</th>");
        shares.forEach(s -> out.append("<th scope=\"col\" class=\"number\">")
                .append(HtmlPage.escape(s))
                .append("</th>"));
        out.append(shares.size() == 1 ? "<td class=\"bar\"></td>" : "").append("</tr></thead><tbody>\n");
        for (int i = 0; i < names().size(); i++) {
            String name = names().get(i);
            out.append("<tr><th scope=\"row\">").append(HtmlPage.escape(name)).append("</th>");
            shares.forEach(s ->
                    out.append("<td class=\"number\">").append(figure(name, s)).append("</td>"));
            out.append(shares.size() == 1 ? Bars.cell(mean(name, shares.get(0)), i) : "")
                    .append("</tr>\n");
        }
        return out.append("</tbody></table></div>\n").toString();
    }
}
