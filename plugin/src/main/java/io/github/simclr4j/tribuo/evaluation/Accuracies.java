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
 * What a protocol measured.
 *
 * @param runs accuracies from 0 to 1 by the share of the labels, as the context writes it, in the order of the seeds
 * @param best Tribuo's evaluation with the most labels and the first seed, of a protocol that makes one
 */
public record Accuracies(Map<String, List<Double>> runs, Optional<LabelEvaluation> best) {

    /** Copies the map and its lists. */
    public Accuracies {
        Map<String, List<Double>> copy = new LinkedHashMap<>();
        runs.forEach((share, accuracies) -> copy.put(share, List.copyOf(accuracies)));
        runs = Collections.unmodifiableMap(copy);
    }

    /** Measures once. */
    @FunctionalInterface
    public interface Measurement {
        /**
         * Returns an accuracy from 0 to 1.
         *
         * @param share of the labels, above 0 and at most 1
         * @param seed of the choice of the labels and all else that is random
         */
        double accuracy(double share, long seed) throws IOException;
    }

    /** Evaluates once. */
    @FunctionalInterface
    public interface Evaluation {
        /** Returns Tribuo's evaluation; the parameters are as of {@link Measurement#accuracy}. */
        LabelEvaluation evaluate(double share, long seed) throws IOException;
    }

    /** Measures for each share and seed of a context, and tells its listener of each accuracy. */
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

    /** As {@link #measure}, and keeps the evaluation with the most labels. */
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

    /** Returns the mean over the seeds. */
    public double mean(String share) {
        return runs.get(share).stream().mapToDouble(a -> a).average().orElseThrow();
    }

    /** Returns the sample standard deviation over the seeds; 0 of one. */
    public double deviation(String share) {
        List<Double> all = runs.get(share);
        double mean = mean(share);
        double squares = all.stream().mapToDouble(a -> (a - mean) * (a - mean)).sum();
        return all.size() < 2 ? 0 : Math.sqrt(squares / (all.size() - 1));
    }
}
