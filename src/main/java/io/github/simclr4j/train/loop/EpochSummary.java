package io.github.simclr4j.train.loop;

import io.github.simclr4j.train.monitor.Monitor;
import java.util.List;

/**
 * What an epoch came to.
 *
 * @param epoch its number, from 1
 * @param epochs how many there are to be
 * @param figures means over its steps
 * @param learningRate of its last step
 * @param viewsPerSecond of its steps
 * @param knn accuracy of nearest neighbours after it, or NaN if it was not measured
 * @param warnings what is wrong, a sentence each; mostly none
 */
public record EpochSummary(int epoch, int epochs, Monitor.Figures figures, double learningRate, double viewsPerSecond, double knn,
        List<String> warnings) {
    /** Copies the list. */
    public EpochSummary {
        warnings = List.copyOf(warnings);
    }
}
