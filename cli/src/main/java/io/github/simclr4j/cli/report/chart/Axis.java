// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.report.chart;

import io.github.simclr4j.cli.report.Numbers;
import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleFunction;

/** An axis of a chart, with its range and tick marks. */
final class Axis {
    private final double from;
    private final double to;
    private final boolean logarithmic;
    private final List<Double> marks;
    private final DoubleFunction<String> format;

    private Axis(double from, double to, boolean logarithmic, List<Double> marks, DoubleFunction<String> format) {
        this.from = from;
        this.to = to;
        this.logarithmic = logarithmic;
        this.marks = marks;
        this.format = format;
    }

    /** Returns an axis with about the requested number of round tick marks; if {@code whole}, it begins and ends at a mark. */
    static Axis linear(double least, double most, int about, boolean whole, DoubleFunction<String> format) {
        double low = least;
        double high = most;
        if (!(high > low)) {
            double margin = low == 0 ? 1 : Math.abs(low) * 0.05;
            low -= margin;
            high += margin;
        }
        double step = step((high - low) / about);
        double start = whole ? Math.floor(low / step + 1e-9) * step : low;
        double end = whole ? Math.ceil(high / step - 1e-9) * step : high;
        List<Double> marks = new ArrayList<>();
        for (long i = (long) Math.ceil(start / step - 1e-9); i * step <= end + step * 1e-9; i++) {
            marks.add(i * step);
        }
        return new Axis(start, end, false, marks, format);
    }

    /** Returns a logarithmic axis of positive numbers, whose tick marks are the values themselves. */
    static Axis logarithmic(List<Double> values) {
        List<Double> marks = new ArrayList<>();
        double from = values.get(0);
        double to = values.get(values.size() - 1);
        double reach = Math.log(to / from);
        for (double v : values) {
            if (marks.isEmpty() || Math.log(v / marks.get(marks.size() - 1)) > reach * 0.07) {
                marks.add(v);
            }
        }
        return new Axis(from, to, true, marks, Numbers::plain);
    }

    /** Returns the next larger one of 1, 2, 5, 10, 20 and so on. */
    private static double step(double least) {
        double power = Math.pow(10, Math.floor(Math.log10(least)));
        double first = least / power;
        return power * (first <= 1 ? 1 : first <= 2 ? 2 : first <= 5 ? 5 : 10);
    }

    List<Double> marks() {
        return marks;
    }

    String label(double mark) {
        return format.apply(Math.abs(mark) < 1e-12 ? 0 : Math.rint(mark * 1e9) / 1e9)
                .replace(".0%", "%");
    }

    /** Returns the position of a value on the axis, 0 to 1. */
    double place(double value) {
        return to == from
                ? 0.5
                : logarithmic ? Math.log(value / from) / Math.log(to / from) : (value - from) / (to - from);
    }

    double to() {
        return to;
    }
}
