// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.extraction;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.oracle.labs.mlrg.olcut.config.ConfigurationManager;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.ProvenanceUtil;
import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.onnx.network.EncoderWriter;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.tribuo.evaluation.LinearEvaluation;
import io.github.simclr4j.tribuo.source.ImageFolderDataSource;
import io.github.simclr4j.util.AtomicFiles;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.Dataset;
import org.tribuo.Example;
import org.tribuo.Model;
import org.tribuo.MutableDataset;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;

class PluginTest {
    private static final ResNet TINY = new ResNet(18, 1.0 / 16, ResNet.Stem.CIFAR);
    private static final LabelFactory LABELS = new LabelFactory();

    @TempDir
    static Path dir;

    private static Path encoder;
    private static Path images;

    @BeforeAll
    static void write() throws IOException {
        encoder = dir.resolve("encoder.onnx");
        Random random = new Random(1);
        AtomicFiles.write(
                encoder,
                EncoderWriter.toBytes(
                        TINY,
                        new Preprocessing(32),
                        name -> {
                            for (ResNet.Conv c : TINY.convolutions()) {
                                boolean weight = name.equals(c.name() + ".weight");
                                if (weight || name.startsWith(c.norm() + ".")) {
                                    float[] v =
                                            new float[weight ? c.in() * c.out() * c.kernel() * c.kernel() : c.out()];
                                    for (int i = 0; i < v.length; i++) {
                                        v[i] = weight
                                                ? (float) random.nextGaussian() * 0.2f
                                                : name.endsWith("mean") ? 0 : 1;
                                    }
                                    return v;
                                }
                            }
                            throw new AssertionError(name);
                        },
                        Map.of()));
        images = dir.resolve("images");
        for (String name : List.of("dark", "light")) {
            Files.createDirectories(images.resolve(name));
            for (int i = 0; i < 20; i++) {
                ImageIO.write(
                        picture(name.equals("dark") ? 40 : 200, i),
                        "png",
                        images.resolve(name + "/" + i + ".png").toFile());
            }
        }
    }

    private static BufferedImage picture(int grey, int seed) {
        BufferedImage image = new BufferedImage(36, 32, BufferedImage.TYPE_INT_RGB);
        Random random = new Random(seed);
        for (int i = 0; i < 36 * 32; i++) {
            int v = grey + random.nextInt(40);
            image.setRGB(i % 36, i / 36, v << 16 | v << 8 | v);
        }
        return image;
    }

    @Test
    void pathBytesImageAndBatchGiveTheSameExample() throws IOException {
        try (SimCLRFeatureExtractor<Label> extractor = new SimCLRFeatureExtractor<>(LABELS, encoder, 1)) {
            Path file = images.resolve("dark/3.png");
            Label label = new Label("dark");
            Example<Label> one = extractor.extract(file, label);
            assertEquals(32, one.size());
            assertEquals(file.toString(), one.getMetadataValue(Example.NAME).orElseThrow());
            assertEquals(LABELS.getUnknownOutput(), extractor.extract(file).getOutput());
            double[] values = values(one);
            assertArrayEquals(values, values(extractor.extract(Files.readAllBytes(file), label)));
            assertArrayEquals(values, values(extractor.extract(ImageIO.read(file.toFile()), label)));
            List<Example<Label>> batch = extractor.extract(
                    List.of(Images.read(images.resolve("light/1.png")), Images.read(file)), List.of(label, label));
            assertArrayEquals(values, values(batch.get(1)), 1e-5);
            assertThrows(IllegalArgumentException.class, () -> extractor.extract(List.of(), List.of(label)));
        }
    }

    private static double[] values(Example<Label> example) {
        double[] v = new double[example.size()];
        int i = 0;
        for (org.tribuo.Feature f : example) {
            v[i++] = f.getValue();
        }
        return v;
    }

    @Test
    void namesAreInNumericOrder() {
        String[] names = ImageFeatureExtractor.names("h", 1000);
        String[] sorted = names.clone();
        Arrays.sort(sorted);
        assertArrayEquals(names, sorted);
        assertEquals("h000", names[0]);
        assertEquals("h999", names[999]);
    }

    @Test
    void aFolderBecomesADatasetThatATribuoClassifierLearns() throws IOException {
        Path damaged = images.resolve("dark/99.jpg");
        byte[] jpeg = Files.readAllBytes(images.resolve("dark/1.png"));
        Files.write(damaged, Arrays.copyOf(jpeg, 100));
        try (SimCLRFeatureExtractor<Label> extractor = new SimCLRFeatureExtractor<>(LABELS, encoder, 1)) {
            ImageFolderDataSource<Label> source = new ImageFolderDataSource<>(images, extractor);
            assertEquals(List.of("dark", "light"), source.classNames());
            assertEquals(41, source.size());
            Dataset<Label> dataset = new MutableDataset<>(source);
            assertEquals(40, dataset.size());
            assertEquals(java.util.Set.of(damaged.toString()), source.skipped().keySet());
            assertEquals(
                    1.0, LinearEvaluation.evaluate(dataset, dataset, 0.5, 1).accuracy());
        } finally {
            Files.delete(damaged);
        }
    }

