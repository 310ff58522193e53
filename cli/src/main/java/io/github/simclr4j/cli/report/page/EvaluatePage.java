// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.report.page;

import com.google.gson.JsonObject;
import io.github.simclr4j.cli.report.HtmlPage;
import io.github.simclr4j.cli.report.JsonRecord;
import io.github.simclr4j.cli.report.Numbers;
import io.github.simclr4j.cli.report.chart.Bars;
import io.github.simclr4j.cli.report.chart.HeatMap;
import io.github.simclr4j.cli.report.chart.LineChart;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The report of an evaluation: the accuracy of classifiers on an encoder's features, their errors, and a map of the features. */
public final class EvaluatePage {
    private static final String LINEAR = "linear";
    private static final String ENCODER = "simclr";

    private EvaluatePage() {}

    /**
     * Returns the page.
     *
     * @param result the JSON result of {@code evaluate}
     * @param pictures the images
     */
    public static HtmlPage of(JsonObject result, EvaluationPictures pictures) {
        JsonRecord record = new JsonRecord(result);
        HtmlPage page = begin(
                "Evaluation of " + record.text("encoder").replaceFirst(".*[/\\\\]", ""),
                "Evaluation report · " + record.list("classes").size() + " classes");
        addTo(page, record, pictures);
        Sections.facts(page, "Encoder and images", facts(record));
        Map<String, String> settings = new LinkedHashMap<>();
        record.names("settings")
                .forEach(name -> settings.put(
                        name,
                        record.text("settings", name, "value") + " (" + record.text("settings", name, "source") + ")"));
        Sections.facts(page, "Preprocessing", settings);
        Sections.facts(page, "Metadata of the encoder file", record.facts("encoderMetadata"));
        Sections.command(page, record.text("command"));
        return Sections.end(page, record.text("version"));
    }

    /** Begins a page on one or several encoders. */
    static HtmlPage begin(String title, String kind) {
        return Sections.page(title, kind).style(Bars.STYLE).style(HeatMap.STYLE).style(EncoderSections.STYLE);
    }

    /** Adds all sections on the encoder, including the verdict. */
    static void addTo(HtmlPage page, JsonRecord record, EvaluationPictures pictures) {
        AccuracySection linear = new AccuracySection(record, LINEAR, LINEAR);
        AccuracySection others = new AccuracySection(record, "protocols", "protocol");
        EncoderSections sections = new EncoderSections(record);
        if (linear.names().isEmpty()) {
            word(page, others);
        } else {
            word(page, record, linear);
        }
        Sections.tiles(page, tiles(record, linear, others));
        if (!linear.names().isEmpty()) {
            linear.addTo(
                    page,
                    "Linear evaluation",
                    "A linear classifier on fixed features, trained with a share of the labels and tested"
                            + " on other images. simclr is this encoder; pixels are raw; untrained is the same network with random weights."
                            + (record.list("linearRuns", ENCODER, linear.most()).size() > 1
                                    ? " Bars and ± are one standard deviation over the" + " seeds, above and below."
                                    : ""));
        }
        if (!others.names().isEmpty()) {
            others.addTo(
                    page, "Other protocols", "Accuracy on the test images by other ways of learning from the labels.");
        }
        if (record.at("perClass").isPresent()) {
            page.element("h2", "Results for each class")
                    .element(
                            "p",
                            "With the largest share of labels. Recall is the share of the class's images that the classifier"
                                    + " finds; precision is the share of its predictions of this class that are right; F1 is their harmonic mean.")
                    .html(sections.perClass());
            page.element("h2", "Confusion matrix")
                    .html(sections.matrix())
                    .html("<div style=\"height:1rem\"></div>")
                    .html(sections.confusions(pictures.confusions()));
        }
        if (sections.hasCalibration()) {
            LineChart chart = new LineChart("Accuracy by confidence", "confidence")
                    .format(Numbers::percent)
                    .height(300);
            sections.calibrationTo(chart, "this classifier");
            chart.line("perfectly calibrated", new double[] {0, 1}, new double[] {0, 1});
            page.element("h2", "Calibration")
                    .html("<p>" + sections.calibrationWord() + "</p>\n")
                    .html(Sections.figure(
                            "Accuracy by confidence",
                            "Predictions grouped by the probability of the predicted class. Below the dashed line the"
                                    + " classifier is overconfident, above it underconfident.",
                            chart.html() + Sections.details("Table of all bins", sections.calibrationTable())));
        }
        map(page, pictures);
        if (!pictures.neighbours().isEmpty()) {
            page.element("h2", "Nearest neighbours")
                    .element(
                            "p",
                            "Test images, each with the training images whose features are nearest and their"
                                    + " cosine similarity. A cross marks a neighbour of another class.")
                    .html(sections.neighbours(pictures.neighbours()));
        }
    }

