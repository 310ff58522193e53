// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.spark;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.when;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.oracle.labs.mlrg.olcut.provenance.ProvenanceUtil;
import com.oracle.labs.mlrg.olcut.provenance.io.ObjectMarshalledProvenance;
import io.github.simclr4j.images.Images;
import io.github.simclr4j.tribuo.extraction.SimCLRFeatureExtractor;
import io.github.simclr4j.util.Sha256;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.Example;
import org.tribuo.Model;
import org.tribuo.MutableDataset;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;
import org.tribuo.classification.sgd.linear.LogisticRegressionTrainer;

/** Spark's rows as Tribuo's examples. */
@Tag("slow")
class DatasetDataSourceTest {
    @TempDir
    static Path dir;

    private static Path encoder;
    private static Path images;
    private static Dataset<Row> files;

    @BeforeAll
    static void make() throws IOException {
        images = Samples.images(dir.resolve("images"), 10);
        encoder = Samples.encoder(dir.resolve("encoder.onnx"), 1);
        files = Samples.files(images, 3)
                .withColumn("colour", when(col("path").contains("/red/"), "red").otherwise("blue"));
    }

    private static DatasetDataSource<Label> source(String type) {
        Dataset<Row> rows = new ImageEmbedder()
                .setEncoder(encoder.toString())
                .setOutputType(type)
                .transform(files);
        return new DatasetDataSource<>(rows, "features", "colour", new LabelFactory());
    }

    /** A model of a cluster's features predicts what an extractor of the same encoder makes of a file. */
    @Test
    void aModelOfItsExamplesFitsTheExtractorsFeatures() throws IOException {
        Model<Label> model = new LogisticRegressionTrainer().train(new MutableDataset<>(source("array")));
        LabelFactory labels = new LabelFactory();
        try (SimCLRFeatureExtractor<Label> extractor = new SimCLRFeatureExtractor<>(labels, encoder, 1)) {
            for (Path file : Images.find(images)) {
                String colour = file.getParent().getFileName().toString();
                assertEquals(
                        colour,
                        model.predict(extractor.extract(file)).getOutput().getLabel());
            }
        }
    }

    @Test
    void arraysAndVectorsGiveTheSameExamplesWithTheirNames() {
        MutableDataset<Label> arrays = new MutableDataset<>(source("array"));
        MutableDataset<Label> vectors = new MutableDataset<>(source("vector"));
        assertEquals(20, arrays.size());
        for (int i = 0; i < 20; i++) {
            assertEquals(arrays.getExample(i).getOutput(), vectors.getExample(i).getOutput());
            assertEquals(
                    arrays.getExample(i).lookup("h00"), vectors.getExample(i).lookup("h00"));
            String name =
                    (String) arrays.getExample(i).getMetadataValue(Example.NAME).orElseThrow();
            assertTrue(name.contains("/" + arrays.getExample(i).getOutput().getLabel() + "/"), name);
        }
    }

    @Test
    void theFirstOfTwoColumnsOfPathsGivesTheNames() {
        Dataset<Row> rows = new ImageEmbedder()
                .setEncoder(encoder.toString())
                .transform(files)
                .select("path", "features", "colour");
        Dataset<Row> joined = rows.crossJoin(files.limit(1).select("path"));
        assertEquals(List.of("path", "features", "colour", "path"), List.of(joined.columns()));
        Set<Object> names = new HashSet<>();
        new MutableDataset<>(new DatasetDataSource<>(joined, "features", "colour", new LabelFactory()))
                .forEach(e -> names.add(e.getMetadataValue(Example.NAME).orElseThrow()));
        assertEquals(20, names.size());
    }

    @Test
    void theProvenanceNamesTheEncoderAndComesBack() throws IOException {
        DatasetDataSource<Label> source = source("array");
        assertFalse(
                source.getProvenance().toString().contains("Lambda$"),
                "the plan of a dataset is the same in every process");
        List<ObjectMarshalledProvenance> marshalled = ProvenanceUtil.marshalProvenance(source.getProvenance());
        assertEquals(source.getProvenance(), ProvenanceUtil.unmarshalProvenance(marshalled));
        String text = source.getProvenance().toString();
        assertTrue(text.contains(Sha256.hex(Files.readAllBytes(encoder))), text);
        assertTrue(
                text.contains("features-column=features")
                        && text.contains(files.sparkSession().version()),
                text);
    }

