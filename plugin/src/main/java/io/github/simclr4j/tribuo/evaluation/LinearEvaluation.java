// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.evaluation;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.tribuo.Dataset;
import org.tribuo.Example;
import org.tribuo.Feature;
import org.tribuo.Model;
import org.tribuo.Trainer;
import org.tribuo.classification.Label;
import org.tribuo.classification.evaluation.LabelEvaluation;
import org.tribuo.classification.evaluation.LabelEvaluator;
import org.tribuo.classification.sgd.linear.LinearSGDTrainer;
import org.tribuo.classification.sgd.objectives.LogMulticlass;
import org.tribuo.dataset.DatasetView;
import org.tribuo.math.optimisers.AdaGrad;
import org.tribuo.transform.TransformTrainer;
import org.tribuo.transform.Transformation;
import org.tribuo.transform.TransformationMap;
import org.tribuo.transform.transformations.MeanStdDevTransformation;

/**
 * Linear evaluation of fixed features (<a href="https://arxiv.org/abs/2002.05709">Chen et al. 2020</a>, section 2.3): a linear
 * classifier is trained on a share of the labels and measured on other images.
 *
 * @since 0.1.0
 */
public final class LinearEvaluation {
    private static final int EPOCHS = 20;
    private static final List<Transformation> STANDARDISE = List.of(new MeanStdDevTransformation());

    private LinearEvaluation() {}

    /**
     * Draws a stratified share of a dataset: the same share of each class, and at least one example of each.
     *
     * @param dataset the examples to draw from
     * @param share share of the examples, above 0 and at most 1
     * @param seed seed of the draw
     * @throws IllegalArgumentException if the share is out of range
     */
    public static Dataset<Label> share(Dataset<Label> dataset, double share, long seed) {
        if (share == 1) {
            return dataset;
        }
        List<String> labels = new ArrayList<>(dataset.size());
        dataset.forEach(example -> labels.add(example.getOutput().getLabel()));
        return new DatasetView<>(dataset, share(labels, share, seed), "stratified share " + share);
    }

    /**
     * Draws a stratified share of images: the same share of each class, and at least one image of each. Equal arguments give equal
     * results.
     *
     * @param labels the class of each image
     * @param share share of the images, above 0 and at most 1
     * @param seed seed of the draw
     * @return indices of the images drawn, in ascending order
     * @throws IllegalArgumentException if the share is out of range
     */
    public static int[] share(List<String> labels, double share, long seed) {
        if (!(share > 0 && share <= 1)) {
            throw new IllegalArgumentException("A share of the labels must be above 0 and at most 1, found " + share);
        }
        Map<String, List<Integer>> byClass = new TreeMap<>();
        for (int i = 0; i < labels.size(); i++) {
            byClass.computeIfAbsent(labels.get(i), k -> new ArrayList<>()).add(i);
        }
        Random random = new Random(seed);
        List<Integer> chosen = new ArrayList<>();
        for (List<Integer> indices : byClass.values()) {
            Collections.shuffle(indices, random);
            chosen.addAll(indices.subList(0, (int) Math.max(1, Math.round(share * indices.size()))));
        }
        return chosen.stream().mapToInt(i -> i).sorted().toArray();
    }

    /**
     * Returns the trainer of the classifier: multinomial logistic regression on standardised features, trained by AdaGrad with the
     * learning rate {@code 1 / sqrt(features)} for {@value #EPOCHS} epochs. AdaGrad is used because Adam in Tribuo 4.3 multiplies by
     * the root of the second moment where it should divide.
     *
     * @param train the training examples. A constant feature (of a dead ReLU, for example) is not standardised, since its standard
     *     deviation is 0
     * @param seed seed of the order of the examples
     */
    public static Trainer<Label> trainer(Dataset<Label> train, long seed) {
        Map<String, List<Transformation>> standardise = new HashMap<>();
        Map<String, Double> first = new HashMap<>();
        for (Example<Label> example : train) {
            for (Feature f : example) {
                Double known = first.putIfAbsent(f.getName(), f.getValue());
                if (known != null && known != f.getValue()) {
                    standardise.put(Pattern.quote(f.getName()), STANDARDISE); // Tribuo expects a pattern.
                }
            }
        }
        return new TransformTrainer<>(
                new LinearSGDTrainer(
                        new LogMulticlass(),
                        new AdaGrad(1 / Math.sqrt(Math.max(1, first.size())), 1e-6),
                        EPOCHS,
                        Integer.MAX_VALUE,
                        32,
                        seed),
                new TransformationMap(standardise));
    }

    /**
     * Trains a classifier on a share of the labels and evaluates it.
     *
     * @param train the training examples
     * @param test the test examples
     * @param share share of the training examples to use, above 0 and at most 1
     * @param seed seed of the draw and of the order of the examples
     */
    public static LabelEvaluation evaluate(Dataset<Label> train, Dataset<Label> test, double share, long seed) {
        Dataset<Label> labelled = share(train, share, seed);
        Model<Label> model = trainer(labelled, seed).train(labelled);
        return new LabelEvaluator().evaluate(model, test);
    }
}
