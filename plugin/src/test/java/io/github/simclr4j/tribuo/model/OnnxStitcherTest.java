// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl;
import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.tribuo.extraction.Fixture;
import io.github.simclr4j.tribuo.extraction.PixelFeatureExtractor;
import io.github.simclr4j.tribuo.model.OnnxStitcher.Input;
import io.github.simclr4j.tribuo.source.ImageFolderDataSource;
import io.github.simclr4j.tribuo.training.SelfTrainingTrainer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tribuo.Dataset;
import org.tribuo.Example;
import org.tribuo.Feature;
import org.tribuo.Model;
import org.tribuo.MutableDataset;
import org.tribuo.Output;
import org.tribuo.Prediction;
import org.tribuo.Trainer;
import org.tribuo.classification.Label;
import org.tribuo.classification.baseline.DummyClassifierTrainer;
import org.tribuo.classification.ensemble.VotingCombiner;
import org.tribuo.classification.evaluation.LabelEvaluator;
import org.tribuo.classification.liblinear.LibLinearClassificationTrainer;
import org.tribuo.classification.liblinear.LinearClassificationType;
import org.tribuo.classification.liblinear.LinearClassificationType.LinearType;
import org.tribuo.classification.libsvm.LibSVMClassificationTrainer;
import org.tribuo.classification.libsvm.SVMClassificationType;
import org.tribuo.classification.libsvm.SVMClassificationType.SVMMode;
import org.tribuo.classification.sgd.fm.FMClassificationTrainer;
import org.tribuo.classification.sgd.linear.LinearSGDTrainer;
import org.tribuo.classification.sgd.objectives.Hinge;
import org.tribuo.classification.sgd.objectives.LogMulticlass;
import org.tribuo.common.libsvm.KernelType;
import org.tribuo.common.libsvm.SVMParameters;
import org.tribuo.ensemble.BaggingTrainer;
import org.tribuo.impl.ArrayExample;
import org.tribuo.interop.onnx.DenseTransformer;
import org.tribuo.interop.onnx.LabelTransformer;
import org.tribuo.interop.onnx.ONNXExternalModel;
import org.tribuo.math.optimisers.AdaGrad;
import org.tribuo.multilabel.MultiLabel;
import org.tribuo.multilabel.MultiLabelFactory;
import org.tribuo.multilabel.sgd.objectives.BinaryCrossEntropy;
import org.tribuo.regression.RegressionFactory;
import org.tribuo.regression.Regressor;
import org.tribuo.regression.ensemble.AveragingCombiner;
import org.tribuo.regression.liblinear.LibLinearRegressionTrainer;
import org.tribuo.regression.libsvm.LibSVMRegressionTrainer;
import org.tribuo.regression.libsvm.SVMRegressionType;
import org.tribuo.regression.sgd.objectives.SquaredLoss;
import org.tribuo.regression.slm.LARSTrainer;
import org.tribuo.transform.TransformTrainer;
import org.tribuo.transform.Transformation;
import org.tribuo.transform.TransformationMap;
import org.tribuo.transform.transformations.BinningTransformation;
import org.tribuo.transform.transformations.LinearScalingTransformation;
import org.tribuo.transform.transformations.MeanStdDevTransformation;
import org.tribuo.transform.transformations.SimpleTransform;

class OnnxStitcherTest {
    private static final MultiLabelFactory TAGS = new MultiLabelFactory();
    private static final RegressionFactory NUMBERS = new RegressionFactory();

    @TempDir
    static Path dir;

    private static Path encoder;
    private static Dataset<Label> labels;
    private static Dataset<MultiLabel> tags;
    private static Dataset<Regressor> numbers;
    private static List<RgbImage> test;

