// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.watch;

import java.io.IOException;

/** Creates the page of a server. Several threads call it, one at a time. */
@FunctionalInterface
public interface PageSource {
    /**
     * Returns the current page as HTML.
     *
     * @throws IOException if the page cannot be created; the browser shows the message
     */
    String page() throws IOException;
}
