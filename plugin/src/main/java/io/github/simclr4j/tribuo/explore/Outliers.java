package io.github.simclr4j.tribuo.explore;

import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Images that lie far from all others: the score is the mean cosine distance to the nearest images (Angiulli and Pizzuti, 2002,
 * "Fast outlier detection in high dimensional spaces").
 */
public final class Outliers {
    /** How many of the nearest images count; all others if there are fewer. */
    public static final int NEIGHBOURS = 10;

    /**
     * How far an image lies from the others.
     *
     * @param image its number
     * @param score mean cosine distance to its nearest images, 0 to 2
     */
    public record Score(int image, double score) {}

    private Outliers() {}

    /**
     * Ranks all images, the farthest first.
     *
     * @param search finds the nearest images of the set
     * @throws IllegalArgumentException if the set has one image only
     */
    public static List<Score> rank(NearestSearch search) {
        float[][] similarities = search.ofEach(NEIGHBOURS).similarities();
        if (similarities[0].length == 0) {
            throw new IllegalArgumentException("One image has no others to be far from: expected at least 2 images");
        }
        return IntStream.range(0, similarities.length).mapToObj(i -> new Score(i, distance(similarities[i])))
                .sorted(Comparator.comparingDouble(Score::score).reversed().thenComparingInt(Score::image)).toList();
    }

    private static double distance(float[] similarities) {
        double sum = 0;
        for (float s : similarities) {
            sum += 1 - s;
        }
        return sum / similarities.length;
    }
}
