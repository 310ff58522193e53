// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.explore;

import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Finds outliers: images whose features are far from those of all others. The score is the mean cosine distance to the nearest images
 * (<a href="https://doi.org/10.1007/3-540-45681-3_2">Angiulli and Pizzuti 2002</a>).
 *
 * @since 0.1.0
 */
public final class Outliers {
    /** The number of nearest images that count; all others if there are fewer. */
    public static final int NEIGHBOURS = 10;

    /**
     * The outlier score of an image.
     *
     * @param image index of the image
     * @param score mean cosine distance to its nearest images, 0 to 2
     */
    public record Score(int image, double score) {}

    private Outliers() {}

    /**
     * Ranks all images by their outlier score.
     *
     * @param search finds the nearest images of the set
     * @return a score for each image, in descending order
     * @throws IllegalArgumentException if the set has only one image
     */
    public static List<Score> rank(NearestSearch search) {
        float[][] similarities = search.ofEach(NEIGHBOURS).similarities();
        if (similarities[0].length == 0) {
            throw new IllegalArgumentException("Expected at least 2 images to find outliers among, found 1");
        }
        return IntStream.range(0, similarities.length)
                .mapToObj(i -> new Score(i, distance(similarities[i])))
                .sorted(Comparator.comparingDouble(Score::score).reversed().thenComparingInt(Score::image))
                .toList();
    }

    private static double distance(float[] similarities) {
        double sum = 0;
        for (float s : similarities) {
            sum += 1 - s;
        }
        return sum / similarities.length;
    }
}
