// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Any;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.StringProvenance;
import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.tribuo.evaluation.LinearEvaluation;
import io.github.simclr4j.tribuo.extraction.Fixture;
import io.github.simclr4j.tribuo.extraction.PixelFeatureExtractor;
import io.github.simclr4j.tribuo.extraction.SimCLRFeatureExtractor;
import io.github.simclr4j.tribuo.protos.EncodedModelProto;
import io.github.simclr4j.tribuo.source.ImageFolderDataSource;
import io.github.simclr4j.util.LibraryVersion;
import io.github.simclr4j.util.Sha256;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.NotSerializableException;
import java.io.ObjectOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.Dataset;
import org.tribuo.Example;
import org.tribuo.Feature;
import org.tribuo.Model;
import org.tribuo.MutableDataset;
import org.tribuo.Output;
import org.tribuo.Prediction;
import org.tribuo.anomaly.AnomalyFactory;
import org.tribuo.anomaly.Event;
import org.tribuo.anomaly.libsvm.LibSVMAnomalyTrainer;
import org.tribuo.anomaly.libsvm.SVMAnomalyType;
import org.tribuo.anomaly.libsvm.SVMAnomalyType.SVMMode;
import org.tribuo.classification.Label;
import org.tribuo.classification.evaluation.LabelEvaluation;
import org.tribuo.classification.evaluation.LabelEvaluator;
import org.tribuo.classification.sgd.linear.LogisticRegressionTrainer;
import org.tribuo.clustering.ClusterID;
import org.tribuo.clustering.ClusteringFactory;
import org.tribuo.clustering.kmeans.KMeansTrainer;
import org.tribuo.common.libsvm.KernelType;
import org.tribuo.common.libsvm.SVMParameters;
import org.tribuo.datasource.AggregateDataSource;
import org.tribuo.impl.ArrayExample;
import org.tribuo.math.distance.DistanceType;
import org.tribuo.protos.core.ModelProto;

class EncodedModelTest {
    @TempDir
    static Path dir;

    private static Path encoder;
    private static Path images;
    private static Dataset<Label> features;
    private static Model<Label> classifier;

    @BeforeAll
    static void train() throws IOException {
        encoder = Fixture.encoder(dir.resolve("encoder.onnx"), 1);
        images = Fixture.images(dir.resolve("images"), 30, 1);
        features = Fixture.features(encoder, images);
        classifier = LinearEvaluation.trainer(features, 1).train(features);
    }

    private static EncodedModel<Label> model() throws IOException {
        return EncodedModel.containing(Fixture.LABELS, encoder, classifier, 1);
    }

    private static Map<String, Double> scores(Prediction<Label> prediction) {
        Map<String, Double> scores = new TreeMap<>();
        prediction.getOutputScores().forEach((k, v) -> scores.put(k, v.getScore()));
        return scores;
    }

    @Test
    void anImageIsPredictedAsItsFeaturesAre() throws IOException {
        Path file = images.resolve("green/3.png");
        try (EncodedModel<Label> model = model();
                SimCLRFeatureExtractor<Label> extractor = new SimCLRFeatureExtractor<>(Fixture.LABELS, encoder, 1);
                PixelFeatureExtractor<Label> pixels = new PixelFeatureExtractor<>(Fixture.LABELS, Fixture.SIZE)) {
            Map<String, Double> expected = scores(classifier.predict(extractor.extract(file)));
            assertEquals(3, expected.size());
            assertEquals(1, expected.values().stream().mapToDouble(d -> d).sum(), 1e-9);
            assertEquals(expected, scores(model.predict(file)));
            assertEquals(expected, scores(model.predict(Files.readAllBytes(file))));
            assertEquals(expected, scores(model.predict(ImageIO.read(file.toFile()))));
            Example<Label> pixelExample = pixels.extract(file, new Label("green"));
            Prediction<Label> prediction = model.predict(pixelExample);
            assertEquals(expected, scores(prediction));
            assertSame(pixelExample, prediction.getExample());
            assertEquals(3 * Fixture.SIZE * Fixture.SIZE, prediction.getNumActiveFeatures());
            Example<Label> own = model.example(Images.read(file), new Label("green"));
            own.setMetadataValue(Example.NAME, file.toString());
            assertTrue(pixelExample.equals(own));
            assertEquals(
                    file.toString(),
                    model.predict(file)
                            .getExample()
                            .getMetadataValue(Example.NAME)
                            .orElseThrow());
            assertEquals(
                    Fixture.LABELS.getUnknownOutput(),
                    model.predict(file).getExample().getOutput());
            assertTrue(model.generatesProbabilities());
            assertEquals(
                    3 * Fixture.SIZE * Fixture.SIZE, model.getFeatureIDMap().size());
            assertTrue(model.validate(Label.class));
            assertEquals(classifier.getTopFeatures(2), model.getTopFeatures(2));
        }
    }

