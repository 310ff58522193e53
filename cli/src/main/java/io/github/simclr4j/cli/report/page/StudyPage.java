// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.report.page;

import com.google.gson.JsonObject;
import io.github.simclr4j.cli.report.HtmlPage;
import io.github.simclr4j.cli.report.JsonRecord;
import io.github.simclr4j.cli.report.Numbers;
import io.github.simclr4j.cli.report.chart.Bars;
import io.github.simclr4j.cli.report.chart.HeatMap;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/** The report of a study, complete or not. */
public final class StudyPage {
    private static final String CELLS = "cells";
    private static final String ACCURACY = "accuracy";

    private final JsonRecord record;
    private final List<String> axes;
    private final int count;

    private StudyPage(JsonRecord record) {
        this.record = record;
        axes = record.texts("axes");
        count = record.list(CELLS).size();
    }

    /**
     * Returns the page.
     *
     * @param result the JSON result of {@code study}
     */
    public static HtmlPage of(JsonObject result) {
        return new StudyPage(new JsonRecord(result)).page();
    }

    private HtmlPage page() {
        String source = record.text("source");
        HtmlPage page = Sections.page(
                        record.text("summary"),
                        "Study " + record.text("study") + (source.isEmpty() ? "" : " · " + source))
                .style(Bars.STYLE)
                .style(HeatMap.STYLE);
        word(page);
        if (count(ACCURACY) > 0) {
            page.element("h2", "Linear accuracy")
                    .element(
                            "p",
                            "Each cell is one pretraining. A linear classifier is trained on its features with all"
                                    + " labels of the training images; the figure is its accuracy on the test images. Each cell has one seed, so differences of one"
                                    + " or two percentage points may be chance.")
                    .html(new StudyChartHtml(record, axes).html());
        }
        failures(page);
        page.element("h2", "All cells").html(table());
        Map<String, String> facts = new LinkedHashMap<>();
        record.names("images").stream()
                .sorted()
                .forEach(set -> facts.put(
                        switch (set) {
                            case "images" -> "Pretraining images";
                            case "train" -> "Training images of the classifiers";
                            default -> "Test images";
                        },
                        record.text("images", set)));
        IntStream.range(0, count)
                .mapToObj(i -> record.text(CELLS, i, "training", "data.fingerprint"))
                .filter(f -> !f.isEmpty())
                .distinct()
                .findFirst()
                .ifPresent(f -> facts.put("Fingerprint of the pretraining images", f));
        Sections.facts(page, "Images", facts);
        Sections.facts(page, "Settings of all cells", record.facts("given"));
        Sections.command(page, record.text("command"));
        return Sections.end(page, record.text("version"));
    }

    private int count(String field) {
        return (int) IntStream.range(0, count)
                .filter(i -> record.at(CELLS, i, field).isPresent())
                .count();
    }

    private Optional<Integer> extreme(boolean best) {
        Comparator<Integer> order = Comparator.comparingDouble(
                i -> record.number(CELLS, i, ACCURACY).orElseThrow());
        return IntStream.range(0, count)
                .boxed()
                .filter(i -> record.number(CELLS, i, ACCURACY).isPresent())
                .min(best ? order.reversed() : order);
    }

    private String title(int cell) {
        return String.join(
                ", ",
                axes.stream()
                        .map(a -> a + " " + record.text(CELLS, cell, "levels", a))
                        .toList());
    }

    private void word(HtmlPage page) {
        int done = count(ACCURACY);
        int failed = count("failure");
        String state = done + " of " + count + " cells are done" + (failed == 0 ? "" : ", " + failed + " failed");
        if (done == 0) {
            Sections.word(
                    page,
                    failed > 0 ? Sections.Kind.BAD : Sections.Kind.OPEN,
                    state,
                    failed > 0 ? "The reasons are listed below." : "This page is updated when the first cell is done.");
            return;
        }
        int best = extreme(true).orElseThrow();
        int least = extreme(false).orElseThrow();
        Sections.word(
                page,
                failed > 0 ? Sections.Kind.BAD : done < count ? Sections.Kind.OPEN : Sections.Kind.GOOD,
                (done < count ? "So far the best is " : "The best is ") + title(best),
                "Its linear accuracy is " + record.figure(Numbers::percent, CELLS, best, ACCURACY) + "; the worst is "
                        + record.figure(Numbers::percent, CELLS, least, ACCURACY) + " with "
                        + HtmlPage.escape(title(least)) + ". "
                        + state + ".");
    }

    private void failures(HtmlPage page) {
        if (count("failure") > 0) {
            page.element("h2", "Failed cells").html("<ul>\n");
            IntStream.range(0, count)
                    .filter(i -> record.at(CELLS, i, "failure").isPresent())
                    .forEach(i -> page.html(
                            "<li>" + HtmlPage.escape(title(i) + ": " + record.text(CELLS, i, "failure")) + "</li>\n"));
            page.html("</ul>\n").element("p", "Run the same command again to retry these cells.");
        }
    }

    private String table() {
        List<String> header = new ArrayList<>(axes);
        header.addAll(List.of("Accuracy", "Final loss", "Parameters", "Features", "Epochs", "Time", "State"));
        List<List<String>> rows = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            List<String> row = new ArrayList<>();
            for (String axis : axes) {
                row.add(HtmlPage.escape(record.text(CELLS, i, "levels", axis)));
            }
            row.addAll(List.of(
                    record.figure(Numbers::percent, CELLS, i, ACCURACY),
                    record.figure(Numbers::plain, CELLS, i, "finalLoss"),
                    record.figure(Numbers::whole, CELLS, i, "parameters"),
                    record.figure(Numbers::whole, CELLS, i, "dimension"),
                    record.figure(Numbers::whole, CELLS, i, "epochs"),
                    record.figure(Numbers::time, CELLS, i, "seconds"),
                    HtmlPage.escape(record.text(CELLS, i, "state"))));
            rows.add(row);
        }
        return Sections.table(header, rows);
    }
}
