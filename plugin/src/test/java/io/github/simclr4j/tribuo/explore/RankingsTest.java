// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.explore;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.tribuo.extraction.Fixture;
import io.github.simclr4j.util.Progress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tribuo.MutableDataset;
import org.tribuo.classification.Label;
import org.tribuo.dataset.DatasetView;
import org.tribuo.impl.ArrayExample;

/** Selection, outliers and doubtful labels. */
class RankingsTest {
    /** Without outliers, k-centre takes one image of each of 20 groups before a second one of any. */
    @Test
    void eachGroupIsSelectedOnceBeforeAnySecondTime() {
        Features features = RandomFeatures.grouped(400, 20, 64, 0.3, 1);
        for (long seed = 1; seed <= 3; seed++) {
            int[] chosen = Selection.select(features, 20, null, seed, Progress.NONE);
            Set<Integer> groups = Arrays.stream(chosen).map(i -> i % 20).boxed().collect(Collectors.toSet());
            assertTrue(groups.size() >= 19, groups.toString());
            assertArrayEquals(chosen, Selection.select(features, 20, null, seed, Progress.NONE));
        }
    }

    @Test
    void whatIsLabelledAlreadyIsNotSelectedAgain() {
        Features features = RandomFeatures.grouped(400, 10, 64, 0.3, 1);
        Features labelled = RandomFeatures.of(
                "test",
                IntStream.range(0, 40)
                        .filter(i -> i % 10 < 8)
                        .mapToObj(i -> features.rows()[i])
                        .toArray(float[][]::new));
        int[] chosen = Selection.select(features, 2, labelled, 1, Progress.NONE);
        assertEquals(
                Set.of(8, 9), Arrays.stream(chosen).map(i -> i % 10).boxed().collect(Collectors.toSet()));
    }

    @Test
    void allImagesCanBeSelectedEachOnceWithTheOddOnesLast() {
        Features features = RandomFeatures.of(50, 8, 3);
        int[] all = Selection.select(features, 50, null, 1, Progress.NONE);
        assertEquals(50, Arrays.stream(all).distinct().count());
        int[] few = Selection.select(features, 10, null, 1, Progress.NONE);
        List<Integer> oddest = Outliers.rank(NearestSearch.of(features, Progress.NONE)).subList(0, 20).stream()
                .map(Outliers.Score::image)
                .toList();
        assertTrue(Arrays.stream(few).noneMatch(oddest::contains));
        for (int count : new int[] {0, 51}) {
            String message = assertThrows(
                            IllegalArgumentException.class,
                            () -> Selection.select(features, count, null, 1, Progress.NONE))
                    .getMessage();
            assertTrue(message.contains("from 1 to 50") && message.endsWith("found " + count), message);
        }
        assertArrayEquals(new int[] {0}, Selection.select(RandomFeatures.of(1, 3, 1), 1, null, 1, Progress.NONE));
        assertThrows(
                IllegalArgumentException.class,
                () -> Selection.select(features, 1, RandomFeatures.of(1, 9, 1), 1, Progress.NONE));
    }

    @Test
    void aSelectionBecomesAViewOfADataset() {
        MutableDataset<Label> dataset = Fixture.empty(Fixture.LABELS);
        Features features = RandomFeatures.of(30, 3, 1);
        for (int i = 0; i < 30; i++) {
            float[] row = features.rows()[i];
            dataset.add(new ArrayExample<>(
                    new Label(i % 2 == 0 ? "even" : "odd"),
                    new String[] {"a", "b", "c"},
                    new double[] {row[0], row[1], row[2]}));
        }
        Features same = Features.of("test", dataset);
        int[] chosen = Selection.select(same, 7, null, 1, Progress.NONE);
        DatasetView<Label> view = Selection.view(dataset, chosen);
        assertEquals(7, view.size());
        for (int i = 0; i < 7; i++) {
            assertEquals(dataset.getExample(chosen[i]), view.getExample(i));
        }
    }

