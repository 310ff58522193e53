// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.report.page;

import com.google.gson.Gson;
import io.github.simclr4j.cli.report.HtmlPage;
import io.github.simclr4j.tribuo.explore.EmbeddingMap;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Maps of images: static pictures, which a script makes zoomable and movable with previews of the images. */
final class MapFigure {
    /** Number of colours of classes; further classes repeat them with other shapes. */
    private static final int COLOURS = 10;

    private static final String SHEET = "image-sheet";
    private static final String HINT = "Point at an image, or move the map with the arrow keys, to see it here.";
    private static final String STYLE = """
            .map { --k0: #0a62a9; --k1: #b3500b; --k2: #00765b; --k3: #8a3f9e; --k4: #a61c54; --k5: #6b6f00; --k6: #2a7a1f;
              --k7: #7a5230; --k8: #4a4fb5; --k9: #5a6270; }
            @media screen and (prefers-color-scheme: dark) { .map { --k0: #7cb7f2; --k1: #f2a35e; --k2: #5fd0ae; --k3: #d7a1e3;
              --k4: #ff9bbd; --k5: #d3d35e; --k6: #8fd67f; --k7: #d8b08c; --k8: #a9adff; --k9: #b3bbc7; } }
            .stage { width: 100%; max-width: 46rem; aspect-ratio: 1; border: 1px solid var(--line); border-radius: .5rem;
              background: var(--page); overflow: hidden; } .stage svg, .stage canvas { display: block; width: 100%; height: 100%; }
            .stage canvas { cursor: grab; } .stage canvas:focus-visible { outline-offset: -4px; }
            .tools, .kinds { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin: .75rem 0; }
            .kinds { gap: .35rem; max-height: 9rem; overflow-y: auto; padding: .25rem; } .kinds button { padding: .15rem .6rem; font-size: .85rem; }
            .kinds button:disabled { border-color: var(--line); cursor: default; opacity: 1; color: var(--text); }
            .kinds button[aria-pressed=true] { background: var(--chosen); border-color: var(--accent); }
            .kinds svg { vertical-align: -.1em; margin-right: .35rem; } .tools[hidden], .kinds[hidden], .look[hidden] { display: none; }
            .tools input { width: 1.1rem; height: 1.1rem; vertical-align: -.2em; accent-color: var(--accent); }
            .look { display: flex; gap: .75rem; align-items: center; min-height: 6rem; font-size: .88rem; overflow-wrap: anywhere; }
            .look canvas { flex: none; border-radius: .35rem; } .look canvas[hidden] { display: none; }
            @media print { .kinds button { display: inline-block; } .tools, .look { display: none; } .stage { max-width: 24rem; } }
            """;

    private MapFigure() {}

    /** Adds to a page what all its maps need, once per page. */
    static void begin(HtmlPage page, ImageSheet sheet) {
        try (InputStream script = MapFigure.class.getResourceAsStream("map.js")) {
            page.style(STYLE).script(new String(script.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        page.html("<img id=\"" + SHEET + "\" alt=\"\" hidden data-names=\""
                + HtmlPage.escape(new Gson().toJson(sheet.names())) + "\" src=\"" + sheet.uri() + "\">\n");
    }

    /** Returns a map as HTML. */
    static String html(String title, ImageSheet sheet, EmbeddingMap map) {
        StringBuilder out = new StringBuilder("<div class=\"map\" data-sheet=\"" + SHEET + "\" data-tile=\""
                + sheet.tile() + "\" data-columns=\"" + sheet.columns() + "\">\n<div class=\"kinds\">");
        for (int k = 0; k < sheet.classes().size(); k++) {
            out.append("<button type=\"button\" disabled aria-pressed=\"false\" data-name=\""
                    + HtmlPage.escape(sheet.classes().get(k)) + "\">"
                    + "<svg width=\"11\" height=\"11\" viewBox=\"-6 -6 12 12\" aria-hidden=\"true\" fill=\"var(--k"
                    + k % COLOURS + ")\">"
                    + shape(k) + "</svg>" + HtmlPage.escape(sheet.classes().get(k)) + "</button>");
        }
        out.append("</div>\n<div class=\"stage\"><svg role=\"img\" viewBox=\"-20 -20 1040 1040\" aria-label=\""
                + HtmlPage.escape(title + ": " + sheet.names().size() + " images as points.") + "\">\n");
        circles(sheet, map, out);
        return out.append(
                        "</svg></div>\n<div class=\"tools\" hidden><button type=\"button\" class=\"in\">Zoom in</button>"
                                + "<button type=\"button\" class=\"out\">Zoom out</button><button type=\"button\" class=\"all\">Show all</button>"
                                + "<label><input type=\"checkbox\" class=\"pictures\" autocomplete=\"off\"> Pictures</label></div>\n"
                                + "<div class=\"look\" hidden><canvas class=\"close\" width=\"96\" height=\"96\" hidden aria-hidden=\"true\"></canvas>"
                                + "<output aria-live=\"polite\">" + HINT + "</output></div></div>\n")
                .toString();
    }

    private static void circles(ImageSheet sheet, EmbeddingMap map, StringBuilder out) {
        List<Integer> kinds =
                new ArrayList<>(sheet.kinds().stream().distinct().sorted().toList());
        for (int kind : kinds) {
            out.append("<g data-kind=\"" + kind + "\" fill=\""
                    + (kind < 0 ? "var(--k9)" : "var(--k" + kind % COLOURS + ")") + "\">");
            for (int i = 0; i < sheet.kinds().size(); i++) {
                if (sheet.kinds().get(i) == kind) {
                    out.append(String.format(
                            Locale.ROOT,
                            "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"6\" data-image=\"%d\"/>",
                            1000 * map.x()[i],
                            1000 * map.y()[i],
                            i));
                }
            }
            out.append("</g>\n");
        }
    }

    private static String shape(int kind) {
        return kind < COLOURS
                ? "<circle r=\"5\"/>"
                : kind < 2 * COLOURS
                        ? "<rect x=\"-5\" y=\"-5\" width=\"10\" height=\"10\"/>"
                        : "<path d=\"M0 -6L6 5H-6z\"/>";
    }
}
