// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.evaluation;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tribuo.Prediction;
import org.tribuo.classification.Label;

/**
 * The confusion matrix of a classifier, with precision and recall of each class.
 *
 * @param classes names of the classes, in order
 * @param matrix number of images by true class (row) and predicted class (column), in the order of the classes
 * @param perClass precision and recall of each class, in the order of the classes
 * @param commonest the pairs of classes that are confused, the most frequent first; ties are in the order of the classes
 * @since 0.1.0
 */
public record Confusions(
        List<String> classes, List<List<Integer>> matrix, List<ClassFigures> perClass, List<Confusion> commonest) {

    /**
     * Precision and recall of a class.
     *
     * @param name name of the class
     * @param images number of test images of the class
     * @param precision share of correct predictions among those of this class, 0 to 1; NaN if it is never predicted
     * @param recall share of correct predictions among images of this class (its accuracy), 0 to 1; NaN if it has no images
     * @param f1 harmonic mean of precision and recall, 0 to 1; NaN if the class has no images and is never predicted
     */
    public record ClassFigures(String name, int images, double precision, double recall, double f1) {}

    /**
     * The images of one class that are predicted as another.
     *
     * @param expected the true class
     * @param predicted the predicted class
     * @param images indices of their predictions, the most confident mistakes first
     */
    public record Confusion(String expected, String predicted, List<Integer> images) {
        /** Copies the list. */
        public Confusion {
            images = List.copyOf(images);
        }
    }

    /** Copies the lists. */
    public Confusions {
        classes = List.copyOf(classes);
        matrix = matrix.stream().map(List::copyOf).toList();
        perClass = List.copyOf(perClass);
        commonest = List.copyOf(commonest);
    }

    /**
     * Counts correct and wrong predictions.
     *
     * @param classes names of all classes, in the order of the result
     * @param predictions predictions of examples whose class is known
     * @throws IllegalArgumentException if {@code classes} lacks a class that occurs
     */
    public static Confusions of(List<String> classes, List<Prediction<Label>> predictions) {
        int n = classes.size();
        int[][] counts = new int[n][n];
        Map<List<Integer>, List<Integer>> wrong = new LinkedHashMap<>();
        for (int i = 0; i < predictions.size(); i++) {
            int expected = number(classes, predictions.get(i).getExample().getOutput());
            int predicted = number(classes, predictions.get(i).getOutput());
            counts[expected][predicted]++;
            if (expected != predicted) {
                wrong.computeIfAbsent(List.of(expected, predicted), k -> new ArrayList<>())
                        .add(i);
            }
        }
        List<List<Integer>> matrix = new ArrayList<>();
        List<ClassFigures> figures = new ArrayList<>();
        for (int c = 0; c < n; c++) {
            List<Integer> row = new ArrayList<>();
            int images = 0;
            int taken = 0;
            for (int d = 0; d < n; d++) {
                row.add(counts[c][d]);
                images += counts[c][d];
                taken += counts[d][c];
            }
            matrix.add(row);
            double right = counts[c][c];
            figures.add(new ClassFigures(
                    classes.get(c), images, right / taken, right / images, 2 * right / (images + taken)));
        }
        return new Confusions(classes, matrix, figures, commonest(classes, predictions, wrong));
    }

    private static int number(List<String> classes, Label label) {
        int number = classes.indexOf(label.getLabel());
        if (number < 0) {
            throw new IllegalArgumentException(
                    "Expected one of the classes " + classes + ", found " + label.getLabel());
        }
        return number;
    }

    private static List<Confusion> commonest(
            List<String> classes, List<Prediction<Label>> predictions, Map<List<Integer>, List<Integer>> wrong) {
        List<Map.Entry<List<Integer>, List<Integer>>> pairs = new ArrayList<>(wrong.entrySet());
        pairs.sort(Comparator.comparingInt((Map.Entry<List<Integer>, List<Integer>> e) ->
                        -e.getValue().size())
                .thenComparingInt(e -> e.getKey().get(0))
                .thenComparingInt(e -> e.getKey().get(1)));
        Comparator<Integer> surest =
                Comparator.comparingDouble(i -> -predictions.get(i).getOutput().getScore());
        return pairs.stream()
                .map(e -> new Confusion(
                        classes.get(e.getKey().get(0)),
                        classes.get(e.getKey().get(1)),
                        e.getValue().stream().sorted(surest).toList()))
                .toList();
    }
}
