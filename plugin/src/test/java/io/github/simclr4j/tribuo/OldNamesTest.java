// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.oracle.labs.mlrg.olcut.config.Configurable;
import com.oracle.labs.mlrg.olcut.config.ConfigurationData;
import com.oracle.labs.mlrg.olcut.config.ConfigurationManager;
import com.oracle.labs.mlrg.olcut.provenance.ProvenanceUtil;
import io.github.simclr4j.images.Images;
import io.github.simclr4j.tribuo.extraction.Fixture;
import io.github.simclr4j.tribuo.extraction.ImageFeatureExtractor;
import io.github.simclr4j.tribuo.extraction.SimCLRFeatureExtractor;
import io.github.simclr4j.tribuo.model.EncodedModel;
import io.github.simclr4j.tribuo.model.SelfTrainedModel;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tribuo.ConfigurableDataSource;
import org.tribuo.Example;
import org.tribuo.Model;
import org.tribuo.MutableDataset;
import org.tribuo.Trainer;
import org.tribuo.classification.Label;
import org.tribuo.impl.ArrayExample;

/**
 * What was written when all classes of this module were in one package, {@code io.github.simclr4j.tribuo}, is still read. The
 * encoder, the models, their scores of {@code asked.png} and their provenances are that version's: a ResNet-18 of a sixteenth of
 * the width with random weights, and linear models on its features of {@link Fixture#images}, which came by a folder (the encoder
 * inside), a table (the encoder by its path), self-training, examples of pixels, and a column of Tribuo's CSV source.
 */
class OldNamesTest {
    @TempDir
    static Path dir;

    private static Path encoder;
    private static byte[] asked;
    private static final Map<String, double[]> scores = new HashMap<>();

    private static byte[] resource(String name) throws IOException {
        try (InputStream in = OldNamesTest.class.getResourceAsStream("saved/" + name)) {
            return in.readAllBytes();
        }
    }

    @BeforeAll
    static void read() throws IOException {
        encoder = Files.write(dir.resolve("encoder.onnx"), resource("encoder.onnx"));
        asked = resource("asked.png");
        new String(resource("scores.txt"), StandardCharsets.UTF_8)
                .lines()
                .map(l -> l.split(" "))
                .forEach(l -> scores.put(
                        l[0],
                        Arrays.stream(l)
                                .skip(1)
                                .mapToDouble(Double::parseDouble)
                                .toArray()));
    }

    /** The features that the encoder gave; no processor makes a difference to what a model makes of them. */
    private static Example<Label> features(String prefix) {
        double[] features = scores.get("features");
        String[] names = Arrays.stream(SimCLRFeatureExtractor.featureNames(features.length))
                .map(n -> prefix + n)
                .toArray(String[]::new);
        return new ArrayExample<>(Fixture.LABELS.getUnknownOutput(), names, features);
    }

    @Test
    void anEncoderGivesTheFeaturesThatItGave() throws IOException {
        try (SimCLRFeatureExtractor<Label> extractor = new SimCLRFeatureExtractor<>(Fixture.LABELS, encoder, 1)) {
            assertArrayEquals(scores.get("features"), extractor.features(List.of(Images.read(asked)))[0], 1e-5);
        }
    }

    private static double[] scores(Model<?> model, Example<Label> example) {
        Collection<Label> labels =
                new TreeMap<>(model.castModel(Label.class).predict(example).getOutputScores()).values();
        return labels.stream().mapToDouble(Label::getScore).toArray();
    }

    private static List<String> lines(String provenance) {
        return provenance.lines().sorted().toList();
    }

    private static void check(String name, Model<?> model, Example<Label> example, double tolerance)
            throws IOException {
        assertArrayEquals(scores.get(name), scores(model, example), tolerance, name);
        assertEquals(
                lines(new String(resource(name + ".txt"), StandardCharsets.UTF_8)),
                lines(ProvenanceUtil.formattedProvenanceString(model.getProvenance())),
                name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"self-trained", "pixels", "columns"})
    void aModelPredictsAsItDidAndKeepsItsProvenance(String name) throws IOException {
        Example<Label> example = features(name.equals("columns") ? "path@" : "");
        Path file = Files.write(dir.resolve(name), resource(name + ".tribuo"));
        Model<?> model = Model.deserializeFromFile(file);
        assertEquals(name.equals("self-trained"), model instanceof SelfTrainedModel);
        check(name, model, example, 1e-12);
        model.serializeToFile(file);
        check(name, Model.deserializeFromFile(file), example, 1e-12);
    }