    @Test
    void tribuosEvaluatorTakesPixels() throws IOException {
        try (EncodedModel<Label> model = model();
                PixelFeatureExtractor<Label> pixels = new PixelFeatureExtractor<>(Fixture.LABELS, Fixture.SIZE)) {
            ImageFolderDataSource<Label> source = new ImageFolderDataSource<>(images, pixels);
            LabelEvaluation byFeatures = new LabelEvaluator().evaluate(classifier, features);
            LabelEvaluation byPixels = new LabelEvaluator().evaluate(model, source);
            assertTrue(byFeatures.accuracy() > 0.9, byFeatures.toString());
            assertEquals(
                    byFeatures.getConfusionMatrix().toString(),
                    byPixels.getConfusionMatrix().toString());
            assertEquals(
                    byFeatures.accuracy(),
                    new LabelEvaluator()
                            .evaluate(model, new MutableDataset<>(source))
                            .accuracy());
            assertEquals(model.getProvenance(), byPixels.getProvenance().getModelProvenance());
        }
    }

    @Test
    void aBatchIsInOrderAndAsLongAsItsInput() throws IOException {
        Random random = new Random(5);
        List<RgbImage> many = new ArrayList<>();
        List<Example<Label>> examples = new ArrayList<>();
        try (EncodedModel<Label> model = model()) {
            for (int i = 0; i < 130; i++) {
                many.add(Images.of(
                        Fixture.picture(List.copyOf(Fixture.CLASSES.values()).get(i % 3), random)));
                examples.add(model.example(many.get(i), new Label("red")));
            }
            List<Prediction<Label>> fromImages = model.predictImages(many);
            List<Prediction<Label>> fromPixels = model.predict(examples);
            assertEquals(130, fromImages.size());
            assertEquals(130, fromPixels.size());
            for (int i = 0; i < 130; i++) {
                Map<String, Double> one = scores(model.predict(examples.get(i)));
                Map<String, Double> batch = scores(fromPixels.get(i));
                assertEquals(scores(fromImages.get(i)), batch);
                one.forEach((k, v) -> assertEquals(v, batch.get(k), 1e-5));
            }
            assertEquals(List.of(), model.predict(List.<Example<Label>>of()));
        }
    }

    @Test
    void missingPixelsAreBlack() throws IOException {
        try (EncodedModel<Label> model = model()) {
            RgbImage black = new RgbImage(Fixture.SIZE, Fixture.SIZE, new byte[3 * Fixture.SIZE * Fixture.SIZE]);
            Example<Label> sparse = new ArrayExample<>(new Label("red"), new String[] {"p005"}, new double[] {0});
            assertEquals(scores(model.predictImages(List.of(black)).get(0)), scores(model.predict(sparse)));
        }
    }

    @Test
    void whatIsNoPixelIsRefused() throws IOException {
        try (EncodedModel<Label> model = model()) {
            for (Map.Entry<String, Double> bad : Map.of(
                            "p768",
                            0.5,
                            "h01",
                            0.5,
                            "p003",
                            37.0,
                            "p004",
                            -0.1,
                            "p005",
                            Double.NaN,
                            "p006",
                            Double.POSITIVE_INFINITY)
                    .entrySet()) {
                Example<Label> example = new ArrayExample<>(
                        new Label("red"), new String[] {bad.getKey()}, new double[] {bad.getValue()});
                example.setMetadataValue(Example.NAME, "row 12");
                String message = assertThrows(IllegalArgumentException.class, () -> model.predict(example))
                        .getMessage();
                assertEquals(
                        "Expected the pixels p000 to p767 of an image of 16x16 with values from 0 to 1, found "
                                + bad.getKey() + " = " + bad.getValue() + " in row 12",
                        message);
            }
            assertThrows(IllegalArgumentException.class, () -> model.predict(new ArrayExample<>(new Label("red"))));
            assertThrows(IOException.class, () -> model.predict(dir.resolve("none.png")));
        }
    }

