// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.source;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.oracle.labs.mlrg.olcut.config.ConfigurationManager;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.ProvenanceUtil;
import io.github.simclr4j.tribuo.extraction.ExtractionListener;
import io.github.simclr4j.tribuo.extraction.Fixture;
import io.github.simclr4j.tribuo.extraction.SimCLRFeatureExtractor;
import io.github.simclr4j.tribuo.extraction.SimCLRFeatureExtractorTest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.Example;
import org.tribuo.Feature;
import org.tribuo.Model;
import org.tribuo.MutableDataset;
import org.tribuo.classification.Label;
import org.tribuo.classification.sgd.linear.LogisticRegressionTrainer;
import org.tribuo.data.columnar.ColumnarDataSource;
import org.tribuo.data.columnar.ColumnarFeature;
import org.tribuo.data.columnar.ColumnarIterator;
import org.tribuo.data.columnar.FieldProcessor;
import org.tribuo.data.columnar.RowProcessor;
import org.tribuo.data.columnar.extractors.IndexExtractor;
import org.tribuo.data.columnar.processors.field.DoubleFieldProcessor;
import org.tribuo.data.columnar.processors.field.IdentityProcessor;
import org.tribuo.data.columnar.processors.field.TextFieldProcessor;
import org.tribuo.data.columnar.processors.response.FieldResponseProcessor;
import org.tribuo.data.csv.CSVDataSource;
import org.tribuo.data.sql.SQLDBConfig;
import org.tribuo.data.sql.SQLDataSource;
import org.tribuo.data.text.impl.BasicPipeline;
import org.tribuo.json.JsonDataSource;
import org.tribuo.provenance.DataSourceProvenance;
import org.tribuo.util.tokens.impl.BreakIteratorTokenizer;

class ImageFieldProcessorTest {
    @TempDir
    static Path dir;

    private static SimCLRFeatureExtractor<Label> extractor;
    private static final SimCLRFeatureExtractorTest.Recorder RECORDER = new SimCLRFeatureExtractorTest.Recorder();
    /** Image files, relative to the folder, in order, and the label and price of each. */
    private static final List<String> FILES = new ArrayList<>();

    private static final Map<String, Map<String, Double>> EXPECTED = new TreeMap<>();

    @BeforeAll
    static void write() throws IOException {
        extractor = new SimCLRFeatureExtractor<>(Fixture.LABELS, Fixture.encoder(dir.resolve("encoder.onnx"), 1), 1);
        extractor.setListener(RECORDER);
        Fixture.images(dir.resolve("photos"), 3, 2);
        for (String color : List.of("blue", "green", "red")) {
            for (int i = 0; i < 3; i++) {
                FILES.add("photos/" + color + "/" + i + ".png");
            }
        }
        for (String file : FILES) {
            EXPECTED.put(file, values(extractor.extract(dir.resolve(file))));
        }
    }

    @AfterAll
    static void close() {
        extractor.close();
    }

    private static Map<String, Double> values(Example<?> example) {
        Map<String, Double> values = new TreeMap<>();
        example.forEach((Feature f) -> values.put(f.getName(), f.getValue()));
        return values;
    }

    private static String label(int row) {
        return FILES.get(row).split("/")[1];
    }

    private static double price(int row) {
        return 1.5 * row;
    }

    private static ImageFieldProcessor photo(ImageEncoding encoding, OnUnreadable policy) {
        return new ImageFieldProcessor("photo", extractor, dir, encoding, policy);
    }

    private static RowProcessor<Label> rows(FieldProcessor photo) {
        return new RowProcessor.Builder<Label>()
                .addFieldProcessor(photo)
                .addFieldProcessor(new DoubleFieldProcessor("price"))
                .addFieldProcessor(new IdentityProcessor("shop"))
                .addFieldProcessor(
                        new TextFieldProcessor("words", new BasicPipeline(new BreakIteratorTokenizer(Locale.US), 1)))
                .addMetadataExtractor(new IndexExtractor("index"))
                .build(new FieldResponseProcessor<>(List.of("kind"), List.of(""), Fixture.LABELS, false, false));
    }

    private interface Cell {
        String of(String file) throws IOException;
    }

    private static String base64(String file) throws IOException {
        return Base64.getEncoder().encodeToString(Files.readAllBytes(dir.resolve(file)));
    }

