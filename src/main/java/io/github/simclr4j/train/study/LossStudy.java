// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.study;

import io.github.simclr4j.util.OptionValues;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Compares the losses of the paper at one temperature and one margin.
 *
 * @since 0.1.0
 */
public final class LossStudy implements Study {
    @Override
    public String name() {
        return "losses";
    }

    @Override
    public String summary() {
        return "Which contrastive loss gives the best features";
    }

    @Override
    public String source() {
        return "Chen et al. 2020, table 4";
    }

    @Override
    public StudyPlan plan(OptionValues options) {
        Map<String, Map<String, String>> losses = new LinkedHashMap<>();
        for (String loss :
                new String[] {"margin", "nt-logistic", "margin-semihard", "nt-logistic-semihard", "nt-xent"}) {
            losses.put(loss, Map.of("method", "simclr", "loss", loss));
        }
        return StudyPlan.of(Chart.BARS, new Axis("loss", losses));
    }
}
