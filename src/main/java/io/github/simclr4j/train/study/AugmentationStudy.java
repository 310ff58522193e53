// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.study;

import io.github.simclr4j.util.Option;
import io.github.simclr4j.util.OptionValues;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Compares every ordered pair of seven transformations, and each alone. As in the paper, the second view is the whole image unless both
 * views are transformed.
 *
 * @since 0.1.0
 */
public final class AugmentationStudy implements Study {
    /** Which views are transformed. */
    public static final Option<String> BRANCHES = Option.choice(
            "branches",
            List.of("one", "both"),
            "Which of the two views are transformed; with one, the other view is the whole image",
            "Chen et al. 2020, section 3.1");

    private static final Map<String, String> TRANSFORMATIONS = new LinkedHashMap<>();

    static {
        TRANSFORMATIONS.put("crop", "crop:0.08,flip");
        TRANSFORMATIONS.put("cutout", "cutout");
        TRANSFORMATIONS.put("colour", "jitter:1,grey");
        TRANSFORMATIONS.put("sobel", "sobel");
        TRANSFORMATIONS.put("noise", "noise");
        TRANSFORMATIONS.put("blur", "blur");
        TRANSFORMATIONS.put("rotate", "rotate");
    }

    @Override
    public String name() {
        return "augmentations";
    }

    @Override
    public String summary() {
        return "Which pairs of image transformations give the best features";
    }

    @Override
    public String source() {
        return "Chen et al. 2020, figure 5";
    }

    @Override
    public List<Option<?>> options() {
        return List.of(BRANCHES);
    }

    @Override
    public StudyPlan plan(OptionValues options) {
        boolean both = options.get(BRANCHES).equals("both");
        List<Cell> cells = new ArrayList<>();
        TRANSFORMATIONS.forEach((first, firstViews) -> TRANSFORMATIONS.forEach((second, secondViews) -> {
            Map<String, String> levels = new LinkedHashMap<>();
            levels.put("first", first);
            levels.put("second", second);
            String views = first.equals(second) ? firstViews : firstViews + "," + secondViews;
            cells.add(new Cell(levels, Map.of("method", "simclr", "views", views, "views2", both ? views : "none")));
        }));
        return new StudyPlan(Chart.HEAT_MAP, cells);
    }
}
