package io.github.simclr4j.cli.report.page;

import io.github.simclr4j.tribuo.explore.EmbeddingMap;
import java.util.List;

/**
 * What the record of an evaluation does not hold: its images.
 *
 * @param confusions images of each of the record's {@code commonestConfusions}
 * @param neighbours of each of the record's {@code neighbours} the image itself, then those that are nearest
 * @param sheet the images of the map, or null without a map
 * @param map where they are, in the order of the sheet, or null
 */
public record EvaluationPictures(List<List<Picture>> confusions, List<List<Picture>> neighbours, ImageSheet sheet, EmbeddingMap map) {
    /** No pictures at all. */
    public static final EvaluationPictures NONE = new EvaluationPictures(List.of(), List.of(), null, null);

    /** Copies the lists. */
    public EvaluationPictures {
        confusions = confusions.stream().map(List::copyOf).toList();
        neighbours = neighbours.stream().map(List::copyOf).toList();
    }
}
