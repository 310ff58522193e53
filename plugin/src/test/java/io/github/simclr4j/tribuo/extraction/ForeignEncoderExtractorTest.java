// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.extraction;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl;
import com.oracle.labs.mlrg.olcut.config.ConfigurationManager;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.ObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.ProvenanceUtil;
import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.convert.Conversion;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.onnx.runtime.EncoderSettings;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import io.github.simclr4j.tribuo.evaluation.LinearEvaluation;
import io.github.simclr4j.tribuo.internal.EncoderFacts;
import io.github.simclr4j.tribuo.model.EncodedModel;
import io.github.simclr4j.tribuo.model.OnnxStitcher;
import io.github.simclr4j.tribuo.source.ImageFolderDataSource;
import io.github.simclr4j.tribuo.training.SelfTrainingTrainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.Model;
import org.tribuo.MutableDataset;
import org.tribuo.Prediction;
import org.tribuo.Trainer;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;
import org.tribuo.classification.sgd.linear.LogisticRegressionTrainer;

/** The settings of a foreign encoder, from code and from OLCUT. */
class ForeignEncoderExtractorTest {
    private static final Path ENCODER = Path.of(
            System.getProperty("simclr.root", ".."),
            "onnx/src/test/resources/io/github/simclr4j/onnx/foreign/resnet50-folded.onnx");

