// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.evaluation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.Comparator;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NeighboursTest {
    private static float[][] random(int rows, int columns, Random random) {
        float[][] all = new float[rows][columns];
        for (float[] row : all) {
            for (int j = 0; j < columns; j++) {
                row[j] = (float) random.nextGaussian();
            }
        }
        return all;
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

    /** The definition, in float64: sort all cosines, sum exp(cosine / t) of the first k by class. */
    private static int asDefined(float[][] bank, int[] labels, int classes, float[] asked, int k, double t) {
        Integer[] order = IntStream.range(0, bank.length).boxed().toArray(Integer[]::new);
        Arrays.sort(order, Comparator.comparingDouble(i -> -cosine(bank[i], asked)));
        double[] votes = new double[classes];
        for (int i = 0; i < Math.min(k, order.length); i++) {
            votes[labels[order[i]]] += Math.exp(cosine(bank[order[i]], asked) / t);
        }
        return IntStream.range(0, classes)
                .boxed()
                .max(Comparator.comparingDouble(c -> votes[c]))
                .orElseThrow();
    }

    @ParameterizedTest
    @CsvSource({"5, 200, 3", "300, 200, 16", "2500, 200, 8", "2500, 1, 8", "1024, 7, 5"})
    void votesAreThoseOfTheDefinition(int known, int k, int dimension) {
        Random random = new Random(known + k);
        float[][] bank = random(known, dimension, random);
        float[][] asked = random(70, dimension, random);
        int[] labels = random.ints(known, 0, 4).toArray();
        int[] expected = Arrays.stream(asked)
                .mapToInt(a -> asDefined(bank, labels, 4, a, k, 0.1))
                .toArray();
        assertArrayEquals(expected, Neighbours.classify(bank, labels, 4, asked, k, 0.1));
    }

    /** Cosines 1, 0.8 and 0.8: at 0.1 the one votes e^10 = 22026 and the two 2 * e^8 = 5962; at 1 they are 2.72 and 4.45. */
    @Test
    void theTemperatureWeighsNearnessAgainstNumber() {
        float[][] bank = {{3, 0}, {0.8f, 0.6f}, {0.8f, -0.6f}};
        int[] labels = {0, 1, 1};
        assertEquals(0, Neighbours.classify(bank, labels, 2, new float[][] {{1, 0}}, 3, 0.1)[0]);
        assertEquals(1, Neighbours.classify(bank, labels, 2, new float[][] {{1, 0}}, 3, 1)[0]);
        assertEquals(0, Neighbours.classify(bank, labels, 2, new float[][] {{1, 0}}, 1, 1)[0]);
    }

    @Test
    void aRowOfZerosIsAsFarFromAllAndTheFirstOfEqualClassesWins() {
        float[][] bank = {{1, 0}, {0, 1}};
        assertEquals(0, Neighbours.classify(bank, new int[] {1, 0}, 2, new float[][] {{0, 0}}, 2, 0.1)[0]);
    }
}
