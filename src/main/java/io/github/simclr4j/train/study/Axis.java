// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.study;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * An axis of a study: what it varies.
 *
 * @param name name of the axis
 * @param levels settings of each level by its label, in order; the settings are those of {@link CellSettings}
 * @since 0.1.0
 */
public record Axis(String name, Map<String, Map<String, String>> levels) {
    /** Copies the levels in their order. */
    public Axis {
        levels = Collections.unmodifiableMap(new LinkedHashMap<>(levels));
    }

    /** Returns an axis that varies one setting. */
    public static Axis of(String setting, String... values) {
        Map<String, Map<String, String>> levels = new LinkedHashMap<>();
        for (String value : values) {
            levels.put(value, Map.of(setting, value));
        }
        return new Axis(setting, levels);
    }

    /**
     * Parses an axis, such as {@code temperature=0.1,0.5} or, if a value contains commas, {@code views=crop,flip;crop,flip,grey}.
     *
     * @throws IllegalArgumentException if the text is not an axis, or has a value twice
     */
    public static Axis parse(String text) {
        int equals = text.indexOf('=');
        String name = equals < 0 ? "" : text.substring(0, equals).strip();
        String values = text.substring(equals + 1);
        List<String> list = new ArrayList<>();
        for (String value : values.split(values.contains(";") ? ";" : ",", -1)) {
            list.add(value.strip());
        }
        if (name.isEmpty() || list.contains("")) {
            throw new IllegalArgumentException(
                    "An axis is a setting and its values, such as temperature=0.1,0.5, with semicolons"
                            + " between values that contain commas, found " + text);
        }
        if (list.stream().distinct().count() < list.size()) {
            throw new IllegalArgumentException("The values of an axis must be different, found " + text);
        }
        return of(name, list.toArray(String[]::new));
    }

    /**
     * Returns the cells of all combinations of levels; the last axis varies fastest.
     *
     * @throws IllegalArgumentException if there is no axis, or two axes have the same name
     */
    public static List<Cell> product(List<Axis> axes) {
        if (axes.isEmpty() || axes.stream().map(Axis::name).distinct().count() < axes.size()) {
            throw new IllegalArgumentException("A grid needs at least one axis, and its axes must be different, found "
                    + axes.stream().map(Axis::name).toList());
        }
        List<Cell> cells = List.of(new Cell(Map.of(), Map.of()));
        for (Axis axis : axes) {
            List<Cell> more = new ArrayList<>();
            for (Cell cell : cells) {
                axis.levels.forEach((label, settings) -> {
                    Map<String, String> levels = new LinkedHashMap<>(cell.levels());
                    levels.put(axis.name, label);
                    Map<String, String> all = new LinkedHashMap<>(cell.settings());
                    all.putAll(settings);
                    more.add(new Cell(levels, all));
                });
            }
            cells = more;
        }
        return cells;
    }
}
