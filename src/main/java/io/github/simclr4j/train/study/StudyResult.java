package io.github.simclr4j.train.study;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * What is known of a study, complete or not: all that its table, its picture and a report are made from.
 *
 * @param name of the study
 * @param summary what it asks
 * @param source where it is from; empty if it is this library's
 * @param chart how it is drawn
 * @param axes names of the axes, in order
 * @param given settings of every cell that has them, as they were given
 * @param images how many images were trained on, and how many the classifier was trained and tested on, by {@code images},
 *     {@code train} and {@code test}
 * @param cells in the order of the plan
 */
public record StudyResult(String name, String summary, String source, Chart chart, List<String> axes, Map<String, String> given,
        Map<String, Integer> images, List<CellResult> cells) {
    /** Copies the collections. */
    public StudyResult {
        axes = List.copyOf(axes);
        given = Map.copyOf(given);
        images = Map.copyOf(images);
        cells = List.copyOf(cells);
    }

    /** Returns the cell with the highest accuracy, the first of equals; empty if none is done. */
    public Optional<CellResult> best() {
        List<CellResult> done = new ArrayList<>(cells.stream().filter(c -> c.measured() != null).toList());
        done.sort(Comparator.comparingDouble((CellResult c) -> c.measured().accuracy()).reversed());
        return done.stream().findFirst();
    }

    /** Returns the cells that failed. */
    public List<CellResult> failed() {
        return cells.stream().filter(c -> c.failure() != null).toList();
    }

    /** Returns how many cells are done. */
    public int done() {
        return (int) cells.stream().filter(c -> c.measured() != null).count();
    }

    /** Returns the result as maps, lists, texts and numbers, for JSON. */
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
