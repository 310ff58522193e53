package io.github.simclr4j.cli.report.page;

import java.util.List;

/**
 * An image beside views of it.
 *
 * @param name the image's name
 * @param original a {@code data:} URI
 * @param views likewise, a list for each way in which views are made
 */
public record ViewRow(String name, String original, List<List<String>> views) {
    /** Copies the lists. */
    public ViewRow {
        views = views.stream().map(List::copyOf).toList();
    }
}