    @BeforeAll
    static void write() throws IOException {
        encoder = Fixture.encoder(dir.resolve("encoder.onnx"), 1);
        labels = Fixture.features(encoder, Fixture.images(dir.resolve("train"), 20, 1));
        MutableDataset<MultiLabel> multi = Fixture.empty(TAGS);
        MutableDataset<Regressor> regression = Fixture.empty(NUMBERS);
        for (Example<Label> e : labels) {
            String name = e.getOutput().getLabel();
            multi.add(with(
                    e, new MultiLabel(Set.of(new Label(name), new Label(name.equals("red") ? "warm" : "cold")))));
            regression.add(with(e, new Regressor(new String[] {"hue", "length"}, new double[] {
                name.charAt(0) - 'a', name.length()
            })));
        }
        tags = multi;
        numbers = regression;
        test = new ArrayList<>();
        for (Path p : Images.find(Fixture.images(dir.resolve("test"), 4, 2))) {
            test.add(Images.read(p));
        }
    }

    private static <T extends Output<T>> Example<T> with(Example<?> features, T output) {
        List<Feature> list = new ArrayList<>();
        features.forEach(list::add);
        return new ArrayExample<>(output, list);
    }

    private static <T extends Output<T>> Trainer<T> standardised(Trainer<T> inner, Transformation... transformations) {
        return new TransformTrainer<>(inner, new TransformationMap(List.of(transformations)));
    }

    private static LinearSGDTrainer linear() {
        return new LinearSGDTrainer(new LogMulticlass(), new AdaGrad(0.1), 5, 1);
    }

    private static SVMParameters<Label> svm(KernelType kernel, SVMMode mode, boolean probabilities) {
        SVMParameters<Label> p = new SVMParameters<>(new SVMClassificationType(mode), kernel);
        if (probabilities) {
            p.setProbability();
        }
        return p;
    }

    static Stream<Named<Trainer<Label>>> classifiers() {
        return Stream.of(
                Named.of("linear", linear()),
                Named.of("linear, hinge", new LinearSGDTrainer(new Hinge(), new AdaGrad(0.1), 5, 1)),
                Named.of("linear, standardised", standardised(linear(), new MeanStdDevTransformation())),
                Named.of(
                        "linear, scaled and moved",
                        standardised(
                                linear(),
                                new LinearScalingTransformation(-1, 1),
                                SimpleTransform.add(0.5),
                                SimpleTransform.mul(2),
                                SimpleTransform.sub(0.25),
                                SimpleTransform.div(1.5))),
                Named.of(
                        "linear, standardised twice",
                        standardised(
                                standardised(linear(), new MeanStdDevTransformation()),
                                new MeanStdDevTransformation(0.5, 2))),
                Named.of(
                        "linear, self-trained",
                        new SelfTrainingTrainer(standardised(linear(), new MeanStdDevTransformation()), 0.9)),
                Named.of(
                        "factorisation machine",
                        standardised(
                                new FMClassificationTrainer(new LogMulticlass(), new AdaGrad(0.1), 5, 1, 3, 0.1),
                                new MeanStdDevTransformation())),
                Named.of("LibLinear", new LibLinearClassificationTrainer()),
                Named.of(
                        "LibSVM, linear",
                        new LibSVMClassificationTrainer(svm(KernelType.LINEAR, SVMMode.C_SVC, false))),
                Named.of(
                        "LibSVM, RBF, probabilities",
                        standardised(
                                new LibSVMClassificationTrainer(svm(KernelType.RBF, SVMMode.C_SVC, true)),
                                new MeanStdDevTransformation())),
                Named.of(
                        "bagged",
                        standardised(
                                new BaggingTrainer<>(linear(), new VotingCombiner(), 4),
                                new MeanStdDevTransformation())));
    }

    @ParameterizedTest
    @MethodSource("classifiers")
    void oneGraphGivesTheModelsScores(Trainer<Label> trainer) throws Exception {
        try (EncodedModel<Label> model = EncodedModel.containing(Fixture.LABELS, encoder, trainer.train(labels), 1)) {
            for (Prediction<Label> p : agree(model, (l, name) -> l.getScore(), 1e-5)) {
                assertEquals(3, p.getOutputScores().size());
            }
        }
    }