    private static Path csv(String name, Cell cell) throws IOException {
        StringBuilder csv = new StringBuilder("kind,price,shop,words,photo\n");
        for (int i = 0; i < FILES.size(); i++) {
            csv.append(label(i))
                    .append(',')
                    .append(price(i))
                    .append(",north,\"a small thing\",\"")
                    .append(cell.of(FILES.get(i)))
                    .append("\"\n");
        }
        return Files.writeString(dir.resolve(name), csv);
    }

    /** Every row is there, in order, with the image's features, named for their column, and those of the other columns. */
    private static void check(Iterable<Example<Label>> source) {
        int row = 0;
        for (Example<Label> example : source) {
            Map<String, Double> expected = new TreeMap<>();
            EXPECTED.get(FILES.get(row)).forEach((name, value) -> expected.put("photo@" + name, value));
            expected.put("price@value", price(row));
            expected.put("shop@north", 1.0);
            for (String word : List.of("a", "small", "thing")) {
                expected.put("words@1-N=" + word, 1.0);
            }
            Map<String, Double> found = values(example);
            assertEquals(expected.keySet(), found.keySet());
            expected.forEach((name, value) -> assertEquals(value, found.get(name), 1e-5, name));
            assertEquals(label(row), example.getOutput().getLabel());
            row++;
        }
        assertEquals(FILES.size(), row);
    }

    @Test
    void csvWithPathsUrisBase64AndDataUris() throws IOException {
        Path spaced = Files.createDirectories(dir.resolve("my photos"));
        Files.copy(dir.resolve(FILES.get(0)), spaced.resolve("one+1.png"));
        Files.copy(dir.resolve(FILES.get(0)), spaced.resolve("scan:1.png"));
        Map<String, Cell> cells = Map.of(
                "paths", f -> f,
                "absolute", f -> dir.resolve(f).toAbsolutePath().toString(),
                "uris", f -> dir.resolve(f).toUri().toString(),
                "relative-uri", f -> f.equals(FILES.get(0)) ? "my%20photos/one+1.png" : f,
                "colon", f -> f.equals(FILES.get(0)) ? "my photos/scan:1.png" : f,
                "data-uris", f -> "data:image/png;base64," + base64(f));
        for (Map.Entry<String, Cell> form : cells.entrySet()) {
            Path csv = csv(form.getKey() + ".csv", form.getValue());
            check(new CSVDataSource<>(csv, rows(photo(ImageEncoding.FILE, OnUnreadable.FAIL)), true));
        }
        check(new CSVDataSource<>(
                csv("base64.csv", f -> base64(f)), rows(photo(ImageEncoding.BASE64, OnUnreadable.FAIL)), true));
        Base64.Encoder mime = Base64.getMimeEncoder(40, "\n".getBytes());
        check(new CSVDataSource<>(
                csv("mime.csv", f -> mime.encodeToString(Files.readAllBytes(dir.resolve(f)))),
                rows(photo(ImageEncoding.BASE64, OnUnreadable.FAIL)),
                true));
    }

    @Test
    void json() throws IOException {
        List<String> objects = new ArrayList<>();
        for (int i = 0; i < FILES.size(); i++) {
            objects.add("{\"kind\":\"%s\",\"price\":%s,\"shop\":\"north\",\"words\":\"a small thing\",\"photo\":\"%s\"}"
                    .formatted(label(i), price(i), FILES.get(i)));
        }
        Path json = Files.writeString(dir.resolve("table.json"), "[" + String.join(",", objects) + "]");
        check(new JsonDataSource<>(json, rows(photo(ImageEncoding.FILE, OnUnreadable.FAIL)), true));
    }

