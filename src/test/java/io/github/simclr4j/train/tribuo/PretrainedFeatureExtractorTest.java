// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.tribuo;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.oracle.labs.mlrg.olcut.config.ConfigurationManager;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.ProvenanceUtil;
import io.github.simclr4j.train.data.BuiltInImages;
import io.github.simclr4j.train.loop.EncoderExport;
import io.github.simclr4j.train.testing.Small;
import io.github.simclr4j.tribuo.model.EncodedModel;
import io.github.simclr4j.tribuo.source.ImageFolderDataSource;
import io.github.simclr4j.util.Sha256;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.Model;
import org.tribuo.MutableDataset;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;
import org.tribuo.classification.sgd.linear.LogisticRegressionTrainer;
import org.tribuo.provenance.ModelProvenance;

/** From unlabelled images to a model, by one configuration file. */
class PretrainedFeatureExtractorTest {
    @TempDir
    Path dir;

    private Path file;

    @BeforeEach
    void draw() throws IOException {
        file = dir.resolve("encoder.onnx");
        BuiltInImages.write(dir.resolve("images"), 2, 1);
        BuiltInImages.write(dir.resolve("train"), 3, 2);
    }

    @SuppressWarnings("unchecked")
    private PretrainedFeatureExtractor<Label> configured(String properties) throws IOException {
        Path config = Files.writeString(dir.resolve("config.xml"), """
                <config>
                  <component name="labels" type="org.tribuo.classification.LabelFactory"/>
                  <component name="features" type="io.github.simclr4j.train.tribuo.PretrainedFeatureExtractor">
                    <property name="outputFactory" value="labels"/>
                    <property name="images" value="%s"/>
                    <property name="encoderFile" value="%s"/>
                    <property name="width" value="0.0625"/>
                    <property name="batch" value="10"/>
                    <property name="precision" value="float32"/>
                    <property name="threads" value="1"/>
                    %s
                  </component>
                </config>
                """.formatted(
                dir.resolve("images"),
                file,
                properties + (properties.contains("device") ? "" : "<property name=\"device\" value=\"cpu\"/>")));
        try (ConfigurationManager manager = new ConfigurationManager(config.toString())) {
            return (PretrainedFeatureExtractor<Label>) manager.lookup("features");
        }
    }

    private PretrainedFeatureExtractor<Label> configured(int epochs) throws IOException {
        return configured("<property name=\"epochs\" value=\"" + epochs + "\"/>");
    }

    @Test
    void theEncoderIsLearntOnceAndTheModelSaysHow() throws IOException {
        Path saved = dir.resolve("model.tribuo");
        ModelProvenance whole;
        try (PretrainedFeatureExtractor<Label> extractor = configured(1)) {
            assertFalse(Files.exists(file), "nothing is learned while a file is configured");
            MutableDataset<Label> train =
                    new MutableDataset<>(new ImageFolderDataSource<>(dir.resolve("train"), extractor));
            assertEquals(30, train.size());
            assertFalse(Files.exists(dir.resolve("encoder.onnx.checkpoint")), "deleted when it is complete");
            Model<Label> model = new LogisticRegressionTrainer().train(train);
            try (EncodedModel<Label> encoded = EncodedModel.containing(extractor.extractor(), model)) {
                encoded.serializeToFile(saved);
                whole = encoded.getProvenance();
            }
            String provenance = whole.toString();
            assertTrue(provenance.contains(Sha256.hex(Files.readAllBytes(file))), provenance);
            assertTrue(
                    provenance.contains("training.method=simclr") && provenance.contains("training.epochs=1"),
                    provenance);
            assertTrue(
                    provenance.contains(
                            extractor.extractor().encoder().metadata().get("data.fingerprint")),
                    provenance);
            assertEquals(
                    extractor.getProvenance(),
                    ProvenanceUtil.unmarshalProvenance(ProvenanceUtil.marshalProvenance(extractor.getProvenance())));
        }
        try (EncodedModel<?> loaded = EncodedModel.load(saved)) {
            assertEquals(whole, loaded.getProvenance());
        }
        byte[] learned = Files.readAllBytes(file);
        Object key = Files.getLastModifiedTime(file);
        try (PretrainedFeatureExtractor<Label> again = configured(1)) {
            assertEquals(again.extractor().dimension(), again.featureNames().length);
            assertEquals(key, Files.getLastModifiedTime(file), "the file is used as it is");
        }
        try (PretrainedFeatureExtractor<Label> other = configured(2)) {
            other.featureNames();
            assertNotEquals(Sha256.hex(learned), other.extractor().encoder().sha256(), "other settings");
        }
    }

