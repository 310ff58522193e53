// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loss;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import io.github.simclr4j.train.testing.Small;
import io.github.simclr4j.train.torch.Torch;
import java.util.Arrays;
import java.util.function.ToDoubleFunction;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The losses without golden values: the definitions in loops over doubles, and their gradients by finite differences. */
class LossesTest {
    private static final double T = 0.3;

    @BeforeEach
    void noGradient() {
        Torch.noGradient();
    }

    /** In float64: the value to its last digits but one, the gradient as well as differences tell it. */
    private static void same(
            String what, ToDoubleFunction<double[][]> definition, UnaryOperator<NDArray> loss, double[][] z) {
        int d = z[0].length;
        double[] expected = new double[z.length * d];
        for (int i = 0; i < expected.length; i++) {
            expected[i] = (moved(definition, z, i / d, i % d, 1e-5) - moved(definition, z, i / d, i % d, -1e-5)) / 2e-5;
        }
        try (NDManager m = Torch.engine().newBaseManager()) {
            NDArray x =
                    m.create(Arrays.stream(z).flatMapToDouble(Arrays::stream).toArray(), new Shape(z.length, d));
            x.setRequiresGradient(true);
            double value;
            try (GradientCollector c = Torch.engine().newGradientCollector()) {
                NDArray l = loss.apply(x);
                c.backward(l);
                value = l.toDoubleArray()[0];
            }
            assertEquals(definition.applyAsDouble(z), value, 1e-12, what);
            double[] gradient = x.getGradient().toDoubleArray();
            double largest = Arrays.stream(expected).map(Math::abs).max().orElseThrow();
            assertTrue(largest > 1e-3, what);
            for (int i = 0; i < expected.length; i++) {
                assertEquals(
                        expected[i],
                        gradient[i],
                        1e-6 * Math.max(1, largest),
                        what + " [" + i / d + "][" + i % d + "]");
            }
        }
    }

    private static double moved(ToDoubleFunction<double[][]> definition, double[][] z, int row, int column, double by) {
        double[][] other = Arrays.stream(z).map(double[]::clone).toArray(double[][]::new);
        other[row][column] += by;
        return definition.applyAsDouble(other);
    }

    /** A loss of every view by its cosine with the other view of its image and those with the views of other images. */
    private interface OfOneView {
        double of(double positive, double[] negatives);
    }

    private static double mean(double[][] z, OfOneView loss) {
        double[][] u = Small.unit(z);
        int n = z.length / 2;
        return IntStream.range(0, 2 * n)
                .mapToDouble(i -> loss.of(
                        Small.dot(u[i], u[(i + n) % (2 * n)]),
                        IntStream.range(0, 2 * n)
                                .filter(j -> j % n != i % n)
                                .mapToDouble(j -> Small.dot(u[i], u[j]))
                                .toArray()))
                .filter(l -> !Double.isNaN(l))
                .average()
                .orElseThrow();
    }

    /** The largest of those below the positive, or NaN (Schroff et al. 2015, section 3.2). */
    private static double semiHard(double positive, double[] negatives) {
        return Arrays.stream(negatives).filter(c -> c < positive).max().orElse(Double.NaN);
    }

    private static double softPlus(double x) {
        return Math.log(1 + Math.exp(x));
    }

    /** Negative log of the share of the right column. */
    private static double crossEntropy(double[] logits, int right) {
        return Math.log(Arrays.stream(logits).map(Math::exp).sum()) - logits[right];
    }

    @Test
    void ntXentComparesDotProductsWhereItIsToldTo() {
        same(
                "dot product",
                z -> {
                    int n = z.length / 2;
                    return IntStream.range(0, 2 * n)
                            .mapToDouble(i -> Math.log(IntStream.range(0, 2 * n)
                                            .filter(k -> k != i)
                                            .mapToDouble(k -> Math.exp(Small.dot(z[i], z[k]) / 3))
                                            .sum())
                                    - Small.dot(z[i], z[(i + n) % (2 * n)]) / 3)
                            .average()
                            .orElseThrow();
                },
                z -> Losses.ntXent(Anchors.all(z).byDotProduct(), 3),
                Small.wide(Small.rows(10, 6, 4)));
    }

    @Test
    void decoupledLeavesThePositiveOutOfTheDenominator() {
        same(
                "decoupled",
                z -> mean(
                        z,
                        (positive, negatives) -> Math.log(Arrays.stream(negatives)
                                        .map(c -> Math.exp(c / T))
                                        .sum())
                                - positive / T),
                z -> Losses.decoupled(Anchors.all(z), T),
                Small.wide(Small.rows(10, 6, 4)));
    }

