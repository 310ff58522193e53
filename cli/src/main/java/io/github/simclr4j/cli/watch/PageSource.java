package io.github.simclr4j.cli.watch;

import java.io.IOException;

/** Makes the page that is served; called by several threads, one at a time. */
@FunctionalInterface
public interface PageSource {
    /**
     * Returns the page as it is by now, as HTML.
     *
     * @throws IOException if it can't be made; the browser is shown the message
     */
    String page() throws IOException;
}
