// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.ListProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.IntProvenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.StringProvenance;
import com.oracle.labs.mlrg.olcut.util.Pair;
import io.github.simclr4j.tribuo.evaluation.LinearEvaluation;
import io.github.simclr4j.tribuo.extraction.Fixture;
import io.github.simclr4j.tribuo.extraction.ImageFeatureExtractor;
import io.github.simclr4j.tribuo.extraction.SimCLRFeatureExtractor;
import io.github.simclr4j.tribuo.model.SelfTrainedModel;
import io.github.simclr4j.tribuo.source.ImageFolderDataSource;
import io.github.simclr4j.tribuo.training.SelfTrainingTrainer.Stop;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.Dataset;
import org.tribuo.Example;
import org.tribuo.Model;
import org.tribuo.MutableDataset;
import org.tribuo.Prediction;
import org.tribuo.Trainer;
import org.tribuo.classification.Label;
import org.tribuo.classification.evaluation.LabelEvaluation;
import org.tribuo.classification.evaluation.LabelEvaluator;
import org.tribuo.classification.sgd.linear.LinearSGDTrainer;
import org.tribuo.classification.sgd.objectives.Hinge;
import org.tribuo.classification.sgd.objectives.LogMulticlass;
import org.tribuo.evaluation.CrossValidation;
import org.tribuo.impl.ArrayExample;
import org.tribuo.math.optimisers.AdaGrad;

class SelfTrainingTrainerTest {
    private static final int DIMENSIONS = 5;
    private static final String[] NAMES = ImageFeatureExtractor.names("x", DIMENSIONS);
    private static final Label UNKNOWN = Fixture.LABELS.getUnknownOutput();

    private static Trainer<Label> logistic() {
        return new LinearSGDTrainer(new LogMulticlass(), new AdaGrad(0.1), 10, 1);
    }

