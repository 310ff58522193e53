// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.evaluation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.tribuo.Prediction;
import org.tribuo.classification.Label;
import org.tribuo.impl.ArrayExample;

/** Confusions, calibration and paired comparison, on predictions whose figures can be worked out by hand. */
class PredictionFiguresTest {
    private static Prediction<Label> prediction(String expected, String predicted, double confidence) {
        Label best = new Label(predicted, confidence);
        return new Prediction<>(
                best,
                Map.of(predicted, best),
                1,
                new ArrayExample<>(new Label(expected), new String[] {"f"}, new double[] {1}),
                true);
    }

    private static final List<Prediction<Label>> SIX = List.of(
            prediction("cat", "cat", 0.9),
            prediction("cat", "dog", 0.6),
            prediction("cat", "dog", 0.8),
            prediction("dog", "dog", 0.7),
            prediction("dog", "cat", 0.55),
            prediction("cow", "dog", 0.4));

    @Test
    void whatIsTakenForWhatIsCountedAndTheSurestMistakesComeFirst() {
        Confusions c = Confusions.of(List.of("cow", "cat", "dog"), SIX);
        assertEquals(List.of(List.of(0, 0, 1), List.of(0, 1, 2), List.of(0, 1, 1)), c.matrix());
        assertEquals(
                List.of(
                        new Confusions.Confusion("cat", "dog", List.of(2, 1)),
                        new Confusions.Confusion("cow", "dog", List.of(5)),
                        new Confusions.Confusion("dog", "cat", List.of(4))),
                c.commonest());
        Confusions.ClassFigures cat = c.perClass().get(1);
        assertEquals(3, cat.images());
        assertEquals(1 / 2., cat.precision(), 1e-12);
        assertEquals(1 / 3., cat.recall(), 1e-12);
        assertEquals(2 / (1 / (1 / 2.) + 1 / (1 / 3.)), cat.f1(), 1e-12);
        Confusions.ClassFigures cow = c.perClass().get(0);
        assertTrue(Double.isNaN(cow.precision()), "nothing is taken for a cow");
        assertEquals(0, cow.f1());
        assertThrows(IllegalArgumentException.class, () -> Confusions.of(List.of("cat", "dog"), SIX));
    }

    @Test
    void aBinOfHalfConfidencesThatIsAlwaysRightIsOffByHalf() {
        Calibration c = Calibration.of(SIX, 2);
        // Up to 0.5: 0.4 and wrong. Above: 0.9, 0.6, 0.8, 0.7, 0.55, of which two are right.
        assertEquals(new Calibration.Bin(0, 0.5, 1, 0.4, 0), c.bins().get(0));
        assertEquals(5, c.bins().get(1).images());
        assertEquals(0.71, c.bins().get(1).confidence(), 1e-12);
        assertEquals(0.4, c.bins().get(1).accuracy(), 1e-12);
        assertEquals((1 * 0.4 + 5 * (0.71 - 0.4)) / 6, c.expectedError(), 1e-12);
        assertEquals(2 / 6., c.accuracy(), 1e-12);
        assertEquals(3.95 / 6, c.confidence(), 1e-12);
        List<Calibration.Bin> edges = Calibration.of(
                        List.of(prediction("a", "a", 0.5), prediction("a", "a", 1), prediction("a", "a", 0)), 2)
                .bins();
        assertEquals(2, edges.get(0).images(), "the upper end is part of a bin, and 0 of the first");
        assertTrue(Double.isNaN(Calibration.of(List.of(prediction("a", "a", 1)), 2)
                .bins()
                .get(0)
                .accuracy()));
        assertThrows(IllegalArgumentException.class, () -> Calibration.of(List.of(), 2));
    }

    @Test
    void mcNemarsTestIsThatOfTheTables() {
        List<Prediction<Label>> first = new ArrayList<>();
        List<Prediction<Label>> second = new ArrayList<>();
        // 5 both, 9 the first alone, 1 the second alone, 2 neither.
        for (int i = 0; i < 17; i++) {
            first.add(prediction("a", i < 14 || i > 16 ? "a" : "b", 0.5));
            second.add(prediction("a", i < 5 || i == 14 ? "a" : "b", 0.5));
        }
        PairedComparison c = PairedComparison.of(first, second);
        assertEquals(List.of(5, 9, 1, 2), List.of(c.bothRight(), c.onlyFirst(), c.onlySecond(), c.neither()));
        // Two-sided binomial test of 1 in 10: 2 (1 + 10) / 1024.
        assertEquals(22 / 1024., c.p(), 1e-12);
        assertEquals(1, PairedComparison.of(first, first).p());
        assertThrows(IllegalArgumentException.class, () -> PairedComparison.of(first, second.subList(1, 17)));
    }
}
