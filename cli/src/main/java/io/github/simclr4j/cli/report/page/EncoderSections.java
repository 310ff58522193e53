// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.report.page;

import io.github.simclr4j.cli.report.HtmlPage;
import io.github.simclr4j.cli.report.JsonRecord;
import io.github.simclr4j.cli.report.Numbers;
import io.github.simclr4j.cli.report.chart.Bars;
import io.github.simclr4j.cli.report.chart.HeatMap;
import io.github.simclr4j.cli.report.chart.LineChart;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleFunction;
import java.util.stream.IntStream;

/** Sections on the classifier of one encoder: metrics of each class, confusions, calibration and nearest neighbours. */
final class EncoderSections {
    static final String STYLE = """
            .strip { display: flex; flex-wrap: wrap; gap: .4rem; margin: .5rem 0 0; align-items: flex-start; }
            .strip img, .near img { width: 4rem; height: 4rem; object-fit: contain; border-radius: .35rem; image-rendering: pixelated; }
            .pairs { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); }
            .near { display: grid; grid-template-columns: 5.5rem 1fr; gap: 1rem; padding: .75rem 0; border-bottom: 1px solid var(--line);
              break-inside: avoid; } .near p { margin: 0; font-size: .8rem; line-height: 1.35; overflow-wrap: anywhere; }
            .near div { display: grid; grid-template-columns: repeat(auto-fill, minmax(4.5rem, 1fr)); gap: .6rem; }
            .near .other { color: var(--bad); } .near img { display: block; }
            @media print { .strip img { width: 2.1rem; height: 2.1rem; } .near img { width: 3rem; height: 3rem; } .near { padding: .4rem 0; }
              .near div { grid-template-columns: repeat(9, minmax(0, 1fr)); gap: .4rem; } .near p { font-size: .7rem; } }
            """;
    /** Number of classes beyond which a confusion matrix is too large to read. */
    private static final int MATRIX = 30;

    private final JsonRecord record;
    private final List<Object> prefix;

    /**
     * Prepares the sections.
     *
     * @param record the result
     * @param prefix position of the encoder's values in the record
     */
    EncoderSections(JsonRecord record, Object... prefix) {
        this.record = record;
        this.prefix = List.of(prefix);
    }

    private Object[] at(Object... steps) {
        return JsonRecord.path(prefix, steps);
    }

    private String name(String list, int i) {
        return record.text(at(list, i, "class"));
    }

    /** Returns a table of the classes; empty if no classifier was evaluated. */
    String perClass() {
        int classes = record.list(at("perClass")).size();
        StringBuilder out =
                new StringBuilder("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Classes\"><table"
                        + " style=\"width:100%\"><thead><tr><th scope=\"col\">Class</th><th scope=\"col\" class=\"number\">Images</th>"
                        + "<th scope=\"col\" class=\"number\">Recall</th><td class=\"bar\"></td><th scope=\"col\" class=\"number\">Precision</th>"
                        + "<th scope=\"col\" class=\"number\">F1</th></tr></thead><tbody>\n");
        for (int i = 0; i < classes; i++) {
            out.append("<tr><th scope=\"row\">" + HtmlPage.escape(name("perClass", i)) + "</th>"
                    + number(Numbers::whole, "perClass", i, "images")
                    + number(Numbers::percent, "perClass", i, "recall")
                    + Bars.cell(record.number(at("perClass", i, "recall")).orElse(Double.NaN), 0)
                    + number(Numbers::percent, "perClass", i, "precision")
                    + number(Numbers::percent, "perClass", i, "f1") + "</tr>\n");
        }
        String table = out.append("</tbody></table></div>\n").toString();
        return classes > MATRIX ? Sections.details("All " + classes + " classes", table) : table;
    }

    private String number(DoubleFunction<String> format, Object... steps) {
        return "<td class=\"number\">" + record.figure(format, at(steps)) + "</td>";
    }

    /** Returns the confusion matrix; empty if there is none, or if it is too large to read. */
    String matrix() {
        int n = record.list(at("confusionMatrix")).size();
        if (n == 0 || n > MATRIX) {
            return "";
        }
        List<String> classes =
                IntStream.range(0, n).mapToObj(i -> name("perClass", i)).toList();
        List<List<HeatMap.Cell>> cells = new ArrayList<>();
        for (int r = 0; r < n; r++) {
            int row = r;
            double images = IntStream.range(0, n)
                    .mapToDouble(
                            c -> record.number(at("confusionMatrix", row, c)).orElse(0))
                    .sum();
            cells.add(IntStream.range(0, n)
                    .mapToObj(c -> new HeatMap.Cell(
                            record.figure(Numbers::whole, at("confusionMatrix", row, c)),
                            record.number(at("confusionMatrix", row, c)).orElse(0) / Math.max(1, images),
                            c == row))
                    .toList());
        }
        return HeatMap.html("Rows: actual class. Columns: predicted class.", classes, classes, cells);
    }

