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
 * What a classifier does in detail, on test images.
 *
 * @param predictions in the order of the test images
 * @param confusions which classes it takes for which
 * @param calibration whether it is as sure as it is right
 */
record EvaluationDetails(List<Prediction<Label>> predictions, Confusions confusions, Calibration calibration) {
    /** Confusions that are written and shown. */
    static final int COMMONEST = 6;

    private static final int BINS = 15;
    /** A matrix of more classes would make the file large, and nobody could look at it. */
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
