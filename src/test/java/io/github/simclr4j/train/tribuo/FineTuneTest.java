// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.tribuo;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import com.google.gson.Gson;
import com.oracle.labs.mlrg.olcut.config.ConfigurationManager;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.primitives.StringProvenance;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.train.Pretraining;
import io.github.simclr4j.train.data.BuiltInImages;
import io.github.simclr4j.train.data.ImageSet;
import io.github.simclr4j.train.loop.EpochSummary;
import io.github.simclr4j.train.loop.RunOptions;
import io.github.simclr4j.train.loop.TrainingListener;
import io.github.simclr4j.train.method.Supervised;
import io.github.simclr4j.tribuo.extraction.PixelFeatureExtractor;
import io.github.simclr4j.tribuo.model.EncodedModel;
import io.github.simclr4j.tribuo.model.OnnxStitcher;
import io.github.simclr4j.util.Progress;
import io.github.simclr4j.util.Sha256;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.Example;
import org.tribuo.Model;
import org.tribuo.MutableDataset;
import org.tribuo.Prediction;
import org.tribuo.Trainer;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;
import org.tribuo.classification.evaluation.LabelEvaluator;
import org.tribuo.evaluation.CrossValidation;
import org.tribuo.impl.ArrayExample;
import org.tribuo.provenance.SimpleDataSourceProvenance;

/** Encoders that are trained further with labels, from Tribuo's data sets to what ONNX Runtime gives. */
@Tag("slow")
class FineTuneTest {
    private static final LabelFactory FACTORY = new LabelFactory();
    private static final int SIZE = BuiltInImages.SIZE;
    /** Small enough for a test. */
    static final ResNet NET = new ResNet(18, 1.0 / 16, ResNet.Stem.CIFAR);

    @TempDir
    static Path dir;

    private static Path encoder;

    @BeforeAll
    static void learn() throws IOException {
        encoder = dir.resolve("encoder.onnx");
        List<RgbImage> images = new ArrayList<>();
        Random random = new Random(3);
        for (int i = 0; i < 100; i++) {
            images.add(BuiltInImages.draw(i % 10, random));
        }
        try (Pretraining pretraining = Pretraining.builder()
                .images(ImageSet.of(images, SIZE))
                .encoder(NET)
                .option("temperature", 0.5)
                .projection(16)
                .views("simclr-cifar")
                .learningRate(5e-3)
                .warmupEpochs(0.2)
                .batch(20)
                .epochs(2)
                .zeroGamma(true)
                .precision("float32")
                .seed(5)
                .device("cpu")
                .threads(1)
                .build()) {
            pretraining.run().writeEncoder(encoder);
        }
    }

    /** Drawings of some classes. */
    static List<RgbImage> drawings(int perClass, int classes, long seed) {
        Random random = new Random(seed);
        List<RgbImage> images = new ArrayList<>();
        for (int i = 0; i < perClass * classes; i++) {
            images.add(BuiltInImages.draw(i % classes, random));
        }
        return images;
    }

    private static Label label(int i, int classes) {
        return new Label(BuiltInImages.classNames().get(i % classes));
    }

    static MutableDataset<Label> pixels(List<RgbImage> images, int classes) {
        MutableDataset<Label> set = new MutableDataset<>(new SimpleDataSourceProvenance("drawings", FACTORY), FACTORY);
        try (PixelFeatureExtractor<Label> extractor = new PixelFeatureExtractor<>(FACTORY, SIZE)) {
            List<Label> labels = new ArrayList<>();
            for (int i = 0; i < images.size(); i++) {
                labels.add(label(i, classes));
            }
            extractor.extract(images, labels).forEach(set::add);
        }
        return set;
    }

    /** The same pixels without a label. */
    static Example<Label> unlabelled(Example<Label> example) {
        ArrayExample<Label> bare = new ArrayExample<>(LabelFactory.UNKNOWN_LABEL);
        example.forEach(bare::add);
        return bare;
    }

    private static FineTuneTrainer trainer(int epochs, double rate) {
        return trainer(epochs, 16, rate);
    }

