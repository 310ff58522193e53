// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.study;

import io.github.simclr4j.util.OptionValues;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Compares temperatures of NT-Xent, with cosine similarities and with dot products.
 *
 * @since 0.1.0
 */
public final class TemperatureStudy implements Study {
    @Override
    public String name() {
        return "temperature";
    }

    @Override
    public String summary() {
        return "Which temperature gives the best features, with normalised projections and without normalisation";
    }

    @Override
    public String source() {
        return "Chen et al. 2020, table 5";
    }

    @Override
    public StudyPlan plan(OptionValues options) {
        List<Cell> cells = new ArrayList<>();
        List.of("0.05", "0.1", "0.5", "1").forEach(t -> cells.add(cell(t, true)));
        List.of("10", "100").forEach(t -> cells.add(cell(t, false)));
        return new StudyPlan(Chart.LINES, cells);
    }

    private static Cell cell(String temperature, boolean normalised) {
        Map<String, String> levels = new LinkedHashMap<>();
        levels.put("temperature", temperature);
        levels.put("normalised", normalised ? "yes" : "no");
        return new Cell(
                levels,
                Map.of(
                        "method",
                        "simclr",
                        "loss",
                        "nt-xent",
                        "temperature",
                        temperature,
                        "dot-product",
                        Boolean.toString(!normalised)));
    }
}
