// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.source;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.oracle.labs.mlrg.olcut.config.ConfigurationManager;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.PrimitiveProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.images.source.ImagesUnavailableException;
import io.github.simclr4j.onnx.runtime.EncoderSettings;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import io.github.simclr4j.tribuo.evaluation.LinearEvaluation;
import io.github.simclr4j.tribuo.extraction.FeatureCache;
import io.github.simclr4j.tribuo.extraction.Fixture;
import io.github.simclr4j.tribuo.extraction.PixelFeatureExtractor;
import io.github.simclr4j.tribuo.extraction.SimCLRFeatureExtractor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.DataSource;
import org.tribuo.Example;
import org.tribuo.Model;
import org.tribuo.MutableDataset;
import org.tribuo.classification.Label;
import org.tribuo.provenance.DataSourceProvenance;

/** Whatever the images module reads comes into Tribuo the same way. */
class ImageSetDataSourceTest {
    @TempDir
    static Path dir;

    private static Path folder;
    private static List<Path> files;
    private static PixelFeatureExtractor<Label> pixels;

    @BeforeAll
    static void draw() throws IOException {
        folder = Fixture.images(dir.resolve("images"), 3, 1);
        files = Images.find(folder);
        pixels = new PixelFeatureExtractor<>(Fixture.LABELS, 8);
    }

