package io.github.simclr4j.train.study;

import java.util.List;

/**
 * The cells of a study.
 *
 * @param chart how they are drawn
 * @param cells at least one, each with the same axes and levels of its own
 */
public record StudyPlan(Chart chart, List<Cell> cells) {
    /**
     * Copies the list.
     *
     * @throws IllegalArgumentException if there is no cell, two have the same levels, or their axes differ
     */
    public StudyPlan {
        cells = List.copyOf(cells);
        if (cells.isEmpty() || cells.stream().map(Cell::levels).distinct().count() < cells.size()) {
            throw new IllegalArgumentException("A study has at least one cell, and each once, found " + cells);
        }
        List<String> axes = List.copyOf(cells.get(0).levels().keySet());
        if (!cells.stream().allMatch(c -> List.copyOf(c.levels().keySet()).equals(axes))) {
            throw new IllegalArgumentException("All cells of a study have the same axes, found " + cells);
        }
    }

    /** Returns a plan of all combinations of some axes. */
    public static StudyPlan of(Chart chart, Axis... axes) {
        return new StudyPlan(chart, Axis.product(List.of(axes)));
    }

    /** Returns the names of the axes, in order. */
    public List<String> axes() {
        return List.copyOf(cells.get(0).levels().keySet());
    }
}