    private static FineTuneTrainer trainer(int epochs, int batch, double rate) {
        return FineTuneTrainer.builder(encoder)
                .epochs(epochs)
                .batchSize(batch)
                .learningRate(rate)
                .views("flip")
                .device("cpu")
                .threads(1)
                .seed(7)
                .build();
    }

    /** Scores by class name of one image, as the file's user has them. */
    private static Map<String, Float> run(byte[] file, RgbImage image) throws OrtException {
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        ByteBuffer bytes =
                ByteBuffer.allocateDirect(image.rgb().length).put(image.rgb()).rewind();
        try (OrtSession session = environment.createSession(file);
                OnnxTensor input =
                        OnnxTensor.createTensor(environment, bytes, new long[] {1, SIZE, SIZE, 3}, OnnxJavaType.UINT8);
                OrtSession.Result result = session.run(Map.<String, OnnxTensorLike>of("image", input))) {
            assertEquals(1, session.getOutputNames().size());
            float[] scores = ((float[][]) result.get("output").orElseThrow().getValue())[0];
            String[] names = new Gson()
                    .fromJson(session.getMetadata().getCustomMetadata().get("class_names"), String[].class);
            assertEquals(names.length, scores.length);
            Map<String, Float> all = new HashMap<>();
            for (int i = 0; i < names.length; i++) {
                all.put(names[i], scores[i]);
            }
            return all;
        }
    }

    @Test
    void itBeatsChanceAndIsTheSameInOneFileAndAfterLoading() throws IOException, OrtException {
        List<RgbImage> unseen = drawings(20, 5, 99);
        MutableDataset<Label> test = pixels(unseen, 5);
        MutableDataset<Label> known = pixels(drawings(20, 5, 1), 5);
        Path saved = dir.resolve("model.tribuo");
        try (EncodedModel<Label> model = trainer(12, 10, 0.05).train(known)) {
            double fit = new LabelEvaluator().evaluate(model, known).accuracy();
            double accuracy = new LabelEvaluator().evaluate(model, test).accuracy();
            // Chance is 0.2, with a deviation of 0.04 for 100 images.
            assertTrue(fit > 0.45 && accuracy > 0.3, "known " + fit + ", unseen " + accuracy);
            byte[] file =
                    model.exportONNXModel("test", 1, OnnxStitcher.Input.IMAGE).toByteArray();
            List<Prediction<Label>> predictions = model.predict(test);
            model.serializeToFile(saved);
            try (EncodedModel<?> loaded = EncodedModel.load(saved)) {
                Model<Label> again = loaded.castModel(Label.class);
                assertEquals(model.getProvenance(), again.getProvenance());
                for (int i = 0; i < 10; i++) {
                    Map<String, Label> expected = predictions.get(i).getOutputScores();
                    Map<String, Float> found = run(file, unseen.get(i));
                    assertEquals(expected.keySet(), found.keySet());
                    double sum = 0;
                    for (String name : expected.keySet()) {
                        assertEquals(expected.get(name).getScore(), found.get(name), 1e-5, name);
                        sum += found.get(name);
                    }
                    assertEquals(1, sum, 1e-5, "probabilities");
                    assertEquals(
                            expected.toString(),
                            again.predict(test.getExample(i)).getOutputScores().toString());
                }
            }
            String provenance = model.getProvenance().toString();
            assertTrue(provenance.contains(Sha256.hex(Files.readAllBytes(encoder))), provenance);
            assertTrue(provenance.contains("FineTuneTrainer"), provenance);
            assertEquals(
                    new StringProvenance("started-from-training.method", "simclr"),
                    model.getProvenance().getInstanceProvenance().getMap().get("started-from-training.method"));
            assertEquals("supervised", model.encoder().metadata().get("training.method"));
            assertNotEquals(
                    Sha256.hex(Files.readAllBytes(encoder)), model.encoder().sha256());
        }
    }