    private static List<RgbImage> image() {
        byte[] rgb = new byte[90 * 70 * 3];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = (byte) (i * i);
        }
        return List.of(new RgbImage(90, 70, rgb));
    }

    private static SimCLRFeatureExtractor<?> olcut(Path xml, String properties) throws IOException {
        return olcut(xml, ENCODER, properties);
    }

    private static SimCLRFeatureExtractor<?> olcut(Path xml, Path encoder, String properties) throws IOException {
        Files.writeString(xml, """
                <config>
                  <component name="labels" type="org.tribuo.classification.LabelFactory"/>
                  <component name="extractor" type="io.github.simclr4j.tribuo.extraction.SimCLRFeatureExtractor">
                    <property name="outputFactory" value="labels"/>
                    <property name="encoderPath" value="%s"/>
                    %s
                  </component>
                </config>
                """.formatted(encoder, properties));
        try (ConfigurationManager manager = new ConfigurationManager(xml.toString())) {
            return (SimCLRFeatureExtractor<?>) manager.lookup("extractor");
        }
    }

    @Test
    void olcutAndCodeGiveTheSame(@TempDir Path dir) throws IOException {
        Path json =
                Files.writeString(dir.resolve("vendor.json"), "{\"mean\": [0.485, 0.456, 0.406], \"image_size\": 32}");
        EncoderSettings settings = EncoderSettings.of(
                        Map.of(
                                "image-size",
                                "64",
                                "resize-short",
                                "70",
                                "interpolation",
                                "bicubic",
                                "std",
                                "0.229,0.224,0.225",
                                "output",
                                "/Flatten_output_0"),
                        "argument")
                .or(EncoderSettings.read(json));
        try (SimCLRFeatureExtractor<Label> code = new SimCLRFeatureExtractor<>(
                        new LabelFactory(),
                        ENCODER,
                        settings,
                        RuntimeSettings.DEFAULT.withThreads(1).withBatch(2),
                        null);
                SimCLRFeatureExtractor<?> olcut = olcut(dir.resolve("e.xml"), """
                        <property name="imageSize" value="64"/>
                        <property name="resizeShort" value="70"/>
                        <property name="interpolation" value="bicubic"/>
                        <property name="std" value="0.229,0.224,0.225"/>
                        <property name="output" value="/Flatten_output_0"/>
                        <property name="preprocessingFile" value="%s"/>
                        <property name="threads" value="1"/>
                        <property name="provider" value="cpu"/>
                        """.formatted(json))) {
            assertEquals(64, code.dimension());
            assertArrayEquals(code.features(image()), olcut.features(image()));
            for (SimCLRFeatureExtractor<?> e : List.of(code, olcut)) {
                String provenance = ProvenanceUtil.formattedProvenanceString(e.getProvenance());
                for (String part : List.of(
                        "short-side-70-antialiased-bicubic-1",
                        "mean=0.485,0.456,0.406 (vendor.json)",
                        "layout=nchw (graph)",
                        e.encoder().sha256(),
                        "0.229,0.224,0.225")) {
                    assertTrue(provenance.contains(part), part + " in " + provenance);
                }
            }
            // The provenance of either builds it again.
            for (SimCLRFeatureExtractor<?> e : List.of(code, olcut)) {
                ObjectProvenance saved =
                        ProvenanceUtil.unmarshalProvenance(ProvenanceUtil.marshalProvenance(e.getProvenance()));
                assertEquals(e.getProvenance(), saved);
                try (ConfigurationManager manager = new ConfigurationManager()) {
                    manager.addConfiguration(ProvenanceUtil.extractConfiguration(saved));
                    SimCLRFeatureExtractor<?> again =
                            manager.lookupAll(SimCLRFeatureExtractor.class).get(0);
                    assertArrayEquals(code.features(image()), again.features(image()));
                    again.close();
                }
            }
        }
    }

    /** The features of each output and pooling, one behind the other; from code, OLCUT, a provenance and a converted file. */
    @Test
    void severalOutputsAndPoolingsAreConcatenated(@TempDir Path dir) throws IOException {
        Path vit = ENCODER.resolveSibling("vit-tokens.onnx");
        Map<String, String> norm = Map.of("mean", "0.485,0.456,0.406", "std", "0.229,0.224,0.225");
        List<Float> parts = new ArrayList<>();
        for (String[] part : new String[][] {
            {"pooler_output", ""}, {"last_hidden_state", "class"}, {"last_hidden_state", "mean-patches"}
        }) {
            Map<String, String> map = new HashMap<>(norm);
            map.putAll(Map.of("output", part[0], "pooling", part[1]));
            try (OnnxEncoder one = OnnxEncoder.open(
                    vit, EncoderSettings.of(map, "argument"), RuntimeSettings.DEFAULT.withThreads(1))) {
                for (float f : one.embed(image())[0]) {
                    parts.add(f);
                }
            }
        }
        double[] expected = parts.stream().mapToDouble(Float::doubleValue).toArray();
        Map<String, String> map = new HashMap<>(norm);
        map.putAll(Map.of("output", "pooler_output,last_hidden_state", "pooling", "class+mean-patches"));
        EncoderSettings settings = EncoderSettings.of(map, "argument");
        Path converted = dir.resolve("own.onnx");
        new Conversion(null, 0, true, settings, null).apply(vit, converted);
        try (SimCLRFeatureExtractor<Label> code = new SimCLRFeatureExtractor<>(
                        new LabelFactory(), vit, settings, RuntimeSettings.DEFAULT.withThreads(1), null);
                SimCLRFeatureExtractor<Label> own = new SimCLRFeatureExtractor<>(new LabelFactory(), converted, 1);
                SimCLRFeatureExtractor<?> olcut = olcut(dir.resolve("e.xml"), vit, """
                        <property name="mean" value="0.485,0.456,0.406"/>
                        <property name="std" value="0.229,0.224,0.225"/>
                        <property name="output" value="pooler_output,last_hidden_state"/>
                        <property name="pooling" value="class+mean-patches"/>
                        <property name="threads" value="1"/>
                        """)) {
            for (SimCLRFeatureExtractor<?> e : List.of(code, olcut, own)) {
                assertArrayEquals(expected, e.features(image())[0], 1e-6);
                assertEquals(48, e.featureNames().length);
                ObjectProvenance saved =
                        ProvenanceUtil.unmarshalProvenance(ProvenanceUtil.marshalProvenance(e.getProvenance()));
                assertEquals(e.getProvenance(), saved);
                assertTrue(ProvenanceUtil.formattedProvenanceString(saved)
                        .contains("output=pooler_output,last_hidden_state ("));
                try (ConfigurationManager manager = new ConfigurationManager()) {
                    manager.addConfiguration(ProvenanceUtil.extractConfiguration(saved));
                    SimCLRFeatureExtractor<?> again =
                            manager.lookupAll(SimCLRFeatureExtractor.class).get(0);
                    assertArrayEquals(e.features(image()), again.features(image()));
                    again.close();
                }
            }
            Path images = Fixture.images(dir.resolve("images"), 4, 3);
            Model<Label> model = new LogisticRegressionTrainer()
                    .train(new MutableDataset<>(new ImageFolderDataSource<>(images, own)));
            assertAccepted(EncodedModel.containing(Fixture.LABELS, converted, model, 1), model, own, images);
            try (EncodedModel<Label> encoded = EncodedModel.containing(Fixture.LABELS, converted, model, 1)) {
                IllegalArgumentException e = assertThrows(
                        IllegalArgumentException.class,
                        () -> encoded.exportONNXModel("d", 1, OnnxStitcher.Input.IMAGE));
                assertTrue(
                        e.getMessage()
                                .contains(
                                        "expected one output of the graph: export the encoder with these concatenated as its output"),
                        e.getMessage());
            }
        }
    }

    /** The stages apart, as the data sources call them, with the encoder's own size, cut, filter and channels. */
    @Test
    void preparedImagesAreEncodedAsWholeOnesAre(@TempDir Path dir) throws IOException {
        EncoderSettings settings = EncoderSettings.of(
                Map.of("image-size", "48x64", "resize-short", "70", "channels", "bgr", "std", "0.2,0.3,0.4"),
                "argument");
        FeatureCache cache = new FeatureCache(dir, 1 << 20);
        try (OnnxEncoder plain = OnnxEncoder.open(ENCODER, settings, RuntimeSettings.DEFAULT);
                SimCLRFeatureExtractor<Label> extractor = new SimCLRFeatureExtractor<>(
                        new LabelFactory(), ENCODER, settings, RuntimeSettings.DEFAULT, cache);
                SimCLRFeatureExtractor<Label> other = new SimCLRFeatureExtractor<>(
                        new LabelFactory(),
                        ENCODER,
                        EncoderSettings.of(Map.of("image-size", "48x64", "resize-short", "70"), "argument"),
                        RuntimeSettings.DEFAULT,
                        cache);
                SimCLRFeatureExtractor<Label> shared = extractor.share(new LabelFactory())) {
            float[][] expected = plain.embed(image());
            assertArrayEquals(expected, extractor.floatFeatures(image()));
            assertArrayEquals(
                    extractor.features(image()), extractor.encode(List.of(extractor.prepare(image().get(0)))));
            assertArrayEquals(expected, shared.floatFeatures(image()));
            assertEquals(extractor.getProvenance(), shared.getProvenance());
            assertEquals(1, cache.stats().misses());
            // The same file fed in another way has features of its own.
            assertFalse(Arrays.equals(expected[0], other.floatFeatures(image())[0]));
            assertEquals(2, cache.stats().misses());
        }
    }

    @Test
    void anEncodedModelFeedsItAsTheExtractorDid(@TempDir Path dir) throws IOException {
        OnnxMl.ModelProto.Builder model = OnnxMl.ModelProto.parseFrom(Files.readAllBytes(ENCODER)).toBuilder();
        Map.of("image_size", "48x64", "resize_short", "70", "mean", "0.5", "std", "0.25")
                .forEach((k, v) -> model.addMetadataPropsBuilder()
                        .setKey("preprocessing." + k)
                        .setValue(v));
        Path encoder = Files.write(dir.resolve("vendor.onnx"), model.build().toByteArray());
        Path images = Fixture.images(dir.resolve("images"), 4, 3);
        MutableDataset<Label> features = Fixture.features(encoder, images);
        Model<Label> classifier = LinearEvaluation.trainer(features, 1).train(features);
        RgbImage image = image().get(0);
        Label unknown = Fixture.LABELS.getUnknownOutput();
        try (SimCLRFeatureExtractor<Label> extractor = new SimCLRFeatureExtractor<>(Fixture.LABELS, encoder);
                EncodedModel<Label> encoded = EncodedModel.containing(Fixture.LABELS, encoder, classifier, 0)) {
            Prediction<Label> expected = classifier.predict(
                    extractor.extract(List.of(image), List.of(unknown)).get(0));
            assertTrue(expected.distributionEquals(
                    encoded.predictImages(List.of(image)).get(0)));
            assertTrue(expected.distributionEquals(encoded.predict(encoded.example(image, unknown))), "from pixels");
            assertTrue(
                    encoded.getProvenance().getInstanceProvenance().toString().contains("short-side-70"));
        }
        EncoderSettings given = EncoderSettings.of(Map.of("mean", "0.4"), "argument");
        try (SimCLRFeatureExtractor<Label> other =
                new SimCLRFeatureExtractor<>(Fixture.LABELS, encoder, given, RuntimeSettings.DEFAULT, null)) {
            MutableDataset<Label> others = new MutableDataset<>(new ImageFolderDataSource<>(images, other));
            Model<Label> another = LinearEvaluation.trainer(others, 1).train(others);
            IllegalArgumentException e = assertThrows(
                    IllegalArgumentException.class, () -> EncodedModel.containing(Fixture.LABELS, encoder, another, 0));
            assertTrue(e.getMessage().contains("mean=0.4 (argument)"), e.getMessage());
        }
    }

    /** The encoder with metadata, in a folder of its own. */
    private static Path encoder(Path folder, Map<String, String> settings) throws IOException {
        OnnxMl.ModelProto.Builder model = OnnxMl.ModelProto.parseFrom(Files.readAllBytes(ENCODER)).toBuilder();
        settings.forEach((k, v) ->
                model.addMetadataPropsBuilder().setKey("preprocessing." + k).setValue(v));
        return Files.write(
                Files.createDirectories(folder).resolve("vendor.onnx"),
                model.build().toByteArray());
    }

    /** A model whose provenance does not know of the extractor. */
    private static Model<Label> byHand(SimCLRFeatureExtractor<Label> extractor, Path images) throws IOException {
        MutableDataset<Label> data = Fixture.empty(Fixture.LABELS);
        for (Path p : Images.find(images)) {
            data.add(extractor.extract(p, new Label(p.getParent().getFileName().toString())));
        }
        return LinearEvaluation.trainer(data, 1).train(data);
    }

    private static SimCLRFeatureExtractor<Label> extractor(Path encoder, Map<String, String> settings) {
        return new SimCLRFeatureExtractor<>(
                Fixture.LABELS,
                encoder,
                EncoderSettings.of(settings, "argument"),
                RuntimeSettings.DEFAULT.withThreads(1),
                null);
    }

    private static void refused(Executable what, String... parts) {
        String message = assertThrows(IllegalArgumentException.class, what).getMessage();
        for (String part : parts) {
            assertTrue(message.contains(part), part + " in " + message);
        }
        assertTrue(message.contains("a Conversion that has the same settings"), message);
    }

    private static void assertAccepted(
            EncodedModel<Label> encoded, Model<Label> model, SimCLRFeatureExtractor<Label> extractor, Path images)
            throws IOException {
        try (encoded) {
            for (Path p : Images.find(images)) {
                assertTrue(
                        model.predict(extractor.extract(p)).distributionEquals(encoded.predict(p), 1e-6), p.toString());
            }
        }
    }

    @Test
    void settingsBesideTheFileAreNotLostWithoutAProvenance(@TempDir Path dir) throws IOException {
        Path images = Fixture.images(dir.resolve("images"), 4, 3);
        Map<String, String> inside = Map.of("image_size", "48", "mean", "0.5", "std", "0.25");
        Path encoder = encoder(dir.resolve("a"), inside);
        Path config = encoder.resolveSibling(EncoderSettings.PREPROCESSOR_CONFIG);
        Files.writeString(config, "{\"image_mean\": [0.1, 0.2, 0.3], \"image_std\": 0.25}");
        try (SimCLRFeatureExtractor<Label> extractor = extractor(encoder, Map.of())) {
            Model<Label> model = byHand(extractor, images);
            for (Executable what : List.<Executable>of(
                    () -> EncodedModel.containing(Fixture.LABELS, encoder, model, 1),
                    () -> EncodedModel.referringTo(Fixture.LABELS, encoder, model, 1))) {
                refused(
                        what,
                        encoder.toString(),
                        "preprocessor_config.json beside it has",
                        "mean=0.1,0.2,0.3",
                        "mean=0.5");
            }
            refused(() -> EncodedModel.containing(extractor, model), "the extractor has", "mean=0.1,0.2,0.3");
        }
        // One that says the same, in other words, is no reason.
        Files.writeString(config, "{\"image_mean\": [0.5, 0.5, 0.5], \"image_std\": [0.25, 0.25, 0.25]}");
        try (SimCLRFeatureExtractor<Label> extractor = extractor(encoder, Map.of())) {
            Model<Label> model = byHand(extractor, images);
            assertAccepted(EncodedModel.containing(Fixture.LABELS, encoder, model, 1), model, extractor, images);
            assertAccepted(EncodedModel.containing(extractor, model), model, extractor, images);
            Files.write(encoder, new byte[] {0}, StandardOpenOption.APPEND);
            assertThrows(IOException.class, () -> EncodedModel.containing(extractor, model), "damaged");
            encoder(dir.resolve("a"), Map.of("image_size", "48", "mean", "0.4", "std", "0.25"));
            String message = assertThrows(
                            IllegalArgumentException.class, () -> EncodedModel.containing(extractor, model))
                    .getMessage();
            assertTrue(message.contains("has changed since the extractor opened it"), message);
        }
    }

    @Test
    void aGuessOfMeanAndDeviationIsNotTakenWithoutAProvenance(@TempDir Path dir) throws IOException {
        Path images = Fixture.images(dir.resolve("images"), 4, 3);
        Path encoder = encoder(dir, Map.of("image_size", "48", "mean", "0.5"));
        try (SimCLRFeatureExtractor<Label> extractor = extractor(encoder, Map.of("std", "0.25"))) {
            Model<Label> model = byHand(extractor, images);
            refused(
                    () -> EncodedModel.containing(Fixture.LABELS, encoder, model, 1),
                    encoder + " does not state its std");
            refused(
                    () -> EncodedModel.referringTo(Fixture.LABELS, encoder, model, 1),
                    encoder + " does not state its std");
            byte[] bytes = Files.readAllBytes(encoder);
            refused(() -> EncodedModel.containing(Fixture.LABELS, bytes, "it", model, 1), "it does not state its std");
            refused(() -> EncodedModel.containing(extractor, model), "the extractor has", "std=0.25");
        }
        // Who used the default says so by the extractor, or a source that was given it.
        try (SimCLRFeatureExtractor<Label> extractor = extractor(encoder, Map.of())) {
            Model<Label> model = byHand(extractor, images);
            assertAccepted(EncodedModel.containing(extractor, model), model, extractor, images);
            Model<Label> known = new LogisticRegressionTrainer()
                    .train(new MutableDataset<>(new ImageFolderDataSource<>(images, extractor)));
            assertAccepted(EncodedModel.containing(Fixture.LABELS, encoder, known, 1), known, extractor, images);
        }
    }

    @Test
    void bracketsInASettingAreNotItsSource(@TempDir Path dir) throws IOException {
        String[][] cases = {
            {"output=fl (1) (graph), pooling=mean (graph)", "output=fl (1), pooling=mean"},
            {"mean=0.5 (config (1).json), std=1,2,3 (a, b.json)", "mean=0.5, std=1,2,3"},
            {"resize=stretch (default), resize-short=72 (argument)", "resize=stretch, resize-short=72"},
            {"output=fl (graph)", "output=fl"},
        };
        for (String[] c : cases) {
            assertEquals(c[1], EncoderFacts.withoutSources(c[0]));
        }
        Path images = Fixture.images(dir.resolve("images"), 4, 3);
        OnnxMl.ModelProto.Builder model = OnnxMl.ModelProto.parseFrom(
                Files.readAllBytes(encoder(dir, Map.of("image_size", "48", "mean", "0.5", "std", "0.25"))))
                .toBuilder();
        String was = model.getGraph().getOutput(0).getName();
        String name = "pooled (mean) (2)";
        model.getGraphBuilder().getOutputBuilder(0).setName(name);
        for (OnnxMl.NodeProto.Builder node : model.getGraphBuilder().getNodeBuilderList()) {
            for (int i = 0; i < node.getOutputCount(); i++) {
                node.setOutput(i, node.getOutput(i).equals(was) ? name : node.getOutput(i));
            }
        }
        Path encoder = Files.write(dir.resolve("brackets.onnx"), model.build().toByteArray());
        try (SimCLRFeatureExtractor<Label> extractor = extractor(encoder, Map.of())) {
            Model<Label> trained = new LogisticRegressionTrainer()
                    .train(new MutableDataset<>(new ImageFolderDataSource<>(images, extractor)));
            assertAccepted(EncodedModel.containing(Fixture.LABELS, encoder, trained, 1), trained, extractor, images);
        }
    }

    @Test
    void anEncoderInSeveralFilesIsSaid(@TempDir Path dir) throws IOException {
        OnnxMl.ModelProto.Builder model = OnnxMl.ModelProto.parseFrom(
                Files.readAllBytes(encoder(dir, Map.of("image_size", "48", "mean", "0.5", "std", "0.25"))))
                .toBuilder();
        for (OnnxMl.TensorProto.Builder t : model.getGraphBuilder().getInitializerBuilderList()) {
            if (t.getRawData().size() > 64) {
                Files.write(dir.resolve("weights.bin"), t.getRawData().toByteArray());
                t.clearRawData().setDataLocation(OnnxMl.TensorProto.DataLocation.EXTERNAL);
                t.addExternalDataBuilder().setKey("location").setValue("weights.bin");
                break;
            }
        }
        Path encoder = Files.write(dir.resolve("parts.onnx"), model.build().toByteArray());
        try (SimCLRFeatureExtractor<Label> extractor = extractor(encoder, Map.of())) {
            Model<Label> trained = byHand(extractor, Fixture.images(dir.resolve("images"), 4, 3));
            for (Executable what : List.<Executable>of(
                    () -> EncodedModel.containing(Fixture.LABELS, encoder, trained, 1),
                    () -> EncodedModel.referringTo(Fixture.LABELS, encoder, trained, 1),
                    () -> EncodedModel.containing(extractor, trained))) {
                String message = assertThrows(IOException.class, what).getMessage();
                assertTrue(
                        message.startsWith(encoder
                                + " keeps its weights in other files (external data), expected an encoder in one file"),
                        message);
            }
        }
    }

    @Test
    void unlabelledImagesHaveTheSettingsOfTheOthers(@TempDir Path dir) throws IOException {
        Path images = Fixture.images(dir.resolve("images"), 4, 3);
        Path encoder = encoder(dir, Map.of("image_size", "48", "std", "0.25"));
        Path json = Files.writeString(dir.resolve("vendor (1).json"), "{\"mean\": \"0.5\"}");
        try (SimCLRFeatureExtractor<Label> half = extractor(encoder, Map.of("mean", "0.5"));
                SimCLRFeatureExtractor<Label> read = new SimCLRFeatureExtractor<>(
                        Fixture.LABELS,
                        encoder,
                        EncoderSettings.read(json),
                        RuntimeSettings.DEFAULT.withThreads(1),
                        null);
                SimCLRFeatureExtractor<Label> other = extractor(encoder, Map.of("mean", "0.4"))) {
            MutableDataset<Label> data = new MutableDataset<>(new ImageFolderDataSource<>(images, half));
            Trainer<Label> inner = LinearEvaluation.trainer(data, 1);
            String message = assertThrows(
                            IllegalArgumentException.class,
                            () -> new SelfTrainingTrainer(
                                            inner, new ImageFolderDataSource<>(images, other), 0.9, 0, false, 2)
                                    .train(data))
                    .getMessage();
            assertTrue(
                    message.contains("mean=0.5") && message.contains("found") && message.contains("mean=0.4"), message);
            // The same from elsewhere is the same.
            new SelfTrainingTrainer(inner, new ImageFolderDataSource<>(images, read), 0.9, 0, false, 2).train(data);
        }
    }

    /** Features with and without Winograd's convolutions differ by rounding. Narrow networks have the same ones either way. */
    @Test
    void theCacheKeepsFeaturesOfOtherConvolutionsApart(@TempDir Path dir) throws IOException {
        Path wide = Files.write(dir.resolve("wide.onnx"), Fixture.encoder(1, new ResNet(18, 1, ResNet.Stem.CIFAR), 1));
        boolean here = Set.of("amd64", "x86_64").contains(System.getProperty("os.arch"));
        for (Path encoder : List.of(wide, ENCODER)) {
            FeatureCache cache = new FeatureCache(dir.resolve("cache of " + encoder.getFileName()), 1 << 20);
            boolean differ = false;
            for (boolean winograd : new boolean[] {true, false}) {
                RuntimeSettings runtime = RuntimeSettings.DEFAULT.withThreads(1).withWinograd(winograd);
                EncoderSettings size = EncoderSettings.of(Map.of("image-size", encoder == wide ? "16" : "64"), "test");
                try (SimCLRFeatureExtractor<Label> extractor =
                        new SimCLRFeatureExtractor<>(new LabelFactory(), encoder, size, runtime, cache)) {
                    extractor.features(image());
                    differ |= extractor.encoder().usesWinograd();
                }
            }
            assertEquals(here && encoder == wide, differ, encoder + " is rewritten");
            assertEquals(differ ? 2 : 1, cache.stats().misses());
        }
    }

    @Test
    void allMultiplicationsCanBeAskedFor(@TempDir Path dir) throws IOException {
        String properties = "<property name=\"imageSize\" value=\"64\"/><property name=\"winograd\" value=\"false\"/>";
        EncoderSettings size = EncoderSettings.of(Map.of("image-size", "64"), "argument");
        FeatureCache cache = new FeatureCache(dir.resolve("cache"), 1 << 20);
        try (SimCLRFeatureExtractor<?> olcut = olcut(dir.resolve("e.xml"), properties);
                SimCLRFeatureExtractor<Label> direct = new SimCLRFeatureExtractor<>(
                        new LabelFactory(), ENCODER, size, RuntimeSettings.DEFAULT.withWinograd(false), cache);
                SimCLRFeatureExtractor<Label> fast = new SimCLRFeatureExtractor<>(
                        new LabelFactory(), ENCODER, size, RuntimeSettings.DEFAULT, cache)) {
            assertArrayEquals(direct.features(image()), olcut.features(image()));
            assertArrayEquals(direct.features(image())[0], fast.features(image())[0], 1e-4);
            assertEquals(
                    "false",
                    olcut.getProvenance()
                            .getConfiguredParameters()
                            .get("winograd")
                            .toString());
            assertEquals(
                    "true",
                    fast.getProvenance()
                            .getConfiguredParameters()
                            .get("winograd")
                            .toString());
        }
    }

    @Test
    void sessionOptionsReachTheSessionAndTheProvenance(@TempDir Path dir) throws IOException {
        String map = """
                <property name="imageSize" value="64"/>
                <propertymap name="sessionOptions"><entry key="%s" value="%s"/></propertymap>
                """;
        Map<String, String> options = Map.of("session.intra_op.allow_spinning", "0");
        EncoderSettings size = EncoderSettings.of(Map.of("image-size", "64"), "argument");
        FeatureCache cache = new FeatureCache(dir.resolve("cache"), 1 << 20);
        try (SimCLRFeatureExtractor<?> olcut =
                        olcut(dir.resolve("e.xml"), map.formatted("session.intra_op.allow_spinning", "0"));
                SimCLRFeatureExtractor<Label> code = new SimCLRFeatureExtractor<>(
                        new LabelFactory(), ENCODER, size, RuntimeSettings.DEFAULT.withOptions(options), cache);
                SimCLRFeatureExtractor<Label> without = new SimCLRFeatureExtractor<>(
                        new LabelFactory(), ENCODER, size, RuntimeSettings.DEFAULT, cache);
                SimCLRFeatureExtractor<Label> shared = code.share(new LabelFactory())) {
            assertArrayEquals(code.features(image()), olcut.features(image()));
            assertEquals(code.getProvenance(), shared.getProvenance());
            // An option may change features: they are kept apart.
            without.features(image());
            assertEquals(2, cache.stats().misses());
            for (SimCLRFeatureExtractor<?> e : List.of(code, olcut)) {
                String provenance = ProvenanceUtil.formattedProvenanceString(e.getProvenance());
                assertTrue(provenance.contains("session.intra_op.allow_spinning"), provenance);
                ObjectProvenance saved =
                        ProvenanceUtil.unmarshalProvenance(ProvenanceUtil.marshalProvenance(e.getProvenance()));
                assertEquals(e.getProvenance(), saved);
            }
            ObjectProvenance saved =
                    ProvenanceUtil.unmarshalProvenance(ProvenanceUtil.marshalProvenance(olcut.getProvenance()));
            try (ConfigurationManager manager = new ConfigurationManager()) {
                manager.addConfiguration(ProvenanceUtil.extractConfiguration(saved));
                try (SimCLRFeatureExtractor<?> again =
                        manager.lookupAll(SimCLRFeatureExtractor.class).get(0)) {
                    assertEquals(olcut.getProvenance(), again.getProvenance());
                }
            }
        }
        // ONNX Runtime is told to read the file in its own format, which it is not.
        PropertyException e = assertThrows(
                PropertyException.class,
                () -> olcut(dir.resolve("e.xml"), map.formatted("session.load_model_format", "ORT")));
        assertTrue(e.getMessage().contains("ONNX Runtime can't load it"), e.getMessage());
        e = assertThrows(PropertyException.class, () -> olcut(dir.resolve("e.xml"), map.formatted(" ", "1")));
        assertTrue(e.getMessage().contains("session options with a name and a value"), e.getMessage());
    }

    @Test
    void badSettingsAreNamed(@TempDir Path dir) {
        String[][] cases = {
            {"<property name=\"imageSize\" value=\"big\"/>", "image-size"},
            {"<property name=\"mean\" value=\"0.5\"/>", "the setting image-size"},
            {
                "<property name=\"imageSize\" value=\"64\"/><property name=\"provider\" value=\"tpu\"/>",
                "execution provider"
            },
            {"<property name=\"preprocessingFile\" value=\"nowhere.json\"/>", "nowhere.json: no such file"},
            {
                "<property name=\"imageSize\" value=\"64\"/><property name=\"threads\" value=\"1000000\"/>",
                "threads, at most"
            },
        };
        for (String[] c : cases) {
            PropertyException e = assertThrows(PropertyException.class, () -> olcut(dir.resolve("e.xml"), c[0]), c[0]);
            assertTrue(e.getMessage().contains(c[1]), e.getMessage());
        }
    }
}
