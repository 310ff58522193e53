// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.tribuo.evaluation.Calibration;
import io.github.simclr4j.tribuo.evaluation.Confusions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tribuo.Prediction;
import org.tribuo.classification.Label;
import org.tribuo.classification.evaluation.LabelEvaluation;

/**
 * Holds the detailed results of a classifier on test images.
 *
 * @param predictions predictions in the order of the test images
 * @param confusions which classes it confuses
 * @param calibration how well its confidence agrees with its accuracy
 */
record EvaluationDetails(List<Prediction<Label>> predictions, Confusions confusions, Calibration calibration) {
    /** Number of confusions that are written and shown. */
    static final int COMMONEST = 6;

    private static final int BINS = 15;
    /** Most classes of a confusion matrix; a larger one would be unreadable and make the file large. */
    private static final int MATRIX = 100;

    static EvaluationDetails of(List<String> classes, LabelEvaluation evaluation) {
        List<Prediction<Label>> predictions = evaluation.getPredictions();
        return new EvaluationDetails(
                predictions, Confusions.of(classes, predictions), Calibration.of(predictions, BINS));
    }

    /** Adds the figures to a result. */
    void addTo(Map<String, Object> json) {
        json.put(
                "perClass",
                confusions.perClass().stream()
                        .map(c -> {
                            Map<String, Object> figures = new LinkedHashMap<>();
                            figures.put("class", c.name());
                            figures.put("images", c.images());
                            figures.put("precision", c.precision());
                            figures.put("recall", c.recall());
                            figures.put("f1", c.f1());
                            return figures;
                        })
                        .toList());
        if (confusions.classes().size() <= MATRIX) {
            json.put("confusionMatrix", confusions.matrix());
        }
        json.put(
                "commonestConfusions",
                confusions.commonest().stream()
                        .limit(COMMONEST)
                        .map(c -> {
                            Map<String, Object> figures = new LinkedHashMap<>();
                            figures.put("expected", c.expected());
                            figures.put("predicted", c.predicted());
                            figures.put("images", c.images().size());
                            return figures;
                        })
                        .toList());
        json.put("calibration", calibration);
    }
}
