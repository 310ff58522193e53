// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.tracking;

import io.github.simclr4j.train.loop.EpochSummary;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** The metrics of an epoch under the names that trackers use: {@code train/...} and {@code eval/...}, in snake case. */
final class Scalars {
    private Scalars() {}

    /** Returns the metrics by name; those that are NaN, such as top-1 of a method without candidates, are left out. */
    static Map<String, Double> of(EpochSummary e) {
        Map<String, Double> all = new LinkedHashMap<>();
        all.put("train/loss", e.figures().loss());
        all.put("train/learning_rate", e.learningRate());
        all.put("train/top1", e.figures().top1());
        all.put("train/top5", e.figures().top5());
        all.put("train/alignment", e.figures().alignment());
        all.put("train/uniformity", e.figures().uniformity());
        all.put("train/spread", e.figures().spread());
        all.put("train/effective_rank", e.figures().effectiveRank());
        all.put("train/views_per_second", e.viewsPerSecond());
        e.figures().others().forEach((name, value) -> all.putIfAbsent("train/" + snakeCase(name), value));
        all.put("eval/knn", e.knn());
        all.values().removeIf(v -> !Double.isFinite(v));
        return all;
    }

    /** Converts a name to snake case; both trackers accept letters, digits, underscores, dots and hyphens. */
    private static String snakeCase(String name) {
        return name.replaceAll("(?<=[a-z0-9])(?=[A-Z])", "_")
                .toLowerCase(Locale.ROOT)
                .replaceAll("[^a-z0-9_.-]", "_");
    }
}
