// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.source;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.oracle.labs.mlrg.olcut.config.ConfigurationManager;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.ProvenanceUtil;
import com.oracle.labs.mlrg.olcut.provenance.impl.ConfiguredObjectProvenanceImpl;
import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.runtime.EncoderSettings;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import io.github.simclr4j.tribuo.extraction.FeatureCache;
import io.github.simclr4j.tribuo.extraction.Fixture;
import io.github.simclr4j.tribuo.extraction.ImageFeatureExtractor;
import io.github.simclr4j.tribuo.extraction.SimCLRFeatureExtractor;
import java.awt.Color;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.DataSource;
import org.tribuo.Dataset;
import org.tribuo.Example;
import org.tribuo.Feature;
import org.tribuo.ImmutableDataset;
import org.tribuo.Model;
import org.tribuo.MutableDataset;
import org.tribuo.Output;
import org.tribuo.OutputFactory;
import org.tribuo.classification.Label;
import org.tribuo.classification.sgd.linear.LogisticRegressionTrainer;
import org.tribuo.data.columnar.processors.response.EmptyResponseProcessor;
import org.tribuo.datasource.AggregateConfigurableDataSource;
import org.tribuo.datasource.AggregateDataSource;
import org.tribuo.datasource.IDXDataSource;
import org.tribuo.datasource.ListDataSource;
import org.tribuo.evaluation.TrainTestSplitter;
import org.tribuo.impl.ArrayExample;
import org.tribuo.multilabel.MultiLabel;
import org.tribuo.multilabel.MultiLabelFactory;
import org.tribuo.provenance.DataSourceProvenance;
import org.tribuo.provenance.SimpleDataSourceProvenance;
import org.tribuo.regression.RegressionFactory;
import org.tribuo.regression.Regressor;
import org.tribuo.sequence.SequenceExample;
import org.tribuo.transform.TransformTrainer;
import org.tribuo.transform.TransformationMap;
import org.tribuo.transform.transformations.MeanStdDevTransformation;

class DataSourcesTest {
    @TempDir
    static Path dir;

    private static Path images;
    private static SimCLRFeatureExtractor<Label> extractor;

    @BeforeAll
    static void write() throws IOException {
        extractor = new SimCLRFeatureExtractor<>(Fixture.LABELS, Fixture.encoder(dir.resolve("encoder.onnx"), 1), 1);
        images = Fixture.images(dir.resolve("images"), 4, 2);
    }

    @AfterAll
    static void close() {
        extractor.close();
    }

    private static <T extends Output<T>> List<Example<T>> list(Iterable<Example<T>> source) {
        List<Example<T>> all = new ArrayList<>();
        source.forEach(all::add);
        return all;
    }

    private static double[] values(Example<?> example) {
        double[] v = new double[example.size()];
        int i = 0;
        for (Feature f : example) {
            v[i++] = f.getValue();
        }
        return v;
    }

    private static Path table(String name, String... lines) throws IOException {
        return Files.writeString(dir.resolve("images").resolve(name), String.join("\n", lines) + "\n");
    }

    @Test
    void aTableOfOneLabelAnImage() throws IOException {
        Path table = table("labels.csv", "photo,kind", "red/1.png,Warm", "blue/0.png,cold", "red/0.png,Warm");
        ImageTableDataSource<Label> source =
                new ImageTableDataSource<>(table, "photo", List.of("kind"), extractor, OnUnreadable.FAIL);
        List<Example<Label>> examples = list(source);
        assertEquals(
                List.of("Warm", "cold", "Warm"),
                examples.stream().map(e -> e.getOutput().getLabel()).toList());
        assertEquals(
                "blue/0.png", examples.get(1).getMetadataValue(Example.NAME).orElseThrow());
        assertEquals(
                2L, examples.get(1).getMetadataValue(ImageTableDataSource.ROW).orElseThrow());
        assertArrayEquals(values(extractor.extract(images.resolve("blue/0.png"))), values(examples.get(1)), 1e-5);
        assertEquals(examples, list(source), "a second pass");
        Iterator<Example<Label>> abandoned = source.iterator();
        abandoned.next();
        Iterator<Example<Label>> other = source.iterator();
        assertEquals(examples.get(0), other.next());
        assertEquals(examples.get(1), abandoned.next());
    }