    private static String teacher(Path encoder) {
        return "<property name=\"epochs\" value=\"1\"/><property name=\"method\" value=\"distill\"/><propertymap name=\"options\">"
                + (encoder == null ? "" : "<entry key=\"teacher\" value=\"" + encoder + "\"/>") + "</propertymap>";
    }

    @Test
    void aTeacherIsAnOption() throws IOException {
        PropertyException none = assertThrows(PropertyException.class, () -> configured(teacher(null)));
        assertTrue(none.getMessage().contains("teacher must name"), none.getMessage());
        Path teacher = Files.copy((Path) Small.option("teacher"), dir.resolve("teacher.onnx"));
        try (PretrainedFeatureExtractor<Label> extractor = configured(teacher(teacher))) {
            assertEquals(32, extractor.featureNames().length);
            String provenance = extractor.getProvenance().toString();
            assertTrue(
                    provenance.contains("training.teacher_sha256=" + Sha256.hex(Files.readAllBytes(teacher))),
                    provenance);
        }
        Object key = Files.getLastModifiedTime(file);
        try (PretrainedFeatureExtractor<Label> again = configured(teacher(teacher))) {
            again.featureNames();
            assertEquals(key, Files.getLastModifiedTime(file), "the file is used as it is");
        }
        Files.write(teacher, EncoderExport.untrained(Small.NET, 32, 77));
        try (PretrainedFeatureExtractor<Label> other = configured(teacher(teacher))) {
            other.featureNames();
            assertNotEquals(key, Files.getLastModifiedTime(file), "another teacher");
        }
    }

    @Test
    void anInterruptedTrainingContinues() throws IOException {
        byte[] whole;
        try (PretrainedFeatureExtractor<Label> extractor = configured(2)) {
            extractor.featureNames();
            whole = Files.readAllBytes(file);
        }
        Files.delete(file);
        try (PretrainedFeatureExtractor<Label> extractor = configured(2)) {
            Thread.currentThread().interrupt();
            assertThrows(UncheckedIOException.class, extractor::featureNames);
            assertTrue(Thread.interrupted());
            assertTrue(Files.exists(dir.resolve("encoder.onnx.checkpoint")));
            extractor.featureNames();
            assertArrayEquals(whole, Files.readAllBytes(file));
        }
    }

    /** Epochs beyond what a test waits for. */
    @Test
    void closingEndsATrainingInAnotherThread() throws Exception {
        PretrainedFeatureExtractor<Label> extractor = configured(1_000_000);
        FutureTask<String[]> names = new FutureTask<>(extractor::featureNames);
        new Thread(names).start();
        Path state = dir.resolve("encoder.onnx.checkpoint");
        while (!names.isDone() && !Files.exists(state)) {
            Thread.sleep(10);
        }
        extractor.close();
        ExecutionException e = assertThrows(ExecutionException.class, names::get);
        assertEquals(CancellationException.class, e.getCause().getClass());
        assertEquals(
                "The pretraining was cancelled; a pretraining with the same settings continues from " + state,
                e.getCause().getMessage());
        assertFalse(Files.exists(file));
    }

    @Test
    void theMethodsAndTheEncodersOptionsAreMaps() throws IOException {
        PretrainedFeatureExtractor<Label> extractor = configured("""
                <property name="epochs" value="1"/>
                <property name="method" value="mocov2"/>
                <propertymap name="options"><entry key="queue" value="64"/></propertymap>
                <propertymap name="encoderOptions"><entry key="stem" value="imagenet"/></propertymap>
                """);
        Map<String, String> metadata = extractor.extractor().encoder().metadata();
        assertEquals("64", metadata.get("training.queue"));
        assertEquals("resnet18 width 0.0625 stem IMAGENET", metadata.get("training.encoder"));
        assertEquals(LabelFactory.class, extractor.getOutputFactory().getClass());
        extractor.close();
        assertThrows(IllegalStateException.class, extractor::featureNames);
    }