    @Test
    void sqlWithPathsBase64AndBytes() throws SQLException, IOException {
        SQLDBConfig database =
                new SQLDBConfig("jdbc:h2:mem:photos;DB_CLOSE_DELAY=-1;DATABASE_TO_UPPER=FALSE", Map.of());
        try (Connection connection = database.getConnection()) {
            connection
                    .createStatement()
                    .execute("CREATE TABLE things (id INT PRIMARY KEY, kind VARCHAR, price DOUBLE,"
                            + " shop VARCHAR, words VARCHAR, path VARCHAR, encoded VARCHAR, bytes VARBINARY)");
            try (PreparedStatement insert =
                    connection.prepareStatement("INSERT INTO things VALUES (?,?,?,?,?,?,?,?)")) {
                for (int i = 0; i < FILES.size(); i++) {
                    insert.setInt(1, i);
                    insert.setString(2, label(i));
                    insert.setDouble(3, price(i));
                    insert.setString(4, "north");
                    insert.setString(5, "a small thing");
                    insert.setString(6, FILES.get(i));
                    insert.setString(7, base64(FILES.get(i)));
                    insert.setBytes(8, Files.readAllBytes(dir.resolve(FILES.get(i))));
                    insert.execute();
                }
            }
        }
        String query = "SELECT photo, kind, price, shop, words FROM (SELECT *, %s AS photo FROM things) ORDER BY id";
        for (Map.Entry<String, ImageEncoding> column : Map.of(
                        "path",
                        ImageEncoding.FILE,
                        "encoded",
                        ImageEncoding.BASE64,
                        "RAWTOHEX(bytes)",
                        ImageEncoding.HEX)
                .entrySet()) {
            RowProcessor<Label> rows = rows(photo(column.getValue(), OnUnreadable.FAIL));
            try (SQLDataSource<Label> source =
                    new SQLDataSource<>(query.formatted(column.getKey()), database, Fixture.LABELS, rows, true)) {
                check(source);
                check(new ReadAheadDataSource<>(source, rows, true));
            }
        }
        // Tribuo passes on what toString makes of a byte array.
        try (SQLDataSource<Label> source = new SQLDataSource<>(
                query.formatted("bytes"),
                database,
                Fixture.LABELS,
                rows(photo(ImageEncoding.HEX, OnUnreadable.FAIL)),
                true)) {
            String message = assertThrows(
                            UncheckedIOException.class, () -> source.iterator().next())
                    .getMessage();
            assertTrue(message.contains("column photo") && message.contains("let the query return them"), message);
        }
    }

    @Test
    void readingAheadGivesTheSameInBatches() throws IOException {
        Path csv = csv("ahead.csv", f -> f);
        RowProcessor<Label> rows = rows(photo(ImageEncoding.FILE, OnUnreadable.FAIL));
        CSVDataSource<Label> source = new CSVDataSource<>(csv, rows, true);
        ReadAheadDataSource<Label> ahead = new ReadAheadDataSource<>(source, rows, true);
        RECORDER.batches.clear();
        check(ahead);
        assertEquals(
                List.of(9),
                RECORDER.batches.stream()
                        .map(ExtractionListener.Timings::images)
                        .toList());
        check(ahead);
        RECORDER.batches.clear();
        check(source);
        assertEquals(9, RECORDER.batches.size());
        assertEquals(source.getProvenance(), ahead.getProvenance());
        ColumnarDataSource<Label> hidden = new ColumnarDataSource<>(Fixture.LABELS, rows, true) {
            @Override
            protected ColumnarIterator rowIterator() {
                return source.rowIterator();
            }

            @Override
            public DataSourceProvenance getProvenance() {
                return source.getProvenance();
            }
        };
        assertThrows(PropertyException.class, () -> new ReadAheadDataSource<>(hidden, rows, true));
    }

    /** What was encoded ahead is for that iteration's rows. */
    @Test
    void anAbandonedIterationLeavesNoFeaturesBehind() throws IOException {
        for (String file : FILES.subList(0, 3)) {
            Files.copy(dir.resolve(file), dir.resolve("changing" + FILES.indexOf(file) + ".png"));
        }
        Path csv = csv("changing.csv", f -> "changing" + FILES.indexOf(f) % 3 + ".png");
        ImageFieldProcessor photo = photo(ImageEncoding.FILE, OnUnreadable.FAIL);
        RowProcessor<Label> rows = rows(photo);
        Iterator<Example<Label>> half =
                new ReadAheadDataSource<>(new CSVDataSource<>(csv, rows, true), rows, true).iterator();
        assertTrue(half.hasNext());
        half.next();
        for (int i = 0; i < 3; i++) {
            // Another image under the same name.
            Path other = dir.resolve(FILES.get(i + 3));
            Files.copy(other, dir.resolve("changing" + i + ".png"), StandardCopyOption.REPLACE_EXISTING);
            double[] now = photo.process("changing" + i + ".png").stream()
                    .mapToDouble(ColumnarFeature::getValue)
                    .toArray();
            double[] expected = EXPECTED.get(FILES.get(i + 3)).values().stream()
                    .mapToDouble(v -> v)
                    .toArray();
            assertArrayEquals(expected, now, 1e-5);
        }
    }