    /** The mean red, green and blue: what a user's own extractor has to have, and no more. */
    private record MeanColor(String... names) implements ImageFeatureExtractor<Label> {
        @Override
        public double[][] features(List<RgbImage> images) {
            double[][] means = new double[images.size()][3];
            for (int i = 0; i < means.length; i++) {
                byte[] rgb = images.get(i).rgb();
                for (int j = 0; j < rgb.length; j++) {
                    means[i][j % 3] += 3.0 / rgb.length * (rgb[j] & 255);
                }
            }
            return means;
        }

        @Override
        public String[] featureNames() {
            return names;
        }

        @Override
        public OutputFactory<Label> getOutputFactory() {
            return Fixture.LABELS;
        }

        @Override
        public ConfiguredObjectProvenance getProvenance() {
            return new ConfiguredObjectProvenanceImpl(this, "FeatureExtractor");
        }

        @Override
        public void close() {}
    }

    @Test
    void anExtractorOfOnesOwnFitsIn() throws IOException {
        MeanColor mean = new MeanColor("blue", "green", "red");
        for (Example<Label> example : new ImageFolderDataSource<>(images, mean)) {
            double[] values = values(example);
            int most = values[0] > Math.max(values[1], values[2]) ? 0 : values[1] > values[2] ? 1 : 2;
            // Red comes first in an image.
            assertEquals(
                    List.of("red", "green", "blue").get(most),
                    example.getOutput().getLabel());
        }
        assertEquals(
                (float) mean.extract(images.resolve("red/0.png"))
                        .iterator()
                        .next()
                        .getValue(),
                mean.floatFeatures(List.of(Images.read(images.resolve("red/0.png"))))[0][0]);
        assertMessage("found a@b", () -> new ImageFieldProcessor("photo", new MeanColor("a", "a@b", "c"), images));
    }

    @Test
    void aTableOfOneOrSeveralNumbers() throws IOException {
        try (SimCLRFeatureExtractor<Regressor> numbers = extractor.share(new RegressionFactory())) {
            Path table = table("numbers.csv", "photo,height,weight", "red/1.png,1.5,70", "blue/0.png,-2,1e3");
            Regressor two = list(new ImageTableDataSource<>(
                            table, "photo", List.of("height", "weight"), numbers, OnUnreadable.FAIL))
                    .get(1)
                    .getOutput();
            assertEquals(Set.of("height", "weight"), Set.of(two.getNames()));
            assertEquals(-2, two.getDimension("height").orElseThrow().getValue());
            assertEquals(1000, two.getDimension("weight").orElseThrow().getValue());
            Regressor one = list(new ImageTableDataSource<>(
                            table, "photo", List.of("height"), numbers, OnUnreadable.FAIL))
                    .get(0)
                    .getOutput();
            assertArrayEquals(new double[] {1.5}, one.getValues());
            Path bad = table("bad.csv", "photo,height", "red/1.png,1", "red/2.png,tall");
            Iterator<Example<Regressor>> rows =
                    new ImageTableDataSource<>(bad, "photo", List.of("height"), numbers, OnUnreadable.SKIP).iterator();
            rows.next();
            String message =
                    assertThrows(IllegalArgumentException.class, rows::next).getMessage();
            assertTrue(message.contains("Row 2 of " + bad) && message.contains("tall"), message);
        }
    }

    @Test
    void aTableOfSeveralLabelsAnImage() throws IOException {
        try (SimCLRFeatureExtractor<MultiLabel> many = extractor.share(new MultiLabelFactory())) {
            Path table = table(
                    "many.csv", "photo,tags,sea,sky", "red/1.png,\"sun,sand\",true,false", "red/2.png,sand,true,true");
            List<Example<MultiLabel>> tags =
                    list(new ImageTableDataSource<>(table, "photo", List.of("tags"), many, OnUnreadable.FAIL));
            assertEquals(Set.of("sun", "sand"), tags.get(0).getOutput().getNameSet());
            List<Example<MultiLabel>> columns =
                    list(new ImageTableDataSource<>(table, "photo", List.of("sea", "sky"), many, OnUnreadable.FAIL));
            assertEquals(Set.of("sea"), columns.get(0).getOutput().getNameSet());
            assertEquals(Set.of("sea", "sky"), columns.get(1).getOutput().getNameSet());
        }
    }

