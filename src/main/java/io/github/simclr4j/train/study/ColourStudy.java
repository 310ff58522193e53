// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.study;

import io.github.simclr4j.util.OptionValues;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Compares strengths of colour distortion, and AutoAugment's policy, for contrastive and for supervised training.
 *
 * @since 0.1.0
 */
public final class ColourStudy implements Study {
    @Override
    public String name() {
        return "color";
    }

    @Override
    public String summary() {
        return "How strong colour distortion should be, with and without labels";
    }

    @Override
    public String source() {
        return "Chen et al. 2020, table 1";
    }

    @Override
    public StudyPlan plan(OptionValues options) {
        Map<String, Map<String, String>> views = new LinkedHashMap<>();
        views.put("1/8", Map.of("views", "crop:0.08,flip,jitter:0.125,grey"));
        views.put("1/4", Map.of("views", "crop:0.08,flip,jitter:0.25,grey"));
        views.put("1/2", Map.of("views", "crop:0.08,flip,jitter:0.5,grey"));
        views.put("1", Map.of("views", "crop:0.08,flip,jitter:1,grey"));
        views.put("1 and blur", Map.of("views", "crop:0.08,flip,jitter:1,grey,blur"));
        views.put("AutoAugment", Map.of("views", "autoaugment"));
        Map<String, Map<String, String>> training = new LinkedHashMap<>();
        training.put("contrastive", Map.of("method", "simclr"));
        training.put("supervised", Map.of("method", "supervised"));
        return StudyPlan.of(Chart.BARS, new Axis("strength", views), new Axis("training", training));
    }
}
