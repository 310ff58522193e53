// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.report.page;

import java.util.List;

/**
 * A contact sheet with the images of a map.
 *
 * @param uri a {@code data:} URI of the sheet, whose tiles are the images from left to right, row by row
 * @param tile side of a tile in pixels
 * @param columns tiles per row
 * @param names name of each image
 * @param kinds index of each image's class, or -1 if unknown
 * @param classes names of the classes
 */
public record ImageSheet(
        String uri, int tile, int columns, List<String> names, List<Integer> kinds, List<String> classes) {
    /** Copies the lists. */
    public ImageSheet {
        names = List.copyOf(names);
        kinds = List.copyOf(kinds);
        classes = List.copyOf(classes);
    }
}