    @Test
    void missingAndDamagedFilesOfATable() throws IOException {
        Files.writeString(images.resolve("text.png"), "no image");
        for (String format : List.of("png", "bmp", "gif", "jpg")) {
            Path whole = images.resolve("whole." + format);
            assertTrue(ImageIO.write(Fixture.picture(Color.RED, new Random(1)), format, whole.toFile()));
            byte[] bytes = Files.readAllBytes(whole);
            Files.write(images.resolve("cut." + format), Arrays.copyOf(bytes, bytes.length / 2));
            IOException cut = assertThrows(IOException.class, () -> extractor.extract(images.resolve("cut." + format)));
            assertTrue(
                    cut.getMessage().contains("cut." + format)
                            && !cut.getMessage().contains("null"),
                    cut.getMessage());
        }
        Path table = table("holes.csv", "photo,kind", "red/1.png,a", "gone.png,b", "text.png,a", ",b", "blue/0.png,a");
        ImageTableDataSource<Label> failing =
                new ImageTableDataSource<>(table, "photo", List.of("kind"), extractor, OnUnreadable.FAIL);
        UncheckedIOException e = assertThrows(UncheckedIOException.class, () -> list(failing));
        assertEquals("row 2 of " + table + " (gone.png): no such file", e.getMessage());
        ImageTableDataSource<Label> skipping =
                new ImageTableDataSource<>(table, "photo", List.of("kind"), extractor, OnUnreadable.SKIP);
        assertEquals(2, list(skipping).size());
        assertEquals(2, list(skipping).size());
        assertEquals(
                List.of(
                        "row 2 of " + table + " (gone.png)",
                        "row 3 of " + table + " (text.png)",
                        "row 4 of " + table + " ()"),
                List.copyOf(skipping.skipped().keySet()));
        assertEquals("no such file", skipping.skipped().values().iterator().next());
        List<Example<Label>> zeros =
                list(new ImageTableDataSource<>(table, "photo", List.of("kind"), extractor, OnUnreadable.ZERO));
        assertEquals(5, zeros.size());
        assertArrayEquals(new double[Fixture.DIMENSION], values(zeros.get(2)));
    }

    @Test
    void badTablesAreNamed() throws IOException {
        Path table = table("columns.csv", "photo,kind", "red/1.png,a");
        assertMessage(
                "expected a column picture, found [photo, kind]",
                () -> new ImageTableDataSource<>(table, "picture", List.of("kind"), extractor, OnUnreadable.FAIL));
        assertMessage(
                "expected output columns [sort], found [photo, kind]",
                () -> new ImageTableDataSource<>(table, "photo", List.of("sort"), extractor, OnUnreadable.FAIL));
        assertMessage(
                "gone.csv: no such file",
                () -> new ImageTableDataSource<>(
                        dir.resolve("gone.csv"), "photo", List.of("kind"), extractor, OnUnreadable.FAIL));
        Path empty = Files.createFile(dir.resolve("empty.csv"));
        assertMessage(
                "empty.csv: expected a column photo, found []",
                () -> new ImageTableDataSource<>(empty, "photo", List.of("kind"), extractor, OnUnreadable.FAIL));
    }

    private static void assertMessage(String part, Executable action) {
        String message = assertThrows(PropertyException.class, action).getMessage();
        assertTrue(message.contains(part), message);
    }

