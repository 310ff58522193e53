// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.explore;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.util.Progress;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class EmbeddingMapTest {
    private static Features features(float[][] rows) {
        List<String> names = new ArrayList<>();
        IntStream.range(0, rows.length).forEach(i -> names.add("" + i));
        return new Features("e", names, rows);
    }

    /** Groups of points in many dimensions, each around a direction of its own: more groups than two components can tell apart. */
    private static float[][] groups(int groups, int each, double noise) {
        Random random = new Random(3);
        float[][] rows = new float[groups * each][24];
        for (int i = 0; i < rows.length; i++) {
            rows[i][i % groups] = 1;
            for (int j = 0; j < 24; j++) {
                rows[i][j] += (float) (noise * random.nextGaussian());
            }
        }
        return rows;
    }

    /** Share of the nearest images on the map that are of an image's own group. */
    private static double purity(float[] x, float[] y, int groups) {
        int n = x.length;
        double own = 0;
        for (int i = 0; i < n; i++) {
            int image = i;
            own += IntStream.range(0, n)
                            .filter(j -> j != image)
                            .boxed()
                            .sorted(Comparator.comparingDouble(j -> Math.hypot(x[j] - x[image], y[j] - y[image])))
                            .limit(10)
                            .filter(j -> j % groups == image % groups)
                            .count()
                    / 10.;
        }
        return own / n;
    }

    @Test
    void groupsThatTwoComponentsMixAreApartOnTheMap() {
        float[][] rows = groups(12, 25, 0.12);
        EmbeddingMap map = EmbeddingMap.of(features(rows), 1, Progress.NONE);
        float[][] components = PrincipalComponents.two(rows);
        float[] x = new float[rows.length];
        float[] y = new float[rows.length];
        for (int i = 0; i < rows.length; i++) {
            x[i] = components[i][0];
            y[i] = components[i][1];
        }
        double mapped = purity(map.x(), map.y(), 12);
        double projected = purity(x, y, 12);
        assertTrue(mapped > 0.97 && projected < 0.8, "map " + mapped + ", components " + projected);
    }

    @Test
    void theSameFeaturesAndSeedGiveTheSameMapWithinTheUnitSquare() {
        Features features = features(groups(4, 20, 0.2));
        EmbeddingMap map = EmbeddingMap.of(features, 7, Progress.NONE);
        EmbeddingMap again = EmbeddingMap.of(features, 7, Progress.NONE);
        assertArrayEquals(map.x(), again.x());
        assertArrayEquals(map.y(), again.y());
        for (int i = 0; i < 80; i++) {
            assertTrue(map.x()[i] >= 0 && map.x()[i] <= 1 && map.y()[i] >= 0 && map.y()[i] <= 1);
        }
    }

    @Test
    void fewImagesAndEqualImagesHaveAMapToo() {
        assertArrayEquals(
                new float[] {0.5f},
                EmbeddingMap.of(features(new float[][] {{1, 2}}), 1, Progress.NONE)
                        .x());
        EmbeddingMap two = EmbeddingMap.of(features(new float[][] {{1, 0}, {0, 1}}), 1, Progress.NONE);
        assertEquals(1, Math.abs(two.x()[0] - two.x()[1]), 1e-6);
        float[][] equal = new float[30][5];
        for (float[] row : equal) {
            row[0] = 1;
        }
        for (float x : EmbeddingMap.of(features(equal), 1, Progress.NONE).x()) {
            assertTrue(x >= 0 && x <= 1);
        }
    }

    @Test
    void theDirectionsOfLargestVarianceComeFirst() {
        Random random = new Random(1);
        float[][] rows = new float[400][6];
        for (float[] row : rows) {
            row[4] = (float) (5 * random.nextGaussian() + 3);
            row[1] = (float) (2 * random.nextGaussian());
            row[0] = (float) (0.1 * random.nextGaussian());
        }
        float[][] two = PrincipalComponents.two(rows);
        double[] along = new double[2];
        for (int i = 0; i < rows.length; i++) {
            along[0] += two[i][0] * rows[i][4];
            along[1] += two[i][1] * rows[i][1];
        }
        assertEquals(25, Math.abs(along[0]) / 400, 3);
        assertEquals(4, Math.abs(along[1]) / 400, 0.6);
    }
}