    @Test
    void fromScratchStartsWithRandomWeights() throws IOException {
        MutableDataset<Label> set = pixels(drawings(4, 2, 1), 2);
        // At this rate weights stay as they are, and batch norm's statistics move a little.
        FineTuneTrainer trainer = trainer(1, 1e-12);
        List<RgbImage> image = drawings(1, 1, 9);
        try (OnnxEncoder start = OnnxEncoder.open(encoder, 1);
                EncodedModel<Label> tuned = trainer.train(set);
                EncodedModel<Label> scratch = trainer.fromScratch().train(set)) {
            float[] expected = start.embed(image)[0];
            double near = distance(expected, tuned.encoder().embed(image)[0]);
            double far = distance(expected, scratch.encoder().embed(image)[0]);
            assertTrue(near < 0.2 * far, near + " " + far);
            assertEquals(tuned.encoder().architecture(), scratch.encoder().architecture());
            assertFalse(scratch.getProvenance().toString().contains("started-from"));
            assertEquals(0, trainer.fromScratch().getInvocationCount());
        }
    }

    private static double distance(float[] a, float[] b) {
        double squares = 0;
        for (int i = 0; i < a.length; i++) {
            squares += (a[i] - b[i]) * (a[i] - b[i]);
        }
        return Math.sqrt(squares);
    }

    @Test
    void theInvocationAndTheSeedDecideTheWeights() {
        MutableDataset<Label> set = pixels(drawings(4, 2, 1), 2);
        Example<Label> asked = set.getExample(0);
        FineTuneTrainer trainer = trainer(1, 0.01);
        List<String> scores = new ArrayList<>();
        for (int invocation :
                new int[] {Trainer.INCREMENT_INVOCATION_COUNT, Trainer.INCREMENT_INVOCATION_COUNT, 0, 1}) {
            try (EncodedModel<Label> model = trainer.train(set, Collections.emptyMap(), invocation)) {
                // A label equals another with the same name, whatever its score.
                scores.add(model.predict(asked).getOutputScores().toString());
            }
        }
        assertEquals(2, trainer.getInvocationCount());
        assertEquals(scores.get(0), scores.get(2));
        assertEquals(scores.get(1), scores.get(3));
        assertNotEquals(scores.get(0), scores.get(1));
    }

    @Test
    void itIsCrossValidatedLikeAnyTrainer() {
        MutableDataset<Label> set = pixels(drawings(6, 2, 1), 2);
        var all = new CrossValidation<>(trainer(2, 0.02), set, new LabelEvaluator(), 3, 1).evaluate();
        assertEquals(3, all.size());
        all.forEach(e -> {
            assertEquals(4, e.getA().getPredictions().size());
            ((EncodedModel<Label>) e.getB()).close();
        });
    }

    @Test
    void itIsConfiguredByAFile() throws IOException {
        Path config = dir.resolve("config.xml");
        Files.writeString(config, """
                <config>
                  <component name="tune" type="io.github.simclr4j.train.tribuo.FineTuneTrainer">
                    <property name="encoder" value="%s"/>
                    <property name="epochs" value="3"/>
                    <property name="learningRate" value="0.5"/>
                  </component>
                  <component name="wrong" type="io.github.simclr4j.train.tribuo.FineTuneTrainer">
                    <property name="encoder" value="%s"/>
                    <property name="epochs" value="0"/>
                  </component>
                </config>
                """.formatted(encoder, encoder));
        ConfigurationManager manager = new ConfigurationManager(config.toString());
        FineTuneTrainer trainer = (FineTuneTrainer) manager.lookup("tune");
        assertTrue(trainer.toString().contains("epochs=3,batchSize=64,learningRate=0.5"), trainer.toString());
        assertThrows(PropertyException.class, () -> manager.lookup("wrong"));
    }

    @Test
    void theRateIsThePapersForTheBatch() {
        FineTuneTrainer trainer = trainer(60, 4096, 0);
        assertEquals(0.8, rate(trainer, 100_000), 1e-12);
        assertEquals(0.05 * 10 / 256, rate(trainer, 10), 1e-12);
    }

    private static double rate(FineTuneTrainer trainer, int images) {
        return trainer.settings(NET, SIZE, images, new Supervised(), null, 0)
                .optimizer()
                .rate();
    }