    @Test
    void aTableWithoutOutputs() throws IOException {
        Path table = table("unlabelled.csv", "photo", "red/1.png");
        assertEquals(
                Fixture.LABELS.getUnknownOutput(),
                list(new ImageTableDataSource<>(
                                table,
                                "photo",
                                ImageEncoding.FILE,
                                new EmptyResponseProcessor<>(Fixture.LABELS),
                                extractor,
                                OnUnreadable.FAIL))
                        .get(0)
                        .getOutput());
        Path xml = Files.writeString(dir.resolve("unlabelled.xml"), """
                <config>
                  <component name="labels" type="org.tribuo.classification.LabelFactory"/>
                  <component name="none" type="org.tribuo.data.columnar.processors.response.EmptyResponseProcessor">
                    <property name="outputFactory" value="labels"/>
                  </component>
                  <component name="pixels" type="io.github.simclr4j.tribuo.extraction.PixelFeatureExtractor">
                    <property name="outputFactory" value="labels"/>
                    <property name="size" value="8"/>
                  </component>
                  <component name="table" type="io.github.simclr4j.tribuo.source.ImageTableDataSource">
                    <property name="table" value="%s"/>
                    <property name="imageColumn" value="photo"/>
                    <property name="responseProcessor" value="none"/>
                    <property name="extractor" value="pixels"/>
                    <property name="onUnreadable" value="SKIP"/>
                  </component>
                </config>
                """.formatted(table));
        try (ConfigurationManager manager = new ConfigurationManager(xml.toString())) {
            ImageTableDataSource<?> source = (ImageTableDataSource<?>) manager.lookup("table");
            Example<?> example = source.iterator().next();
            assertEquals(Fixture.LABELS.getUnknownOutput(), example.getOutput());
            assertEquals(3 * 8 * 8, example.size());
        }
    }

    /** Three grey images of 28 x 28 as MNIST has them, in Tribuo's own reader; the expected features from the pixels. */
    private static IDXDataSource<Label> mnist(String name, byte[][] pixels, int side) throws IOException {
        double[] data = new double[pixels.length * side * side];
        double[] labels = new double[pixels.length];
        for (int i = 0; i < pixels.length; i++) {
            labels[i] = 7 - i;
            for (int j = 0; j < side * side; j++) {
                data[i * side * side + j] = pixels[i][j] & 255;
            }
        }
        Path features = dir.resolve(name + "-images.idx3.gz");
        Path outputs = dir.resolve(name + "-labels.idx1");
        IDXDataSource.IDXData.createIDXData(IDXDataSource.IDXType.UBYTE, new int[] {pixels.length, side, side}, data)
                .save(features, true);
        IDXDataSource.IDXData.createIDXData(IDXDataSource.IDXType.UBYTE, new int[] {pixels.length}, labels)
                .save(outputs, false);
        return new IDXDataSource<>(features, outputs, Fixture.LABELS);
    }

    private static EncodedDataSource<Label> encoded(DataSource<Label> grey, int side) {
        return new EncodedDataSource<>(grey, PixelLayout.grey(side, side), extractor, OnUnreadable.FAIL);
    }

    private static byte[][] strokes(int n, int side) {
        Random random = new Random(3);
        byte[][] pixels = new byte[n][side * side];
        for (byte[] image : pixels) {
            for (int i = side * side / 4; i < side * side / 2; i++) {
                image[i] = (byte) random.nextInt(256);
            }
        }
        return pixels;
    }

