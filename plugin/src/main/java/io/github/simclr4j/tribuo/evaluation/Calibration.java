// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.evaluation;

import java.util.ArrayList;
import java.util.List;
import org.tribuo.Prediction;
import org.tribuo.classification.Label;

/**
 * The calibration of a classifier: whether it is correct as often as its probabilities say. Predictions are sorted into bins of equal
 * width by their confidence, which is the probability of the predicted class. Then each bin's mean confidence is compared with its
 * accuracy (<a href="https://arxiv.org/abs/1706.04599">Guo et al. 2017</a>, section 2).
 *
 * @param bins all bins, including empty ones, from the least to the most confident
 * @param expectedError expected calibration error, 0 to 1: the mean over the predictions of their bin's
 *     {@code |accuracy - confidence|} (Guo et al., equation 3)
 * @param confidence mean confidence of all predictions, 0 to 1
 * @param accuracy share of correct predictions, 0 to 1
 * @since 0.1.0
 */
public record Calibration(List<Bin> bins, double expectedError, double confidence, double accuracy) {

    /**
     * A bin of predictions of similar confidence.
     *
     * @param from lower bound of the confidence, exclusive unless it is 0
     * @param to upper bound of the confidence, inclusive
     * @param images number of predictions
     * @param confidence their mean confidence, or NaN if the bin is empty
     * @param accuracy share of correct predictions, or NaN if the bin is empty
     */
    public record Bin(double from, double to, int images, double confidence, double accuracy) {}

    /** Copies the list. */
    public Calibration {
        bins = List.copyOf(bins);
    }

    /**
     * Measures the calibration of predictions.
     *
     * @param predictions at least one prediction, with probabilities, of examples whose class is known
     * @param count number of bins, at least 1; the paper uses 15
     * @throws IllegalArgumentException if there is no prediction, if one has no probabilities, or if {@code count} is below 1
     */
    public static Calibration of(List<Prediction<Label>> predictions, int count) {
        if (predictions.isEmpty() || count < 1) {
            throw new IllegalArgumentException(
                    "Expected at least one prediction and one bin, found " + predictions.size() + " and " + count);
        }
        int[] images = new int[count];
        double[] confidences = new double[count];
        int[] right = new int[count];
        for (Prediction<Label> p : predictions) {
            if (!p.hasProbabilities()) {
                throw new IllegalArgumentException("Expected predictions with probabilities, found scores");
            }
            double confidence = p.getOutput().getScore();
            // A bin includes its upper bound.
            int bin = Math.max(0, Math.min(count - 1, (int) Math.ceil(confidence * count) - 1));
            images[bin]++;
            confidences[bin] += confidence;
            right[bin] +=
                    p.getOutput().getLabel().equals(p.getExample().getOutput().getLabel()) ? 1 : 0;
        }
        List<Bin> bins = new ArrayList<>();
        double error = 0;
        double sum = 0;
        int hits = 0;
        for (int b = 0; b < count; b++) {
            bins.add(new Bin(
                    (double) b / count,
                    (b + 1.0) / count,
                    images[b],
                    confidences[b] / images[b],
                    (double) right[b] / images[b]));
            error += Math.abs(right[b] - confidences[b]) / predictions.size();
            sum += confidences[b];
            hits += right[b];
        }
        return new Calibration(bins, error, sum / predictions.size(), (double) hits / predictions.size());
    }
}