    @ParameterizedTest
    @ValueSource(strings = {"folder", "table"})
    void anEncodedModelPredictsAsItDidAndKeepsItsProvenance(String name) throws IOException {
        Path file = Files.write(dir.resolve(name), resource(name + ".tribuo"));
        try (EncodedModel<?> model = EncodedModel.load(file, encoder)) {
            check(name, model, pixels(model), 1e-5);
            model.serializeToFile(file);
        }
        try (EncodedModel<?> model = (EncodedModel<?>) Model.deserializeFromFile(file)) {
            check(name, model, pixels(model), 1e-5);
        }
    }

    private static Example<Label> pixels(EncodedModel<?> model) throws IOException {
        @SuppressWarnings("unchecked") // castModel looks.
        EncodedModel<Label> typed = (EncodedModel<Label>) model.castModel(Label.class);
        return typed.example(Images.read(asked), Fixture.LABELS.getUnknownOutput());
    }

    @ParameterizedTest
    @ValueSource(strings = {"folder", "table", "self-trained", "pixels", "columns"})
    void aProvenanceNamesClassesThatCanBeConfigured(String name) throws IOException, ReflectiveOperationException {
        Path file = Files.write(dir.resolve(name), resource(name + ".tribuo"));
        Model<?> model = name.equals("table") ? EncodedModel.load(file, encoder) : Model.deserializeFromFile(file);
        List<String> ours = new ArrayList<>();
        for (ConfigurationData component : ProvenanceUtil.extractConfiguration(model.getProvenance())) {
            Class<?> type = Class.forName(component.getClassName());
            assertTrue(Configurable.class.isAssignableFrom(type), type.getName());
            if (type.getPackageName().startsWith("io.github.simclr4j")) {
                ours.add(type.getName());
            }
        }
        assertTrue(ours.contains("io.github.simclr4j.tribuo.SimCLRFeatureExtractor"), ours.toString());
        if (model instanceof EncodedModel<?> encoded) {
            encoded.close();
        }
    }

    @Test
    void aConfigurationFileMakesWhatItMade() throws IOException {
        Path images = Fixture.images(dir.resolve("images"), 3, 1);
        StringBuilder table = new StringBuilder("path,label\n");
        try (Stream<Path> files = Files.walk(images)) {
            files.filter(Files::isRegularFile)
                    .sorted()
                    .forEach(f -> table.append(dir.relativize(f))
                            .append(',')
                            .append(f.getParent().getFileName())
                            .append('\n'));
        }
        Files.writeString(dir.resolve("table.csv"), table.toString());
        Path file = Files.write(dir.resolve("configuration.xml"), resource("configuration.xml"));
        try (ConfigurationManager manager = new ConfigurationManager(file.toString())) {
            manager.setGlobalProperty("folder", dir.toString());
            manager.setGlobalProperty("encoder", encoder.toString());
            List<List<Example<Label>>> all = new ArrayList<>();
            for (String source : List.of("images", "encoded", "table", "ahead")) {
                List<Example<Label>> examples = new ArrayList<>();
                labels(manager.lookup(source)).forEach(examples::add);
                assertEquals(9, examples.size(), source);
                all.add(examples);
            }
            for (int i = 0; i < 9; i++) {
                for (List<Example<Label>> other : all.subList(1, 4)) {
                    assertTrue(all.get(0)
                            .get(i)
                            .getOutput()
                            .getLabel()
                            .equalsIgnoreCase(other.get(i).getOutput().getLabel()));
                    assertArrayEquals(values(all.get(0).get(i)), values(other.get(i)), 1e-5);
                }
            }
            Trainer<?> trainer = assertInstanceOf(Trainer.class, manager.lookup("trainer"));
            @SuppressWarnings("unchecked") // Of labels, as its inner trainer is.
            Trainer<Label> typed = (Trainer<Label>) trainer;
            Model<Label> model = typed.train(new MutableDataset<>(labels(manager.lookup("images"))));
            Path saved = dir.resolve("configured.tribuo");
            model.serializeToFile(saved);
            assertEquals(model.getProvenance(), Model.deserializeFromFile(saved).getProvenance());
            manager.lookupAll(ImageFeatureExtractor.class).forEach(e -> e.close());
        }
    }

    @SuppressWarnings("unchecked") // Its output factory makes labels.
    private static ConfigurableDataSource<Label> labels(Configurable source) {
        return (ConfigurableDataSource<Label>) source;
    }

    private static double[] values(Example<Label> example) {
        double[] values = new double[example.size()];
        int[] i = {0};
        example.forEach(f -> values[i[0]++] = f.getValue());
        return values;
    }
}