    /** The provenance has what the preset came to, and a configuration that is made of it learns nothing again. */
    @Test
    void aPresetSetsWhatTheFileLeavesOut() throws IOException {
        String photos = "<property name=\"preset\" value=\"photos\"/><property name=\"encoder\" value=\"resnet18\"/>"
                + "<property name=\"imageSize\" value=\"32\"/><property name=\"epochs\" value=\"1\"/>";
        try (PretrainedFeatureExtractor<Label> extractor = configured(photos)) {
            Map<String, String> metadata = extractor.extractor().encoder().metadata();
            assertEquals("photos", metadata.get("training.preset"));
            assertEquals("resnet18 width 0.0625 stem IMAGENET", metadata.get("training.encoder"));
            assertEquals(
                    "lars 10 0.1",
                    metadata.get("training.optimizer") + " " + metadata.get("training.batch") + " "
                            + metadata.get("training.temperature"));
            Map<String, String> configured = configured(extractor);
            assertEquals(
                    "photos resnet18 32 10 1 lars",
                    configured.get("preset") + " " + configured.get("encoder") + " "
                            + configured.get("imageSize") + " " + configured.get("batch") + " "
                            + configured.get("epochs") + " "
                            + configured.get("optimizer"));
            assertTrue(extractor.getProvenance().toString().contains("training.preset=photos"));
        }
        FileTime learned = Files.getLastModifiedTime(file);
        String all =
                photos + "<property name=\"optimizer\" value=\"lars\"/><property name=\"microBatch\" value=\"0\"/>";
        try (PretrainedFeatureExtractor<Label> again = configured(all)) {
            again.featureNames();
            assertEquals(learned, Files.getLastModifiedTime(file), "the file is used as it is");
        }
    }

    @Test
    void withoutAPresetTheProvenanceHasTheDefaults() throws IOException {
        try (PretrainedFeatureExtractor<Label> extractor = configured(1)) {
            Map<String, String> configured = configured(extractor);
            assertEquals(
                    "resnet18 32 10 1 0 adamw",
                    configured.get("encoder") + " " + configured.get("imageSize") + " "
                            + configured.get("batch") + " " + configured.get("epochs") + " "
                            + configured.get("microBatch") + " "
                            + configured.get("optimizer"));
            assertFalse(extractor.extractor().encoder().metadata().containsKey("training.preset"));
        }
    }

    private static Map<String, String> configured(PretrainedFeatureExtractor<Label> extractor) {
        Map<String, String> all = new HashMap<>();
        extractor.getProvenance().getConfiguredParameters().forEach((name, value) -> all.put(name, value.toString()));
        return all;
    }

    @Test
    void whatIsWrongIsSaidBeforeAnythingIsLearnt() throws IOException {
        refused("Unknown preset", "<property name=\"preset\" value=\"large\"/>");
        refused("Unknown method", "<property name=\"method\" value=\"simclear\"/>");
        refused("Epochs must be at least 1", "<property name=\"epochs\" value=\"0\"/>");
        refused(
                "Unknown setting, expected loss",
                "<propertymap name=\"options\"><entry key=\"queue\" value=\"64\"/></propertymap>");
        refused("Unknown device", "<property name=\"device\" value=\"tpu\"/>");
        refused("found none at", "<property name=\"init\" value=\"missing.onnx\"/>");
        Files.createDirectories(file);
        refused("found the folder", "");
        Files.delete(file);
        assertEquals(
                0,
                Files.list(dir)
                        .filter(p -> p.toString().contains("encoder.onnx"))
                        .count());
        Files.writeString(file, "not an encoder");
        try (PretrainedFeatureExtractor<Label> extractor = configured(1)) {
            String message = assertThrows(UncheckedIOException.class, extractor::featureNames)
                    .getMessage();
            assertTrue(message.contains("encoder.onnx"), message);
            assertEquals("not an encoder", Files.readString(file), "what is no encoder is not replaced");
        }
    }

    private void refused(String part, String properties) {
        String message = assertThrows(PropertyException.class, () -> configured(properties))
                .getMessage();
        assertTrue(message.contains(part) && !message.contains("--"), message);
    }
}