    private static RgbImage grey(byte[] values, int side) {
        byte[] rgb = new byte[3 * values.length];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = values[i / 3];
        }
        return new RgbImage(side, side, rgb);
    }

    @Test
    void mnistFromTribuosIdxReader() throws IOException {
        byte[][] pixels = strokes(3, 28);
        IDXDataSource<Label> mnist = mnist("mnist", pixels, 28);
        assertTrue(mnist.iterator().next().size() < 300, "zeros are dropped");
        EncodedDataSource<Label> source = encoded(mnist, 28);
        List<Example<Label>> examples = list(source);
        double[][] expected =
                extractor.features(List.of(grey(pixels[0], 28), grey(pixels[1], 28), grey(pixels[2], 28)));
        for (int i = 0; i < 3; i++) {
            assertArrayEquals(expected[i], values(examples.get(i)), 1e-6);
            assertEquals(Integer.toString(7 - i), examples.get(i).getOutput().getLabel());
        }
        assertEquals(examples, list(source), "a second pass");
        assertEquals(
                examples,
                list(new EncodedDataSource<>(
                        new MutableDataset<>(mnist), PixelLayout.grey(28, 28), extractor, OnUnreadable.FAIL)),
                "or from a dataset");
    }

    @Test
    void densePixelRowsInEachLayout() throws IOException {
        RgbImage image = Images.read(images.resolve("red/0.png"));
        int pixels = image.width() * image.height();
        double[] expected = extractor.features(List.of(image))[0];
        for (PixelLayout layout : List.of(
                PixelLayout.rgb(image.width(), image.height()),
                PixelLayout.rgb(image.width(), image.height()).asPlanes(),
                PixelLayout.rgb(image.width(), image.height())
                        .asPlanes()
                        .scaledBy(255)
                        .startingAt(1))) {
            String[] names = new String[3 * pixels];
            double[] values = new double[3 * pixels];
            for (int i = 0; i < names.length; i++) {
                names[i] = "pixel" + (i + layout.first());
                int at = layout.planar() ? i % pixels * 3 + i / pixels : i;
                values[i] = (image.rgb()[at] & 255) / layout.scale();
            }
            Example<Label> row = new ArrayExample<>(new Label("red"), names, values);
            row.setMetadataValue("camera", "old");
            row.setWeight(2);
            Example<Label> encoded = new EncodedDataSource<>(of(row), layout, extractor, OnUnreadable.FAIL)
                    .iterator()
                    .next();
            assertArrayEquals(expected, values(encoded), 1e-6, layout.toString());
            assertEquals("old", encoded.getMetadataValue("camera").orElseThrow());
            assertEquals(2, encoded.getWeight());
        }
    }

    private static ListDataSource<Label> of(Example<Label> row) {
        return new ListDataSource<>(
                List.of(row), Fixture.LABELS, new SimpleDataSourceProvenance("rows", Fixture.LABELS));
    }

    @Test
    void pixelsThatDoNotFitAreNamed() {
        Map<String, Double> bad = Map.of("p64", 1.0, "p1", 300.0, "width", 1.0, "p2", -1.0);
        bad.forEach((name, value) -> {
            Example<Label> row = new ArrayExample<>(new Label("a"), new String[] {name}, new double[] {value});
            EncodedDataSource<Label> source = encoded(of(row), 8);
            String message = assertThrows(
                            UncheckedIOException.class, () -> source.iterator().next())
                    .getMessage();
            assertTrue(message.startsWith("example 1: expected") && message.contains("found " + name), message);
        });
        assertThrows(IllegalArgumentException.class, () -> new PixelLayout(8, 8, 2, false, 1, 0));
        assertThrows(
                IllegalArgumentException.class, () -> new PixelLayout(8, 8, 3, false, Double.POSITIVE_INFINITY, 0));
        assertEquals(
                "Expected at most 715827879 pixels, found 60000x60000",
                assertThrows(IllegalArgumentException.class, () -> new PixelLayout(60_000, 60_000, 3, false, 1, 0))
                        .getMessage());
    }

    /** As of PixelFeatureExtractor, read as bytes: the images would be black. */
    @Test
    void pixelsThatAreAllFractionsAreWarnedOfOnce() {
        List<String> warnings = new ArrayList<>();
        Handler handler = new Handler() {
            @Override
            public void publish(LogRecord record) {
                warnings.add(record.getMessage());
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
        Logger logger = Logger.getLogger(EncodedDataSource.class.getName());
        logger.addHandler(handler);
        logger.setUseParentHandlers(false);
        try {
            Map<String, double[]> rows = new TreeMap<>(Map.of(
                    "a bytes",
                    new double[] {0, 1, 1},
                    "b dark, scaled",
                    new double[] {0.25, 1, 1},
                    "c scaled",
                    new double[] {1, 0.5, 0.75}));
            List<Example<Label>> examples = new ArrayList<>();
            rows.forEach((name, values) ->
                    examples.add(new ArrayExample<>(new Label(name), new String[] {"p0", "p1", "p2"}, values)));
            ListDataSource<Label> source = new ListDataSource<>(
                    examples, Fixture.LABELS, new SimpleDataSourceProvenance("rows", Fixture.LABELS));
            list(new EncodedDataSource<>(source, PixelLayout.rgb(8, 8).scaledBy(255), extractor, OnUnreadable.FAIL));
            assertEquals(List.of(), warnings);
            EncodedDataSource<Label> wrong =
                    new EncodedDataSource<>(source, PixelLayout.rgb(8, 8), extractor, OnUnreadable.FAIL);
            list(wrong);
            list(wrong);
            assertEquals(1, warnings.size(), warnings.toString());
            assertTrue(warnings.get(0).contains("set the scale to 255"), warnings.get(0));
        } finally {
            logger.removeHandler(handler);
            logger.setUseParentHandlers(true);
        }
    }

    @Test
    void provenanceHoldsTheContentAndSurvivesSaving() throws IOException {
        Path own = Fixture.images(dir.resolve("own"), 2, 5);
        Path table = Files.writeString(
                own.resolve("t.csv"), "photo,kind\nred/0.png,a\nred/1.png,a\nblue/0.png,b\ngone.png,b\n");
        List<String> before = List.of();
        IDXDataSource<Label> mnist = mnist("small", strokes(3, 8), 8);
        for (int change = 0; change < 2; change++) {
            ImageFolderDataSource<Label> folder = new ImageFolderDataSource<>(own, extractor);
            ImageTableDataSource<Label> rows =
                    new ImageTableDataSource<>(table, "photo", List.of("kind"), extractor, OnUnreadable.SKIP);
            EncodedDataSource<Label> encoded = encoded(mnist, 8);
            List<String> hashes = new ArrayList<>();
            for (ImageDataSource<Label, ?> source : List.of(
                    folder,
                    rows,
                    encoded,
                    new EncodedDataSource<>(
                            new MutableDataset<>(mnist), PixelLayout.grey(8, 8), extractor, OnUnreadable.FAIL))) {
                DataSourceProvenance provenance = source.getProvenance();
                assertEquals(provenance, source.getProvenance());
                Path file = dir.resolve("saved.tribuo");
                new LogisticRegressionTrainer()
                        .train(new MutableDataset<>(source))
                        .serializeToFile(file);
                Model<?> loaded = Model.deserializeFromFile(file);
                assertEquals(
                        provenance,
                        loaded.getProvenance().getDatasetProvenance().getSourceProvenance());
                String text = ProvenanceUtil.formattedProvenanceString(loaded.getProvenance());
                assertTrue(text.contains(extractor.encoder().sha256()), text);
                hashes.add(text.lines()
                        .filter(l -> l.contains("-sha256") && !l.contains("encoder"))
                        .toList()
                        .toString());
            }
            if (change == 0) {
                before = hashes;
                // As long as before, and as old.
                byte[] png = Files.readAllBytes(own.resolve("red/1.png"));
                FileTime time = Files.getLastModifiedTime(own.resolve("red/1.png"));
                png[png.length - 1] ^= 1;
                Files.write(own.resolve("red/1.png"), png);
                Files.setLastModifiedTime(own.resolve("red/1.png"), time);
            } else {
                assertNotEquals(before.get(0), hashes.get(0));
                assertNotEquals(before.get(1), hashes.get(1));
                assertEquals(before.get(2), hashes.get(2));
            }
        }
    }

    @Test
    void aSourceIsMadeAgainFromItsProvenance() throws IOException {
        Path table = table("again.csv", "photo,kind", "red/1.png,red", "blue/0.png,blue");
        FeatureCache cache = new FeatureCache(dir.resolve("again"), 1 << 20);
        try (SimCLRFeatureExtractor<Label> cached = new SimCLRFeatureExtractor<>(
                Fixture.LABELS,
                dir.resolve("encoder.onnx"),
                EncoderSettings.none(),
                RuntimeSettings.DEFAULT.withThreads(1),
                cache)) {
            for (ImageDataSource<Label, ?> source : List.of(
                    new ImageFolderDataSource<>(images, extractor),
                    new ImageTableDataSource<>(table, "photo", List.of("kind"), cached, OnUnreadable.SKIP),
                    encoded(mnist("again", strokes(3, 28), 28), 28))) {
                try (ConfigurationManager manager = new ConfigurationManager()) {
                    manager.addConfiguration(ProvenanceUtil.extractConfiguration(source.getProvenance()));
                    ImageDataSource<?, ?> again =
                            manager.lookupAll(source.getClass()).get(0);
                    List<Example<?>> examples = new ArrayList<>();
                    again.forEach(examples::add);
                    assertEquals(list(source), examples);
                    for (ImageFeatureExtractor<?> e : manager.lookupAll(SimCLRFeatureExtractor.class)) {
                        e.close();
                    }
                }
            }
        }
    }

    @Test
    void olcutEncodesAnIdxSource() throws IOException {
        mnist("olcut", strokes(3, 28), 28);
        Path xml = Files.writeString(dir.resolve("idx.xml"), """
                <config>
                  <component name="labels" type="org.tribuo.classification.LabelFactory"/>
                  <component name="mnist" type="org.tribuo.datasource.IDXDataSource">
                    <property name="featuresPath" value="%1$s/olcut-images.idx3.gz"/>
                    <property name="outputPath" value="%1$s/olcut-labels.idx1"/>
                    <property name="outputFactory" value="labels"/>
                  </component>
                  <component name="extractor" type="io.github.simclr4j.tribuo.extraction.SimCLRFeatureExtractor">
                    <property name="outputFactory" value="labels"/>
                    <property name="encoderPath" value="%1$s/encoder.onnx"/>
                  </component>
                  <component name="encoded" type="io.github.simclr4j.tribuo.source.EncodedDataSource">
                    <property name="source" value="mnist"/>
                    <property name="extractor" value="extractor"/>
                    <property name="width" value="28"/>
                    <property name="height" value="28"/>
                    <property name="batchSize" value="2"/>
                  </component>
                </config>
                """.formatted(dir));
        try (ConfigurationManager manager = new ConfigurationManager(xml.toString());
                SimCLRFeatureExtractor<?> own = (SimCLRFeatureExtractor<?>) manager.lookup("extractor")) {
            EncodedDataSource<?> source = (EncodedDataSource<?>) manager.lookup("encoded");
            int n = 0;
            for (Example<?> example : source) {
                assertEquals(own.dimension(), example.size());
                n++;
            }
            assertEquals(3, n);
        }
    }

    /** What Tribuo does with any source and any dense features it does with these. */
    @Test
    void tribuosOwnToolsTakeTheSources() throws IOException {
        ImageFolderDataSource<Label> folder = new ImageFolderDataSource<>(images, extractor);
        Path table = table("more.csv", "photo,kind", "red/1.png,red", "blue/0.png,blue");
        ImageTableDataSource<Label> rows =
                new ImageTableDataSource<>(table, "photo", List.of("kind"), extractor, OnUnreadable.FAIL);
        assertEquals(14, list(new AggregateDataSource<>(List.of(folder, rows))).size());
        assertEquals(
                14,
                list(new AggregateConfigurableDataSource<>(
                                List.of(folder, rows), AggregateDataSource.IterationOrder.ROUNDROBIN))
                        .size());
        TrainTestSplitter<Label> split = new TrainTestSplitter<>(folder, 0.75, 1);
        Dataset<Label> train = new MutableDataset<>(split.getTrain());
        Dataset<Label> test = ImmutableDataset.copyDataset(
                new MutableDataset<>(split.getTest()), train.getFeatureIDMap(), train.getOutputIDInfo());
        assertEquals(9, train.size());
        assertEquals(3, test.size());
        assertTrue(((MutableDataset<Label>) train).isDense());
        // Feature ids follow the names, and those the encoder's order.
        for (int i = 0; i < Fixture.DIMENSION; i++) {
            assertEquals(
                    extractor.featureNames()[i], train.getFeatureIDMap().get(i).getName());
        }
        Model<Label> model = new TransformTrainer<>(
                        new LogisticRegressionTrainer(), new TransformationMap(List.of(new MeanStdDevTransformation())))
                .train(train);
        assertEquals(3, model.predict(test).size());
        assertTrue(Set.of("red", "green", "blue")
                .contains(model.predict(extractor.extract(images.resolve("red/1.png")))
                        .getOutput()
                        .getLabel()));
        SequenceExample<Label> frames = new SequenceExample<>(extractor.extract(
                List.of(Images.read(images.resolve("red/0.png")), Images.read(images.resolve("blue/0.png"))),
                List.of(new Label("red"), new Label("blue"))));
        assertEquals(2, frames.size());
        assertTrue(frames.validateExample());
        assertEquals(new HashSet<>(list(folder)).size(), 12);
    }
}