    /** Returns the most frequent confusions, with images if there are any. */
    String confusions(List<List<Picture>> pictures) {
        int n = record.list(at("commonestConfusions")).size();
        if (n == 0) {
            return "<p class=\"quiet\">All test images were classified correctly.</p>\n";
        }
        StringBuilder out = new StringBuilder("<div class=\"pairs\">\n");
        for (int i = 0; i < n; i++) {
            out.append("<figure><figcaption><h3>"
                    + HtmlPage.escape(record.text(at("commonestConfusions", i, "expected"))) + " predicted as "
                    + HtmlPage.escape(record.text(at("commonestConfusions", i, "predicted"))) + "</h3><p>"
                    + record.figure(Numbers::whole, at("commonestConfusions", i, "images")) + " images"
                    + (i < pictures.size() && !pictures.get(i).isEmpty() ? ", the most confident first" : "")
                    + "</p></figcaption>"
                    + "<div class=\"strip\">");
            if (i < pictures.size()) {
                pictures.get(i).forEach(p -> out.append(p.html()));
            }
            out.append("</div></figure>\n");
        }
        return out.append("</div>\n").toString();
    }

    /** Adds the encoder's accuracies by confidence to a chart. */
    void calibrationTo(LineChart chart, String line) {
        int bins = record.list(at("calibration", "bins")).size();
        double[] x = IntStream.range(0, bins)
                .mapToDouble(b -> record.number(at("calibration", "bins", b, "confidence"))
                        .orElse(Double.NaN))
                .toArray();
        double[] y = IntStream.range(0, bins)
                .mapToDouble(b ->
                        record.number(at("calibration", "bins", b, "accuracy")).orElse(Double.NaN))
                .toArray();
        int[] known =
                IntStream.range(0, bins).filter(b -> Double.isFinite(x[b])).toArray();
        chart.line(
                line,
                IntStream.of(known).mapToDouble(b -> x[b]).toArray(),
                IntStream.of(known).mapToDouble(b -> y[b]).toArray());
    }

    /** Returns a table of the calibration. */
    String calibrationTable() {
        List<List<String>> rows = new ArrayList<>();
        for (int b = 0; b < record.list(at("calibration", "bins")).size(); b++) {
            rows.add(List.of(
                    record.figure(Numbers::percent, at("calibration", "bins", b, "from")) + " to "
                            + record.figure(Numbers::percent, at("calibration", "bins", b, "to")),
                    record.figure(Numbers::whole, at("calibration", "bins", b, "images")),
                    record.figure(Numbers::percent, at("calibration", "bins", b, "confidence")),
                    record.figure(Numbers::percent, at("calibration", "bins", b, "accuracy"))));
        }
        return Sections.table(List.of("Confidence", "Images", "Mean confidence", "Accuracy"), rows);
    }

    boolean hasCalibration() {
        return record.at(at("calibration")).isPresent();
    }

    /** Returns a sentence about the difference between confidence and accuracy. */
    String calibrationWord() {
        double confidence = record.number(at("calibration", "confidence")).orElse(Double.NaN);
        double accuracy = record.number(at("calibration", "accuracy")).orElse(Double.NaN);
        return "The mean confidence is " + record.figure(Numbers::percent, at("calibration", "confidence")) + ", and "
                + record.figure(Numbers::percent, at("calibration", "accuracy")) + " of the predictions are right: "
                + (Math.abs(confidence - accuracy) < 0.02
                        ? "the classifier is well calibrated"
                        : confidence > accuracy
                                ? "the classifier is overconfident"
                                : "the classifier is underconfident")
                + ". The expected calibration error is "
                + record.figure(Numbers::percent, at("calibration", "expectedError")) + ".";
    }

    /** Returns sample images beside their nearest images. */
    String neighbours(List<List<Picture>> pictures) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < pictures.size(); i++) {
            List<Picture> row = pictures.get(i);
            String own = record.text(at("neighbours", i, "class"));
            out.append("<div class=\"near\"><p>" + row.get(0).html() + HtmlPage.escape(own) + "</p><div>");
            for (int j = 1; j < row.size(); j++) {
                String other = record.text(at("neighbours", i, "nearest", j - 1, "class"));
                out.append("<p>" + row.get(j).html()
                        + (other.equals(own)
                                ? HtmlPage.escape(other)
                                : "<span class=\"other\">" + HtmlPage.escape(other) + " ✗</span>")
                        + "<br><span class=\"quiet\">"
                        + record.figure(
                                v -> String.format(Locale.ROOT, "%.3f", v),
                                at("neighbours", i, "nearest", j - 1, "similarity"))
                        + "</span></p>");
            }
            out.append("</div></div>\n");
        }
        return out.toString();
    }
}
