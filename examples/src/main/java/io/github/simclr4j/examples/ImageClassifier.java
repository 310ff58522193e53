// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.examples;

import io.github.simclr4j.tribuo.extraction.SimCLRFeatureExtractor;
import io.github.simclr4j.tribuo.source.ImageFolderDataSource;
import java.nio.file.Path;
import org.tribuo.Model;
import org.tribuo.MutableDataset;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;
import org.tribuo.classification.evaluation.LabelEvaluation;
import org.tribuo.classification.evaluation.LabelEvaluator;
import org.tribuo.classification.sgd.linear.LogisticRegressionTrainer;

/**
 * Trains and evaluates a Tribuo classifier on image features. Arguments: an encoder, a training folder and a test folder.
 *
 * @since 0.1.0
 */
public final class ImageClassifier {
    private ImageClassifier() {}

    /** Trains Tribuo's logistic regression on an encoder's features and evaluates it. */
    public static LabelEvaluation run(Path encoder, Path train, Path test) {
        LabelFactory labels = new LabelFactory();
        try (SimCLRFeatureExtractor<Label> extractor = new SimCLRFeatureExtractor<>(labels, encoder)) {
            MutableDataset<Label> trainSet = new MutableDataset<>(new ImageFolderDataSource<>(train, extractor));
            MutableDataset<Label> testSet = new MutableDataset<>(new ImageFolderDataSource<>(test, extractor));
            Model<Label> model = new LogisticRegressionTrainer().train(trainSet);
            return new LabelEvaluator().evaluate(model, testSet);
        }
    }

    /** Prints Tribuo's evaluation. */
    public static void main(String[] args) {
        System.out.println(run(Path.of(args[0]), Path.of(args[1]), Path.of(args[2])));
    }
}