    @Test
    void aRowWithoutAnEmbeddingIsNamed() throws IOException {
        Path bad = Samples.images(dir.resolve("bad"), 1);
        Files.writeString(bad.resolve("red/0.png"), "no image");
        Dataset<Row> rows = new ImageEmbedder()
                .setEncoder(encoder.toString())
                .setOnUnreadable("null")
                .transform(Samples.files(bad, 1).withColumn("colour", col("path")));
        DatasetDataSource<Label> source = new DatasetDataSource<>(rows, "features", "colour", new LabelFactory());
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> source.forEach(x -> {}));
        assertTrue(e.getMessage().contains("red/0.png has no features: remove such rows"), e.getMessage());
        assertThrows(
                IllegalArgumentException.class,
                () -> new DatasetDataSource<>(rows, "nowhere", "colour", new LabelFactory()));
        DatasetDataSource<Label> text =
                new DatasetDataSource<>(rows.drop("features"), "path", "colour", new LabelFactory());
        assertTrue(assertThrows(
                        IllegalArgumentException.class, () -> text.iterator().next())
                .getMessage()
                .contains("array of numbers"));
    }

    @Test
    void aNullAmongTheValuesIsNamedByItsRowAndColumn() {
        Dataset<Row> rows = LocalSpark.SESSION.sql("select 'a.png' as path, array(1D, null, 3D) as h, 'red' as colour");
        DatasetDataSource<Label> source = new DatasetDataSource<>(rows, "h", "colour", new LabelFactory());
        IllegalArgumentException e = assertThrows(
                IllegalArgumentException.class, () -> source.iterator().next());
        assertEquals("a.png has a null in h, at index 1 of 3: remove such rows", e.getMessage());
        Dataset<Row> texts = LocalSpark.SESSION.sql("select array('1', '2') as h, 'red' as colour");
        DatasetDataSource<Label> text = new DatasetDataSource<>(texts, "h", "colour", new LabelFactory());
        IllegalArgumentException unsuitable = assertThrows(
                IllegalArgumentException.class, () -> text.iterator().next());
        assertTrue(unsuitable.getMessage().contains("array of numbers"), unsuitable.getMessage());
    }

    /** Two encoders, say; their features have nothing in common but their numbers. */
    @Test
    void rowsOfDifferentLengthsAreRefused() {
        Dataset<Row> rows = LocalSpark.SESSION.sql("select 'a.png' as path, array(1D, 2D) as h, 'red' as colour"
                + " union all select 'b.png', array(1D, 2D, 3D), 'blue'");
        DatasetDataSource<Label> source = new DatasetDataSource<>(rows, "h", "colour", new LabelFactory());
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> source.forEach(x -> {}));
        assertEquals("b.png has 3 values in h, and the first row 2: all rows must be from one encoder", e.getMessage());
    }

    @Test
    void columnsAreFoundAsElsewhereInSpark() {
        Dataset<Row> rows =
                LocalSpark.SESSION.sql("select struct(array(1D, 2D) as h, 'red' as colour) as s, 'a' as `my.label`");
        for (String label : List.of("s.colour", "S.COLOUR", "`my.label`")) {
            DatasetDataSource<Label> source = new DatasetDataSource<>(rows, "s.H", label, new LabelFactory());
            Example<Label> example = source.iterator().next();
            assertEquals(2, example.size());
            assertEquals(label.contains("my") ? "a" : "red", example.getOutput().getLabel());
        }
        IllegalArgumentException e = assertThrows(
                IllegalArgumentException.class,
                () -> new DatasetDataSource<>(rows, "s.h", "nowhere", new LabelFactory()));
        assertTrue(e.getMessage().startsWith("outputCol must be the name of a column, found nowhere"), e.getMessage());
    }
}
