// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** What must hold for every page that the program writes, in a real browser. */
public final class PageCheck {
    /** WCAG 2.2, success criterion 1.4.3 (contrast, minimum), for text, and 1.4.11 for lines. */
    private static final String CONTRAST = """
            var canvas = document.createElement('canvas'); canvas.width = canvas.height = 1;
            var pen = canvas.getContext('2d', { willReadFrequently: true });
            function rgba(colour) { pen.clearRect(0, 0, 1, 1); pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1);
              return Array.from(pen.getImageData(0, 0, 1, 1).data); }
            function light(c) { return c.slice(0, 3).map(function (v) { v /= 255;
              return v <= .04045 ? v / 12.92 : Math.pow((v + .055) / 1.055, 2.4); })
              .reduce(function (s, v, i) { return s + v * [.2126, .7152, .0722][i]; }, 0); }
            function back(e) { for (; e; e = e.parentElement) { var c = rgba(getComputedStyle(e).backgroundColor);
              if (c[3] > 250) return c; } return [255, 255, 255, 255]; }
            function ratio(a, b) { var x = light(a), y = light(b); return (Math.max(x, y) + .05) / (Math.min(x, y) + .05); }
            var low = [], count = 0, walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
            while (walk.nextNode()) {
              var e = walk.currentNode.parentElement, s = getComputedStyle(e);
              if (!walk.currentNode.data.trim() || e.closest('script, style, title, desc') || !e.getClientRects().length) continue;
              var svg = e instanceof SVGElement, large = parseFloat(s.fontSize) >= 24;
              var r = ratio(rgba(svg ? s.fill : s.color), back(e));
              count++;
              if (r < (large ? 3 : 4.5)) low.push(r.toFixed(2) + ' ' + e.tagName + '.' + e.getAttribute('class') + ': '
                + walk.currentNode.data.trim().slice(0, 40));
            }
            document.querySelectorAll('svg .line, svg circle, svg .limit').forEach(function (e) {
              var s = getComputedStyle(e), r = ratio(rgba(s.stroke === 'none' ? s.fill : s.stroke), back(e.ownerSVGElement));
              if (r < 3) low.push(r.toFixed(2) + ' line ' + s.stroke);
            });
            return { low: low.slice(0, 20), count: count };
            """;

    private static final String CONTROLS = """
            function seen(e) { return e.getClientRects().length && getComputedStyle(e).visibility === 'visible'; }
            window.controls = Array.from(document.querySelectorAll(
              'a[href], button, input, select, textarea, summary, [tabindex]:not([tabindex="-1"])'))
              .filter(function (e) { return seen(e) && !e.disabled; });
            document.activeElement.blur(); window.scrollTo(0, 0);
            return window.controls.length;
            """;
    private static final String FOCUSED = """
            var e = document.activeElement, s = getComputedStyle(e);
            return { number: window.controls.indexOf(e), name: e.tagName + ' ' + e.textContent.trim().slice(0, 30),
              outline: s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2 };
            """;

    private final Browser browser;
    private final Path page;

    /** Looks at a page on disk. */
    public PageCheck(Browser browser, Path page) {
        this.browser = browser;
        this.page = page;
    }

    /** Checks everything but the figures. */
    public PageCheck soundness() throws IOException {
        // What is left of the page before.
        browser.console();
        browser.requests();
        String html = Files.readString(page);
        assertFalse(
                html.matches("(?si).*(src|href|url\\()\\s*=?\\s*[\"'(]?\\s*(https?:)?//.*"),
                page + " refers to the network");
        assertTrue(Files.size(page) < 5 << 20, page + " has " + Files.size(page) + " bytes");
        for (int width : new int[] {390, 1280}) {
            for (boolean dark : new boolean[] {false, true}) {
                open(width, dark);
                assertEquals(
                        List.of(),
                        texts(browser.script(
                                "return document.documentElement.scrollWidth <= innerWidth ? [] : Array.from(document.querySelectorAll('body *'))"
                                        + ".filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll'))"
                                        + ".slice(0, 5).map(e => e.outerHTML.slice(0, 120))")),
                        page + " is too wide at " + width);
                JsonObject contrast = browser.script(CONTRAST).getAsJsonObject();
                assertEquals(List.of(), texts(contrast.get("low")), page + " has low contrast, dark: " + dark);
                assertTrue(contrast.get("count").getAsInt() > 5);
            }
        }
        structure();
        keyboard();
        withoutScripts();
        assertEquals(List.of(), browser.console());
        assertEquals(
                List.of(),
                browser.requests().stream()
                        .filter(a -> !a.startsWith("data:") && !a.startsWith("blob:") && !a.equals(uri().toString()))
                        .toList());
        return this;
    }

    private URI uri() {
        return page.toAbsolutePath().toUri();
    }

    private void open(int width, boolean dark) throws IOException {
        browser.look(width, dark);
        browser.open(uri());
        browser.script("document.querySelectorAll('details').forEach(d => d.open = true)");
    }

