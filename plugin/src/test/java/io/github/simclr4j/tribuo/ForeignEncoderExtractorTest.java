package io.github.simclr4j.tribuo;

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
import io.github.simclr4j.onnx.EncoderSettings;
import io.github.simclr4j.onnx.OnnxEncoder;
import io.github.simclr4j.onnx.RgbImage;
import io.github.simclr4j.onnx.RuntimeSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.Model;
import org.tribuo.MutableDataset;
import org.tribuo.Prediction;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;

/** The settings of a foreign encoder, from code and from OLCUT. */
class ForeignEncoderExtractorTest {
    private static final Path ENCODER = Path.of(System.getProperty("simclr.root", ".."),
            "onnx/src/test/resources/io/github/simclr4j/onnx/foreign/resnet50-folded.onnx");

    private static List<RgbImage> image() {
        byte[] rgb = new byte[90 * 70 * 3];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = (byte) (i * i);
        }
        return List.of(new RgbImage(90, 70, rgb));
    }

    private static SimCLRFeatureExtractor<?> olcut(Path xml, String properties) throws IOException {
        Files.writeString(xml, """
                <config>
                  <component name="labels" type="org.tribuo.classification.LabelFactory"/>
                  <component name="extractor" type="io.github.simclr4j.tribuo.SimCLRFeatureExtractor">
                    <property name="outputFactory" value="labels"/>
                    <property name="encoderPath" value="%s"/>
                    %s
                  </component>
                </config>
                """.formatted(ENCODER, properties));
        try (ConfigurationManager manager = new ConfigurationManager(xml.toString())) {
            return (SimCLRFeatureExtractor<?>) manager.lookup("extractor");
        }
    }

    @Test
    void olcutAndCodeGiveTheSame(@TempDir Path dir) throws IOException {
        Path json = Files.writeString(dir.resolve("vendor.json"), "{\"mean\": [0.485, 0.456, 0.406], \"image_size\": 32}");
        EncoderSettings settings = EncoderSettings.of(Map.of("image-size", "64", "resize-short", "70", "interpolation", "bicubic",
                "std", "0.229,0.224,0.225", "output", "/Flatten_output_0"), "argument").or(EncoderSettings.read(json));
        try (SimCLRFeatureExtractor<Label> code = new SimCLRFeatureExtractor<>(
                        new LabelFactory(), ENCODER, settings, RuntimeSettings.DEFAULT.withThreads(1).withBatch(2), null);
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
                for (String part : List.of("short-side-70-antialiased-bicubic-1", "mean=0.485,0.456,0.406 (vendor.json)",
                        "layout=nchw (graph)", e.encoder().sha256(), "0.229,0.224,0.225")) {
                    assertTrue(provenance.contains(part), part + " in " + provenance);
                }
            }
            // The provenance of either builds it again.
            for (SimCLRFeatureExtractor<?> e : List.of(code, olcut)) {
                ObjectProvenance saved = ProvenanceUtil.unmarshalProvenance(ProvenanceUtil.marshalProvenance(e.getProvenance()));
                assertEquals(e.getProvenance(), saved);
                try (ConfigurationManager manager = new ConfigurationManager()) {
                    manager.addConfiguration(ProvenanceUtil.extractConfiguration(saved));
                    SimCLRFeatureExtractor<?> again = manager.lookupAll(SimCLRFeatureExtractor.class).get(0);
                    assertArrayEquals(code.features(image()), again.features(image()));
                    again.close();
                }
            }
        }
    }

    /** The stages apart, as the data sources call them, with the encoder's own size, cut, filter and channels. */
    @Test
    void preparedImagesAreEncodedAsWholeOnesAre(@TempDir Path dir) throws IOException {
        EncoderSettings settings = EncoderSettings.of(
                Map.of("image-size", "48x64", "resize-short", "70", "channels", "bgr", "std", "0.2,0.3,0.4"), "argument");
        FeatureCache cache = new FeatureCache(dir, 1 << 20);
        try (OnnxEncoder plain = OnnxEncoder.open(ENCODER, settings, RuntimeSettings.DEFAULT);
                SimCLRFeatureExtractor<Label> extractor =
                        new SimCLRFeatureExtractor<>(new LabelFactory(), ENCODER, settings, RuntimeSettings.DEFAULT, cache);
                SimCLRFeatureExtractor<Label> other = new SimCLRFeatureExtractor<>(new LabelFactory(), ENCODER,
                        EncoderSettings.of(Map.of("image-size", "48x64", "resize-short", "70"), "argument"),
                        RuntimeSettings.DEFAULT, cache);
                SimCLRFeatureExtractor<Label> shared = extractor.share(new LabelFactory())) {
            float[][] expected = plain.embed(image());
            assertArrayEquals(expected, extractor.floatFeatures(image()));
            assertArrayEquals(extractor.features(image()), extractor.encode(List.of(extractor.prepare(image().get(0)))));
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
        Map.of("image_size", "48x64", "resize_short", "70", "mean", "0.5", "std", "0.25").forEach((k, v) ->
                model.addMetadataPropsBuilder().setKey("preprocessing." + k).setValue(v));
        Path encoder = Files.write(dir.resolve("vendor.onnx"), model.build().toByteArray());
        Path images = Fixture.images(dir.resolve("images"), 4, 3);
        MutableDataset<Label> features = Fixture.features(encoder, images);
        Model<Label> classifier = LinearEvaluation.trainer(features, 1).train(features);
        RgbImage image = image().get(0);
        Label unknown = Fixture.LABELS.getUnknownOutput();
        try (SimCLRFeatureExtractor<Label> extractor = new SimCLRFeatureExtractor<>(Fixture.LABELS, encoder);
                EncodedModel<Label> encoded = EncodedModel.containing(Fixture.LABELS, encoder, classifier, 0)) {
            Prediction<Label> expected = classifier.predict(extractor.extract(List.of(image), List.of(unknown)).get(0));
            assertTrue(expected.distributionEquals(encoded.predictImages(List.of(image)).get(0)));
            assertTrue(expected.distributionEquals(encoded.predict(encoded.example(image, unknown))), "from pixels");
            assertTrue(encoded.getProvenance().getInstanceProvenance().toString().contains("short-side-70"));
        }
        EncoderSettings given = EncoderSettings.of(Map.of("mean", "0.4"), "argument");
        try (SimCLRFeatureExtractor<Label> other =
                new SimCLRFeatureExtractor<>(Fixture.LABELS, encoder, given, RuntimeSettings.DEFAULT, null)) {
            MutableDataset<Label> others = new MutableDataset<>(new ImageFolderDataSource<>(images, other));
            Model<Label> another = LinearEvaluation.trainer(others, 1).train(others);
            IllegalArgumentException e = assertThrows(IllegalArgumentException.class,
                    () -> EncodedModel.containing(Fixture.LABELS, encoder, another, 0));
            assertTrue(e.getMessage().contains("mean=0.4 (argument)"), e.getMessage());
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
        try (SimCLRFeatureExtractor<?> olcut = olcut(dir.resolve("e.xml"), map.formatted("session.intra_op.allow_spinning", "0"));
                SimCLRFeatureExtractor<Label> code = new SimCLRFeatureExtractor<>(
                        new LabelFactory(), ENCODER, size, RuntimeSettings.DEFAULT.withOptions(options), cache);
                SimCLRFeatureExtractor<Label> without =
                        new SimCLRFeatureExtractor<>(new LabelFactory(), ENCODER, size, RuntimeSettings.DEFAULT, cache);
                SimCLRFeatureExtractor<Label> shared = code.share(new LabelFactory())) {
            assertArrayEquals(code.features(image()), olcut.features(image()));
            assertEquals(code.getProvenance(), shared.getProvenance());
            // An option may change features: they are kept apart.
            without.features(image());
            assertEquals(2, cache.stats().misses());
            for (SimCLRFeatureExtractor<?> e : List.of(code, olcut)) {
                String provenance = ProvenanceUtil.formattedProvenanceString(e.getProvenance());
                assertTrue(provenance.contains("session.intra_op.allow_spinning"), provenance);
                ObjectProvenance saved = ProvenanceUtil.unmarshalProvenance(ProvenanceUtil.marshalProvenance(e.getProvenance()));
                assertEquals(e.getProvenance(), saved);
            }
            ObjectProvenance saved = ProvenanceUtil.unmarshalProvenance(ProvenanceUtil.marshalProvenance(olcut.getProvenance()));
            try (ConfigurationManager manager = new ConfigurationManager()) {
                manager.addConfiguration(ProvenanceUtil.extractConfiguration(saved));
                try (SimCLRFeatureExtractor<?> again = manager.lookupAll(SimCLRFeatureExtractor.class).get(0)) {
                    assertEquals(olcut.getProvenance(), again.getProvenance());
                }
            }
        }
        // ONNX Runtime is told to read the file in its own format, which it is not.
        PropertyException e = assertThrows(PropertyException.class,
                () -> olcut(dir.resolve("e.xml"), map.formatted("session.load_model_format", "ORT")));
        assertTrue(e.getMessage().contains("ONNX Runtime can't load it"), e.getMessage());
        e = assertThrows(PropertyException.class, () -> olcut(dir.resolve("e.xml"), map.formatted(" ", "1")));
        assertTrue(e.getMessage().contains("session options with a name and a value"), e.getMessage());
    }

    @Test
    void badSettingsAreNamed(@TempDir Path dir) {
        String[][] cases = {
            {"<property name=\"imageSize\" value=\"big\"/>", "image-size"},
            {"<property name=\"mean\" value=\"0.5\"/>", "--image-size"},
            {"<property name=\"imageSize\" value=\"64\"/><property name=\"provider\" value=\"tpu\"/>", "execution provider"},
            {"<property name=\"preprocessingFile\" value=\"nowhere.json\"/>", "nowhere.json"},
        };
        for (String[] c : cases) {
            PropertyException e = assertThrows(PropertyException.class, () -> olcut(dir.resolve("e.xml"), c[0]), c[0]);
            assertTrue(e.getMessage().contains(c[1]), e.getMessage());
        }
    }
}
