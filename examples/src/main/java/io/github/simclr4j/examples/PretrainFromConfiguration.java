// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.examples;

import com.oracle.labs.mlrg.olcut.config.ConfigurationManager;
import io.github.simclr4j.tribuo.extraction.ImageFeatureExtractor;
import java.io.IOException;
import java.util.List;
import org.tribuo.ConfigurableDataSource;
import org.tribuo.Model;
import org.tribuo.MutableDataset;
import org.tribuo.Trainer;
import org.tribuo.classification.Label;
import org.tribuo.classification.evaluation.LabelEvaluation;
import org.tribuo.classification.evaluation.LabelEvaluator;

/**
 * Pretrains an encoder on unlabelled images, and trains and evaluates a classifier, all described by one OLCUT configuration file.
 * Arguments: the file (such as {@code pretrain.xml} in the resources), then {@code name=value} for each of its global properties, such
 * as {@code unlabelled=photos train=labelled/train test=labelled/test}.
 *
 * @since 0.1.0
 */
public final class PretrainFromConfiguration {
    private PretrainFromConfiguration() {}

    /** Pretrains the encoder unless it exists already, then trains and evaluates the classifier. */
    @SuppressWarnings("unchecked")
    public static LabelEvaluation run(String file, List<String> properties) throws IOException {
        try (ConfigurationManager manager = new ConfigurationManager(file)) {
            for (String property : properties) {
                String[] parts = property.split("=", 2);
                manager.setGlobalProperty(parts[0], parts[1]);
            }
            try {
                var train = (ConfigurableDataSource<Label>) manager.lookup("train-images");
                var test = (ConfigurableDataSource<Label>) manager.lookup("test-images");
                var trainer = (Trainer<Label>) manager.lookup("logistic");
                Model<Label> classifier = trainer.train(new MutableDataset<>(train));
                return new LabelEvaluator().evaluate(classifier, test);
            } finally {
                manager.lookupAll(ImageFeatureExtractor.class).forEach(extractor -> extractor.close());
            }
        }
    }

    /** Prints Tribuo's evaluation. */
    public static void main(String[] args) throws IOException {
        System.out.println(run(args[0], List.of(args).subList(1, args.length)));
    }
}