    private static Trainer<Label> libLinear(LinearType type) {
        return new LibLinearClassificationTrainer(new LinearClassificationType(type), 1, 0.01);
    }

    /** The classes of the colours: red or not, or each colour with red in two. */
    private static MutableDataset<Label> classes(int n) {
        MutableDataset<Label> data = Fixture.empty(Fixture.LABELS);
        for (Example<Label> e : labels) {
            String name = e.getOutput().getLabel();
            data.add(with(
                    e,
                    new Label(n == 2 ? "" + name.equals("red") : name.equals("red") ? "red" + data.size() % 2 : name)));
        }
        assertEquals(n, data.getOutputs().size());
        return data;
    }

    /** Tribuo writes a softmax for the logistic ones, which is not what it predicts; and of LibLinear in an ensemble too. */
    @ParameterizedTest
    @EnumSource(LinearType.class)
    void everyKindOfLibLinear(LinearType type) throws Exception {
        for (int n : new int[] {2, 4}) {
            for (Trainer<Label> trainer : List.of(
                    libLinear(type),
                    standardised(libLinear(type), new MeanStdDevTransformation()),
                    new BaggingTrainer<>(libLinear(type), new VotingCombiner(), 3))) {
                try (EncodedModel<Label> model =
                        EncodedModel.containing(Fixture.LABELS, encoder, trainer.train(classes(n)), 1)) {
                    if (type == LinearType.MCSVM_CS && n == 2) {
                        // Tribuo 4.3 doubles the weights, which of this kind there are two of already.
                        says("can't write this org.tribuo.", () -> model.exportONNXModel("test", 1, Input.IMAGE));
                    } else {
                        agree(model, (l, name) -> l.getScore(), 1e-5);
                    }
                }
            }
        }
    }

    private interface Score<T> {
        double of(T output, String name);
    }

    /** Both inputs against the encoded model; returns its predictions. */
    private static <T extends Output<T>> List<Prediction<T>> agree(
            EncodedModel<T> model, Score<T> score, double tolerance) throws Exception {
        List<Prediction<T>> predictions = model.predictImages(test);
        ModelProto byImage = model.exportONNXModel("test", 1, Input.IMAGE);
        ModelProto byPixels = model.exportONNXModel("test", 1, Input.PIXELS);
        float[][] images = run(byImage, model, false);
        float[][] pixels = run(byPixels, model, true);
        List<String> names = OnnxStitcher.classNames(byImage);
        for (int i = 0; i < test.size(); i++) {
            Prediction<T> p = predictions.get(i);
            assertEquals(names.size(), images[i].length);
            for (int c = 0; c < names.size(); c++) {
                T output = p.getOutputScores().getOrDefault(names.get(c), p.getOutput());
                double expected = score.of(output, names.get(c));
                assertEquals(expected, images[i][c], tolerance, "image " + i + ", " + names.get(c));
                assertEquals(expected, pixels[i][c], tolerance, "pixels " + i + ", " + names.get(c));
            }
        }
        return predictions;
    }