    @Test
    void thePrecisionIsFloat32UnlessAnotherIsAskedFor() {
        MutableDataset<Label> set = pixels(drawings(2, 2, 1), 2);
        FineTuneTrainer.Builder builder =
                FineTuneTrainer.builder(encoder).epochs(1).device("cpu").threads(1);
        try (EncodedModel<Label> wide = builder.build().train(set);
                EncodedModel<Label> narrow =
                        builder.precision("bfloat16").build().train(set)) {
            assertEquals("float32", wide.encoder().metadata().get("training.precision"));
            assertEquals("bfloat16", narrow.encoder().metadata().get("training.precision"));
        }
    }

    private static void fails(String part, Class<? extends Exception> type, Executable what) {
        String message = assertThrows(type, what).getMessage();
        assertTrue(message.contains(part) && !message.contains("\n"), message);
    }

    @Test
    void badInputIsOneSentence() throws IOException {
        MutableDataset<Label> one = pixels(drawings(4, 1, 1), 1);
        fails(
                "at least two classes, found only checks",
                IllegalArgumentException.class,
                () -> trainer(1, 0.01).train(one));
        MutableDataset<Label> unknown = pixels(drawings(2, 2, 1), 2);
        unknown.add(new ArrayExample<>(LabelFactory.UNKNOWN_LABEL, new String[] {"p0000"}, new double[] {1}));
        fails(
                "found 1 without",
                IllegalArgumentException.class,
                () -> trainer(1, 0.01).train(unknown));
        MutableDataset<Label> other = new MutableDataset<>(new SimpleDataSourceProvenance("other", FACTORY), FACTORY);
        other.add(new ArrayExample<>(new Label("a"), new String[] {"x"}, new double[] {1}));
        other.add(new ArrayExample<>(new Label("b"), new String[] {"x"}, new double[] {0.5}));
        fails(
                "Expected the pixels p0000 to p3071",
                IllegalArgumentException.class,
                () -> trainer(1, 0.01).train(other));
        MutableDataset<Label> two = pixels(drawings(2, 2, 1), 2);
        Path missing = dir.resolve("missing.onnx");
        fails(
                "missing.onnx is not a file",
                UncheckedIOException.class,
                () -> new FineTuneTrainer(missing, 1, "cpu", 1, 1).train(two));
        Path text = Files.write(dir.resolve("text.onnx"), "text".getBytes(StandardCharsets.UTF_8));
        fails("text.onnx", UncheckedIOException.class, () -> new FineTuneTrainer(text, 1, "cpu", 1, 1).train(two));
        ImageSet bare = ImageSet.of(drawings(2, 2, 1), SIZE);
        fails(
                "images with labels",
                IllegalArgumentException.class,
                () -> trainer(1, 0.01).train(bare, "bare", RunOptions.checkpoints(null), Progress.NONE));
    }

    private static void refused(String property, Executable what) {
        assertEquals(property, assertThrows(PropertyException.class, what).getProperty());
    }

    @Test
    void valuesOutOfRangeAreRefusedBeforeTraining() {
        for (String device : new String[] {"tpu", "gpu:x", "gpu:99999999999", "", null}) {
            refused("device", () -> new FineTuneTrainer(encoder, 1, device, 1, 1));
        }
        new FineTuneTrainer(encoder, 1, "gpu:3", 1, 1); // Whether it is there is another question.
        for (String precision : new String[] {"float64", "", null}) {
            refused(
                    "precision",
                    () -> FineTuneTrainer.builder(encoder).precision(precision).build());
        }
        for (double rate : new double[] {-1, Double.NaN, Double.POSITIVE_INFINITY}) {
            refused("learningRate", () -> trainer(1, rate));
        }
        for (int threads : new int[] {-1, 100_000}) {
            refused("threads", () -> new FineTuneTrainer(encoder, 1, "cpu", threads, 1));
        }
    }

