package io.github.simclr4j.tribuo.evaluation;

import java.util.List;
import org.tribuo.Prediction;
import org.tribuo.classification.Label;

/**
 * Two classifiers on the same images: which of them is right where, and whether the difference is more than chance, by McNemar's
 * exact test (McNemar 1947; recommended for two classifiers and one test set by Dietterich 1998).
 *
 * @param bothRight images that both classify rightly
 * @param onlyFirst images that the first alone does
 * @param onlySecond images that the second alone does
 * @param neither images that neither does
 * @param p probability of a difference at least as large if both were equally good: two-sided, exact; 1 if they never disagree in
 *     being right
 */
public record PairedComparison(int bothRight, int onlyFirst, int onlySecond, int neither, double p) {

    /**
     * Compares.
     *
     * @param first predictions of examples whose class is known
     * @param second those of the same examples, in the same order
     * @throws IllegalArgumentException if the numbers of predictions or the classes of two examples differ
     */
    public static PairedComparison of(List<Prediction<Label>> first, List<Prediction<Label>> second) {
        if (first.size() != second.size()) {
            throw new IllegalArgumentException("Expected predictions of the same images, found " + first.size() + " and "
                    + second.size());
        }
        int[] counts = new int[4];
        for (int i = 0; i < first.size(); i++) {
            String expected = first.get(i).getExample().getOutput().getLabel();
            if (!expected.equals(second.get(i).getExample().getOutput().getLabel())) {
                throw new IllegalArgumentException("Expected predictions of the same images in the same order, found classes " + expected
                        + " and " + second.get(i).getExample().getOutput().getLabel() + " at " + i);
            }
            boolean a = first.get(i).getOutput().getLabel().equals(expected);
            boolean b = second.get(i).getOutput().getLabel().equals(expected);
            counts[a ? b ? 0 : 1 : b ? 2 : 3]++;
        }
        return new PairedComparison(counts[0], counts[1], counts[2], counts[3], p(counts[1], counts[2]));
    }

    /** Twice the probability of at most the smaller number of heads in that many throws of a fair coin. */
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