    @Test
    void savedWithTheEncoderInsideItNeedsNoOtherFile() throws IOException {
        Path copy = Files.copy(encoder, dir.resolve("inside.onnx"));
        Path file = dir.resolve("inside.tribuo");
        Path image = images.resolve("blue/7.png");
        Map<String, Double> expected;
        try (EncodedModel<Label> model = EncodedModel.containing(Fixture.LABELS, copy, classifier, 1)) {
            model.setName("colours");
            Files.delete(copy);
            model.serializeToFile(file);
            expected = scores(model.predict(image));
            Model<?> loaded = Model.deserializeFromFile(file);
            try (EncodedModel<?> again = (EncodedModel<?>) loaded) {
                assertEquals(expected, scores(again.castModel(Label.class).predict(example(model, image))));
                assertEquals("colours", again.getName());
                assertEquals(model.getProvenance(), again.getProvenance());
                assertEquals(
                        model.getFeatureIDMap().keySet(),
                        again.getFeatureIDMap().keySet());
                assertEquals(
                        model.getOutputIDInfo().getDomain(),
                        again.getOutputIDInfo().getDomain());
                assertEquals(Fixture.LABELS, again.getOutputFactory());
            }
        }
    }

    private static Example<Label> example(EncodedModel<Label> model, Path image) throws IOException {
        return model.example(Images.read(image), Fixture.LABELS.getUnknownOutput());
    }

    @Test
    void savedByReferenceItWantsTheSameEncoder() throws IOException {
        Path copy = Files.copy(encoder, dir.resolve("referred.onnx"));
        Path file = dir.resolve("referring.tribuo");
        Path image = images.resolve("blue/7.png");
        Map<String, Double> expected;
        try (EncodedModel<Label> model = EncodedModel.referringTo(Fixture.LABELS, copy, classifier, 1)) {
            model.serializeToFile(file);
            expected = scores(model.predict(image));
        }
        Example<Label> pixels;
        try (EncodedModel<Label> inside = model()) {
            assertEquals(inside.serialize().getSerializedSize() - Files.size(encoder), Files.size(file), 200);
            pixels = example(inside, image);
        }
        try (EncodedModel<?> loaded = EncodedModel.load(file)) {
            assertEquals(expected, scores(loaded.castModel(Label.class).predict(pixels)));
        }
        String sha256 = Sha256.hex(Files.readAllBytes(encoder));

        Path moved = Files.move(copy, dir.resolve("moved.onnx"));
        String missing = failure(file);
        assertEquals(
                file + ": the encoder " + copy + " is missing; put the encoder with SHA-256 " + sha256
                        + " there, or pass its location to EncodedModel.load",
                missing);
        Throwable fromTribuo = assertThrows(IllegalStateException.class, () -> Model.deserializeFromFile(file));
        while (fromTribuo.getCause() != null) {
            fromTribuo = fromTribuo.getCause();
        }
        assertTrue(fromTribuo.getMessage().contains(copy.toString()), fromTribuo.getMessage());
        try (EncodedModel<?> loaded = EncodedModel.load(file, moved)) {
            assertEquals(sha256, loaded.encoder().sha256());
        }

        Fixture.encoder(copy, 2);
        String changed = failure(file);
        assertTrue(changed.contains("the encoder " + copy + " has changed"), changed);
    }