    private void structure() throws IOException {
        assertEquals("[]", browser.script("""
                var wrong = [], before = 0;
                document.querySelectorAll('h1, h2, h3, h4').forEach(function (h) { var level = +h.tagName[1];
                  if (level > before + 1) wrong.push('level ' + h.textContent); before = level; });
                if (document.querySelectorAll('h1').length !== 1) wrong.push('h1');
                if (!document.documentElement.lang || !document.title || !document.querySelector('main')) wrong.push('page');
                document.querySelectorAll('img:not([alt])').forEach(function (i) { wrong.push('img ' + i.outerHTML.slice(0, 60)); });
                document.querySelectorAll('svg:not([aria-hidden])').forEach(function (s) {
                  if (s.closest('[aria-hidden]') || s.ownerSVGElement) return;
                  if (s.getAttribute('role') !== 'img' || !s.getAttribute('aria-labelledby') && !s.getAttribute('aria-label'))
                    wrong.push('svg ' + s.outerHTML.slice(0, 60)); });
                var ids = Array.from(document.querySelectorAll('[id]')).map(function (e) { return e.id; });
                if (new Set(ids).size < ids.length) wrong.push('ids');
                document.querySelectorAll('[aria-labelledby], [aria-describedby]').forEach(function (e) {
                  ((e.getAttribute('aria-labelledby') || '') + ' ' + (e.getAttribute('aria-describedby') || '')).trim().split(/\\s+/)
                    .forEach(function (id) { if (!document.getElementById(id)) wrong.push('no ' + id); }); });
                document.querySelectorAll('button, summary').forEach(function (b) {
                  if (!b.textContent.trim() && !b.getAttribute('aria-label')) wrong.push('nameless ' + b.outerHTML.slice(0, 60)); });
                return wrong;
                """).toString());
    }

    /** Pictures and figures are there when the page's own scripts don't run. */
    private void withoutScripts() throws IOException {
        String text = "return document.querySelector('main').innerText.length";
        String pictures =
                "return Array.from(document.querySelectorAll('.chart > svg, .stage > svg, img:not([hidden])'))"
                        + ".filter(e => !e.getClientRects().length).length";
        browser.devTools("Emulation.setScriptExecutionDisabled", Map.of("value", true));
        try {
            open(1280, false);
            assertTrue(browser.script(text).getAsInt() > 200, page + " says nothing without scripts");
            assertEquals(0, browser.script(pictures).getAsInt(), page + " hides pictures without scripts");
            assertEquals(
                    0,
                    browser.script("return document.querySelectorAll('.stage canvas').length")
                            .getAsInt(),
                    "scripts have run");
        } finally {
            browser.devTools("Emulation.setScriptExecutionDisabled", Map.of("value", false));
        }
    }

    /** The key Tab leads to every control, and each shows that it is there. */
    private void keyboard() throws IOException {
        int controls = browser.script(CONTROLS).getAsInt();
        List<Integer> reached = new ArrayList<>();
        for (int i = 0; i < controls + 2; i++) {
            browser.press("Tab", 9);
            JsonObject focused = browser.script(FOCUSED).getAsJsonObject();
            int number = focused.get("number").getAsInt();
            if (number >= 0) {
                assertTrue(focused.get("outline").getAsBoolean(), "no outline around " + focused.get("name"));
                reached.add(number);
            }
        }
        assertEquals(
                controls, reached.stream().distinct().count(), "of " + controls + " controls were reached: " + reached);
    }

    /** Checks that the figures of the page are those of the result, and that there are some. */
    public PageCheck figures(JsonObject result, int least) throws IOException {
        open(1280, false);
        JsonArray figures = browser.script("""
                return Array.from(document.querySelectorAll('data[data-json]')).map(function (d) {
                  return [d.dataset.json, d.value, d.textContent]; });
                """).getAsJsonArray();
        assertTrue(figures.size() >= least, "only " + figures.size() + " figures");
        for (JsonElement figure : figures) {
            String pointer = figure.getAsJsonArray().get(0).getAsString();
            JsonElement value = at(result, pointer);
            assertEquals(value.getAsString(), figure.getAsJsonArray().get(1).getAsString(), pointer);
            shown(pointer, value.getAsDouble(), figure.getAsJsonArray().get(2).getAsString());
        }
        return this;
    }

    /** What is shown is the value, rounded. */
    private static void shown(String pointer, double value, String text) {
        String plain = text.replace("\u202f", "");
        if (plain.matches("-?[\\d.]+(e[+-]?\\d+)?%?")) {
            boolean percent = plain.endsWith("%");
            double shown = Double.parseDouble(plain.replace("%", ""));
            double exact = percent ? 100 * value : value;
            assertEquals(
                    exact,
                    shown,
                    Math.max(
                                    percent ? 0.0501 : 0.0006 * Math.abs(exact),
                                    0.01 * Math.abs(exact) * (plain.contains("e") ? 1 : 0))
                            + (plain.contains(".") || percent ? 0 : 0.5),
                    pointer);
        }
    }

    private static JsonElement at(JsonObject result, String pointer) {
        JsonElement value = result;
        for (String step : pointer.substring(1).split("/")) {
            String name = step.replace("~1", "/").replace("~0", "~");
            value = value.isJsonArray()
                    ? value.getAsJsonArray().get(Integer.parseInt(name))
                    : value.getAsJsonObject().get(name);
            assertTrue(value != null && !value.isJsonNull(), "the result has no " + pointer);
        }
        return value;
    }

    private static List<String> texts(JsonElement list) {
        return list.getAsJsonArray().asList().stream()
                .map(JsonElement::getAsString)
                .collect(Collectors.toList());
    }
}