    @Test
    void aSizeOutOfRangeIsTheProperty() {
        for (int size : new int[] {-1, 0, 7, 1025, 100_000}) {
            PropertyException e =
                    assertThrows(PropertyException.class, () -> new PixelFeatureExtractor<>(LABELS, size));
            assertEquals("size", e.getProperty());
            assertTrue(e.getMessage().contains("from 8 to"), e.getMessage());
        }
    }

    @Test
    void aShareIsStratifiedAndSeeded() {
        try (PixelFeatureExtractor<Label> pixels = new PixelFeatureExtractor<>(LABELS, 8)) {
            Dataset<Label> all = new MutableDataset<>(new ImageFolderDataSource<>(images, pixels));
            Dataset<Label> tenth = LinearEvaluation.share(all, 0.1, 1);
            assertEquals(4, tenth.size());
            assertEquals(
                    2,
                    tenth.getData().stream()
                            .filter(e -> e.getOutput().getLabel().equals("dark"))
                            .count());
            assertEquals(2, LinearEvaluation.share(all, 0.001, 1).size(), "one of each class at least");
            List<String> names = names(tenth);
            assertEquals(names, names(LinearEvaluation.share(all, 0.1, 1)));
            assertTrue(java.util.stream.LongStream.range(2, 9)
                    .anyMatch(s -> !names.equals(names(LinearEvaluation.share(all, 0.1, s)))));
            assertThrows(IllegalArgumentException.class, () -> LinearEvaluation.share(all, 0, 1));
        }
    }

    private static List<String> names(Dataset<Label> dataset) {
        return dataset.getData().stream()
                .map(e -> e.getMetadataValue(Example.NAME).orElseThrow().toString())
                .toList();
    }

    @Test
    void provenanceNamesTheEncoderByItsContentAndSurvivesSaving() throws IOException {
        try (SimCLRFeatureExtractor<Label> extractor = new SimCLRFeatureExtractor<>(LABELS, encoder, 1)) {
            Dataset<Label> dataset = new MutableDataset<>(new ImageFolderDataSource<>(images, extractor));
            Model<Label> model = LinearEvaluation.trainer(dataset, 1).train(dataset);
            Path file = dir.resolve("model.tribuo");
            model.serializeToFile(file);
            Model<?> loaded = Model.deserializeFromFile(file);
            String provenance = ProvenanceUtil.formattedProvenanceString(loaded.getProvenance());
            assertTrue(provenance.contains(extractor.encoder().sha256()), provenance);
            assertTrue(provenance.contains(Preprocessing.RULE), provenance);
            assertEquals(model.getProvenance(), loaded.getProvenance());
        }
    }

    @Test
    void olcutBuildsTheWholePipeline() throws IOException {
        Path xml = Files.writeString(dir.resolve("pipeline.xml"), """
                <config>
                  <component name="labels" type="org.tribuo.classification.LabelFactory"/>
                  <component name="extractor" type="io.github.simclr4j.tribuo.extraction.SimCLRFeatureExtractor">
                    <property name="outputFactory" value="labels"/>
                    <property name="encoderPath" value="%s"/>
                    <property name="threads" value="1"/>
                  </component>
                  <component name="images" type="io.github.simclr4j.tribuo.source.ImageFolderDataSource">
                    <property name="folder" value="%s"/>
                    <property name="extractor" value="extractor"/>
                  </component>
                </config>
                """.formatted(encoder, images));
        try (ConfigurationManager manager = new ConfigurationManager(xml.toString())) {
            ImageFolderDataSource<?> source = (ImageFolderDataSource<?>) manager.lookup("images");
            assertEquals(40, source.size());
            assertEquals(32, source.iterator().next().size());
        }
    }

    @Test
    void badInputIsNamed() throws IOException {
        Path text = Files.writeString(dir.resolve("text.onnx"), "no model");
        PropertyException e = assertThrows(PropertyException.class, () -> new SimCLRFeatureExtractor<>(LABELS, text));
        assertTrue(e.getMessage().contains("text.onnx"), e.getMessage());
        try (PixelFeatureExtractor<Label> pixels = new PixelFeatureExtractor<>(LABELS, 8)) {
            Path empty = Files.createDirectories(dir.resolve("empty"));
            e = assertThrows(PropertyException.class, () -> new ImageFolderDataSource<>(empty, pixels));
            assertTrue(e.getMessage().contains("empty"), e.getMessage());
        }
        SimCLRFeatureExtractor<Label> closed = new SimCLRFeatureExtractor<>(LABELS, encoder, 1);
        closed.close();
        assertThrows(IllegalStateException.class, () -> closed.extract(images.resolve("dark/3.png")));
    }
}
