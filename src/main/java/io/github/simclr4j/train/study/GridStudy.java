package io.github.simclr4j.train.study;

import io.github.simclr4j.util.OptionValues;
import java.util.List;

/** A grid of one's own: all combinations of the values of some settings. */
public final class GridStudy implements Study {
    private final List<Axis> axes;

    /** Makes a grid; the last axis changes fastest. */
    public GridStudy(List<Axis> axes) {
        this.axes = List.copyOf(axes);
    }

    @Override
    public String name() {
        return "grid";
    }

    @Override
    public String summary() {
        return "What any settings do";
    }

    @Override
    public String source() {
        return "";
    }

    @Override
    public StudyPlan plan(OptionValues options) {
        List<Cell> cells = Axis.product(axes);
        boolean numbers = axes.get(0).levels().keySet().stream().allMatch(GridStudy::isNumber) && axes.get(0).levels().size() > 1;
        return new StudyPlan(numbers ? Chart.LINES : Chart.BARS, cells);
    }

    private static boolean isNumber(String text) {
        return text.matches("-?\\d+(\\.\\d+)?([eE]-?\\d+)?");
    }
}
