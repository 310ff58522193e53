// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.study;

import io.github.simclr4j.util.OptionValues;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Compares no head, linear and non-linear heads of several widths, and features before and after the head.
 *
 * @since 0.1.0
 */
public final class HeadStudy implements Study {
    private static final String NONE = "none";

    @Override
    public String name() {
        return "heads";
    }

    @Override
    public String summary() {
        return "Which projection head gives the best features, before or after it";
    }

    @Override
    public String source() {
        return "Chen et al. 2020, figure 8";
    }

    @Override
    public StudyPlan plan(OptionValues options) {
        List<Cell> cells = new ArrayList<>();
        cells.add(cell(NONE, NONE, "before", Map.of("head", NONE)));
        for (String projection : List.of("32", "128", "512")) {
            for (String head : List.of("linear", "nonlinear")) {
                cells.add(cell(projection, head, "before", Map.of("head", head, "projection", projection)));
            }
        }
        cells.add(cell("128", "linear", "behind", Map.of("head", "linear", "projection", "128", "keep-head", "1")));
        cells.add(
                cell("128", "nonlinear", "behind", Map.of("head", "nonlinear", "projection", "128", "keep-head", "2")));
        return new StudyPlan(Chart.BARS, cells);
    }

    private static Cell cell(String projection, String head, String features, Map<String, String> settings) {
        Map<String, String> levels = new LinkedHashMap<>();
        levels.put("projection", projection);
        levels.put("head", head);
        levels.put("features", features);
        Map<String, String> all = new LinkedHashMap<>(settings);
        all.put("method", "simclr");
        return new Cell(levels, all);
    }
}