    @Test
    void aTrainingThatFailsIsNoInvocation() {
        MutableDataset<Label> one = pixels(drawings(4, 1, 1), 1);
        FineTuneTrainer trainer = trainer(1, 0.01);
        assertThrows(IllegalArgumentException.class, () -> trainer.train(one));
        assertEquals(0, trainer.getInvocationCount());
        trainer.setInvocationCount(3);
        assertThrows(IllegalArgumentException.class, () -> trainer.train(one, Collections.emptyMap(), 1));
        assertEquals(3, trainer.getInvocationCount());
        FineTuneTrainer missing = new FineTuneTrainer(dir.resolve("missing.onnx"), 1, "cpu", 1, 1);
        assertThrows(UncheckedIOException.class, () -> missing.train(pixels(drawings(2, 2, 1), 2)));
        assertEquals(0, missing.getInvocationCount());
    }

    @Test
    void imagesOutsideADataSetGiveTheSameModel() throws IOException {
        List<RgbImage> images = drawings(4, 2, 1);
        ImageSet bare = ImageSet.of(images, SIZE);
        int[] labels = new int[images.size()];
        for (int i = 0; i < labels.length; i++) {
            labels[i] = 1 - i % 2;
        }
        // The classes are in another order here than Tribuo has them in one of the two.
        ImageSet set =
                new ImageSet(SIZE, bare.pixels(), labels, List.of("cross", "checks"), List.of(), bare.fingerprint());
        FineTuneTrainer.Tuned tuned =
                trainer(6, 0.05).train(set, "drawings", RunOptions.checkpoints(null), Progress.NONE);
        try (EncodedModel<Label> model = tuned.model()) {
            float[] weights = tuned.run().classifier().weights();
            assertEquals(2 * model.encoder().dimension(), weights.length);
            assertEquals(6, tuned.run().epochs());
            float[] h = model.encoder().embed(images.subList(0, 1))[0];
            double[] z = new double[2];
            for (int c = 0; c < 2; c++) {
                z[c] = tuned.run().classifier().bias()[c];
                for (int j = 0; j < h.length; j++) {
                    z[c] += weights[c * h.length + j] * h[j];
                }
            }
            double[] expected = {1 / (1 + Math.exp(z[1] - z[0])), 1 / (1 + Math.exp(z[0] - z[1]))};
            Map<String, Label> scores =
                    model.predictImages(images.subList(0, 1)).get(0).getOutputScores();
            assertArrayEquals(
                    expected,
                    new double[] {
                        scores.get("cross").getScore(), scores.get("checks").getScore()
                    },
                    1e-6);
        }
    }

    @Test
    void aTrainingThatWasCutEndsWithTheSameModel() throws IOException {
        ImageSet bare = ImageSet.of(drawings(10, 2, 1), SIZE);
        ImageSet set = new ImageSet(
                SIZE,
                bare.pixels(),
                new int[] {0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1},
                List.of("checks", "cross"),
                List.of(),
                bare.fingerprint());
        FineTuneTrainer trainer = trainer(2, 5, 0.05);
        FineTuneTrainer.Tuned whole = trainer.train(set, "drawings", RunOptions.checkpoints(null), Progress.NONE);
        RunOptions saved = RunOptions.checkpoints(dir.resolve("cut"));
        TrainingListener interrupt = new TrainingListener() {
            @Override
            public void stepFinished(long step, long steps) {
                if (step == 6) {
                    Thread.currentThread().interrupt();
                }
            }

            @Override
            public void epochFinished(EpochSummary summary) {
                // The first epoch goes by.
            }
        };
        assertThrows(
                InterruptedIOException.class,
                () -> trainer.train(set, "drawings", saved.withListener(interrupt), Progress.NONE));
        TrainingListener tooLate = new TrainingListener() {
            @Override
            public void stepFinished(long step, long steps) {
                if (step == steps) {
                    Thread.currentThread().interrupt();
                }
            }

            @Override
            public void epochFinished(EpochSummary summary) {
                // The last epoch goes by, too.
            }
        };
        FineTuneTrainer.Tuned rest = trainer.train(set, "drawings", saved.withListener(tooLate), Progress.NONE);
        assertTrue(Thread.interrupted(), "it is left to the caller");
        assertEquals(1, rest.run().resumedAt());
        assertArrayEquals(
                whole.run().classifier().weights(), rest.run().classifier().weights());
        assertArrayEquals(whole.run().onnx(), rest.run().onnx());
        whole.model().close();
        rest.model().close();
    }
}
