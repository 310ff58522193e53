// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.study;

import io.github.simclr4j.train.method.Methods;
import io.github.simclr4j.util.OptionValues;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Compares all methods without a teacher, including supervised training, over the width of the encoder.
 *
 * @since 0.1.0
 */
public final class MethodStudy implements Study {
    @Override
    public String name() {
        return "methods";
    }

    @Override
    public String summary() {
        return "Which method gives the best features at each size of the encoder";
    }

    @Override
    public String source() {
        return "Chen et al. 2020, figure 1";
    }

    @Override
    public StudyPlan plan(OptionValues options) {
        Map<String, Map<String, String>> methods = new LinkedHashMap<>();
        Methods.all().stream()
                .filter(m -> m.teacher().isEmpty())
                .forEach(m -> methods.put(m.name(), Map.of("method", m.name())));
        return StudyPlan.of(Chart.PARAMETERS, new Axis("method", methods), Axis.of("width", "0.125", "0.25", "0.5"));
    }
}