    private static float[][] run(ModelProto onnx, EncodedModel<?> model, boolean pixels) throws OrtException {
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        int values = 3 * Fixture.SIZE * Fixture.SIZE;
        ByteBuffer bytes = ByteBuffer.allocateDirect(test.size() * values);
        FloatBuffer floats = FloatBuffer.allocate(test.size() * values);
        for (RgbImage image : test) {
            byte[] rgb = model.encoder().preprocessing().apply(image).rgb();
            bytes.put(rgb);
            for (byte b : rgb) {
                floats.put((float) ((b & 255) / 255.0));
            }
        }
        bytes.flip();
        floats.flip();
        try (OrtSession session = environment.createSession(onnx.toByteArray(), new OrtSession.SessionOptions());
                OnnxTensor in = pixels
                        ? OnnxTensor.createTensor(environment, floats, new long[] {test.size(), values})
                        : OnnxTensor.createTensor(
                                environment,
                                bytes,
                                new long[] {test.size(), Fixture.SIZE, Fixture.SIZE, 3},
                                OnnxJavaType.UINT8);
                OrtSession.Result out = session.run(Map.of(pixels ? OnnxStitcher.PIXELS : "image", in))) {
            assertEquals(1, session.getOutputNames().size());
            return (float[][]) out.get(OnnxStitcher.OUTPUT).orElseThrow().getValue();
        }
    }

    static Stream<Named<Trainer<Regressor>>> regressions() {
        SVMParameters<Regressor> svm =
                new SVMParameters<>(new SVMRegressionType(SVMRegressionType.SVMMode.EPSILON_SVR), KernelType.LINEAR);
        org.tribuo.regression.sgd.linear.LinearSGDTrainer linear =
                new org.tribuo.regression.sgd.linear.LinearSGDTrainer(new SquaredLoss(), new AdaGrad(0.1), 5, 1);
        return Stream.of(
                Named.of("linear", linear),
                Named.of("linear, standardised", standardised(linear, new MeanStdDevTransformation())),
                Named.of(
                        "factorisation machine",
                        standardised(
                                new org.tribuo.regression.sgd.fm.FMRegressionTrainer(
                                        new SquaredLoss(), new AdaGrad(0.1), 5, 1, 3, 0.1, true),
                                new MeanStdDevTransformation())),
                Named.of("sparse linear", standardised(new LARSTrainer(8), new MeanStdDevTransformation())),
                Named.of("LibLinear", new LibLinearRegressionTrainer()),
                Named.of("LibSVM", standardised(new LibSVMRegressionTrainer(svm), new MeanStdDevTransformation())),
                Named.of("bagged", new BaggingTrainer<>(linear, new AveragingCombiner(), 3)));
    }

    @ParameterizedTest
    @MethodSource("regressions")
    void regressionsToo(Trainer<Regressor> trainer) throws Exception {
        try (EncodedModel<Regressor> model = EncodedModel.containing(NUMBERS, encoder, trainer.train(numbers), 1)) {
            agree(model, (r, name) -> r.getDimension(name).orElseThrow().getValue(), 1e-4); // The numbers go to 20.
            assertEquals(List.of("hue", "length"), OnnxStitcher.classNames(model.exportONNXModel("d", 1, Input.IMAGE)));
        }
    }

    static Stream<Named<Trainer<MultiLabel>>> taggers() {
        return Stream.of(
                Named.of(
                        "linear",
                        standardised(
                                new org.tribuo.multilabel.sgd.linear.LinearSGDTrainer(
                                        new BinaryCrossEntropy(), new AdaGrad(0.1), 5, 1),
                                new MeanStdDevTransformation())),
                Named.of(
                        "factorisation machine",
                        standardised(
                                new org.tribuo.multilabel.sgd.fm.FMMultiLabelTrainer(
                                        new BinaryCrossEntropy(), new AdaGrad(0.1), 5, 1, 3, 0.1),
                                new MeanStdDevTransformation())));
    }

    @ParameterizedTest
    @MethodSource("taggers")
    void multiLabelToo(Trainer<MultiLabel> trainer) throws Exception {
        try (EncodedModel<MultiLabel> model = EncodedModel.containing(TAGS, encoder, trainer.train(tags), 1)) {
            agree(model, (l, name) -> l.getLabelScore(new Label(name)).orElseThrow(), 1e-5);
            assertEquals(
                    Set.of("red", "green", "blue", "warm", "cold"),
                    Set.copyOf(OnnxStitcher.classNames(model.exportONNXModel("d", 1, Input.IMAGE))));
        }
    }

