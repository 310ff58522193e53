// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.explore;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.util.Progress;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NearestSearchTest {
    /** The definition: sort all cosines, computed in float64. */
    private static int[] asDefined(float[] asked, float[][] set, int except, int k) {
        return IntStream.range(0, set.length)
                .filter(i -> i != except)
                .boxed()
                .sorted(Comparator.comparingDouble(i -> -cosine(asked, set[i])))
                .limit(k)
                .mapToInt(i -> i)
                .toArray();
    }

    private static double cosine(float[] a, float[] b) {
        double dot = 0;
        double aa = 0;
        double bb = 0;
        for (int j = 0; j < a.length; j++) {
            dot += (double) a[j] * b[j];
            aa += (double) a[j] * a[j];
            bb += (double) b[j] * b[j];
        }
        return dot / Math.sqrt(aa * bb);
    }

    @ParameterizedTest
    @CsvSource({"2, 3, 1", "40, 5, 39", "600, 17, 10", "512, 8, 4"})
    void theExactSearchFindsWhatTheDefinitionSays(int images, int dimension, int k) {
        Features set = RandomFeatures.of(images, dimension, images);
        Nearest nearest = NearestSearch.exact(set, Progress.NONE).ofEach(k);
        for (int i = 0; i < images; i++) {
            assertArrayEquals(asDefined(set.rows()[i], set.rows(), i, k), nearest.images()[i], "image " + i);
            assertEquals(cosine(set.rows()[i], set.rows()[nearest.images()[i][0]]), nearest.similarities()[i][0], 1e-5);
        }
        Features asked = RandomFeatures.of(3, dimension, 99);
        int[][] others =
                NearestSearch.exact(set, Progress.NONE).nearest(asked, k).images();
        for (int i = 0; i < 3; i++) {
            assertArrayEquals(asDefined(asked.rows()[i], set.rows(), -1, k), others[i]);
        }
    }

    @Test
    void ofEquallyNearImagesTheFirstOnesAreTaken() {
        float[][] rows = new float[1000][];
        Arrays.fill(rows, new float[] {1, 2});
        Nearest nearest = NearestSearch.exact(RandomFeatures.of("test", rows), Progress.NONE)
                .ofEach(3);
        assertArrayEquals(new int[] {1, 2, 3}, nearest.images()[0]);
        assertArrayEquals(new int[] {0, 1, 2}, nearest.images()[999]);
    }

    /** Forty images, each with four copies at other places of the set. */
    @Test
    void theIndexReturnsEquallyNearImagesInTheOrderOfTheSet() {
        float[][] different = RandomFeatures.of(40, 16, 3).rows();
        float[][] rows = new float[200][];
        Arrays.setAll(rows, i -> different[i % 40]);
        NearestSearch index = NearestSearch.indexed(RandomFeatures.of("test", rows), Progress.NONE);
        int[][] others = index.ofEach(4).images();
        int[][] all = index.nearest(RandomFeatures.of("test", rows), 5).images();
        for (int i = 0; i < 200; i++) {
            int image = i;
            int[] copies = IntStream.range(0, 5).map(c -> image % 40 + 40 * c).toArray();
            assertArrayEquals(copies, all[i], "image " + i);
            assertArrayEquals(Arrays.stream(copies).filter(c -> c != image).toArray(), others[i], "image " + i);
        }
    }

    @Test
    void thereAreNoMoreNeighboursThanOtherImages() {
        Features one = RandomFeatures.of(1, 4, 1);
        assertEquals(0, NearestSearch.exact(one, Progress.NONE).ofEach(5).images()[0].length);
        assertEquals(1, NearestSearch.exact(one, Progress.NONE).nearest(one, 5).images()[0].length);
        assertEquals(
                2,
                NearestSearch.exact(RandomFeatures.of(3, 4, 1), Progress.NONE)
                        .ofEach(5)
                        .images()[0]
                        .length);
    }

    @Test
    void theIndexFindsNearlyAllOfThemAndNeverTheImageItself() {
        Features set = RandomFeatures.grouped(3000, 150, 32, 0.5, 5);
        int[][] exact = NearestSearch.exact(set, Progress.NONE).ofEach(10).images();
        Nearest nearest = NearestSearch.indexed(set, Progress.NONE).ofEach(10);
        int found = 0;
        for (int i = 0; i < exact.length; i++) {
            int image = i;
            assertTrue(Arrays.stream(nearest.images()[i]).noneMatch(j -> j == image));
            assertEquals(10, nearest.images()[i].length);
            assertEquals(set.cosine(i, nearest.images()[i][9]), nearest.similarities()[i][9], 1e-5);
            List<Integer> known = Arrays.stream(exact[i]).boxed().toList();
            found += (int)
                    Arrays.stream(nearest.images()[i]).filter(known::contains).count();
        }
        assertTrue(found >= 0.95 * 30_000, found + " of 30,000");
    }

    @Test
    void featuresOfAnotherEncoderAreRefused() {
        NearestSearch search = NearestSearch.of(RandomFeatures.of(5, 4, 1), Progress.NONE);
        for (Features other :
                List.of(RandomFeatures.of(5, 3, 1), RandomFeatures.of("other", new float[] {1, 2, 3, 4}))) {
            String message = assertThrows(IllegalArgumentException.class, () -> search.nearest(other, 1))
                    .getMessage();
            assertTrue(message.contains("different encoders") && message.contains("0.png"), message);
        }
        String mixed = assertThrows(
                        IllegalArgumentException.class,
                        () -> RandomFeatures.of("test", new float[] {1, 2}, new float[] {1, 2, 3}))
                .getMessage();
        assertTrue(mixed.contains("0.png has 2 and 1.png has 3"), mixed);
        assertThrows(IllegalArgumentException.class, () -> RandomFeatures.of("test"));
        assertThrows(IllegalArgumentException.class, () -> RandomFeatures.of("test", new float[] {Float.NaN}));
    }

    @Test
    void anInterruptedThreadStops() {
        Features set = RandomFeatures.of(2000, 4, 1);
        try {
            Thread.currentThread().interrupt();
            assertThrows(
                    CancellationException.class,
                    () -> NearestSearch.exact(set, Progress.NONE).ofEach(5));
            assertThrows(CancellationException.class, () -> NearestSearch.indexed(set, Progress.NONE));
            assertThrows(CancellationException.class, () -> Selection.select(set, 3, null, 1, Progress.NONE));
        } finally {
            assertTrue(Thread.interrupted());
        }
    }
}