    /**
     * Two Gaussians of deviation 1 whose means differ by 4 in the first dimension alone, and count examples, half of each.
     */
    private static List<Example<Label>> gaussians(int count, boolean labelled, Random random) {
        List<Example<Label>> examples = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            double[] x = new double[DIMENSIONS];
            for (int d = 0; d < DIMENSIONS; d++) {
                x[d] = random.nextGaussian();
            }
            x[0] += i % 2 == 0 ? 2 : -2;
            examples.add(new ArrayExample<>(labelled ? new Label(i % 2 == 0 ? "right" : "left") : UNKNOWN, NAMES, x));
        }
        return examples;
    }

    private static MutableDataset<Label> dataset(List<Example<Label>> examples) {
        MutableDataset<Label> dataset = Fixture.empty(Fixture.LABELS);
        examples.forEach(dataset::add);
        return dataset;
    }

    private static double accuracy(Model<Label> model, Dataset<Label> test) {
        return new LabelEvaluator().evaluate(model, test).accuracy();
    }

    /**
     * The best classifier looks at the first dimension and is right with probability Phi(2) = 0.97725. Two examples of each
     * class leave much noise of the other four in the weights; the clusters of 400 unlabelled ones show where the gap is.
     */
    @Test
    void unlabelledExamplesBringItNearTheBestPossible() {
        double base = 0;
        int runs = 6;
        for (int seed = 0; seed < runs; seed++) {
            Random random = new Random(seed);
            List<Example<Label>> labelled = gaussians(4, true, random);
            List<Example<Label>> all = new ArrayList<>(labelled);
            all.addAll(gaussians(400, false, random));
            MutableDataset<Label> test = dataset(gaussians(1000, true, random));
            base += accuracy(logistic().train(dataset(labelled)), test) / runs;
            double self =
                    accuracy(new SelfTrainingTrainer(logistic(), null, 0.95, 10, true, 30).train(dataset(all)), test);
            assertEquals(0.97725, self, 0.02, "seed " + seed);
        }
        assertTrue(base < 0.93, "base " + base);
    }

    private static Map<String, Double> scores(Prediction<Label> prediction) {
        Map<String, Double> scores = new TreeMap<>();
        prediction.getOutputScores().forEach((k, v) -> scores.put(k, v.getScore()));
        return scores;
    }

    private static void assertSamePredictions(Model<Label> a, Model<Label> b, Iterable<Example<Label>> examples) {
        for (Example<Label> e : examples) {
            assertEquals(scores(a.predict(e)), scores(b.predict(e)));
        }
    }

    private static <P extends Provenance> P run(Model<Label> model, String key, Class<P> type) {
        return type.cast(model.getProvenance().getInstanceProvenance().getMap().get(key));
    }

    private static List<Integer> added(Model<Label> model) {
        List<Integer> counts = new ArrayList<>();
        ListProvenance<?> list = (ListProvenance<?>) run(model, SelfTrainingTrainer.ADDED, Provenance.class);
        list.getList().forEach(c -> counts.add(((IntProvenance) c).getValue()));
        return counts;
    }

    private static Stop stop(Model<Label> model) {
        return Stop.valueOf(
                run(model, SelfTrainingTrainer.STOP, StringProvenance.class).getValue());
    }

    @Test
    void withoutConfidenceOrUnlabelledExamplesItIsTheInnerModel() {
        Random random = new Random(1);
        List<Example<Label>> labelled = gaussians(20, true, random);
        List<Example<Label>> all = new ArrayList<>(labelled);
        all.addAll(7, gaussians(50, false, random));
        List<Example<Label>> test = gaussians(50, true, random);
        Model<Label> base = logistic().train(dataset(labelled));

        // No probability of this model is exactly 1.
        SelfTrainedModel unsure = new SelfTrainingTrainer(logistic(), 1).train(dataset(all));
        assertSamePredictions(base, unsure, test);
        assertEquals(Stop.NOTHING_CONFIDENT, stop(unsure));
        assertEquals(List.of(), added(unsure));
        assertEquals(
                20,
                run(unsure, SelfTrainingTrainer.LABELLED, IntProvenance.class).getValue());
        assertEquals(
                50,
                run(unsure, SelfTrainingTrainer.UNLABELLED, IntProvenance.class).getValue());

        SelfTrainedModel none = new SelfTrainingTrainer(logistic(), 0).train(dataset(labelled));
        assertSamePredictions(base, none, test);
        assertEquals(Stop.NOTHING_LEFT, stop(none));
        SelfTrainedModel noRound = new SelfTrainingTrainer(logistic(), null, 0, 0, false, 0).train(dataset(all));
        assertSamePredictions(base, noRound, test);
        assertEquals(Stop.MAX_ROUNDS, stop(noRound));
    }

    @Test
    void roundsAreBoundedAsConfigured() {
        Random random = new Random(2);
        List<Example<Label>> all = gaussians(6, true, random);
        all.addAll(gaussians(101, false, random)); // 51 right, 50 left.
        Dataset<Label> data = dataset(all);
        // Everything at threshold 0, 5 of each class a round, 3 rounds.
        SelfTrainedModel model = new SelfTrainingTrainer(logistic(), null, 0, 5, false, 3).train(data);
        assertEquals(List.of(10, 10, 10), added(model));
        assertEquals(Stop.MAX_ROUNDS, stop(model));
        // All at once.
        model = new SelfTrainingTrainer(logistic(), 0).train(data);
        assertEquals(List.of(101), added(model));
        assertEquals(Stop.NOTHING_LEFT, stop(model));
        // Balanced: an even number each round, until a class has no candidate.
        model = new SelfTrainingTrainer(logistic(), null, 0, 0, true, 100).train(data);
        List<Integer> counts = added(model);
        assertTrue(!counts.isEmpty() && counts.stream().allMatch(c -> c % 2 == 0), counts.toString());
    }

    @Test
    void theMostConfidentComeFirst() {
        // On a line: labelled at -1 and 1, the further out the more confident.
        List<Example<Label>> all = new ArrayList<>();
        String[] name = {"x"};
        all.add(new ArrayExample<>(new Label("left"), name, new double[] {-1}));
        all.add(new ArrayExample<>(new Label("right"), name, new double[] {1}));
        for (double x : new double[] {0.5, -0.5, 3, -3, 2, -2}) {
            all.add(new ArrayExample<>(UNKNOWN, name, new double[] {x}));
        }
        Recorder recorder = new Recorder(logistic());
        new SelfTrainingTrainer(recorder, null, 0.5, 1, true, 2).train(dataset(all));
        assertEquals(
                List.of(
                        "left -1.0 right 1.0",
                        "left -1.0 right 1.0 right 3.0 left -3.0",
                        "left -1.0 right 1.0 right 3.0 left -3.0 right 2.0 left -2.0"),
                recorder.seen);
    }

    /** Remembers what it was trained on. */
    private static final class Recorder implements Trainer<Label> {
        private final Trainer<Label> inner;
        private final List<String> seen = new ArrayList<>();

        Recorder(Trainer<Label> inner) {
            this.inner = inner;
        }

        @Override
        public Model<Label> train(Dataset<Label> examples, Map<String, Provenance> run) {
            StringBuilder all = new StringBuilder();
            examples.forEach(e -> all.append(e.getOutput().getLabel())
                    .append(' ')
                    .append(e.iterator().next().getValue())
                    .append(' '));
            seen.add(all.toString().trim());
            return inner.train(examples, run);
        }

        @Override
        public int getInvocationCount() {
            return inner.getInvocationCount();
        }

        @Override
        public void setInvocationCount(int count) {
            inner.setInvocationCount(count);
        }

        @Override
        public org.tribuo.provenance.TrainerProvenance getProvenance() {
            return inner.getProvenance();
        }
    }

    @Test
    void itIsReproducibleByItsInvocationCount() {
        Random random = new Random(3);
        List<Example<Label>> all = gaussians(10, true, random);
        all.addAll(gaussians(200, false, random));
        List<Example<Label>> test = gaussians(20, true, random);
        Dataset<Label> data = dataset(all);
        SelfTrainingTrainer trainer = new SelfTrainingTrainer(logistic(), 0.9);
        Model<Label> first = trainer.train(data);
        Model<Label> second = trainer.train(data);
        assertEquals(2, trainer.getInvocationCount());
        SelfTrainingTrainer again = new SelfTrainingTrainer(logistic(), 0.9);
        assertSamePredictions(second, again.train(data, Map.of(), 1), test);
        assertEquals(2, again.getInvocationCount());
        assertSamePredictions(first, again.train(data, Map.of(), 0), test);
        // Another count is another order of the examples.
        assertTrue(test.stream().anyMatch(e -> !scores(first.predict(e)).equals(scores(second.predict(e)))));
        assertThrows(IllegalArgumentException.class, () -> trainer.setInvocationCount(-1));
    }

    @Test
    void examplesAndDatasetStayAsTheyWere() {
        Random random = new Random(4);
        List<Example<Label>> all = gaussians(10, true, random);
        all.addAll(gaussians(100, false, random));
        Dataset<Label> data = dataset(all);
        List<Example<Label>> before = new ArrayList<>();
        data.forEach(e -> before.add(e.copy()));
        assertTrue(added(new SelfTrainingTrainer(logistic(), 0.8).train(data)).get(0) > 0);
        int i = 0;
        for (Example<Label> e : data) {
            assertEquals(before.get(i), e);
            assertEquals(before.get(i++).getOutput(), e.getOutput());
        }
        assertEquals(100, data.getOutputInfo().getUnknownCount());
    }

    @Test
    void crossValidationUsesAnotherSourceOfUnlabelledExamples(@TempDir Path dir) throws IOException {
        Path images = Fixture.images(dir.resolve("few"), 6, 1);
        Path more = Fixture.images(dir.resolve("more"), 15, 2);
        Path encoder = Fixture.encoder(dir.resolve("encoder.onnx"), 1);
        try (SimCLRFeatureExtractor<Label> extractor = new SimCLRFeatureExtractor<>(Fixture.LABELS, encoder, 1)) {
            Dataset<Label> data = new MutableDataset<>(new ImageFolderDataSource<>(images, extractor));
            SelfTrainingTrainer trainer = new SelfTrainingTrainer(
                    LinearEvaluation.trainer(data, 1), new ImageFolderDataSource<>(more, extractor), 0.8, 0, false, 5);
            List<Pair<LabelEvaluation, Model<Label>>> folds =
                    new CrossValidation<>(trainer, data, new LabelEvaluator(), 3).evaluate();
            assertEquals(3, folds.size());
            for (Pair<LabelEvaluation, Model<Label>> fold : folds) {
                assertEquals(6, fold.getA().getConfusionMatrix().support());
                assertEquals(
                        12,
                        run(fold.getB(), SelfTrainingTrainer.LABELLED, IntProvenance.class)
                                .getValue());
                assertEquals(
                        45,
                        run(fold.getB(), SelfTrainingTrainer.UNLABELLED, IntProvenance.class)
                                .getValue());
                assertTrue(added(fold.getB()).get(0) > 0);
                assertTrue(fold.getB().getProvenance().toString().contains(more.toString()));
            }
            assertEquals(3, trainer.getInvocationCount());

            Path file = dir.resolve("model.tribuo");
            Model<Label> model = folds.get(0).getB();
            model.setName("self");
            model.serializeToFile(file);
            Model<Label> loaded = Model.deserializeFromFile(file).castModel(Label.class);
            assertEquals("self", loaded.getName());
            assertEquals(model.getProvenance(), loaded.getProvenance());
            assertSamePredictions(model, loaded, data);
            assertSamePredictions(model, model.copy(), data);
            assertEquals(model.getTopFeatures(3), loaded.getTopFeatures(3));
        }
    }

    @Test
    void unlabelledImagesOfAnotherEncoderAreRefused(@TempDir Path dir) throws IOException {
        Path images = Fixture.images(dir.resolve("few"), 6, 1);
        Path encoder = Fixture.encoder(dir.resolve("encoder.onnx"), 1);
        Path second = Fixture.encoder(dir.resolve("second.onnx"), 2);
        try (SimCLRFeatureExtractor<Label> one = new SimCLRFeatureExtractor<>(Fixture.LABELS, encoder, 1);
                SimCLRFeatureExtractor<Label> other = new SimCLRFeatureExtractor<>(Fixture.LABELS, second, 1)) {
            Dataset<Label> data = new MutableDataset<>(new ImageFolderDataSource<>(images, one));
            SelfTrainingTrainer trainer =
                    new SelfTrainingTrainer(logistic(), new ImageFolderDataSource<>(images, other), 0.8, 0, false, 5);
            String message = assertThrows(IllegalArgumentException.class, () -> trainer.train(data))
                    .getMessage();
            assertEquals(
                    "Expected unlabelled examples with features of the encoder with SHA-256 "
                            + one.encoder().sha256()
                            + ", like the training set's, found "
                            + other.encoder().sha256()
                            + ": give both data sources the same extractor",
                    message);
            assertEquals(0, trainer.getInvocationCount());
            // Data of unknown origin may be right.
            MutableDataset<Label> anonymous = Fixture.empty(Fixture.LABELS);
            data.forEach(e -> anonymous.add(e.copy()));
            trainer.train(anonymous);
            assertEquals(1, trainer.getInvocationCount());
        }
    }

    @Test
    void aTrainingThatFailsIsNoInvocation() {
        Dataset<Label> data = dataset(gaussians(10, true, new Random(5)));
        Dataset<Label> none = dataset(gaussians(10, false, new Random(5)));
        SelfTrainingTrainer trainer = new SelfTrainingTrainer(logistic(), 0.9);
        assertThrows(IllegalArgumentException.class, () -> trainer.train(none));
        assertEquals(0, trainer.getInvocationCount());
        trainer.train(data);
        assertThrows(IllegalArgumentException.class, () -> trainer.train(none));
        assertThrows(IllegalArgumentException.class, () -> trainer.train(none, Map.of(), 7));
        assertEquals(1, trainer.getInvocationCount());
        SelfTrainingTrainer scores =
                new SelfTrainingTrainer(new LinearSGDTrainer(new Hinge(), new AdaGrad(0.5), 5, 1), 0.9);
        assertThrows(IllegalArgumentException.class, () -> scores.train(data));
        assertEquals(0, scores.getInvocationCount());
    }

    @Test
    void badSettingsAndModelsWithoutProbabilitiesAreRefused() {
        Dataset<Label> data = dataset(gaussians(10, true, new Random(5)));
        Trainer<Label> hinge = new LinearSGDTrainer(new Hinge(), new AdaGrad(0.5), 5, 1);
        String message = assertThrows(
                        IllegalArgumentException.class, () -> new SelfTrainingTrainer(hinge, 0.9).train(data))
                .getMessage();
        assertTrue(message.contains("probabilities") && message.contains("LinearSGDTrainer"), message);
        message = assertThrows(
                        IllegalArgumentException.class,
                        () -> new SelfTrainingTrainer(logistic(), 0.9)
                                .train(dataset(gaussians(10, false, new Random(5)))))
                .getMessage();
        assertEquals("Expected at least one labelled example, found 10 without a label", message);
        assertThrows(PropertyException.class, () -> new SelfTrainingTrainer(logistic(), Double.NaN));
        assertThrows(PropertyException.class, () -> new SelfTrainingTrainer(logistic(), 1.5));
        assertThrows(PropertyException.class, () -> new SelfTrainingTrainer(logistic(), null, 0.5, -1, false, 1));
        assertThrows(PropertyException.class, () -> new SelfTrainingTrainer(logistic(), null, 0.5, 1, false, -1));
    }
}
