package io.github.simclr4j.train.loop;

import io.github.simclr4j.train.monitor.Monitor;
import io.github.simclr4j.train.monitor.Verdict;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

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
 * @param lossAtChance loss of a network that has learnt nothing, or NaN if the method does not know it
 * @param verdict how the run stands
 */
public record EpochSummary(int epoch, int epochs, Monitor.Figures figures, double learningRate, double viewsPerSecond, double knn,
        List<String> warnings, double lossAtChance, Verdict verdict) {
    /** Copies the list. */
    public EpochSummary {
        warnings = List.copyOf(warnings);
    }

    /** Returns the figures by name, as a line of the file of metrics has them; what was not measured is left out or NaN. */
    public Map<String, Object> toMap() {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("epoch", epoch);
        line.put("loss", figures.loss());
        if (!Double.isNaN(lossAtChance)) {
            line.put("lossAtChance", lossAtChance);
        }
        line.put("learningRate", learningRate);
        line.put("viewsPerSecond", viewsPerSecond);
        line.put("top1", figures.top1());
        line.put("top5", figures.top5());
        line.put("alignment", figures.alignment());
        line.put("uniformity", figures.uniformity());
        line.put("spread", figures.spread());
        line.put("effectiveRank", figures.effectiveRank());
        line.putAll(figures.others());
        if (!Double.isNaN(knn)) {
            line.put("knn", knn);
        }
        line.put("verdict", verdict.text());
        if (!warnings.isEmpty()) {
            line.put("warnings", warnings);
        }
        return line;
    }
}