    @Test
    void aModelOfSomeFeaturesPicksThem() throws Exception {
        MutableDataset<Label> some = new MutableDataset<>(labels.getSourceProvenance(), Fixture.LABELS);
        for (Example<Label> e : labels) {
            List<Feature> kept = new ArrayList<>();
            e.forEach(f -> {
                if (Integer.parseInt(f.getName().substring(1)) % 3 == 1) {
                    kept.add(f);
                }
            });
            some.add(new ArrayExample<>(e.getOutput(), kept));
        }
        try (EncodedModel<Label> model = EncodedModel.containing(
                Fixture.LABELS,
                encoder,
                standardised(linear(), new MeanStdDevTransformation()).train(some),
                1)) {
            assertEquals(5, model.getInnerModel().getFeatureIDMap().size());
            agree(model, (l, name) -> l.getScore(), 1e-5);
        }
    }

    @Test
    void tribuosExternalModelRunsIt() throws Exception {
        Path images = dir.resolve("test");
        Path file = dir.resolve("model.onnx");
        try (EncodedModel<Label> model = EncodedModel.containing(
                        Fixture.LABELS,
                        encoder,
                        standardised(linear(), new MeanStdDevTransformation()).train(labels),
                        1);
                PixelFeatureExtractor<Label> pixels = new PixelFeatureExtractor<>(Fixture.LABELS, Fixture.SIZE)) {
            ModelProto onnx = model.exportONNXModel("io.github.simclr4j.test", 3, Input.PIXELS);
            Files.write(file, onnx.toByteArray());
            Map<String, Integer> features = new HashMap<>();
            for (String name : pixels.featureNames()) {
                features.put(name, features.size());
            }
            Map<Label, Integer> outputs = new HashMap<>();
            for (String name : OnnxStitcher.classNames(onnx)) {
                outputs.put(new Label(name), outputs.size());
            }
            ImageFolderDataSource<Label> source = new ImageFolderDataSource<>(images, pixels);
            ONNXExternalModel<Label> external = ONNXExternalModel.createOnnxModel(
                    Fixture.LABELS,
                    features,
                    outputs,
                    new DenseTransformer(),
                    new LabelTransformer(),
                    new OrtSession.SessionOptions(),
                    file,
                    OnnxStitcher.PIXELS);
            for (Example<Label> e : source) {
                Prediction<Label> expected = model.predict(e);
                assertTrue(expected.distributionEquals(external.predict(e), 1e-5), expected.toString());
            }
            assertEquals(
                    new LabelEvaluator()
                            .evaluate(model, source)
                            .getConfusionMatrix()
                            .toString(),
                    new LabelEvaluator()
                            .evaluate(external, source)
                            .getConfusionMatrix()
                            .toString());
            assertEquals(model.getProvenance(), external.getTribuoProvenance().orElseThrow());
            String run = external.getProvenance().toString();
            assertTrue(run.contains("resnet18") && run.contains("model-version=3"), run);
        }
    }

