// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.evaluation;

import java.util.List;
import org.tribuo.Prediction;
import org.tribuo.classification.Label;

/**
 * Compares two classifiers on the same images by McNemar's exact test (McNemar, Psychometrika 1947), which
 * <a href="https://doi.org/10.1162/089976698300017197">Dietterich 1998</a> recommends for two classifiers and one test set.
 *
 * @param bothRight number of images that both classify correctly
 * @param onlyFirst number of images that only the first classifies correctly
 * @param onlySecond number of images that only the second classifies correctly
 * @param neither number of images that neither classifies correctly
 * @param p exact two-sided p-value of the hypothesis that both are equally good, 0 to 1; it is 1 if {@code onlyFirst} and
 *     {@code onlySecond} are 0
 * @since 0.1.0
 */
public record PairedComparison(int bothRight, int onlyFirst, int onlySecond, int neither, double p) {

    /**
     * Compares two lists of predictions.
     *
     * @param first the first classifier's predictions of examples whose class is known
     * @param second the second classifier's predictions of the same examples, in the same order
     * @throws IllegalArgumentException if the lists differ in length, or if the classes of two corresponding examples differ
     */
    public static PairedComparison of(List<Prediction<Label>> first, List<Prediction<Label>> second) {
        if (first.size() != second.size()) {
            throw new IllegalArgumentException(
                    "Expected predictions of the same images, found " + first.size() + " and " + second.size());
        }
        int[] counts = new int[4];
        for (int i = 0; i < first.size(); i++) {
            String expected = first.get(i).getExample().getOutput().getLabel();
            if (!expected.equals(second.get(i).getExample().getOutput().getLabel())) {
                throw new IllegalArgumentException(
                        "Expected predictions of the same images in the same order, found classes " + expected + " and "
                                + second.get(i).getExample().getOutput().getLabel() + " at " + i);
            }
            boolean a = first.get(i).getOutput().getLabel().equals(expected);
            boolean b = second.get(i).getOutput().getLabel().equals(expected);
            counts[a ? b ? 0 : 1 : b ? 2 : 3]++;
        }
        return new PairedComparison(counts[0], counts[1], counts[2], counts[3], p(counts[1], counts[2]));
    }

    /** Returns twice the probability of at most min(a, b) heads in a + b tosses of a fair coin, and at most 1. */
    private static double p(int a, int b) {
        int n = a + b;
        double term = -n * Math.log(2);
        double sum = 0;
        for (int k = 0; k <= Math.min(a, b); k++) {
            sum += Math.exp(term);
            term += Math.log((double) (n - k) / (k + 1));
        }
        return Math.min(1, 2 * sum);
    }
}
