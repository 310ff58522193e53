// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.report.page;

import io.github.simclr4j.cli.report.HtmlPage;
import io.github.simclr4j.cli.report.JsonRecord;
import io.github.simclr4j.cli.report.Numbers;
import io.github.simclr4j.cli.report.chart.LineChart;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.DoubleFunction;
import java.util.stream.IntStream;

/** The metrics of a pretraining by epoch, as charts and as a table. */
final class TrainingCurves {
    /** The metrics with a chart of their own here; a method's other metrics get charts after these. */
    private static final Set<String> KNOWN = Set.of(
            "run",
            "epoch",
            "loss",
            "lossAtChance",
            "learningRate",
            "viewsPerSecond",
            "top1",
            "top5",
            "alignment",
            "uniformity",
            "spread",
            "effectiveRank",
            "knn",
            "verdict",
            "warnings");

    private static final String EPOCH = "epoch";

    private final JsonRecord record;
    private final String heading;
    private final int epochs;
    private final double[] x;

    TrainingCurves(JsonRecord record, String heading) {
        this.record = record;
        this.heading = heading;
        epochs = record.list("history").size();
        x = column(EPOCH);
    }

    private double[] column(String name) {
        return IntStream.range(0, epochs)
                .mapToDouble(i -> record.number("history", i, name).orElse(Double.NaN))
                .toArray();
    }

    private boolean has(String name) {
        return IntStream.range(0, epochs)
                .anyMatch(i -> record.number("history", i, name).isPresent());
    }

    void addTo(HtmlPage page) {
        List<String> figures = new ArrayList<>();
        double chance = record.number("history", epochs - 1, "lossAtChance").orElse(Double.NaN);
        figures.add(Sections.figure(
                "Loss",
                Double.isNaN(chance)
                        ? "Mean of each epoch; it should fall."
                        : "Mean of each epoch; it should fall away from the dashed line, the loss of a network that has learned nothing.",
                new LineChart("Loss", EPOCH)
                        .line("loss", x, column("loss"))
                        .limit(chance, "at chance " + Numbers.plain(chance))
                        .html()));
        if (has("top1")) {
            figures.add(Sections.figure(
                    "Contrastive accuracy",
                    "How often the other view of the same image is the nearest of all"
                            + " candidates, or among the nearest five.",
                    new LineChart("Contrastive accuracy", EPOCH)
                            .line("nearest", x, column("top1"))
                            .line("among five", x, column("top5"))
                            .format(Numbers::percent)
                            .fromZero()
                            .html()));
        }
        if (has("knn")) {
            figures.add(Sections.figure(
                    "Nearest neighbours",
                    "Accuracy of a vote of the nearest labelled images. It shows how useful the"
                            + " features are without training a classifier.",
                    new LineChart("Accuracy of nearest neighbours", EPOCH)
                            .line("accuracy", x, column("knn"))
                            .format(Numbers::percent)
                            .html()));
        }
        figures.add(Sections.figure(
                "Alignment",
                "Mean squared distance of the two views' embeddings, 0 to 4. Low is good as long as"
                        + " uniformity is low as well.",
                single("Alignment", "alignment")));
        figures.add(Sections.figure(
                "Uniformity",
                "How evenly the embeddings cover the sphere. Lower is more even; near 0 all embeddings are"
                        + " the same.",
                single("Uniformity", "uniformity")));
        figures.add(Sections.figure(
                "Effective rank",
                "How many directions the embeddings fill. Near 1 they have collapsed to a line.",
                new LineChart("Effective rank", EPOCH)
                        .line("effective rank", x, column("effectiveRank"))
                        .fromZero()
                        .html()));
        figures.add(Sections.figure(
                "Learning rate",
                "At each epoch's last step: warm-up, then the schedule.",
                new LineChart("Learning rate", EPOCH)
                        .line("learning rate", x, column("learningRate"))
                        .fromZero()
                        .html()));
        for (String name : others()) {
            figures.add(Sections.figure(name, "A metric of this method.", single(name, name)));
        }
        figures.add(Sections.figure(
                "Speed",
                "Views a second.",
                new LineChart("Views a second", EPOCH)
                        .line("views a second", x, column("viewsPerSecond"))
                        .fromZero()
                        .format(Numbers::plain)
                        .html()));
        page.element("h2", heading);
        Sections.figures(page, figures);
        page.html("<div style=\"margin-top:1rem\">" + Sections.details("Table of all epochs", table()) + "</div>\n");
    }

    private String single(String title, String name) {
        return new LineChart(title, EPOCH).line(name, x, column(name)).html();
    }

    private Set<String> others() {
        Set<String> names = new LinkedHashSet<>();
        for (int i = 0; i < epochs; i++) {
            int epoch = i;
            record.names("history", i).stream()
                    .filter(n -> !KNOWN.contains(n)
                            && record.number("history", epoch, n).isPresent())
                    .forEach(names::add);
        }
        return names;
    }

    /** A column of the table. */
    private record Column(String title, String name, DoubleFunction<String> format) {}

    private String table() {
        List<Column> columns = new ArrayList<>(List.of(
                new Column("Loss", "loss", Numbers::plain),
                new Column("Nearest", "top1", Numbers::percent),
                new Column("In the top five", "top5", Numbers::percent),
                new Column("Neighbours", "knn", Numbers::percent),
                new Column("Alignment", "alignment", Numbers::plain),
                new Column("Uniformity", "uniformity", Numbers::plain),
                new Column("Spread", "spread", Numbers::plain),
                new Column("Effective rank", "effectiveRank", Numbers::plain),
                new Column("Learning rate", "learningRate", Numbers::plain),
                new Column("Views a second", "viewsPerSecond", Numbers::plain)));
        others().forEach(name -> columns.add(new Column(name, name, Numbers::plain)));
        columns.removeIf(c -> !has(c.name()));
        List<String> header = new ArrayList<>(List.of("Epoch"));
        columns.forEach(c -> header.add(c.title()));
        header.add("Verdict");
        List<List<String>> rows = new ArrayList<>();
        for (int i = 0; i < epochs; i++) {
            List<String> row = new ArrayList<>();
            row.add(record.figure(Numbers::whole, "history", i, EPOCH));
            for (Column c : columns) {
                row.add(record.figure(c.format(), "history", i, c.name()));
            }
            row.add(HtmlPage.escape(record.text("history", i, "verdict")));
            rows.add(row);
        }
        return Sections.table(header, rows);
    }
}
