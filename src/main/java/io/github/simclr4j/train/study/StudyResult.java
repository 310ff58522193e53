// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.study;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The results of a study, complete or not: everything that its table, chart and report show.
 *
 * @param name name of the study
 * @param summary question of the study
 * @param source source of the study; empty if it is this library's
 * @param chart chart of the accuracies
 * @param axes names of the axes, in order
 * @param given given settings, which apply to every cell that has them
 * @param images numbers of images for pretraining ({@code images}) and for training and testing the classifier ({@code train} and
 *     {@code test})
 * @param cells results in the order of the plan
 * @since 0.1.0
 */
public record StudyResult(
        String name,
        String summary,
        String source,
        Chart chart,
        List<String> axes,
        Map<String, String> given,
        Map<String, Integer> images,
        List<CellResult> cells) {
    /** Copies the collections. */
    public StudyResult {
        axes = List.copyOf(axes);
        given = Map.copyOf(given);
        images = Map.copyOf(images);
        cells = List.copyOf(cells);
    }

    /** Returns the first cell with the highest accuracy; empty if none is done. */
    public Optional<CellResult> best() {
        List<CellResult> done =
                new ArrayList<>(cells.stream().filter(c -> c.measured() != null).toList());
        done.sort(Comparator.comparingDouble((CellResult c) -> c.measured().accuracy())
                .reversed());
        return done.stream().findFirst();
    }

    /** Returns the cells that failed. */
    public List<CellResult> failed() {
        return cells.stream().filter(c -> c.failure() != null).toList();
    }

    /** Returns the number of finished cells. */
    public int done() {
        return (int) cells.stream().filter(c -> c.measured() != null).count();
    }

    /** Returns the results as maps, lists, strings and numbers, for JSON. */
    public Map<String, Object> toMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("study", name);
        map.put("summary", summary);
        map.put("source", source);
        map.put("chart", chart.name().toLowerCase(Locale.ROOT));
        map.put("axes", axes);
        map.put("given", given);
        map.put("images", images);
        map.put("cells", cells.stream().map(StudyResult::toMap).toList());
        return map;
    }

    private static Map<String, Object> toMap(CellResult result) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("levels", result.cell().levels());
        map.put("settings", result.cell().settings());
        map.put("state", result.state());
        CellResult.Measured m = result.measured();
        if (m != null) {
            map.put("accuracy", m.accuracy());
            map.put("finalLoss", Double.isFinite(m.finalLoss()) ? m.finalLoss() : null);
            map.put("parameters", m.parameters());
            map.put("dimension", m.dimension());
            map.put("epochs", m.epochs());
            map.put("steps", m.steps());
            map.put("seconds", m.seconds());
            map.put("encoder", result.cell().folder() + "/" + StudyFolder.ENCODER);
            map.put("encoderSha256", m.encoder());
            map.put("training", m.training());
        }
        if (result.failure() != null) {
            map.put("failure", result.failure());
        }
        return map;
    }
}
