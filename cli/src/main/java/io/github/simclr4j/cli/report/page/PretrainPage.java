// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.report.page;

import com.google.gson.JsonObject;
import io.github.simclr4j.cli.report.HtmlPage;
import io.github.simclr4j.cli.report.JsonRecord;
import io.github.simclr4j.cli.report.Numbers;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The report of a pretraining, complete or not. It can be written after every epoch.
 *
 * <p>The record has these fields, of which only {@code history} is required:
 *
 * <ul>
 *   <li>{@code history} is an array of epochs, each as in a line of the metrics file;
 *   <li>{@code encoderSha256} is present if the run is complete;
 *   <li>{@code epochsPlanned} is the number of epochs of the run;
 *   <li>{@code settings} has all settings as in the metadata of the encoder file;
 *   <li>{@code command} is the command that reproduces the run;
 *   <li>{@code encoder}, {@code finalLoss}, {@code knn}, {@code images}, {@code skipped}, {@code viewsPerSecond}, {@code precision},
 *       {@code device}, {@code seconds} and {@code version} are shown if they are present.
 * </ul>
 */
public final class PretrainPage {
    private static final String VIEWS = """
            .views { display: grid; gap: 1.25rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 28rem), 1fr)); }
            .views > div { display: grid; grid-auto-flow: column; grid-auto-columns: minmax(0, 1fr); gap: .5rem; align-items: end; }
            .views p { margin: 0; font-size: .75rem; line-height: 1.3; color: var(--quiet); }
            .views img { width: 100%; aspect-ratio: 1; object-fit: contain; border-radius: .35rem; display: block;
              margin-top: .25rem; image-rendering: pixelated; }
            """;

    private PretrainPage() {}

    /**
     * Returns the page.
     *
     * @param run the record, as above
     * @param views images beside their views, all with the same number of compositions; may be empty
     */
    public static HtmlPage of(JsonObject run, List<ViewRow> views) {
        JsonRecord record = new JsonRecord(run);
        String encoder = record.text("encoder");
        HtmlPage page = Sections.page(
                "Pretraining" + (encoder.isEmpty() ? "" : " of " + name(encoder)),
                "Pretraining report · learned from images "
                        + (record.text("settings", "data.labels").isEmpty() ? "without labels" : "with their labels"));
        int epochs = record.list("history").size();
        word(page, record, epochs);
        if (epochs > 0) {
            Sections.tiles(page, tiles(record, epochs));
            warnings(page, record);
            new TrainingCurves(record, "Training curves").addTo(page);
        }
        views(page, record.text("settings", "training.views"), views);
        Sections.facts(page, "Run", what(record));
        Sections.facts(page, "Settings", plain(record.facts("settings")));
        Sections.command(page, record.text("command"));
        return Sections.end(page, record.text("version"));
    }

    /** Returns settings without the prefix of most names. */
    static Map<String, String> plain(Map<String, String> settings) {
        Map<String, String> plain = new LinkedHashMap<>();
        settings.forEach((key, value) -> plain.put(key.replaceFirst("^training\\.", ""), value));
        return plain;
    }

    private static String name(String path) {
        return path.replaceFirst(".*[/\\\\]", "");
    }

    private static void word(HtmlPage page, JsonRecord record, int epochs) {
        boolean done = record.at("encoderSha256").isPresent();
        if (epochs == 0) {
            Sections.word(
                    page,
                    Sections.Kind.OPEN,
                    done ? "Nothing was trained" : "Training begins",
                    done ? "An earlier run has completed all epochs." : "The first epoch is not complete yet.");
            return;
        }
        int last = epochs - 1;
        String verdict = record.text("history", last, "verdict");
        String loss = record.figure(Numbers::plain, "history", last, "loss");
        String chance = record.number("history", last, "lossAtChance").isEmpty()
                ? ""
                : "; a network that has learned nothing has "
                        + record.figure(Numbers::plain, "history", last, "lossAtChance");
        String when = "After epoch " + record.figure(Numbers::whole, "history", last, "epoch")
                + (record.number("epochsPlanned").isEmpty()
                        ? ""
                        : " of " + record.figure(Numbers::whole, "epochsPlanned"));
        switch (verdict) {
            case "at chance" ->
                Sections.word(
                        page,
                        Sections.Kind.BAD,
                        "At chance: nothing learned so far",
                        when + " the loss is " + loss + chance
                                + ". Check the learning rate, and whether the two views of an image below still show the same object.");
            case "collapsed" ->
                Sections.word(
                        page,
                        Sections.Kind.BAD,
                        "Collapsed: all images have nearly the same embedding",
                        when
                                + " the embeddings fill "
                                + record.figure(Numbers::plain, "history", last, "effectiveRank")
                                + " directions, with a spread of "
                                + record.figure(Numbers::plain, "history", last, "spread")
                                + " of 1. Lower the learning rate, or choose a method with negatives or a head with batch norm.");
            case "diverging" ->
                Sections.word(
                        page,
                        Sections.Kind.BAD,
                        "Diverging: the loss is rising",
                        when + " the loss is " + loss
                                + ", and it has risen for several epochs. Lower the learning rate or lengthen the warm-up.");
            case "no step" ->
                Sections.word(
                        page,
                        Sections.Kind.BAD,
                        "No step was taken",
                        when + " the gradients of all steps of the" + " epoch have overflowed in float16.");
            case "learning" ->
                Sections.word(
                        page,
                        done ? Sections.Kind.GOOD : Sections.Kind.OPEN,
                        done ? "The encoder has learned" : "Learning",
                        when
                                + " the loss is " + loss + chance
                                + (record.number("history", last, "top1").isEmpty()
                                        ? "."
                                        : ". The nearest other view" + " belongs to the same image for "
                                                + record.figure(Numbers::percent, "history", last, "top1")
                                                + " of the views."));
            default ->
                Sections.word(
                        page, Sections.Kind.OPEN, done ? "Done" : "Training", when + " the loss is " + loss + ".");
        }
    }

