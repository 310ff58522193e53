// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.report.page;

import java.util.List;

/**
 * An image beside its views.
 *
 * @param name name of the image
 * @param original a {@code data:} URI
 * @param views {@code data:} URIs, one list per composition
 */
public record ViewRow(String name, String original, List<List<String>> views) {
    /** Copies the lists. */
    public ViewRow {
        views = views.stream().map(List::copyOf).toList();
    }
}