    private static void map(HtmlPage page, EvaluationPictures pictures) {
        if (pictures.map() != null) {
            page.element("h2", "Map of the test images");
            MapFigure.begin(page, pictures.sheet());
            page.html(Sections.figure(
                    "Images by their features",
                    mapWords(pictures.sheet()),
                    MapFigure.html("Map of the test images", pictures.sheet(), pictures.map())));
        }
    }

    /** Returns a sentence about reading a map. */
    static String mapWords(ImageSheet sheet) {
        return sheet.names().size()
                + " test images, projected by UMAP with 15 neighbours. Images that are close together are similar to the"
                + " encoder. The axes have no meaning, and neither have distances between groups that are far apart.";
    }

    /** Adds the verdict without linear evaluation, which would give a comparison. */
    private static void word(HtmlPage page, AccuracySection protocols) {
        List<String> figures = protocols.names().stream()
                .map(p -> HtmlPage.escape(p) + " " + protocols.figure(p, protocols.most()))
                .toList();
        Sections.word(
                page,
                Sections.Kind.OPEN,
                "No baseline was measured",
                "With " + HtmlPage.escape(protocols.most())
                        + " of the labels, the accuracy on the test images is: " + String.join(", ", figures)
                        + ". Add linear evaluation to"
                        + " compare with raw pixels and an untrained encoder.");
    }

    private static void word(HtmlPage page, JsonRecord record, AccuracySection linear) {
        String share = linear.most();
        double own = linear.mean(ENCODER, share);
        double best = linear.names().stream()
                .filter(n -> !n.equals(ENCODER))
                .mapToDouble(n -> linear.mean(n, share))
                .max()
                .orElse(0);
        List<String> others = new ArrayList<>();
        linear.names().stream()
                .filter(n -> !n.equals(ENCODER))
                .forEach(n -> others.add(
                        (n.equals("pixels") ? "raw pixels " : "an untrained encoder ") + linear.figure(n, share)));
        Sections.word(
                page,
                own > best + 0.02 ? Sections.Kind.GOOD : own > best ? Sections.Kind.OPEN : Sections.Kind.BAD,
                own > best + 0.02
                        ? "The encoder has learned useful features"
                        : own > best
                                ? "The features are barely better than the baselines"
                                : "The features are no better than the baselines",
                "With " + HtmlPage.escape(share) + " of the labels, a linear classifier on its features reaches "
                        + linear.figure(ENCODER, share) + " accuracy on the test images"
                        + (others.isEmpty() ? "." : "; on " + String.join(", on ", others) + "."));
    }

    private static List<Sections.Tile> tiles(JsonRecord record, AccuracySection linear, AccuracySection others) {
        List<Sections.Tile> tiles = new ArrayList<>();
        if (!linear.names().isEmpty()) {
            for (String share : linear.shares()) {
                tiles.add(new Sections.Tile(
                        "With " + share + " of the labels", linear.figure(ENCODER, share), "linear accuracy"));
            }
        }
        others.names()
                .forEach(p -> tiles.add(new Sections.Tile(
                        p,
                        others.figure(p, others.most()),
                        "with " + HtmlPage.escape(others.most()) + " of the labels")));
        if (record.number("calibration", "expectedError").isPresent()) {
            tiles.add(new Sections.Tile(
                    "Calibration error",
                    record.figure(Numbers::percent, "calibration", "expectedError"),
                    "0 is perfectly calibrated"));
        }
        tiles.add(new Sections.Tile("Time", record.figure(Numbers::time, "seconds"), "the whole command"));
        return tiles;
    }

    private static Map<String, String> facts(JsonRecord record) {
        Map<String, String> facts = new LinkedHashMap<>();
        put(facts, "Encoder", record.text("encoder"));
        put(facts, "SHA-256 of the encoder", record.text("encoderSha256"));
        dataFacts(record, facts);
        return facts;
    }

    /** Adds the paths and fingerprints of the images. */
    static void dataFacts(JsonRecord record, Map<String, String> facts) {
        for (String set : List.of("train", "test")) {
            put(facts, set.equals("train") ? "Training images" : "Test images", record.text("data", set, "path"));
            put(
                    facts,
                    "Fingerprint of the " + set + (set.equals("train") ? "ing images" : " images"),
                    record.text("data", set, "fingerprint"));
        }
        if (record.number("skipped").orElse(0) > 0) {
            put(facts, "Unreadable images", record.text("skipped"));
        }
    }

    static void put(Map<String, String> facts, String name, String value) {
        if (!value.isEmpty()) {
            facts.put(name, value);
        }
    }
}
