// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.spark;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.input_file_name;
import static org.apache.spark.sql.functions.lit;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.images.Images;
import io.github.simclr4j.onnx.runtime.EncoderSettings;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import io.github.simclr4j.util.Sha256;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.classification.LogisticRegression;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The transformer on two task threads: values, failures, params, saving. */
@Tag("slow")
class ImageEmbedderTest {
    private static final int EACH = 20;

    @TempDir
    static Path dir;

    private static Path encoder;
    private static Path images;
    private static Path damaged;
    private static Map<String, float[]> expected;

    @BeforeAll
    static void make() throws IOException {
        images = Samples.images(dir.resolve("images"), EACH);
        damaged = Samples.images(dir.resolve("damaged"), 4);
        byte[] whole = Files.readAllBytes(damaged.resolve("red/1.png"));
        Files.write(damaged.resolve("red/1.png"), java.util.Arrays.copyOf(whole, whole.length / 2));
        encoder = Samples.encoder(dir.resolve("encoder.onnx"), 1);
        expected = Samples.expected(encoder, images);
    }

    private static ImageEmbedder embedder() {
        return new ImageEmbedder().setEncoder(encoder.toString());
    }

    private static float[] floats(Row row, String column) {
        List<Float> values = row.getList(row.fieldIndex(column));
        float[] floats = new float[values.size()];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = values.get(i);
        }
        return floats;
    }

    private static String path(Row row) {
        return java.net.URI.create(row.<String>getAs("path")).getPath();
    }

    private static void assertEmbedded(List<Row> rows) {
        assertEquals(2 * EACH, rows.size());
        for (Row row : rows) {
            assertArrayEquals(expected.get(path(row)), floats(row, "features"), path(row));
        }
        assertEquals(
                2 * EACH, rows.stream().map(ImageEmbedderTest::path).distinct().count());
    }

    /** An encoder that no other test has, and two jobs of eight partitions each. */
    @Test
    void valuesAreOneSessionsToTheBitWhichAllPartitionsShare() throws IOException {
        Path other = Samples.encoder(dir.resolve("other.onnx"), 7);
        Map<String, float[]> values = Samples.expected(other, images);
        long before = EncoderSessions.opened();
        Dataset<Row> embedded = embedder().setEncoder(other.toUri().toString()).transform(Samples.files(images, 8));
        assertEquals(8, embedded.rdd().getNumPartitions());
        for (int job = 0; job < 2; job++) {
            List<Row> rows = embedded.collectAsList();
            assertEquals(2 * EACH, rows.size());
            rows.forEach(row -> assertArrayEquals(values.get(path(row)), floats(row, "features")));
        }
        assertEquals(1, EncoderSessions.opened() - before);
        assertEquals(
                Sha256.hex(Files.readAllBytes(other)),
                embedded.schema().apply("features").metadata().getString(ImageEmbedder.ENCODER_SHA256));
    }

    @Test
    void pathsOfAnyHadoopFileSystemAreReadAsWell() {
        Dataset<Row> paths = Samples.files(images, 3).select("path");
        assertTrue(paths.first().getString(0).startsWith("file:"));
        assertEmbedded(embedder().setInputCol("path").transform(paths).collectAsList());
        Dataset<Row> missing = LocalSpark.SESSION
                .createDataset(
                        List.of("file:/no/such.png", "nowhere://x/y.png", ":", images.toString()), Encoders.STRING())
                .toDF("path");
        List<Row> rows = embedder()
                .setInputCol("path")
                .setErrorCol("error")
                .setOnUnreadable("null")
                .transform(missing)
                .collectAsList();
        assertTrue(rows.get(0).<String>getAs("error").contains("/no/such.png does not exist"), rows.toString());
        assertTrue(rows.get(1).<String>getAs("error").contains("nowhere"), rows.toString());
        assertTrue(rows.get(2).<String>getAs("error").startsWith(":: not a valid path"), rows.toString());
        assertTrue(rows.get(3).<String>getAs("error").contains("directory"), rows.toString());
    }

    /** A sparse file, which takes no room on the disk; its bytes would not fit into the heap of some executors. */
    @Test
    void aFileThatIsTooLargeForAnImageIsNotRead() throws IOException {
        Path large = dir.resolve("large.png");
        try (RandomAccessFile file = new RandomAccessFile(large.toFile(), "rw")) {
            file.setLength((256L << 20) + 1);
        }
        Dataset<Row> paths = LocalSpark.SESSION
                .createDataset(List.of(large.toString()), Encoders.STRING())
                .toDF("path");
        Row row = embedder()
                .setInputCol("path")
                .setErrorCol("error")
                .setOnUnreadable("null")
                .transform(paths)
                .first();
        assertEquals(
                large + ": too large for an image file: 268435457 bytes, at most 268435456",
                row.<String>getAs("error"));
        Files.delete(large);
    }

    @Test
    void aRowsOtherColumnsAndOrderStay() {
        Dataset<Row> rows =
                Samples.files(images, 1).withColumn("number", lit(3)).cache();
        Dataset<Row> embedded = embedder().transform(rows);
        assertEquals(rows.columns().length + 1, embedded.columns().length);
        assertEquals(
                rows.select("path", "number", "length").collectAsList(),
                embedded.select("path", "number", "length").collectAsList());
        assertEquals(3, embedded.limit(3).collectAsList().size());
        assertEquals(2 * EACH, embedded.count());
        rows.unpersist();
    }

    /** After the transformer it is that of a row which was read ahead. */
    @Test
    void sparksNameOfTheFileIsRightIfItIsEvaluatedBefore() {
        Dataset<Row> rows = LocalSpark.SESSION
                .read()
                .format("binaryFile")
                .option("recursiveFileLookup", "true")
                .load(images.toString())
                .withColumn("file", input_file_name());
        List<Row> embedded = embedder().setBatchSize(4).transform(rows).collectAsList();
        assertEmbedded(embedded);
        for (Row row : embedded) {
            assertEquals(
                    path(row), java.net.URI.create(row.<String>getAs("file")).getPath());
        }
    }

    @Test
    void aDamagedImageFailsIsNullOrIsDropped() {
        Dataset<Row> files = Samples.files(damaged, 2);
        Exception failure =
                assertThrows(Exception.class, () -> embedder().transform(files).collectAsList());
        assertTrue(failure.toString().contains("red/1.png: "), failure.toString());
        assertTrue(failure.toString().contains("setOnUnreadable"), failure.toString());

        List<Row> rows = embedder()
                .setOnUnreadable("null")
                .setErrorCol("why")
                .transform(files)
                .collectAsList();
        assertEquals(8, rows.size());
        for (Row row : rows) {
            boolean bad = path(row).endsWith("red/1.png");
            assertEquals(bad, row.isNullAt(row.fieldIndex("features")));
            assertEquals(bad, !row.isNullAt(row.fieldIndex("why")));
        }
        List<Row> kept = embedder().setOnUnreadable("drop").transform(files).collectAsList();
        assertEquals(7, kept.size());
        assertTrue(kept.stream().noneMatch(row -> path(row).endsWith("red/1.png")));

        Dataset<Row> nothing =
                files.select(col("path"), lit(null).cast("binary").as("content"));
        assertEquals(0, embedder().setOnUnreadable("drop").transform(nothing).count());
        assertEquals(
                "the image column is null",
                embedder()
                        .setOnUnreadable("null")
                        .setErrorCol("why")
                        .transform(nothing.limit(1))
                        .first()
                        .<String>getAs("why")
                        .replaceAll(".*: ", ""));
    }

    @Test
    void theSchemaIsCheckedBeforeAnythingIsRead() {
        StructType schema = Samples.files(images, 1).schema();
        ImageEmbedder vectors =
                embedder().setOutputType("vector").setErrorCol("error").setEncoder("not/read/yet.onnx");
        assertEquals(
                SQLDataTypes.VectorType(),
                vectors.transformSchema(schema).apply("features").dataType());
        assertEquals(
                DataTypes.StringType,
                vectors.transformSchema(schema).apply("error").dataType());
        assertEquals(
                "array<float>",
                embedder().transformSchema(schema).apply("features").dataType().simpleString());
        for (ImageEmbedder wrong : List.of(
                embedder().setInputCol("nowhere"),
                embedder().setInputCol("length"),
                embedder().setOutputCol("path"),
                embedder().setErrorCol("path"),
                embedder().setOnUnreadable("skip"),
                embedder().setOutputType("list"))) {
            assertThrows(IllegalArgumentException.class, () -> wrong.transformSchema(schema));
        }
        UncheckedIOException missing =
                assertThrows(UncheckedIOException.class, () -> vectors.transform(Samples.files(images, 1)));
        assertTrue(missing.getMessage().contains("not/read/yet.onnx: no such file"), missing.getMessage());
        UncheckedIOException text = assertThrows(
                UncheckedIOException.class,
                () -> embedder()
                        .setEncoder(images.resolve("red/0.png").toString())
                        .transform(Samples.files(images, 1)));
        assertTrue(text.getMessage().contains("red/0.png"), text.getMessage());
    }

    @Test
    void aCopyHasTheParamsAndThoseThatAreGivenWithIt() {
        ImageEmbedder embedder = embedder().setOutputCol("h").setBatchSize(5);
        ImageEmbedder copy = embedder.copy(new ParamMap().put(embedder.outputCol(), "z"));
        assertEquals("z", copy.getOutputCol());
        assertEquals(5, copy.getBatchSize());
        assertEquals(embedder.uid(), copy.uid());
        assertEquals(10, embedder.params().length);
        assertTrue(
                embedder.explainParams()
                        .contains("onUnreadable: what to do with an unreadable image: fail, null or drop"),
                embedder.explainParams());
    }

    /** What a foreign encoder's file does not say is beside it, or given, and goes with it. */
    @Test
    void aForeignEncodersSettingsTravelWithIt() throws IOException {
        Path foreign = Path.of(
                System.getProperty("simclr.root", ".."),
                "onnx/src/test/resources/io/github/simclr4j/onnx/foreign/mobilenet-v2.onnx");
        Path copy = Files.copy(
                foreign, Files.createDirectories(dir.resolve("foreign")).resolve("model.onnx"));
        Files.writeString(copy.resolveSibling("preprocessor_config.json"), "{\"mean\": [0.1, 0.2, 0.3], \"std\": 0.5}");
        float[] values;
        try (OnnxEncoder session = OnnxEncoder.open(copy, 1)) {
            values = session.embed(List.of(Images.read(images.resolve("red/0.png"))))[0];
        }
        Dataset<Row> one = Samples.files(images, 1).where(col("path").endsWith("red/0.png"));
        ImageEmbedder embedder = new ImageEmbedder().setEncoder(copy.toString());
        assertArrayEquals(values, floats(embedder.transform(one).first(), "features"));
        Path saved = dir.resolve("foreign-stage");
        embedder.write().save(saved.toString());
        Files.delete(copy);
        Files.delete(copy.resolveSibling("preprocessor_config.json"));
        assertArrayEquals(
                values,
                floats(ImageEmbedder.load(saved.toString()).transform(one).first(), "features"));
        ImageEmbedder given = new ImageEmbedder()
                .setEncoder(foreign.toString())
                .setEncoderSettings(new String[] {"mean=0.1,0.2,0.3", "std=0.5"});
        assertArrayEquals(values, floats(given.transform(one).first(), "features"));
    }

    @Test
    void severalOutputsOfAnEncoderAreConcatenatedAlsoBySavedStages() throws Exception {
        Path vit = Path.of(
                System.getProperty("simclr.root", ".."),
                "onnx/src/test/resources/io/github/simclr4j/onnx/foreign/vit-tokens.onnx");
        Map<String, String> settings = Map.of(
                "mean", "0.5", "std", "0.5", "output", "pooler_output,last_hidden_state", "pooling", "class+mean");
        float[] values;
        try (OnnxEncoder session =
                OnnxEncoder.open(vit, EncoderSettings.of(settings, "test"), RuntimeSettings.DEFAULT.withThreads(1))) {
            values = session.embed(List.of(Images.read(images.resolve("red/0.png"))))[0];
        }
        assertEquals(48, values.length);
        Dataset<Row> one = Samples.files(images, 1).where(col("path").endsWith("red/0.png"));
        ImageEmbedder embedder = new ImageEmbedder()
                .setEncoder(vit.toString())
                .setEncoderSettings(settings.entrySet().stream()
                        .map(e -> e.getKey() + "=" + e.getValue())
                        .toArray(String[]::new));
        assertArrayEquals(values, floats(embedder.transform(one).first(), "features"));
        Path saved = dir.resolve("several-stage");
        embedder.write().save(saved.toString());
        assertArrayEquals(
                values,
                floats(ImageEmbedder.load(saved.toString()).transform(one).first(), "features"));
    }

    /** Embedder and logistic regression, saved; the encoder's file is deleted, and another process runs what was saved. */
    @Test
    void aSavedPipelineRunsInAFreshProcessWithoutTheEncodersFile() throws Exception {
        Path gone = Samples.encoder(dir.resolve("gone.onnx"), 3);
        Dataset<Row> labelled = Samples.files(images, 4)
                .withColumn("label", col("path").contains("/red/").cast("double"));
        Pipeline pipeline = new Pipeline().setStages(new PipelineStage[] {
            new ImageEmbedder().setEncoder(gone.toString()).setOutputType("vector"),
            new LogisticRegression().setMaxIter(10)
        });
        PipelineModel model = pipeline.fit(labelled);
        Dataset<Row> predicted = model.transform(labelled);
        assertEquals(2 * EACH, predicted.where("prediction = label").count());
        assertEquals(2L * EACH, predicted.count());
        Path saved = dir.resolve("pipeline");
        model.write().save(saved.toString());
        model.write().overwrite().save(saved.toString());
        List<String> lines = FreshJvm.lines(predicted, "path,prediction,features");
        assertTrue(predicted.first().<Vector>getAs("features").size() > 1);
        Files.delete(gone);

        assertEquals(lines, FreshJvm.run(List.of(), saved, images, "path,prediction,features"));

        // Loaded and saved over itself: the encoder is in memory by then.
        ImageEmbedder stage =
                (ImageEmbedder) PipelineModel.load(saved.toString()).stages()[0];
        Path again = dir.resolve("again");
        stage.write().save(again.toString());
        ImageEmbedder loaded = ImageEmbedder.load(again.toString());
        loaded.write().overwrite().save(again.toString());
        assertEquals(
                stage.encoderSha256(LocalSpark.SESSION),
                ImageEmbedder.load(again.toString()).encoderSha256(LocalSpark.SESSION));
        Path model2 = again.resolve("encoder/encoder.onnx");
        Files.deleteIfExists(again.resolve("encoder/.encoder.onnx.crc"));
        Samples.encoder(model2, 4);
        UncheckedIOException changed =
                assertThrows(UncheckedIOException.class, () -> ImageEmbedder.load(again.toString()));
        assertTrue(changed.getMessage().contains("is not the encoder that was saved"), changed.getMessage());
    }

    /** Spark's own API changes params without the setters. */
    @Test
    void settingsThatSparkChangesAreUsed() throws IOException {
        Path foreign = Path.of(
                System.getProperty("simclr.root", ".."),
                "onnx/src/test/resources/io/github/simclr4j/onnx/foreign/mobilenet-v2.onnx");
        String[] bright = {"mean=0.1,0.2,0.3", "std=0.5"};
        String[] dark = {"mean=0.6,0.5,0.4", "std=0.25"};
        Dataset<Row> one = Samples.files(images, 1).where(col("path").endsWith("red/0.png"));
        float[][] values = new float[2][];
        for (int i = 0; i < 2; i++) {
            Map<String, String> settings =
                    Map.of("mean", i == 0 ? "0.1,0.2,0.3" : "0.6,0.5,0.4", "std", i == 0 ? "0.5" : "0.25");
            try (OnnxEncoder session = OnnxEncoder.open(
                    foreign, EncoderSettings.of(settings, "test"), RuntimeSettings.DEFAULT.withThreads(1))) {
                values[i] = session.embed(List.of(Images.read(images.resolve("red/0.png"))))[0];
            }
        }
        ImageEmbedder embedder =
                new ImageEmbedder().setEncoder(foreign.toString()).setEncoderSettings(bright);
        assertArrayEquals(values[0], floats(embedder.transform(one).first(), "features"));
        embedder.set(embedder.encoderSettings(), dark);
        assertArrayEquals(values[1], floats(embedder.transform(one).first(), "features"));
        ImageEmbedder copy = embedder.copy(new ParamMap().put(embedder.encoderSettings(), bright));
        assertArrayEquals(values[0], floats(copy.transform(one).first(), "features"));
        Path saved = dir.resolve("changed-stage");
        embedder.write().save(saved.toString());
        ImageEmbedder loaded = ImageEmbedder.load(saved.toString());
        loaded.set(loaded.encoderSettings(), bright);
        assertArrayEquals(values[0], floats(loaded.transform(one).first(), "features"));
        embedder.clear(embedder.encoderSettings());
        embedder.set(embedder.encoder(), encoder.toString());
        assertArrayEquals(
                expected.get(images.resolve("red/0.png").toUri().getPath()),
                floats(embedder.transform(one).first(), "features"));
    }

    /** The iterator of the rows fails for lack of a configuration of the file systems, and so may it for lack of memory. */
    @Test
    void aTaskThatCannotBeginGivesItsSessionBack() throws IOException {
        EncoderFile read = EncoderFile.read(
                new org.apache.hadoop.fs.Path(encoder.toString()),
                Map.of(),
                LocalSpark.SESSION.sparkContext().hadoopConfiguration());
        EncoderFile.Header header = read.header();
        byte[] bytes = read.bytes();
        Plan plan = new Plan(4, 0, false, -1, false, false, Plan.FAIL, "cpu", 0);
        Dataset<Row> rows = Samples.files(images, 1);
        assertEquals(0, EncoderSessions.users());
        assertThrows(
                Exception.class,
                () -> rows.mapPartitions(
                                (MapPartitionsFunction<Row, Row>)
                                        part -> EmbeddingTask.embed(part, plan, new EncoderFile(header, bytes), null),
                                Encoders.row(rows.schema()))
                        .collectAsList());
        assertEquals(0, EncoderSessions.users());
    }

    @Test
    void aSessionStaysForTheNextJobAndGoesWhenAnotherIsOpened() throws IOException {
        Dataset<Row> few = Samples.files(damaged, 1).where(col("path").endsWith("blue/0.png"));
        ImageEmbedder first = embedder()
                .setEncoder(Samples.encoder(dir.resolve("first.onnx"), 11).toString());
        ImageEmbedder second = embedder()
                .setEncoder(Samples.encoder(dir.resolve("second.onnx"), 12).toString());
        long before = EncoderSessions.opened();
        first.transform(few).collectAsList();
        first.transform(few).collectAsList();
        assertEquals(1, EncoderSessions.opened() - before);
        second.transform(few).collectAsList();
        first.transform(few).collectAsList();
        assertEquals(3, EncoderSessions.opened() - before);
        assertFalse(few.isEmpty());
    }
}
