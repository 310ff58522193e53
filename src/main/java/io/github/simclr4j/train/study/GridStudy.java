// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.study;

import io.github.simclr4j.util.OptionValues;
import java.util.List;

/**
 * A custom grid: all combinations of the values of some settings.
 *
 * @since 0.1.0
 */
public final class GridStudy implements Study {
    private final List<Axis> axes;

    /**
     * Creates a grid.
     *
     * @param axes at least one axis; the last one varies fastest
     */
    public GridStudy(List<Axis> axes) {
        this.axes = List.copyOf(axes);
    }

    @Override
    public String name() {
        return "grid";
    }

    @Override
    public String summary() {
        return "How any settings affect the features";
    }

    @Override
    public String source() {
        return "";
    }

    @Override
    public StudyPlan plan(OptionValues options) {
        List<Cell> cells = Axis.product(axes);
        boolean numbers = axes.get(0).levels().keySet().stream().allMatch(GridStudy::isNumber)
                && axes.get(0).levels().size() > 1;
        return new StudyPlan(numbers ? Chart.LINES : Chart.BARS, cells);
    }

    private static boolean isNumber(String text) {
        return text.matches("-?\\d+(\\.\\d+)?([eE]-?\\d+)?");
    }
}
