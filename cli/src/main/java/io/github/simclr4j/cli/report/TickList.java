// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.report;

import java.util.List;

/**
 * Groups of thumbnails with checkboxes. A script saves the rows of the ticked images as CSV; without scripts the page can still be read
 * and ticked.
 */
public final class TickList {
    private static final String STYLE = """
            .bar { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; gap: .75rem; align-items: center;
              padding: .6rem 0; background: var(--page); border-bottom: 1px solid var(--line); }
            .cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: .75rem; padding: 0; margin: 0;
              list-style: none; }
            .card { display: block; height: 100%; padding: .5rem; border: 1px solid var(--line); border-radius: .5rem;
              background: var(--card); cursor: pointer; font-size: .85rem; line-height: 1.35; overflow-wrap: anywhere; }
            .card:has(:checked) { background: var(--chosen); border-color: var(--accent); }
            .card img { display: block; width: 100%; height: 7rem; object-fit: contain; image-rendering: auto; margin: .35rem 0; }
            .card input { width: 1.1rem; height: 1.1rem; vertical-align: middle; accent-color: var(--accent); }
            @media print { .bar { display: none; } .card { break-inside: avoid; } }
            """;
    private static final String SCRIPT = """
            (function () {
              var bar = document.querySelector('.bar'), count = bar.querySelector('output');
              function ticked() { return Array.from(document.querySelectorAll('input[data-row]:checked')); }
              function show() { count.textContent = ticked().length + ' ticked'; }
              bar.hidden = false;
              document.addEventListener('change', show);
              bar.querySelector('[data-save]').addEventListener('click', function () {
                var rows = [bar.dataset.header].concat(ticked().map(function (box) { return box.dataset.row; }));
                var link = document.createElement('a');
                link.href = URL.createObjectURL(new Blob([rows.join('\\n') + '\\n'], { type: 'text/csv' }));
                link.download = bar.dataset.file;
                link.click();
                URL.revokeObjectURL(link.href);
              });
              bar.querySelector('[data-none]').addEventListener('click', function () {
                ticked().forEach(function (box) { box.checked = false; });
                show();
              });
              show();
            })();
            """;

    /**
     * An image with a checkbox.
     *
     * @param name path of the image, which is also its description
     * @param thumbnail a {@code data:} URI
     * @param note a short note, such as its rank and score
     * @param row its line of CSV, without a line break
     */
    public record Card(String name, String thumbnail, String note, String row) {}

    /**
     * A group of images.
     *
     * @param title heading; empty for none
     * @param cards the images
     */
    public record Group(String title, List<Card> cards) {}

    private TickList() {}

    /**
     * Adds the list to a page.
     *
     * @param page the page
     * @param groups the images
     * @param header the first line of the CSV
     * @param file default name of the CSV file
     */
    public static void add(HtmlPage page, List<Group> groups, String header, String file) {
        page.style(STYLE).script(SCRIPT);
        page.html(
                "<div class=\"bar\" hidden data-header=\"" + HtmlPage.escape(header) + "\" data-file=\""
                        + HtmlPage.escape(file)
                        + "\"><button type=\"button\" data-save>Save ticked as CSV</button>"
                        + "<button type=\"button\" data-none>Untick all</button><output aria-live=\"polite\"></output></div>\n");
        for (Group group : groups) {
            page.html("<section>\n");
            if (!group.title().isEmpty()) {
                page.element("h2", group.title());
            }
            page.html("<ul class=\"cards\">\n");
            group.cards().forEach(c -> page.html(card(c)));
            page.html("</ul>\n</section>\n");
        }
    }

    private static String card(Card card) {
        return "<li><label class=\"card\"><input type=\"checkbox\" autocomplete=\"off\" data-row=\""
                + HtmlPage.escape(card.row())
                + "\"> " + HtmlPage.escape(card.note()) + "<img alt=\"\" src=\"" + HtmlPage.escape(card.thumbnail())
                + "\">"
                + HtmlPage.escape(card.name()) + "</label></li>\n";
    }
}
