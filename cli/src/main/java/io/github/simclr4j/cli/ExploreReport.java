// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.cli.report.DataImage;
import io.github.simclr4j.cli.report.HtmlPage;
import io.github.simclr4j.cli.report.TickList;
import io.github.simclr4j.images.source.ImageSource;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;

/** Makes the page of thumbnails of the findings. */
final class ExploreReport {
    /** Most thumbnails of a page; more would be too many for a browser and its reader. */
    static final int MOST = 1000;

    private ExploreReport() {}

    /** Reads the images of the first rows again and returns the page. */
    static String page(
            ExploreCommand command,
            Findings findings,
            ImageSource source,
            EncodedImages found,
            Map<String, Object> json)
            throws IOException {
        HtmlPage page = new HtmlPage(command.title());
        page.element("p", command.meaning());
        int shown = Math.min(MOST, findings.rows().size());
        if (shown < findings.rows().size()) {
            page.element(
                    "p",
                    "The first " + shown + " of " + findings.rows().size() + " rows are shown; the table "
                            + command.out.getFileName() + " contains all of them.");
        } else if (shown == 0) {
            page.element("p", "Nothing was found.");
        }
        Map<String, List<TickList.Card>> groups = new LinkedHashMap<>();
        for (Findings.Row row : findings.rows().subList(0, shown)) {
            if (Thread.currentThread().isInterrupted()) {
                throw new CancellationException("Interrupted while the report was made");
            }
            groups.computeIfAbsent(row.group(), g -> new ArrayList<>()).add(card(findings, row, source, found));
        }
        String file = command.out.getFileName().toString().replaceFirst("(?i)\\.csv$", "-ticked.csv");
        TickList.add(
                page,
                groups.entrySet().stream()
                        .map(g -> new TickList.Group(g.getKey(), g.getValue()))
                        .toList(),
                findings.header(),
                file);
        page.element("h2", "How this was made").facts(facts(command, json).entrySet());
        return page.toString();
    }

    private static TickList.Card card(Findings findings, Findings.Row row, ImageSource source, EncodedImages found)
            throws IOException {
        List<String> notes = new ArrayList<>();
        for (int c = 0; c < findings.columns().size(); c++) {
            String column = findings.columns().get(c);
            if (!column.equals("path") && !column.equals("query") && !column.equals("group")) {
                notes.add(column + " " + row.cells().get(c));
            }
        }
        return new TickList.Card(
                found.features().name(row.image()),
                DataImage.thumbnail(source.read(found.numbers()[row.image()])),
                String.join(" · ", notes),
                row.csv());
    }

    private static Map<String, Object> facts(ExploreCommand command, Map<String, Object> json) {
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put(
                "Images",
                command.images + " (" + json.get("images") + " read, " + ((List<?>) json.get("skipped")).size()
                        + " skipped)");
        facts.put("Encoder", command.encoder + ", SHA-256 " + json.get("encoderSha256"));
        facts.put("Table", command.out);
        return facts;
    }
}
