// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.study;

import java.util.List;

/**
 * The cells of a study.
 *
 * @param chart chart of the accuracies
 * @param cells at least one cell; all have the same axes and different levels
 * @since 0.1.0
 */
public record StudyPlan(Chart chart, List<Cell> cells) {
    /**
     * Copies the list.
     *
     * @throws IllegalArgumentException if there is no cell, two cells have the same levels, or their axes differ
     */
    public StudyPlan {
        cells = List.copyOf(cells);
        if (cells.isEmpty() || cells.stream().map(Cell::levels).distinct().count() < cells.size()) {
            throw new IllegalArgumentException(
                    "A study needs at least one cell, and its cells must be different, found " + cells);
        }
        List<String> axes = List.copyOf(cells.get(0).levels().keySet());
        if (!cells.stream().allMatch(c -> List.copyOf(c.levels().keySet()).equals(axes))) {
            throw new IllegalArgumentException("All cells of a study must have the same axes, found " + cells);
        }
    }

    /** Returns a plan of all combinations of the levels of axes. */
    public static StudyPlan of(Chart chart, Axis... axes) {
        return new StudyPlan(chart, Axis.product(List.of(axes)));
    }

    /** Returns the names of the axes, in order. */
    public List<String> axes() {
        return List.copyOf(cells.get(0).levels().keySet());
    }
}