    private static List<Sections.Tile> tiles(JsonRecord record, int epochs) {
        int last = epochs - 1;
        List<Sections.Tile> tiles = new ArrayList<>();
        tiles.add(new Sections.Tile(
                "Loss",
                record.figure(Numbers::plain, "history", last, "loss"),
                record.number("history", last, "lossAtChance").isEmpty()
                        ? "of the last epoch"
                        : "at chance " + record.figure(Numbers::plain, "history", last, "lossAtChance")));
        if (record.number("history", last, "top1").isPresent()) {
            tiles.add(new Sections.Tile(
                    "Contrastive accuracy",
                    record.figure(Numbers::percent, "history", last, "top1"),
                    "among the nearest five " + record.figure(Numbers::percent, "history", last, "top5")));
        }
        if (record.number("knn").isPresent()) {
            tiles.add(new Sections.Tile("Nearest neighbours", record.figure(Numbers::percent, "knn"), "kNN accuracy"));
        }
        tiles.add(new Sections.Tile(
                "Effective rank",
                record.figure(Numbers::plain, "history", last, "effectiveRank"),
                "directions that the embeddings fill"));
        if (record.number("images").isPresent()) {
            tiles.add(new Sections.Tile(
                    "Images",
                    record.figure(Numbers::whole, "images"),
                    record.list("skipped").isEmpty()
                            ? "all readable"
                            : record.list("skipped").size() + " unreadable"));
        }
        tiles.add(new Sections.Tile(
                "Speed",
                record.figure(v -> Numbers.whole(v) + "/s", "history", last, "viewsPerSecond"),
                "views in the last epoch"));
        if (record.number("seconds").isPresent()) {
            tiles.add(new Sections.Tile("Time", record.figure(Numbers::time, "seconds"), "the whole command"));
        }
        return tiles;
    }

    /** Adds the warnings of the epochs, if there are any. */
    static void warnings(HtmlPage page, JsonRecord record) {
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < record.list("history").size(); i++) {
            for (String warning : record.texts("history", i, "warnings")) {
                lines.add("<li>Epoch " + record.figure(Numbers::whole, "history", i, "epoch") + ": "
                        + HtmlPage.escape(warning) + "</li>\n");
            }
        }
        if (!lines.isEmpty()) {
            page.element("h2", "Warnings").html("<ul>\n" + String.join("", lines) + "</ul>\n");
        }
    }

    /** Adds images beside their views, if there are any. */
    static void views(HtmlPage page, String recipe, List<ViewRow> views) {
        if (views.isEmpty()) {
            return;
        }
        page.style(VIEWS).element("h2", "Training images and their views");
        List<String> ways =
                views.get(0).views().size() == 1 ? List.of("View") : List.of("First view", "Second view", "Small view");
        page.element(
                "p",
                "Original images beside random views of them. An encoder learns what the views of an image have in common. If"
                        + " you cannot tell that two views show the same image, or if views of different images look alike, learning is hard.");
        if (!recipe.isEmpty()) {
            page.html("<p class=\"quiet\">Views: <code>" + HtmlPage.escape(recipe) + "</code></p>\n");
        }
        page.html("<div class=\"views\">\n");
        for (ViewRow row : views) {
            page.html("<div>" + picture("Original", row.original(), row.name()));
            for (int way = 0; way < row.views().size(); way++) {
                String caption = ways.get(Math.min(way, ways.size() - 1));
                row.views().get(way).forEach(uri -> page.html(picture(caption, uri, caption + " of " + row.name())));
            }
            page.html("</div>\n");
        }
        page.html("</div>\n");
    }

    private static String picture(String caption, String uri, String name) {
        return "<p>" + caption + "<img alt=\"" + HtmlPage.escape(name) + "\" src=\"" + HtmlPage.escape(uri) + "\"></p>";
    }

    private static Map<String, String> what(JsonRecord record) {
        Map<String, String> facts = new LinkedHashMap<>();
        put(facts, "Encoder", record.text("encoder"));
        put(facts, "SHA-256 of the encoder", record.text("encoderSha256"));
        put(facts, "Fingerprint of the images", record.text("settings", "data.fingerprint"));
        put(facts, "Device", record.text("device"));
        put(facts, "Precision", record.text("precision"));
        if (record.number("resumedAfterEpoch").orElse(0) > 0) {
            put(facts, "Continued after epoch", record.text("resumedAfterEpoch"));
        }
        List<String> skipped = record.texts("skipped");
        put(
                facts,
                "Unreadable images",
                String.join("; ", skipped.subList(0, Math.min(20, skipped.size())))
                        + (skipped.size() > 20 ? " and " + (skipped.size() - 20) + " more" : ""));
        return facts;
    }

    private static void put(Map<String, String> facts, String name, String value) {
        if (!value.isEmpty()) {
            facts.put(name, value);
        }
    }
}