    /**
     * A foreign encoder: float [n, 3, 4, 4] named "output" in, the mean of each channel and of its square out, as a float
     * vector or as double [n, 6, 1, 1].
     */
    private static ModelProto foreign(int opset, int ir, boolean vector) {
        GraphProto.Builder graph = GraphProto.newBuilder()
                .setName("foreign")
                .addInput(value("output", 1, -1, 3, 4, 4))
                .addNode(node("Mul", "classifier/Gemm_0", "output", "output"))
                .addNode(node("Concat", "image", "output", "classifier/Gemm_0").toBuilder()
                        .addAttribute(ints("axis", 1)));
        NodeProto.Builder reduce = node("ReduceMean", "mean", "image").toBuilder();
        if (opset < 18) {
            reduce.addAttribute(list("axes", 2, 3));
        } else {
            graph.addInitializer(heightAndWidth("axes"));
            reduce.addInput("axes");
        }
        graph.addNode(reduce);
        if (vector) {
            NodeProto.Builder squeeze = node("Squeeze", "features", "mean").toBuilder();
            if (opset < 13) {
                squeeze.addAttribute(list("axes", 2, 3));
            } else {
                graph.addInitializer(heightAndWidth("squeezed"));
                squeeze.addInput("squeezed");
            }
            graph.addNode(squeeze);
        } else {
            graph.addNode(node("Cast", "features", "mean").toBuilder()
                    .addAttribute(ints("to", TensorProto.DataType.DOUBLE_VALUE)));
        }
        graph.addOutput(
                vector
                        ? value("features", TensorProto.DataType.FLOAT_VALUE, -1, 6)
                        : value("features", TensorProto.DataType.DOUBLE_VALUE, -1, 6, 1, 1));
        return ModelProto.newBuilder()
                .setIrVersion(ir)
                .setGraph(graph)
                .addOpsetImport(OnnxMl.OperatorSetIdProto.newBuilder().setVersion(opset))
                .build();
    }

    private static TensorProto heightAndWidth(String name) {
        return TensorProto.newBuilder()
                .setName(name)
                .setDataType(TensorProto.DataType.INT64_VALUE)
                .addDims(2)
                .addInt64Data(2)
                .addInt64Data(3)
                .build();
    }

    private static NodeProto node(String op, String output, String... inputs) {
        return NodeProto.newBuilder()
                .setName(output)
                .setOpType(op)
                .addAllInput(List.of(inputs))
                .addOutput(output)
                .build();
    }

    private static AttributeProto ints(String name, long value) {
        return AttributeProto.newBuilder()
                .setName(name)
                .setType(AttributeProto.AttributeType.INT)
                .setI(value)
                .build();
    }

    private static AttributeProto list(String name, long... values) {
        AttributeProto.Builder a = AttributeProto.newBuilder().setName(name).setType(AttributeProto.AttributeType.INTS);
        for (long v : values) {
            a.addInts(v);
        }
        return a.build();
    }

    private static OnnxMl.ValueInfoProto value(String name, int type, long... dims) {
        OnnxMl.TensorShapeProto.Builder shape = OnnxMl.TensorShapeProto.newBuilder();
        for (long d : dims) {
            shape.addDim(
                    d < 0
                            ? OnnxMl.TensorShapeProto.Dimension.newBuilder().setDimParam("n")
                            : OnnxMl.TensorShapeProto.Dimension.newBuilder().setDimValue(d));
        }
        return OnnxMl.ValueInfoProto.newBuilder()
                .setName(name)
                .setType(OnnxMl.TypeProto.newBuilder()
                        .setTensorType(OnnxMl.TypeProto.Tensor.newBuilder()
                                .setElemType(type)
                                .setShape(shape)))
                .build();
    }

    /** Twelve random images for {@link #foreign}, and what it makes of them as a data set of three classes. */
    private static MutableDataset<Label> draw(float[][][][] images) {
        String[] names = {"a", "b", "c", "d", "e", "f"};
        Random random = new Random(3);
        MutableDataset<Label> data = Fixture.empty(Fixture.LABELS);
        for (int i = 0; i < images.length; i++) {
            double[] x = new double[6];
            for (int c = 0; c < 3; c++) {
                for (int p = 0; p < 16; p++) {
                    float v = (float) random.nextGaussian() + (i % 3 == c ? 1 : 0);
                    images[i][c][p / 4][p % 4] = v;
                    x[c] += v / 16;
                    x[3 + c] += v * v / 16;
                }
            }
            data.add(new ArrayExample<>(new Label("class" + i % 3), names, x));
        }
        return data;
    }

