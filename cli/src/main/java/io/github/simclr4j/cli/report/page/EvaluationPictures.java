// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.report.page;

import io.github.simclr4j.tribuo.explore.EmbeddingMap;
import java.util.List;

/**
 * The images of an evaluation, which its record does not contain.
 *
 * @param confusions images of each of the record's {@code commonestConfusions}
 * @param neighbours for each of the record's {@code neighbours} the image itself, then the nearest images
 * @param sheet the images of the map, or null without a map
 * @param map positions of the images, in the order of the sheet, or null
 */
public record EvaluationPictures(
        List<List<Picture>> confusions, List<List<Picture>> neighbours, ImageSheet sheet, EmbeddingMap map) {
    /** No pictures. */
    public static final EvaluationPictures NONE = new EvaluationPictures(List.of(), List.of(), null, null);

    /** Copies the lists. */
    public EvaluationPictures {
        confusions = confusions.stream().map(List::copyOf).toList();
        neighbours = neighbours.stream().map(List::copyOf).toList();
    }
}
