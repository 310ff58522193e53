// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.examples;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.Configurable;
import com.oracle.labs.mlrg.olcut.config.ConfigurationManager;
import io.github.simclr4j.tribuo.extraction.ImageFeatureExtractor;
import io.github.simclr4j.tribuo.model.EncodedModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.tribuo.ConfigurableDataSource;
import org.tribuo.Model;
import org.tribuo.MutableDataset;
import org.tribuo.Trainer;
import org.tribuo.classification.Label;
import org.tribuo.classification.evaluation.LabelEvaluation;
import org.tribuo.classification.evaluation.LabelEvaluator;
import org.tribuo.evaluation.CrossValidation;

/**
 * Runs an experiment described by an OLCUT configuration file: trains on image features, cross-validates, tests, and saves a model that
 * predicts from images. Arguments: the file (such as {@code experiment.xml} in the resources), then {@code name=value} for each of its
 * global properties, such as {@code encoder=encoder.onnx train=labelled/train}.
 *
 * @since 0.1.0
 */
public final class Experiment implements Configurable {
    @Config(mandatory = true, description = "The training data.")
    private ConfigurableDataSource<Label> train;

    @Config(mandatory = true, description = "The test data.")
    private ConfigurableDataSource<Label> test;

    @Config(mandatory = true, description = "The trainer of the classifier.")
    private Trainer<Label> trainer;

    @Config(description = "Number of folds of a cross-validation on the training data; 0 for none.")
    private int folds = 0;

    @Config(mandatory = true, description = "The encoder that made the features.")
    private Path encoder;

    @Config(mandatory = true, description = "The file to save the model to.")
    private Path model;

    /** Required by OLCUT. */
    private Experiment() {}

    /**
     * The results of an experiment.
     *
     * @param test the evaluation on the test data
     * @param folds the evaluations of the cross-validation, one per fold
     */
    public record Result(LabelEvaluation test, List<LabelEvaluation> folds) {}

    /** Runs the experiment and saves its model. */
    public Result run() throws IOException {
        MutableDataset<Label> data = new MutableDataset<>(train);
        LabelEvaluator evaluator = new LabelEvaluator();
        Model<Label> classifier = trainer.train(data);
        LabelEvaluation evaluation = evaluator.evaluate(classifier, test);
        try (EncodedModel<Label> whole = EncodedModel.containing(train.getOutputFactory(), encoder, classifier, 0)) {
            whole.serializeToFile(model);
        }
        List<LabelEvaluation> validation = new ArrayList<>();
        if (folds > 0) {
            new CrossValidation<>(trainer, data, evaluator, folds)
                    .evaluate()
                    .forEach(fold -> validation.add(fold.getA()));
        }
        return new Result(evaluation, validation);
    }

    /** Runs the component {@code experiment} of a configuration file. */
    public static Result run(String file, List<String> properties) throws IOException {
        try (ConfigurationManager manager = new ConfigurationManager(file)) {
            for (String property : properties) {
                String[] parts = property.split("=", 2);
                if (parts.length < 2) {
                    throw new IllegalArgumentException("Expected name=value, found " + property);
                }
                manager.setGlobalProperty(parts[0], parts[1]);
            }
            try {
                return ((Experiment) manager.lookup("experiment")).run();
            } finally {
                manager.lookupAll(ImageFeatureExtractor.class).forEach(extractor -> extractor.close());
            }
        }
    }

    /** Prints Tribuo's evaluations. */
    public static void main(String[] args) throws IOException {
        Result result = run(args[0], List.of(args).subList(1, args.length));
        result.folds().forEach(fold -> System.out.println("Fold: accuracy " + fold.accuracy()));
        System.out.println(result.test());
    }
}
