// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import io.github.simclr4j.train.monitor.Monitor;
import io.github.simclr4j.train.monitor.Verdict;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The results of an epoch.
 *
 * @param epoch number of the epoch, from 1
 * @param epochs number of epochs of the run
 * @param figures metrics, averaged over the steps
 * @param learningRate learning rate of the last step
 * @param viewsPerSecond throughput
 * @param knn nearest-neighbour accuracy after the epoch, 0 to 1, or NaN if it was not measured
 * @param warnings problems, one sentence each; usually empty
 * @param lossAtChance loss of an untrained network, or NaN if it is unknown
 * @param verdict verdict on the run
 * @since 0.1.0
 */
public record EpochSummary(
        int epoch,
        int epochs,
        Monitor.Figures figures,
        double learningRate,
        double viewsPerSecond,
        double knn,
        List<String> warnings,
        double lossAtChance,
        Verdict verdict) {
    /** Copies the list. */
    public EpochSummary {
        warnings = List.copyOf(warnings);
    }

    /** Returns the values by name, as in a line of the metrics file; values that were not measured are left out or NaN. */
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