    private static Path zip(String name, Map<String, byte[]> more) throws IOException {
        Path file = dir.resolve(name);
        try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(file))) {
            for (Path image : files) {
                out.putNextEntry(
                        new ZipEntry(folder.relativize(image).toString().replace('\\', '/')));
                Files.copy(image, out);
            }
            for (Map.Entry<String, byte[]> e : more.entrySet()) {
                out.putNextEntry(new ZipEntry(e.getKey()));
                out.write(e.getValue());
            }
        }
        return file;
    }

    private static Path table() throws IOException {
        StringBuilder rows = new StringBuilder("path,label\n");
        files.forEach(f -> rows.append(dir.relativize(f))
                .append(',')
                .append(f.getParent().getFileName())
                .append('\n'));
        return Files.writeString(dir.resolve("images.csv"), rows.toString());
    }

    private static List<Example<Label>> list(DataSource<Label> source) {
        List<Example<Label>> all = new ArrayList<>();
        source.forEach(all::add);
        return all;
    }

    private static double[] values(Example<Label> example) {
        double[] values = new double[example.size()];
        int[] i = {0};
        example.forEach(f -> values[i[0]++] = f.getValue());
        return values;
    }

    private static Object measured(DataSourceProvenance provenance, String key) {
        for (var pair : provenance) {
            if (pair.getA().equals(key)) {
                return ((PrimitiveProvenance<?>) pair.getB()).getValue();
            }
        }
        return null;
    }

    @Test
    void aFolderAnArchiveAndATableOfTheSameImagesGiveTheSameExamples() throws IOException {
        ImageFolderDataSource<Label> expected = new ImageFolderDataSource<>(folder, pixels);
        List<Example<Label>> examples = list(expected);
        for (Path set : List.of(folder, zip("images.zip", Map.of()), table())) {
            try (ImageSetDataSource<Label> source = new ImageSetDataSource<>(set, pixels)) {
                assertEquals(expected.classNames(), source.classNames());
                assertEquals(9, source.size());
                List<Example<Label>> found = list(source);
                assertEquals(9, found.size());
                for (int i = 0; i < 9; i++) {
                    assertEquals(examples.get(i).getOutput(), found.get(i).getOutput());
                    assertArrayEquals(values(examples.get(i)), values(found.get(i)));
                    String path = folder.relativize(files.get(i)).toString();
                    String name = set.toString().endsWith(".zip")
                            ? set + "!" + path.replace('\\', '/')
                            : files.get(i).toString();
                    assertEquals(
                            name, found.get(i).getMetadataValue(Example.NAME).orElseThrow());
                }
                assertEquals(9, measured(source.getProvenance(), ImageSetDataSource.SetProvenance.SIZE));
            }
        }
        try (ImageSetDataSource<Label> same = new ImageSetDataSource<>(folder, pixels)) {
            assertEquals(
                    measured(expected.getProvenance(), ImageFolderDataSource.FolderProvenance.IMAGES_HASH),
                    measured(same.getProvenance(), ImageSetDataSource.SetProvenance.IMAGES_HASH));
        }
    }

    @Test
    void theHashOfTheImagesDoesNotDependOnWhereTheyLie() throws IOException {
        Path moved = Files.createDirectories(dir.resolve("elsewhere"));
        Path zip = zip("moved.zip", Map.of());
        List<Object> hashes = new ArrayList<>();
        for (Path place : List.of(zip, Files.copy(zip, moved.resolve("moved.zip")))) {
            try (ImageSetDataSource<Label> source = new ImageSetDataSource<>(place, pixels)) {
                hashes.add(measured(source.getProvenance(), ImageSetDataSource.SetProvenance.IMAGES_HASH));
            }
        }
        assertEquals(hashes.get(0), hashes.get(1));
    }

    @Test
    void cifarAndMnistAreRead() throws IOException {
        ByteArrayOutputStream cifar = new ByteArrayOutputStream();
        for (int i = 0; i < 3; i++) {
            cifar.write(i);
            cifar.write(new byte[3072]);
        }
        Path bin = Files.write(dir.resolve("data_batch_1.bin"), cifar.toByteArray());
        try (ImageSetDataSource<Label> source = new ImageSetDataSource<>(bin, pixels)) {
            assertEquals(List.of("0", "1", "2"), names(source));
            assertEquals(
                    bin + "#2",
                    list(source).get(2).getMetadataValue(Example.NAME).orElseThrow());
        }
        Path mnist = Files.createDirectories(dir.resolve("mnist"));
        try (OutputStream out = Files.newOutputStream(mnist.resolve("train-images-idx3-ubyte"))) {
            out.write(ByteBuffer.allocate(16)
                    .putInt(0x803)
                    .putInt(2)
                    .putInt(8)
                    .putInt(8)
                    .array());
            out.write(new byte[128]);
        }
        Files.write(
                mnist.resolve("train-labels-idx1-ubyte"),
                ByteBuffer.allocate(10)
                        .putInt(0x801)
                        .putInt(2)
                        .put((byte) 7)
                        .put((byte) 3)
                        .array());
        try (ImageSetDataSource<Label> source = new ImageSetDataSource<>(mnist, pixels)) {
            assertEquals(List.of("7", "3"), names(source));
            assertEquals(List.of("7", "3"), source.classNames());
        }
    }

    private static List<String> names(DataSource<Label> source) {
        return list(source).stream().map(e -> e.getOutput().getLabel()).toList();
    }

    @Test
    void imagesWithoutAClassAreLeftOutOrUnknown() throws IOException {
        Path zip = zip("loose.zip", Map.of("loose.png", Files.readAllBytes(files.get(0))));
        try (ImageSetDataSource<Label> source = new ImageSetDataSource<>(zip, pixels)) {
            assertEquals(9, list(source).size());
        }
        try (ImageSetDataSource<Label> source = new ImageSetDataSource<>(zip, pixels, OnUnreadable.FAIL, true)) {
            List<Example<Label>> all = list(source);
            assertEquals(10, all.size());
            Example<Label> loose = all.stream()
                    .filter(e -> e.getMetadataValue(Example.NAME)
                            .orElseThrow()
                            .toString()
                            .endsWith("loose.png"))
                    .findFirst()
                    .orElseThrow();
            assertEquals(Fixture.LABELS.getUnknownOutput(), loose.getOutput());
            assertEquals(List.of("blue", "green", "red"), source.classNames());
        }
        Path flat = Files.createDirectories(dir.resolve("flat"));
        Files.copy(files.get(0), flat.resolve("a.png"));
        PropertyException none = assertThrows(PropertyException.class, () -> new ImageSetDataSource<>(flat, pixels));
        assertTrue(none.getMsg().startsWith(flat + " has no images with a class"), none.getMsg());
        PropertyException gone =
                assertThrows(PropertyException.class, () -> new ImageSetDataSource<>(dir.resolve("gone"), pixels));
        assertTrue(gone.getMsg().startsWith(dir.resolve("gone") + " does not exist"), gone.getMsg());
    }

    @Test
    void anUnreadableImageIsReportedByNameAndReasonAlone() throws IOException {
        Path zip = zip("damaged.zip", Map.of("red/broken.png", new byte[] {1, 2, 3}));
        String name = zip + "!red/broken.png";
        try (ImageSetDataSource<Label> source = new ImageSetDataSource<>(zip, pixels)) {
            assertEquals(9, list(source).size());
            assertEquals(List.of(name), List.copyOf(source.skipped().keySet()));
            assertTrue(
                    !source.skipped().get(name).contains(zip.toString()),
                    source.skipped().toString());
        }
        try (ImageSetDataSource<Label> source = new ImageSetDataSource<>(zip, pixels, OnUnreadable.FAIL, false)) {
            String message =
                    assertThrows(UncheckedIOException.class, () -> list(source)).getMessage();
            assertTrue(message.startsWith(name + ": ") && message.lastIndexOf(name) == 0, message);
        }
    }

    @Test
    void aCacheKnowsAnImageWhereverItLies() throws IOException {
        Path encoder = Fixture.encoder(dir.resolve("encoder.onnx"), 1);
        FeatureCache cache = new FeatureCache(dir.resolve("cache"), 1 << 20);
        try (SimCLRFeatureExtractor<Label> extractor = new SimCLRFeatureExtractor<>(
                Fixture.LABELS, encoder, EncoderSettings.none(), RuntimeSettings.DEFAULT.withThreads(1), cache)) {
            list(new ImageFolderDataSource<>(folder, extractor));
            assertEquals(0, cache.stats().hits());
            try (ImageSetDataSource<Label> source = new ImageSetDataSource<>(zip("cached.zip", Map.of()), extractor)) {
                list(source);
            }
            assertEquals(9, cache.stats().hits());
        }
    }

    @Test
    void someOfAnOpenSourceAreTakenAndItStaysOpen() throws IOException {
        try (ImageSource open = ImageSource.open(folder)) {
            ImageSource some = open.only(new int[] {1, 4, 8});
            try (ImageSetDataSource<Label> source = new ImageSetDataSource<>(folder, some, pixels)) {
                assertEquals(List.of("blue", "green", "red"), names(source));
            }
            assertEquals(9, open.size());
            open.read(0);
        }
    }

    @Test
    void aFolderThatWentAwayIsNotSkippedImageByImage(@TempDir Path share) throws IOException {
        Path there = Fixture.images(share.resolve("images"), 3, 1);
        ImageFolderDataSource<Label> source = new ImageFolderDataSource<>(there, pixels, OnUnreadable.SKIP);
        int all = list(source).size();
        Files.move(there, share.resolve("elsewhere"));
        assertThrows(ImagesUnavailableException.class, () -> list(source));
        assertThrows(ImagesUnavailableException.class, source::getProvenance);
        assertEquals(Map.of(), source.skipped());
        Files.move(share.resolve("elsewhere"), there);
        assertEquals(all, list(source).size());
    }

    @Test
    void whatIsClosedSaysSo() throws IOException {
        ImageSetDataSource<Label> source = new ImageSetDataSource<>(zip("closed.zip", Map.of()), pixels);
        source.close();
        source.close();
        assertEquals(
                "The images of " + dir.resolve("closed.zip") + " are closed",
                assertThrows(IllegalStateException.class, source::iterator).getMessage());
    }

    @Test
    void aConfiguredSetIsInTheProvenanceOfASavedModel() throws IOException {
        Path xml = Files.writeString(dir.resolve("set.xml"), """
                <config>
                  <component name="labels" type="org.tribuo.classification.LabelFactory"/>
                  <component name="pixels" type="io.github.simclr4j.tribuo.extraction.PixelFeatureExtractor">
                    <property name="outputFactory" value="labels"/>
                    <property name="size" value="8"/>
                  </component>
                  <component name="set" type="io.github.simclr4j.tribuo.source.ImageSetDataSource">
                    <property name="images" value="%s"/>
                    <property name="extractor" value="pixels"/>
                    <property name="unlabelled" value="false"/>
                  </component>
                </config>
                """.formatted(zip("configured.zip", Map.of())));
        try (ConfigurationManager manager = new ConfigurationManager(xml.toString())) {
            @SuppressWarnings("unchecked") // Its output factory makes labels.
            ImageSetDataSource<Label> source = (ImageSetDataSource<Label>) manager.lookup("set");
            MutableDataset<Label> data = new MutableDataset<>(source);
            Model<Label> model =
                    LinearEvaluation.trainer(data, new Random(1).nextLong()).train(data);
            Path saved = dir.resolve("set.tribuo");
            model.serializeToFile(saved);
            Provenance loaded = Model.deserializeFromFile(saved).getProvenance();
            assertEquals(model.getProvenance(), loaded);
            assertTrue(loaded.toString().contains("ImageSetDataSource"), loaded.toString());
            source.close();
        }
    }

    @Test
    void whatIsLeftOutIsLogged() throws IOException {
        Path some = dir.resolve("some");
        Files.createDirectories(some.resolve("red"));
        Files.copy(files.get(0), some.resolve("red/0.png"));
        Files.writeString(some.resolve("red/1.heic"), "x");
        List<String> lines = new ArrayList<>();
        Handler handler = new Handler() {
            @Override
            public void publish(LogRecord line) {
                lines.add(line.getLevel() + " " + line.getMessage());
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
        Logger logger = Logger.getLogger("io.github.simclr4j.tribuo.source");
        logger.addHandler(handler);
        try {
            new ImageSetDataSource<>(some, pixels).close();
            new ImageFolderDataSource<>(some, pixels);
        } finally {
            logger.removeHandler(handler);
        }
        assertEquals(2, lines.size());
        for (String line : lines) {
            assertTrue(line.startsWith("WARNING " + some + ": 1 image file left out: 1 HEIC"), line);
        }
    }
}