    private static void check(ModelProto encoder, Model<Label> model, Dataset<Label> data, float[][][][] images)
            throws OrtException {
        ModelProto joined = OnnxStitcher.stitch(encoder, model, "test", 1, Input.IMAGE);
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try (OrtSession session = environment.createSession(joined.toByteArray(), new OrtSession.SessionOptions());
                OnnxTensor in = OnnxTensor.createTensor(environment, images);
                OrtSession.Result out = session.run(Map.of("image", in))) {
            float[][] scores = (float[][]) out.get(0).getValue();
            List<String> classes = OnnxStitcher.classNames(joined);
            for (int i = 0; i < images.length; i++) {
                Map<String, Label> expected = model.predict(data.getExample(i)).getOutputScores();
                for (int c = 0; c < 3; c++) {
                    assertEquals(expected.get(classes.get(c)).getScore(), scores[i][c], 1e-5);
                }
            }
        }
    }

    /** Bagging with voting writes ReduceMean and more; the names of the encoder meet those of the result. */
    @ParameterizedTest
    @ValueSource(ints = {11, 12, 13, 17, 18, 21})
    void foreignEncodersOfManyOpsets(int opset) throws Exception {
        float[][][][] images = new float[12][3][4][4];
        MutableDataset<Label> data = draw(images);
        for (Trainer<Label> trainer : List.of(
                standardised(new BaggingTrainer<>(linear(), new VotingCombiner(), 3), new MeanStdDevTransformation()),
                new FMClassificationTrainer(new LogMulticlass(), new AdaGrad(0.1), 5, 1, 2, 0.1),
                new LibSVMClassificationTrainer(svm(KernelType.LINEAR, SVMMode.C_SVC, false)))) {
            Model<Label> model = trainer.train(data);
            for (boolean vector : new boolean[] {true, false}) {
                check(foreign(opset, opset < 18 ? 6 : 9, vector), model, data, images);
            }
        }
    }

    /** A weight that is an input as well, as before IR 4, and branches that use a value from outside, at an opset to be raised. */
    @Test
    void encodersWithBranchesAndOldWeights() throws Exception {
        float[][][][] images = new float[12][3][4][4];
        MutableDataset<Label> data = draw(images);
        GraphProto graph = foreign(12, 3, true).getGraph();
        GraphProto branch = GraphProto.newBuilder()
                .setName("branch")
                .addNode(node("Unsqueeze", "wide", "features").toBuilder().addAttribute(list("axes", 0)))
                .addNode(node("Squeeze", "same", "wide").toBuilder().addAttribute(list("axes", 0)))
                .addOutput(value("same", 1, -1, 6))
                .build();
        NodeProto.Builder choice = node("If", "chosen", "condition").toBuilder();
        for (String name : List.of("then_branch", "else_branch")) {
            choice.addAttribute(AttributeProto.newBuilder()
                    .setName(name)
                    .setType(AttributeProto.AttributeType.GRAPH)
                    .setG(branch));
        }
        GraphProto branched = graph.toBuilder()
                .addInput(value("condition", TensorProto.DataType.BOOL_VALUE))
                .addInitializer(TensorProto.newBuilder()
                        .setName("condition")
                        .setDataType(TensorProto.DataType.BOOL_VALUE)
                        .addInt32Data(1))
                .addNode(choice)
                .clearOutput()
                .addOutput(value("chosen", 1, -1, 6))
                .build();
        check(foreign(12, 3, true).toBuilder().setGraph(branched).build(), linear().train(data), data, images);

        GraphProto softmax = graph.toBuilder()
                .addNode(node("Softmax", "soft", "features"))
                .clearOutput()
                .addOutput(value("soft", 1, -1, 6))
                .build();
        says(
                "The encoder's Softmax soft has another meaning in ONNX opset 13",
                () -> OnnxStitcher.stitch(
                        foreign(12, 3, true).toBuilder().setGraph(softmax).build(),
                        linear().train(data),
                        "d",
                        1,
                        Input.IMAGE));
    }

