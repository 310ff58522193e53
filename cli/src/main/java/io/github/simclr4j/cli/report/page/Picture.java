package io.github.simclr4j.cli.report.page;

import io.github.simclr4j.cli.report.HtmlPage;

/**
 * A small picture of an image.
 *
 * @param name the image's name
 * @param uri a {@code data:} URI
 */
public record Picture(String name, String uri) {

    /** Returns it as HTML. */
    String html() {
        return "<img alt=\"" + HtmlPage.escape(name) + "\" title=\"" + HtmlPage.escape(name) + "\" src=\"" + HtmlPage.escape(uri) + "\">";
    }
}