    @Test
    void columnsByPatternShareTheExtractorAndAreReadAheadToo() throws IOException {
        Path csv = Files.writeString(
                dir.resolve("pattern.csv"),
                "kind,front,back\nred,%s,%s\nblue,%s,%s\n"
                        .formatted(FILES.get(0), FILES.get(4), FILES.get(8), FILES.get(0)));
        RowProcessor<Label> rows = new RowProcessor.Builder<Label>()
                .addRegexMappingProcessor("front|back", photo(ImageEncoding.FILE, OnUnreadable.FAIL))
                .build(new FieldResponseProcessor<>("kind", "", Fixture.LABELS));
        CSVDataSource<Label> source = new CSVDataSource<>(csv, rows, true);
        RECORDER.batches.clear();
        List<Example<Label>> ahead = new ArrayList<>();
        new ReadAheadDataSource<>(source, rows, true).forEach(ahead::add);
        assertEquals(2, RECORDER.batches.size(), "one a column");
        int row = 0;
        for (Example<Label> plain : source) {
            Map<String, Double> values = values(plain);
            assertEquals(2 * Fixture.DIMENSION, values.size());
            Map<String, Double> other = values(ahead.get(row++));
            values.forEach((name, value) -> assertEquals(value, other.get(name), 1e-5));
        }
        EXPECTED.get(FILES.get(4))
                .forEach((name, value) ->
                        assertEquals(value, values(ahead.get(0)).get("back@" + name), 1e-5));
    }

    @Test
    void anUnreadableImageIsAnErrorOrSkippedOrZero() throws IOException {
        Files.writeString(dir.resolve("text.png"), "no image");
        Path csv = csv(
                "damaged.csv",
                f -> f.equals(FILES.get(4))
                        ? "gone.png"
                        : f.equals(FILES.get(6)) ? "text.png" : f.equals(FILES.get(7)) ? "" : f);
        RowProcessor<Label> failing = rows(photo(ImageEncoding.FILE, OnUnreadable.FAIL));
        CSVDataSource<Label> source = new CSVDataSource<>(csv, failing, true);
        for (ColumnarDataSource<Label> s : List.of(source, new ReadAheadDataSource<>(source, failing, true))) {
            Iterator<Example<Label>> examples = s.iterator();
            for (int i = 0; i < 4; i++) {
                examples.next();
            }
            UncheckedIOException e = assertThrows(UncheckedIOException.class, examples::next);
            assertEquals("column photo = gone.png: no such file", e.getMessage());
        }
        for (OnUnreadable policy : List.of(OnUnreadable.SKIP, OnUnreadable.ZERO)) {
            ImageFieldProcessor photo = photo(ImageEncoding.FILE, policy);
            RowProcessor<Label> rows = rows(photo);
            CSVDataSource<Label> plain = new CSVDataSource<>(csv, rows, true);
            for (ColumnarDataSource<Label> s : List.of(plain, new ReadAheadDataSource<>(plain, rows, true))) {
                List<Example<Label>> all = new ArrayList<>();
                s.forEach(all::add);
                assertEquals(9, all.size(), "rows keep their other features");
                int zeros = policy == OnUnreadable.ZERO ? Fixture.DIMENSION : 0;
                assertEquals(zeros + 5, all.get(4).size());
                assertEquals(0.0, values(all.get(4)).getOrDefault("photo@h00", 0.0));
                assertEquals(Fixture.DIMENSION + 5, all.get(5).size());
            }
            assertEquals(3, photo.skipped().size(), "each once: " + photo.skipped());
            assertEquals("no such file", photo.skipped().get("column photo = gone.png"));
            assertEquals("the cell is empty", photo.skipped().get("column photo = "));
            assertTrue(photo.skipped().get("column photo = text.png").contains("not an image"));
        }
    }

    @Test
    void whatIsNoImageIsSaidClearly() {
        Map<String, ImageEncoding> bad = Map.of(
                "https://example.org/a.png", ImageEncoding.FILE,
                "not base64!", ImageEncoding.BASE64,
                "0xzz", ImageEncoding.HEX,
                "data:image/png,abc", ImageEncoding.FILE,
                "photos", ImageEncoding.FILE);
        Map<String, String> expected = Map.of(
                "https://example.org/a.png", "the scheme https",
                "not base64!", "expected base64",
                "0xzz", "expected hexadecimal digits",
                "data:image/png,abc", "expected a data: URI in base64",
                "photos", "is a folder");
        bad.forEach((cell, encoding) -> {
            String message = assertThrows(
                            UncheckedIOException.class,
                            () -> photo(encoding, OnUnreadable.FAIL).process(cell))
                    .getMessage();
            assertTrue(message.contains(cell) && message.contains(expected.get(cell)), message);
        });
    }

