// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.oracle.labs.mlrg.olcut.config.ConfigurationManager;
import com.oracle.labs.mlrg.olcut.provenance.ProvenanceUtil;
import com.oracle.labs.mlrg.olcut.provenance.ProvenanceUtil.ProvenanceOrdering;
import io.github.simclr4j.tribuo.extraction.Fixture;
import io.github.simclr4j.tribuo.extraction.ImageFeatureExtractor;
import io.github.simclr4j.tribuo.extraction.SimCLRFeatureExtractor;
import io.github.simclr4j.tribuo.model.EncodedModel;
import io.github.simclr4j.tribuo.training.SelfTrainingTrainer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tribuo.ConfigurableDataSource;
import org.tribuo.Dataset;
import org.tribuo.Example;
import org.tribuo.Model;
import org.tribuo.MutableDataset;
import org.tribuo.Trainer;
import org.tribuo.classification.Label;
import org.tribuo.classification.sgd.linear.LinearSGDTrainer;
import org.tribuo.classification.sgd.objectives.LogMulticlass;
import org.tribuo.math.optimisers.AdaGrad;
import org.tribuo.provenance.ModelProvenance;
import org.tribuo.provenance.TrainerProvenance;

/** A model is made again from nothing but the provenance in its file (and the images and the encoder where they were). */
class ReproductionTest {
    @TempDir
    static Path dir;

    private static Path encoder;
    private static Path train;
    private static Path unlabelled;
    private static Dataset<Label> test;

    @BeforeAll
    static void write() throws IOException {
        encoder = Fixture.encoder(dir.resolve("encoder.onnx"), 1);
        train = Fixture.images(dir.resolve("train"), 8, 1);
        unlabelled = Fixture.images(dir.resolve("unlabelled"), 20, 2);
        test = Fixture.features(encoder, Fixture.images(dir.resolve("test"), 5, 3));
    }

    /** The second model of a trainer, so that its invocation count matters, saved with its encoder and loaded again. */
    private static Model<Label> saved(boolean selfTraining) throws IOException {
        Path file = dir.resolve("saved.tribuo");
        try (SimCLRFeatureExtractor<Label> extractor = new SimCLRFeatureExtractor<>(Fixture.LABELS, encoder, 1)) {
            Dataset<Label> data = new MutableDataset<>(new ImageFolderDataSource<>(train, extractor));
            Trainer<Label> trainer = new LinearSGDTrainer(new LogMulticlass(), new AdaGrad(0.1), 3, 1);
            if (selfTraining) {
                trainer = new SelfTrainingTrainer(
                        trainer, new ImageFolderDataSource<>(unlabelled, extractor), 0.6, 4, true, 5);
            }
            trainer.train(data);
            try (EncodedModel<Label> model = EncodedModel.containing(Fixture.LABELS, encoder, trainer.train(data), 1)) {
                model.serializeToFile(file);
            }
        }
        try (EncodedModel<?> loaded = (EncodedModel<?>) Model.deserializeFromFile(file)) {
            return loaded.getInnerModel().castModel(Label.class);
        }
    }

    private static void assertSame(Model<Label> expected, Model<?> actual) {
        assertEquals(expected.getClass(), actual.getClass());
        Model<Label> model = actual.castModel(Label.class);
        for (Example<Label> e : test) {
            assertTrue(expected.predict(e).distributionEquals(model.predict(e)), "the same to the bit");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void provenanceIsEnoughToTrainAgain(boolean selfTraining) throws IOException {
        Model<Label> original = saved(selfTraining);
        ModelProvenance provenance = original.getProvenance();
        ConfigurationManager manager = new ConfigurationManager();
        manager.addConfiguration(ProvenanceUtil.extractConfiguration(provenance));
        ProvenanceOrdering ordering = ProvenanceUtil.orderProvenances(provenance);
        Trainer<Label> trainer = null;
        for (int i = 0; i < ordering.traversalOrder.size(); i++) {
            if (ordering.traversalOrder.get(i) instanceof TrainerProvenance p) {
                @SuppressWarnings("unchecked") // It trained this model or is part of what did.
                Trainer<Label> found = (Trainer<Label>) manager.lookup(ProvenanceUtil.computeName(p, i));
                found.setInvocationCount((int) p.getInstanceValues()
                        .get(TrainerProvenance.TRAIN_INVOCATION_COUNT)
                        .getValue());
                if (p.equals(provenance.getTrainerProvenance())) {
                    trainer = found;
                }
            }
        }
        List<String> sources = manager.listAll(ImageFolderDataSource.class);
        ConfigurableDataSource<Label> source = sources.stream()
                .map(name -> {
                    @SuppressWarnings("unchecked") // Its output factory makes labels.
                    ImageFolderDataSource<Label> s = (ImageFolderDataSource<Label>) manager.lookup(name);
                    return s;
                })
                .filter(s -> s.toString().contains(train.toString()))
                .findFirst()
                .orElseThrow();
        assertSame(original, trainer.train(new MutableDataset<>(source)));
        manager.lookupAll(ImageFeatureExtractor.class).forEach(extractor -> extractor.close());
        manager.close();
    }

    /**
     * Tribuo's own reproducibility module, where it is on the class path: it is not published to Maven Central. Build it
     * from Tribuo's sources and name its jar with {@code -Dmaven.test.additionalClasspath}. It takes the first data source
     * of the training source's class for the training data, so it can't tell a second one of unlabelled images from it.
     */
    @Test
    void tribuosReproducibilityModuleTrainsItAgain() throws IOException, ReflectiveOperationException {
        Class<?> repro;
        try {
            repro = Class.forName("org.tribuo.reproducibility.ReproUtil");
        } catch (ClassNotFoundException e) {
            Assumptions.abort("skipped: no tribuo-reproducibility on the class path");
            return;
        }
        Model<Label> original = saved(false);
        Object util = repro.getConstructor(Model.class).newInstance(original);
        assertSame(
                original, (Model<?>) repro.getMethod("reproduceFromProvenance").invoke(util));
    }
}
