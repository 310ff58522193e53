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
 * An experiment that a configuration file describes: train on image features, cross-validate, test, and save one model that
 * predicts from an image. Arguments are the file (such as {@code experiment.xml} beside this class's resources), then
 * {@code name=value} for the file's global properties, such as {@code encoder=encoder.onnx train=labelled/train}.
 */
public final class Experiment implements Configurable {
    @Config(mandatory = true, description = "What to train on.")
    private ConfigurableDataSource<Label> train;

    @Config(mandatory = true, description = "What to test on.")
    private ConfigurableDataSource<Label> test;

    @Config(mandatory = true, description = "Trainer of the classifier.")
    private Trainer<Label> trainer;

    @Config(description = "Folds of a cross-validation on the training data, 0 for none.")
    private int folds = 0;

    @Config(mandatory = true, description = "The encoder that made the features.")
    private Path encoder;

    @Config(mandatory = true, description = "Where the model is saved.")
    private Path model;

    /** For OLCUT. */
    private Experiment() {}

    /**
     * What an experiment found.
     *
     * @param test the trained model on the test data
     * @param folds the cross-validation, one of each fold
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
            new CrossValidation<>(trainer, data, evaluator, folds).evaluate().forEach(fold -> validation.add(fold.getA()));
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
