// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.study;

import io.github.simclr4j.util.OptionValues;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Compares losses that treat negatives of the anchor's class differently, and lengths of the queue of negatives.
 *
 * @since 0.1.0
 */
public final class NegativesStudy implements Study {
    private static final Map<String, String> LOSSES = new LinkedHashMap<>();

    static {
        LOSSES.put("NT-Xent", "nt-xent");
        LOSSES.put("debiased", "debiased");
        LOSSES.put("decoupled", "decoupled");
        LOSSES.put("SupCon", "supcon");
    }

    @Override
    public String name() {
        return "negatives";
    }

    @Override
    public String summary() {
        return "Whether negatives of the anchor's class do harm, and how many negatives are needed";
    }

    @Override
    public String source() {
        return "Chuang et al. 2020, Yeh et al. 2022, Khosla et al. 2020 and He et al. 2020, figure 3";
    }

    @Override
    public StudyPlan plan(OptionValues options) {
        Map<String, Map<String, String>> levels = new LinkedHashMap<>();
        LOSSES.forEach((label, loss) -> levels.put(label, Map.of("method", "simclr", "loss", loss)));
        for (int queue = 256; queue <= 16384; queue *= 4) {
            levels.put("MoCo v2, queue " + queue, Map.of("method", "mocov2", "queue", "" + queue));
        }
        return StudyPlan.of(Chart.BARS, new Axis("negatives", levels));
    }
}