    @Test
    void aModelOfOtherFeaturesIsRefused() throws IOException {
        // A narrower encoder: 8 features, h0 to h7.
        Path narrow = Files.write(
                dir.resolve("narrow.onnx"), Fixture.encoder(1, new ResNet(18, 1.0 / 64, ResNet.Stem.CIFAR), 1));
        // Another one, of 64 features: h00 to h63 contain h00 to h15.
        Path wide = Files.write(
                dir.resolve("wide.onnx"), Fixture.encoder(1, new ResNet(18, 1.0 / 8, ResNet.Stem.CIFAR), 1));
        Path other = Fixture.encoder(dir.resolve("other.onnx"), 2);
        String hash = Sha256.hex(Files.readAllBytes(encoder));
        for (Path wrong : List.of(narrow, wide, other)) {
            String message = assertThrows(
                            IllegalArgumentException.class,
                            () -> EncodedModel.containing(Fixture.LABELS, wrong, classifier, 1))
                    .getMessage();
            assertEquals(
                    "The model was trained on features of the encoder with SHA-256 " + hash + ", found " + wrong
                            + " with SHA-256 " + Sha256.hex(Files.readAllBytes(wrong)),
                    message);
        }
        // The same without a provenance that tells.
        MutableDataset<Label> anonymous = Fixture.empty(Fixture.LABELS);
        features.forEach(e -> anonymous.add(e.copy()));
        Model<Label> model = new LogisticRegressionTrainer().train(anonymous);
        EncodedModel.containing(Fixture.LABELS, other, model, 1).close();
        assertEquals(
                "Expected a model of the 8 features h0 to h7 of the encoder " + narrow
                        + ", found one of 16, h00 to h15",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> EncodedModel.containing(Fixture.LABELS, narrow, model, 1))
                        .getMessage());
        assertEquals(
                "Expected a model of the 64 features h00 to h63 of the encoder " + wide
                        + ", found one of 16, h00 to h15",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> EncodedModel.containing(Fixture.LABELS, wide, model, 1))
                        .getMessage());
    }

    private static EncodedModelProto.Builder saved() throws IOException {
        try (EncodedModel<Label> model = model()) {
            return model.serialize().getSerializedData().unpack(EncodedModelProto.class).toBuilder();
        }
    }

    private static EncodedModel<?> load(EncodedModelProto.Builder model) throws IOException {
        Path file = dir.resolve("changed.tribuo");
        Files.write(
                file,
                ModelProto.newBuilder()
                        .setSerializedData(Any.pack(model.build()))
                        .setClassName(EncodedModel.class.getName())
                        .build()
                        .toByteArray());
        return EncodedModel.load(file);
    }

    @Test
    void aModelOfTwoEncodersIsRefusedWithEither() throws IOException {
        Path other = Fixture.encoder(dir.resolve("second.onnx"), 2);
        Model<Label> mixed;
        try (SimCLRFeatureExtractor<Label> a = new SimCLRFeatureExtractor<>(Fixture.LABELS, encoder, 1);
                SimCLRFeatureExtractor<Label> b = new SimCLRFeatureExtractor<>(Fixture.LABELS, other, 1)) {
            Dataset<Label> both = new MutableDataset<>(new AggregateDataSource<>(
                    List.of(new ImageFolderDataSource<>(images, a), new ImageFolderDataSource<>(images, b))));
            mixed = new LogisticRegressionTrainer().train(both);
        }
        for (Path one : List.of(encoder, other)) {
            String message = assertThrows(
                            IllegalArgumentException.class,
                            () -> EncodedModel.containing(Fixture.LABELS, one, mixed, 1))
                    .getMessage();
            for (Path file : List.of(encoder, other)) {
                assertTrue(message.contains(Sha256.hex(Files.readAllBytes(file))), message);
            }
            assertTrue(message.contains("several encoders") && message.contains(one.toString()), message);
        }
        // Versions before this one took such models: what they saved is still read.
        load(saved().setModel(mixed.serialize())).close();
    }

    @Test
    void aModelFromAMachineOfMoreProcessorsIsRead() throws IOException {
        load(saved().setThreads(1_000_000)).close();
    }

    @Test
    void anEncoderWithoutFiniteOutputIsNamed() throws IOException {
        Path broken = Files.write(
                dir.resolve("nan.onnx"),
                Fixture.encoder(1, new ResNet(18, 1.0 / 32, ResNet.Stem.CIFAR), Float.POSITIVE_INFINITY));
        MutableDataset<Label> anonymous = Fixture.empty(Fixture.LABELS);
        features.forEach(e -> anonymous.add(e.copy()));
        try (EncodedModel<Label> model =
                EncodedModel.containing(Fixture.LABELS, broken, new LogisticRegressionTrainer().train(anonymous), 1)) {
            Path image = images.resolve("blue/7.png");
            String message = assertThrows(IllegalStateException.class, () -> model.predict(image))
                    .getMessage();
            assertTrue(message.contains(broken.toString()) && message.contains(image.toString()), message);
        }
    }

    /** Whatever a Tribuo model predicts: clusters and anomalies too. */
    @Test
    void clustersAndAnomaliesToo() throws IOException {
        MutableDataset<ClusterID> unlabelled = Fixture.empty(new ClusteringFactory());
        MutableDataset<Event> expected = Fixture.empty(new AnomalyFactory());
        for (Example<Label> e : features) {
            List<Feature> list = new ArrayList<>();
            e.forEach(list::add);
            unlabelled.add(new ArrayExample<>(ClusteringFactory.UNASSIGNED_CLUSTER_ID, list));
            expected.add(new ArrayExample<>(AnomalyFactory.EXPECTED_EVENT, list));
        }
        SVMParameters<Event> svm = new SVMParameters<>(new SVMAnomalyType(SVMMode.ONE_CLASS), KernelType.RBF);
        svm.setNu(0.1);
        checkSaved(unlabelled, new KMeansTrainer(3, 10, DistanceType.L2.getDistance(), 1, 1).train(unlabelled));
        checkSaved(expected, new LibSVMAnomalyTrainer(svm).train(expected));
    }

    private static <T extends Output<T>> void checkSaved(Dataset<T> data, Model<T> inner) throws IOException {
        Path file = dir.resolve("other.tribuo");
        List<Path> files = Images.find(images);
        try (EncodedModel<T> model = EncodedModel.containing(data.getOutputFactory(), encoder, inner, 1)) {
            model.serializeToFile(file);
        }
        try (EncodedModel<?> loaded = EncodedModel.load(file)) {
            for (int i = 0; i < files.size(); i++) {
                assertEquals(
                        inner.predict(data.getExample(i)).getOutput(),
                        loaded.predict(files.get(i)).getOutput());
            }
        }
    }

    @Test
    void damagedAndForeignFilesAreNamed() throws IOException {
        Path file = dir.resolve("damaged.tribuo");
        try (EncodedModel<Label> model = model()) {
            ModelProto proto = model.serialize();
            byte[] bytes = proto.toByteArray();
            Files.write(file, java.util.Arrays.copyOf(bytes, bytes.length / 2));
            assertTrue(failure(file).contains("damaged.tribuo"));
            // A bit of a weight flipped: protobuf does not notice.
            bytes[indexOf(bytes, Files.readAllBytes(encoder)) + 20_000] ^= 1;
            Files.write(file, bytes);
            assertEquals(
                    file + ": the encoder in the model is damaged: its SHA-256 is not "
                            + model.encoder().sha256(),
                    failure(file));
            Files.write(file, proto.toBuilder().setVersion(99).build().toByteArray());
            assertTrue(failure(file).contains("version 99"));
        }
        classifier.serializeToFile(file);
        assertTrue(failure(file).contains("expected an EncodedModel"));
    }

    private static String failure(Path file) {
        return assertThrows(IOException.class, () -> EncodedModel.load(file)).getMessage();
    }

    private static int indexOf(byte[] all, byte[] part) {
        for (int i = 0; i + part.length <= all.length; i++) {
            if (java.util.Arrays.equals(all, i, i + part.length, part, 0, part.length)) {
                return i;
            }
        }
        throw new AssertionError("not inside");
    }

    @Test
    void aCopyLivesOnAndAClosedModelSaysSo() throws IOException {
        Path image = images.resolve("blue/7.png");
        EncodedModel<Label> model = model();
        Map<String, Double> expected = scores(model.predict(image));
        try (EncodedModel<Label> copy = (EncodedModel<Label>) model.copy()) {
            assertNotSame(model.getInnerModel(), copy.getInnerModel());
            model.close();
            model.close();
            assertEquals(expected, scores(copy.predict(image)));
            assertEquals(model.getProvenance(), copy.getProvenance());
        }
        assertThrows(IllegalStateException.class, () -> model.predict(image));
        Path saved = dir.resolve("closed.tribuo");
        model.serializeToFile(saved);
        try (EncodedModel<?> loaded = EncodedModel.load(saved)) {
            assertEquals(expected, scores(typed(loaded).predict(image)));
        }
        assertThrows(
                NotSerializableException.class,
                () -> new ObjectOutputStream(new ByteArrayOutputStream()).writeObject(model));
    }

    /** Which encoder, trained how, on what data: read from the saved model alone. */
    @Test
    void provenanceOfASavedModelAnswers() throws IOException {
        Path file = dir.resolve("provenance.tribuo");
        try (EncodedModel<Label> model = model()) {
            model.serializeToFile(file);
        }
        try (EncodedModel<?> loaded = EncodedModel.load(file)) {
            Map<String, ? extends Provenance> run =
                    loaded.getProvenance().getInstanceProvenance().getMap();
            Map<String, String> texts = new TreeMap<>();
            run.forEach((k, v) -> texts.put(k, ((StringProvenance) v).getValue()));
            assertEquals(Sha256.hex(Files.readAllBytes(encoder)), texts.get(EncodedModel.ENCODER_HASH));
            assertEquals(Preprocessing.RULE, texts.get(EncodedModel.PREPROCESSING));
            assertEquals("resnet18", texts.get("encoder-architecture"));
            assertEquals("simclr", texts.get("encoder-method"));
            assertEquals("7", texts.get("encoder-epochs"));
            assertEquals("a test's pictures", texts.get("encoder-images"));
            assertEquals(LibraryVersion.current(), texts.get("encoder-library_version"));
            assertEquals("org.tribuo.transform.TransformedModel", texts.get(EncodedModel.INNER_CLASS));
            String all = loaded.getProvenance().toString();
            assertTrue(all.contains(images.toString()), all);
            assertTrue(all.contains("LinearSGDTrainer"), all);
            assertEquals(classifier.getProvenance(), loaded.getInnerModel().getProvenance());
        }
    }

    /** Written by version 0 of both; the scores are those of that day. */
    @Test
    void aFileOfVersion0IsStillRead() throws IOException {
        try (InputStream in = EncodedModelTest.class.getResourceAsStream(
                        "/io/github/simclr4j/tribuo/saved/" + OldModel.FILE);
                EncodedModel<?> loaded = (EncodedModel<?>) Model.deserializeFromStream(in)) {
            assertEquals("resnet18", loaded.encoder().metadata().get("architecture"));
            SelfTrainedModel inner = (SelfTrainedModel) loaded.getInnerModel();
            assertEquals("TransformedModel", inner.getInnerModel().getClass().getSimpleName());
            assertArrayEquals(OldModel.SCORES, OldModel.scores(typed(loaded)), 1e-5);
        }
    }

    @SuppressWarnings("unchecked") // castModel has looked.
    private static EncodedModel<Label> typed(EncodedModel<?> model) {
        return (EncodedModel<Label>) model.castModel(Label.class);
    }

    /** Prints the bits of a saved model's scores; see the test below. */
    public static final class Child {
        private Child() {}

        /** Arguments: a saved model, an image. */
        public static void main(String[] args) throws IOException {
            try (EncodedModel<?> loaded = (EncodedModel<?>) Model.deserializeFromFile(Path.of(args[0]))) {
                System.out.println(bits(typed(loaded).predict(Path.of(args[1]))));
            }
        }

        static String bits(Prediction<Label> prediction) {
            StringBuilder all = new StringBuilder();
            scores(prediction)
                    .forEach((k, v) ->
                            all.append(k).append(Double.toHexString(v)).append(' '));
            return all.toString().trim();
        }
    }

    @Test
    void anotherJvmPredictsTheSameBitsWithTheEncoderGone() throws IOException, InterruptedException {
        Path copy = Files.copy(encoder, dir.resolve("gone.onnx"));
        Path file = dir.resolve("gone.tribuo");
        Path image = images.resolve("blue/7.png");
        String expected;
        try (EncodedModel<Label> model = EncodedModel.containing(Fixture.LABELS, copy, classifier, 0)) {
            model.serializeToFile(file);
            expected = Child.bits(model.predict(image));
        }
        Files.delete(copy);
        ProcessBuilder java = new ProcessBuilder(
                System.getProperty("java.home") + File.separator + "bin" + File.separator + "java",
                Child.class.getName(),
                file.toString(),
                image.toString());
        java.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        Path errors = dir.resolve("child.err");
        Process child = java.redirectError(errors.toFile()).start();
        String output = new String(child.getInputStream().readAllBytes()).trim();
        assertEquals(0, child.waitFor(), () -> read(errors));
        assertEquals(expected, output);
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.toString();
        }
    }
}
