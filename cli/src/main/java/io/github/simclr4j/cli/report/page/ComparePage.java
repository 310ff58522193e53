// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.report.page;

import com.google.gson.JsonObject;
import io.github.simclr4j.cli.report.HtmlPage;
import io.github.simclr4j.cli.report.JsonRecord;
import io.github.simclr4j.cli.report.Numbers;
import io.github.simclr4j.cli.report.chart.HeatMap;
import io.github.simclr4j.cli.report.chart.LineChart;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;

/** The report of a comparison of several encoders on the same images. */
public final class ComparePage {
    private static final String ENCODERS = "encoders";
    private static final String PAIRED = "paired";
    /** Significance level: a difference with a smaller p-value counts as one. */
    private static final double RARE = 0.05;

    private static final int CLASSES = 60;

    private ComparePage() {}

    /**
     * Returns the page.
     *
     * @param result the JSON result of {@code compare}
     * @param pictures pictures of each encoder, in order
     */
    public static HtmlPage of(JsonObject result, List<EvaluationPictures> pictures) {
        JsonRecord record = new JsonRecord(result);
        // Side by side they make sense together alone.
        List<EvaluationPictures> shown = pictures.stream().allMatch(p -> p.map() != null) ? pictures : List.of();
        List<String> names = IntStream.range(0, record.list(ENCODERS).size())
                .mapToObj(i -> record.text(ENCODERS, i, "name"))
                .toList();
        AccuracySection linear = new AccuracySection(record, "linear", "linear");
        AccuracySection knn = new AccuracySection(record, "knn", "knn");
        List<EncoderSections> encoders = IntStream.range(0, names.size())
                .mapToObj(i -> new EncoderSections(record, ENCODERS, i))
                .toList();
        HtmlPage page = EvaluatePage.begin(
                names.size() + " encoders compared",
                "Comparison report · " + record.list("classes").size() + " classes");
        word(page, record, linear, names);
        linear.addTo(
                page,
                "Linear evaluation",
                "A linear classifier on fixed features, trained with a share of the labels and tested on"
                        + " other images."
                        + (record.list("linearRuns", names.get(0), linear.most())
                                                .size()
                                        > 1
                                ? " Bars and ± are one standard" + " deviation over the seeds, above and below."
                                : ""));
        knn.addTo(
                page,
                "Nearest neighbours",
                "The 200 nearest training images by the features vote for the class. Nothing is trained.");
        paired(page, record);
        perClass(page, record, names);
        calibration(page, record, names, encoders);
        maps(page, names, shown);
        neighbours(page, names, encoders, shown);
        page.element("h2", "Confusion matrices");
        for (int i = 0; i < names.size(); i++) {
            List<List<Picture>> examples = i < shown.size() ? shown.get(i).confusions() : List.of();
            page.element("h3", names.get(i))
                    .html("<div style=\"height:.75rem\"></div>"
                            + encoders.get(i).matrix()
                            + "<div style=\"height:1rem\"></div>"
                            + encoders.get(i).confusions(examples)
                            + "<div style=\"height:1.5rem\"></div>");
        }
        facts(page, record, names);
        Sections.command(page, record.text("command"));
        return Sections.end(page, record.text("version"));
    }

    private static void word(HtmlPage page, JsonRecord record, AccuracySection linear, List<String> names) {
        String share = linear.most();
        List<String> order = new ArrayList<>(names);
        order.sort(Comparator.comparingDouble(n -> -linear.mean(n, share)));
        String best = order.get(0);
        String second = order.get(1);
        int pair = pair(record, best, second);
        boolean clear = record.number(PAIRED, pair, "p").orElse(1) < RARE;
        Sections.word(
                page,
                clear ? Sections.Kind.GOOD : Sections.Kind.OPEN,
                clear ? best + " is the best" : "No encoder is clearly the best",
                "With " + HtmlPage.escape(share) + " of the labels, a linear classifier reaches "
                        + linear.figure(best, share)
                        + " accuracy with " + HtmlPage.escape(best) + " and " + linear.figure(second, share) + " with "
                        + HtmlPage.escape(second) + ". The difference " + (clear ? "is significant" : "may be chance")
                        + " (McNemar's test, p = "
                        + record.figure(ComparePage::probability, PAIRED, pair, "p") + ").");
    }

    private static int pair(JsonRecord record, String one, String other) {
        return IntStream.range(0, record.list(PAIRED).size())
                .filter(i -> List.of(record.text(PAIRED, i, "first"), record.text(PAIRED, i, "second"))
                        .containsAll(List.of(one, other)))
                .findFirst()
                .orElseThrow();
    }

    private static String probability(double p) {
        return p < 1e-300
                ? "0"
                : p < 1e-3 ? String.format(Locale.ROOT, "%.1e", p) : String.format(Locale.ROOT, "%.3f", p);
    }

    private static void paired(HtmlPage page, JsonRecord record) {
        List<List<String>> rows = new ArrayList<>();
        for (int i = 0; i < record.list(PAIRED).size(); i++) {
            rows.add(List.of(
                    HtmlPage.escape(record.text(PAIRED, i, "first") + " and " + record.text(PAIRED, i, "second")),
                    record.figure(Numbers::whole, PAIRED, i, "bothRight"),
                    record.figure(Numbers::whole, PAIRED, i, "onlyFirst"),
                    record.figure(Numbers::whole, PAIRED, i, "onlySecond"),
                    record.figure(Numbers::whole, PAIRED, i, "neither"),
                    record.figure(ComparePage::probability, PAIRED, i, "p")));
        }
        page.element("h2", "Paired comparison")
                .element(
                        "p",
                        "How many test images the classifiers of two encoders predict correctly, with the"
                                + " largest share of labels and the first seed. p is the probability that two equally good classifiers disagree at least as"
                                + " unevenly (McNemar's exact test). It does not cover the variation between training seeds.")
                .html(Sections.table(
                        List.of("Encoders", "Both right", "Only the first", "Only the second", "Neither", "p"), rows));
    }

