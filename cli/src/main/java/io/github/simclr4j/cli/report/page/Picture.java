// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.report.page;

import io.github.simclr4j.cli.report.HtmlPage;

/**
 * A small picture.
 *
 * @param name name of the image
 * @param uri a {@code data:} URI
 */
public record Picture(String name, String uri) {

    /** Returns the picture as HTML. */
    String html() {
        return "<img alt=\"" + HtmlPage.escape(name) + "\" title=\"" + HtmlPage.escape(name) + "\" src=\""
                + HtmlPage.escape(uri) + "\">";
    }
}