    @Test
    void aFieldProcessorAsTribuoWantsIt() {
        ImageFieldProcessor photo = photo(ImageEncoding.FILE, OnUnreadable.FAIL);
        assertEquals("photo", photo.getFieldName());
        assertEquals(FieldProcessor.GeneratedFeatureType.REAL, photo.getFeatureType());
        assertEquals(1, photo.getNumNamespaces());
        ImageFieldProcessor copy = photo.copy("picture");
        assertEquals("picture", copy.getFieldName());
        List<String> names =
                copy.process(FILES.get(0)).stream().map(Feature::getName).toList();
        assertEquals(names.stream().sorted().toList(), names);
        assertEquals("picture@h00", names.get(0));
    }

    @Test
    void olcutBuildsItAndTheSavedModelNamesTheEncoder() throws IOException {
        Path csv = csv("olcut.csv", f -> f);
        Path xml = Files.writeString(dir.resolve("table.xml"), """
                <config>
                  <component name="labels" type="org.tribuo.classification.LabelFactory"/>
                  <component name="cache" type="io.github.simclr4j.tribuo.extraction.FeatureCache">
                    <property name="folder" value="%1$s/cache"/>
                  </component>
                  <component name="extractor" type="io.github.simclr4j.tribuo.extraction.SimCLRFeatureExtractor">
                    <property name="outputFactory" value="labels"/>
                    <property name="encoderPath" value="%1$s/encoder.onnx"/>
                    <property name="cache" value="cache"/>
                  </component>
                  <component name="photo" type="io.github.simclr4j.tribuo.source.ImageFieldProcessor">
                    <property name="fieldName" value="photo"/>
                    <property name="extractor" value="extractor"/>
                    <property name="folder" value="%1$s"/>
                    <property name="onUnreadable" value="ZERO"/>
                  </component>
                  <component name="price" type="org.tribuo.data.columnar.processors.field.DoubleFieldProcessor">
                    <property name="fieldName" value="price"/>
                  </component>
                  <component name="kind" type="org.tribuo.data.columnar.processors.response.FieldResponseProcessor">
                    <property name="fieldName" value="kind"/>
                    <property name="defaultValue" value=""/>
                    <property name="outputFactory" value="labels"/>
                  </component>
                  <component name="rows" type="org.tribuo.data.columnar.RowProcessor">
                    <property name="responseProcessor" value="kind"/>
                    <propertylist name="fieldProcessorList">
                      <item>photo</item>
                      <item>price</item>
                    </propertylist>
                  </component>
                  <component name="csv" type="org.tribuo.data.csv.CSVDataSource">
                    <property name="dataPath" value="%2$s"/>
                    <property name="rowProcessor" value="rows"/>
                    <property name="outputFactory" value="labels"/>
                  </component>
                  <component name="source" type="io.github.simclr4j.tribuo.source.ReadAheadDataSource">
                    <property name="source" value="csv"/>
                    <property name="rowProcessor" value="rows"/>
                    <property name="outputFactory" value="labels"/>
                    <property name="batchSize" value="4"/>
                  </component>
                </config>
                """.formatted(dir, csv));
        try (ConfigurationManager manager = new ConfigurationManager(xml.toString());
                SimCLRFeatureExtractor<?> own = (SimCLRFeatureExtractor<?>) manager.lookup("extractor")) {
            @SuppressWarnings("unchecked")
            ReadAheadDataSource<Label> source = (ReadAheadDataSource<Label>) manager.lookup("source");
            MutableDataset<Label> dataset = new MutableDataset<>(source);
            assertEquals(9, dataset.size());
            assertEquals(Fixture.DIMENSION + 1, dataset.getFeatureMap().size());
            Path file = dir.resolve("table.tribuo");
            new LogisticRegressionTrainer().train(dataset).serializeToFile(file);
            Model<?> loaded = Model.deserializeFromFile(file);
            String provenance = ProvenanceUtil.formattedProvenanceString(loaded.getProvenance());
            assertTrue(provenance.contains(own.encoder().sha256()), provenance);
            assertTrue(provenance.contains("ImageFieldProcessor"), provenance);
        }
    }
}