    private static void perClass(HtmlPage page, JsonRecord record, List<String> names) {
        int classes = record.list(ENCODERS, 0, "perClass").size();
        List<List<HeatMap.Cell>> cells = new ArrayList<>();
        List<String> rows = new ArrayList<>();
        for (int c = 0; c < classes; c++) {
            int row = c;
            rows.add(record.text(ENCODERS, 0, "perClass", c, "class"));
            cells.add(IntStream.range(0, names.size())
                    .mapToObj(i -> new HeatMap.Cell(
                            record.figure(Numbers::percent, ENCODERS, i, "perClass", row, "recall"),
                            record.number(ENCODERS, i, "perClass", row, "recall")
                                    .orElse(Double.NaN),
                            false))
                    .toList());
        }
        String table = HeatMap.html("Recall of each class, by encoder", rows, names, cells);
        page.element("h2", "Recall by class")
                .html(classes > CLASSES ? Sections.details("All " + classes + " classes", table) : table);
    }

    private static void calibration(
            HtmlPage page, JsonRecord record, List<String> names, List<EncoderSections> encoders) {
        LineChart chart = new LineChart("Accuracy by confidence", "confidence")
                .format(Numbers::percent)
                .height(320);
        List<List<String>> rows = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            encoders.get(i).calibrationTo(chart, names.get(i));
            rows.add(List.of(
                    HtmlPage.escape(names.get(i)),
                    record.figure(Numbers::percent, ENCODERS, i, "calibration", "confidence"),
                    record.figure(Numbers::percent, ENCODERS, i, "calibration", "accuracy"),
                    record.figure(Numbers::percent, ENCODERS, i, "calibration", "expectedError")));
        }
        chart.line("perfectly calibrated", new double[] {0, 1}, new double[] {0, 1});
        StringBuilder figures = new StringBuilder();
        for (int i = 0; i < names.size(); i++) {
            figures.append("<h4>" + HtmlPage.escape(names.get(i)) + "</h4>\n"
                    + encoders.get(i).calibrationTable());
        }
        page.element("h2", "Calibration")
                .html(Sections.figure(
                        "Accuracy by confidence",
                        "Predictions grouped by the probability of"
                                + " the predicted class. Below the dashed line a classifier is overconfident, above it underconfident.",
                        chart.html()
                                + Sections.table(
                                        List.of("Encoder", "Mean confidence", "Accuracy", "Calibration error"), rows)
                                + Sections.details("Table of all bins", figures.toString())));
    }

    private static void maps(HtmlPage page, List<String> names, List<EvaluationPictures> pictures) {
        if (pictures.isEmpty()) {
            return;
        }
        page.element("h2", "Maps of the test images")
                .element("p", EvaluatePage.mapWords(pictures.get(0).sheet()));
        MapFigure.begin(page, pictures.get(0).sheet());
        List<String> figures = new ArrayList<>();
        for (int i = 0; i < pictures.size(); i++) {
            figures.add(Sections.figure(
                    names.get(i),
                    "",
                    MapFigure.html(
                            "Map by " + names.get(i),
                            pictures.get(i).sheet(),
                            pictures.get(i).map())));
        }
        Sections.figures(page, figures);
    }

    private static void neighbours(
            HtmlPage page, List<String> names, List<EncoderSections> encoders, List<EvaluationPictures> pictures) {
        if (pictures.isEmpty()) {
            return;
        }
        page.element("h2", "Nearest neighbours")
                .element(
                        "p",
                        "The same test images for each encoder, with the training images whose"
                                + " features are nearest. A cross marks a neighbour of another class.");
        for (int i = 0; i < pictures.size(); i++) {
            page.element("h3", names.get(i))
                    .html(encoders.get(i).neighbours(pictures.get(i).neighbours())
                            + "<div style=\"height:1.5rem\"></div>");
        }
    }

    private static void facts(HtmlPage page, JsonRecord record, List<String> names) {
        Map<String, String> facts = new LinkedHashMap<>();
        EvaluatePage.dataFacts(record, facts);
        for (int i = 0; i < names.size(); i++) {
            facts.put(
                    names.get(i),
                    record.text(ENCODERS, i, "encoder") + ", " + record.text(ENCODERS, i, "dimension")
                            + " features, SHA-256 " + record.text(ENCODERS, i, "encoderSha256"));
        }
        Sections.facts(page, "Encoders and images", facts);
        for (int i = 0; i < names.size(); i++) {
            Map<String, String> settings = new LinkedHashMap<>(record.facts(ENCODERS, i, "encoderMetadata"));
            int encoder = i;
            record.names(ENCODERS, i, "settings")
                    .forEach(name -> settings.put(
                            name,
                            record.text(ENCODERS, encoder, "settings", name, "value") + " ("
                                    + record.text(ENCODERS, encoder, "settings", name, "source") + ")"));
            StringBuilder table = new StringBuilder("<table>\n");
            settings.forEach((key, value) -> table.append("<tr><th scope=\"row\">" + HtmlPage.escape(key) + "</th><td>"
                    + HtmlPage.escape(value) + "</td></tr>\n"));
            page.html(Sections.details(
                    "Settings of " + names.get(i), table.append("</table>\n").toString()));
        }
    }
}
