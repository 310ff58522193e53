package io.github.simclr4j.cli.report.page;

import java.util.List;

/**
 * Small pictures of the images of a map, all in one.
 *
 * @param uri a {@code data:} URI of the picture, whose tiles are the images from left to right, row by row
 * @param tile side of a tile in pixels
 * @param columns tiles in a row
 * @param names a name for each image
 * @param kinds the number of each image's class, or -1 where it is not known
 * @param classes names of the classes
 */
public record ImageSheet(String uri, int tile, int columns, List<String> names, List<Integer> kinds, List<String> classes) {
    /** Copies the lists. */
    public ImageSheet {
        names = List.copyOf(names);
        kinds = List.copyOf(kinds);
        classes = List.copyOf(classes);
    }
}