    @Test
    void whatLiesFarFromAllIsTheFirstOutlier() {
        Features near = RandomFeatures.grouped(200, 4, 16, 0.2, 2);
        List<float[]> rows = new ArrayList<>(List.of(near.rows()));
        rows.add(77, RandomFeatures.of(1, 16, 1234).rows()[0]);
        List<Outliers.Score> ranked =
                Outliers.rank(NearestSearch.of(RandomFeatures.of("test", rows.toArray(float[][]::new)), Progress.NONE));
        assertEquals(77, ranked.get(0).image());
        assertEquals(201, ranked.size());
        assertTrue(ranked.get(0).score() > 5 * ranked.get(1).score());
        // Three directions at right angles: the mean of 1 - cosine to the two others is 1.
        Features axes = RandomFeatures.of("test", new float[] {1, 0, 0}, new float[] {0, 2, 0}, new float[] {0, 0, 3});
        assertEquals(
                1, Outliers.rank(NearestSearch.of(axes, Progress.NONE)).get(0).score(), 1e-6);
        String one = assertThrows(
                        IllegalArgumentException.class,
                        () -> Outliers.rank(NearestSearch.of(RandomFeatures.of(1, 3, 1), Progress.NONE)))
                .getMessage();
        assertTrue(one.contains("at least 2 images"), one);
    }

    @Test
    void wrongLabelsAreTheMostDoubtfulAndTheRightOnesAreSuggested() {
        Features features = RandomFeatures.grouped(300, 3, 16, 1, 4);
        Set<Integer> wrong = new HashSet<>(Set.of(5, 50, 111, 222));
        List<String> labels = IntStream.range(0, 300)
                .mapToObj(i -> "class" + (wrong.contains(i) ? (i + 1) % 3 : i % 3))
                .toList();
        List<Mislabelled.Doubt> ranked = Mislabelled.rank(features, labels, 1, Progress.NONE);
        assertEquals(300, ranked.size());
        assertEquals(
                wrong,
                ranked.subList(0, 4).stream().map(Mislabelled.Doubt::image).collect(Collectors.toSet()));
        ranked.subList(0, 4).forEach(d -> assertEquals("class" + d.image() % 3, d.suggested()));
        ranked.forEach(d ->
                assertTrue(d.score() >= 0 && d.score() <= 1 && !d.suggested().equals(labels.get(d.image()))));
        assertEquals(ranked, Mislabelled.rank(features, labels, 1, Progress.NONE));
    }

    /** Of five folds, whichever threads train them. */
    @ParameterizedTest
    @ValueSource(ints = {1, 5})
    void theSearchForWrongLabelsNoticesAnInterruptOfItsCaller(int fold) {
        Features features = RandomFeatures.grouped(60, 3, 8, 0.3, 4);
        List<String> labels =
                IntStream.range(0, 60).mapToObj(i -> "class" + i % 3).toList();
        Thread caller = Thread.currentThread();
        Progress progress = new Progress() {
            @Override
            public void at(long done, String detail) {
                if (done == fold) {
                    caller.interrupt();
                }
            }
        };
        try {
            assertThrows(CancellationException.class, () -> Mislabelled.rank(features, labels, 1, progress));
        } finally {
            assertTrue(Thread.interrupted(), "the mark stays");
        }
    }

    @Test
    void fewImagesAndClassesAreJudgedOrRefused() {
        Features three = RandomFeatures.of("test", new float[] {1, 0}, new float[] {1, 0.1f}, new float[] {0, 1});
        List<Mislabelled.Doubt> ranked = Mislabelled.rank(three, List.of("a", "a", "b"), 1, Progress.NONE);
        assertEquals(3, ranked.size());
        assertEquals(new Mislabelled.Doubt(2, "a", 1), ranked.get(0));
        String one = assertThrows(
                        IllegalArgumentException.class,
                        () -> Mislabelled.rank(three, List.of("a", "a", "a"), 1, Progress.NONE))
                .getMessage();
        assertTrue(one.contains("at least two classes"), one);
        assertThrows(IllegalArgumentException.class, () -> Mislabelled.rank(three, List.of("a"), 1, Progress.NONE));
    }
}