    /**
     * Chuang et al. 2020, equation 8. At a temperature of 0.005 exponentials of cosines exceed what float32 holds, and those of
     * other cosines are nothing beside them.
     */
    @Test
    void theDebiasedLossHoldsAtSmallTemperatures() {
        double[][] z = Small.wide(Small.rows(10, 6, 4));
        for (double p : new double[] {0, 0.1, 0.6}) {
            for (double t : new double[] {T, 0.05}) {
                same(
                        "debiased " + p + " at " + t,
                        x -> debiased(x, t, p),
                        x -> Losses.debiased(Anchors.all(x), t, p),
                        z);
            }
            double t = 0.005;
            try (NDManager m = Torch.engine().newBaseManager()) {
                NDArray x = m.create(Small.rows(10, 6, 4));
                x.setRequiresGradient(true);
                try (GradientCollector c = Torch.engine().newGradientCollector()) {
                    NDArray loss = Losses.debiased(Anchors.all(x), t, p);
                    c.backward(loss);
                    double expected = debiased(z, t, p);
                    assertEquals(expected, loss.getFloat(), 1e-4 * expected, "prior " + p);
                }
                float[] gradient = x.getGradient().toFloatArray();
                for (int i = 0; i < gradient.length; i++) {
                    double slope = (moved(w -> debiased(w, t, p), z, i / 6, i % 6, 1e-6)
                                    - moved(w -> debiased(w, t, p), z, i / 6, i % 6, -1e-6))
                            / 2e-6;
                    assertEquals(slope, gradient[i], 0.02, "prior " + p + " [" + i + "]");
                }
            }
        }
    }

    private static double debiased(double[][] z, double t, double p) {
        return mean(z, (positive, negatives) -> {
            int n = negatives.length;
            double pos = Math.exp(positive / t);
            double sum = Arrays.stream(negatives).map(c -> Math.exp(c / t)).sum();
            double g = Math.max((sum - n * p * pos) / (1 - p), n * Math.exp(-1 / t));
            return -Math.log(pos / (pos + g));
        });
    }

    /** A view without a negative that is farther than its positive has no part in the mean over the negatives. */
    @Test
    void semiHardLossesTakeTheNearestNegativeBeyondThePositive() {
        double[][] z = Small.wide(Small.rows(10, 6, 4));
        int[] chosen = new int[2];
        mean(z, (positive, negatives) -> {
            double nearest = semiHard(positive, negatives);
            chosen[0] += Double.isNaN(nearest) ? 1 : 0;
            chosen[1] += nearest < Arrays.stream(negatives).max().orElseThrow() ? 1 : 0;
            return 0;
        });
        assertTrue(
                chosen[0] > 0 && chosen[1] > 0, "some have none, some have a nearer one: " + Arrays.toString(chosen));
        same(
                "margin",
                x -> mean(x, (positive, negatives) -> Math.max(0, semiHard(positive, negatives) - positive + 0.8)),
                x -> Losses.margin(Anchors.all(x), 0.8, true),
                z);
        same(
                "logistic",
                x -> mean(x, (positive, negatives) -> softPlus(-positive / T))
                        + mean(x, (positive, negatives) -> softPlus(semiHard(positive, negatives) / T)),
                x -> Losses.ntLogistic(Anchors.all(x), T, true),
                z);
    }

    /** He et al. 2020, section 3.2: the queries are the first half, and each is to find its key among those of its batch. */
    @Test
    void endToEndComparesEachQueryWithTheKeysOfItsBatch() {
        int n = 5;
        for (int[] some : new int[][] {{0, n}, {2, 4}}) {
            same(
                    "queries " + Arrays.toString(some),
                    z -> {
                        double[][] u = Small.unit(z);
                        return IntStream.range(some[0], some[1])
                                .mapToDouble(i -> crossEntropy(
                                        IntStream.range(n, 2 * n)
                                                .mapToDouble(j -> Small.dot(u[i], u[j]) / T)
                                                .toArray(),
                                        i))
                                .average()
                                .orElseThrow();
                    },
                    z -> Losses.crossEntropyOfDiagonal(Losses.queryKeyLogits(z, T, some[0], some[1]), some[0]),
                    Small.wide(Small.rows(2 * n, 4, 5)));
        }
    }

    @Test
    void crossEntropyIsTheMeanNegativeLogProbabilityOfTheLabel() {
        int[] labels = {2, 0, 2, 1};
        same(
                "cross entropy",
                z -> IntStream.range(0, 4)
                        .mapToDouble(i -> crossEntropy(z[i], labels[i]))
                        .average()
                        .orElseThrow(),
                z -> Losses.crossEntropy(z, labels),
                Small.wide(Small.rows(4, 3, 6)));
    }
}
