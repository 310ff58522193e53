// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.study;

import io.github.simclr4j.util.OptionValues;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Compares widths and depths of a ResNet, for contrastive and for supervised training.
 *
 * @since 0.1.0
 */
public final class WidthStudy implements Study {
    @Override
    public String name() {
        return "width";
    }

    @Override
    public String summary() {
        return "How much wider and deeper encoders improve the features, with and without labels";
    }

    @Override
    public String source() {
        return "Chen et al. 2020, figure 7";
    }

    @Override
    public StudyPlan plan(OptionValues options) {
        Map<String, Map<String, String>> training = new LinkedHashMap<>();
        training.put("contrastive", Map.of("method", "simclr"));
        training.put("supervised", Map.of("method", "supervised"));
        return StudyPlan.of(
                Chart.PARAMETERS,
                new Axis("training", training),
                Axis.of("encoder", "resnet18", "resnet34"),
                Axis.of("width", "0.125", "0.25", "0.5", "1"));
    }
}
