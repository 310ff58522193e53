// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.evaluation;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.tribuo.classification.evaluation.LabelEvaluation;

/**
 * The accuracies that a protocol measured.
 *
 * @param runs accuracies from 0 to 1 in the order of the seeds, by the share of labels as written in the context
 * @param best Tribuo's evaluation with the most labels and the first seed, if the protocol makes one
 * @since 0.1.0
 */
public record Accuracies(Map<String, List<Double>> runs, Optional<LabelEvaluation> best) {

    /** Copies the map and its lists. */
    public Accuracies {
        Map<String, List<Double>> copy = new LinkedHashMap<>();
        runs.forEach((share, accuracies) -> copy.put(share, List.copyOf(accuracies)));
        runs = Collections.unmodifiableMap(copy);
    }

    /** A single measurement of accuracy. */
    @FunctionalInterface
    public interface Measurement {
        /**
         * Measures the accuracy.
         *
         * @param share share of the labels to train with, above 0 and at most 1
         * @param seed seed of the choice of labels and of all other random numbers
         * @return the accuracy, from 0 to 1
         * @throws IOException if images can't be read
         */
        double accuracy(double share, long seed) throws IOException;
    }

    /** A single evaluation by Tribuo. */
    @FunctionalInterface
    public interface Evaluation {
        /**
         * Trains and evaluates a model.
         *
         * @param share share of the labels to train with, above 0 and at most 1
         * @param seed seed of the choice of labels and of all other random numbers
         * @return the evaluation on the test images
         * @throws IOException if images can't be read
         */
        LabelEvaluation evaluate(double share, long seed) throws IOException;
    }

    /**
     * Measures once for each share and seed of a context, and reports each accuracy to its listener.
     *
     * @param context the shares, the seeds and the listener
     * @param measurement measures once
     * @throws IOException if the measurement throws it
     */
    public static Accuracies measure(ProtocolContext context, Measurement measurement) throws IOException {
        Map<String, List<Double>> runs = new LinkedHashMap<>();
        for (Map.Entry<String, Double> share : context.shares().entrySet()) {
            List<Double> accuracies = new ArrayList<>();
            for (long seed : context.seeds()) {
                double accuracy = measurement.accuracy(share.getValue(), seed);
                accuracies.add(accuracy);
                context.listener().measured(share.getKey(), seed, accuracy);
            }
            runs.put(share.getKey(), accuracies);
        }
        return new Accuracies(runs, Optional.empty());
    }

    /**
     * Evaluates once for each share and seed, as {@link #measure} does, and keeps the evaluation with the most labels.
     *
     * @param context the shares, the seeds and the listener
     * @param evaluation evaluates once
     * @throws IOException if the evaluation throws it
     */
    public static Accuracies evaluate(ProtocolContext context, Evaluation evaluation) throws IOException {
        double most = Collections.max(context.shares().values());
        LabelEvaluation[] best = new LabelEvaluation[1];
        Accuracies measured = measure(context, (share, seed) -> {
            LabelEvaluation result = evaluation.evaluate(share, seed);
            if (share == most && best[0] == null) {
                best[0] = result;
            }
            return result.accuracy();
        });
        return new Accuracies(measured.runs, Optional.of(best[0]));
    }

    /**
     * Returns the mean accuracy over the seeds.
     *
     * @param share a key of {@link #runs}
     */
    public double mean(String share) {
        return runs.get(share).stream().mapToDouble(a -> a).average().orElseThrow();
    }

    /**
     * Returns the sample standard deviation of the accuracy over the seeds, or 0 for a single seed.
     *
     * @param share a key of {@link #runs}
     */
    public double deviation(String share) {
        List<Double> all = runs.get(share);
        double mean = mean(share);
        double squares = all.stream().mapToDouble(a -> (a - mean) * (a - mean)).sum();
        return all.size() < 2 ? 0 : Math.sqrt(squares / (all.size() - 1));
    }
}