    @Test
    void whatCannotBeJoinedIsSaid() throws IOException {
        ModelProto onnx = ModelProto.parseFrom(Files.readAllBytes(encoder));
        Model<Label> model = linear().train(labels);
        says(
                "Expected a model of the 6 features h0 to h5 of the encoder, found one of 16, h00 to h15",
                () -> OnnxStitcher.stitch(foreign(13, 7, true), model, "d", 1, Input.IMAGE));
        says("opset 11 or later, found 9", () -> OnnxStitcher.stitch(foreign(9, 7, true), model, "d", 1, Input.IMAGE));
        ModelProto six = foreign(13, 7, true);
        MutableDataset<Label> data = Fixture.empty(Fixture.LABELS);
        for (int i = 0; i < 6; i++) {
            data.add(new ArrayExample<>(
                    new Label(i % 2 == 0 ? "x" : "y"),
                    new String[] {"a", "b", "c", "d", "e", "f"},
                    new double[] {i, 2, 3, i, 5, 6}));
        }
        Model<Label> of6 = linear().train(data);
        says("Expected an encoder of uint8 images", () -> OnnxStitcher.stitch(six, of6, "d", 1, Input.PIXELS));
        says(
                "one float output [batch, dimension], found",
                () -> OnnxStitcher.stitch(
                        six.toBuilder()
                                .setGraph(six.getGraph().toBuilder().addOutput(value("mean", 1, -1, 6)))
                                .build(),
                        of6,
                        "d",
                        1,
                        Input.IMAGE));
        says(
                "one input of four dimensions, found",
                () -> OnnxStitcher.stitch(
                        six.toBuilder()
                                .setGraph(six.getGraph().toBuilder().setInput(0, value("output", 1, -1, 3)))
                                .build(),
                        of6,
                        "d",
                        1,
                        Input.IMAGE));
        says(
                "found org.tribuo.transform.transformations.BinningTransformation",
                () -> OnnxStitcher.stitch(
                        onnx,
                        standardised(linear(), BinningTransformation.equalWidth(3))
                                .train(labels),
                        "d",
                        1,
                        Input.IMAGE));
        says(
                "ONNXExportable), found org.tribuo.classification.baseline.DummyClassifierModel",
                () -> OnnxStitcher.stitch(
                        onnx, DummyClassifierTrainer.createMostFrequentTrainer().train(labels), "d", 1, Input.IMAGE));
        Trainer<Label> dummies =
                new BaggingTrainer<>(DummyClassifierTrainer.createMostFrequentTrainer(), new VotingCombiner(), 2);
        assertEquals(
                "Expected an ensemble of models that Tribuo can write as ONNX (ONNXExportable), found"
                        + " org.tribuo.classification.baseline.DummyClassifierModel",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> OnnxStitcher.stitch(onnx, dummies.train(labels), "d", 1, Input.IMAGE))
                        .getMessage());
    }

    private static void says(String part, org.junit.jupiter.api.function.Executable run) {
        String message = assertThrows(IllegalArgumentException.class, run).getMessage();
        assertTrue(message.contains(part), message);
    }

    @Test
    void theFileIsWrittenAndNamesItself() throws Exception {
        Path file = dir.resolve("saved/one.onnx");
        try (EncodedModel<Label> model = EncodedModel.referringTo(Fixture.LABELS, encoder, linear().train(labels), 1)) {
            model.saveONNXModel("io.github.simclr4j.test", 2, file);
            ModelProto saved = ModelProto.parseFrom(Files.readAllBytes(file));
            assertEquals("io.github.simclr4j.test", saved.getDomain());
            assertEquals(2, saved.getModelVersion());
            assertEquals(Set.of("blue", "green", "red"), Set.copyOf(OnnxStitcher.classNames(saved)));
            assertTrue(saved.getMetadataPropsList().stream()
                    .anyMatch(e -> e.getKey().equals("method")));
        }
    }
}
