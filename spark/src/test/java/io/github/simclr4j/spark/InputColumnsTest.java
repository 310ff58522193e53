// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.spark;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.monotonically_increasing_id;
import static org.apache.spark.sql.functions.struct;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Names of columns in all the forms that Spark knows. */
@Tag("slow")
class InputColumnsTest {
    private static final String CASE = "spark.sql.caseSensitive";

    @TempDir
    static Path dir;

    private static Path encoder;
    /** An image and a damaged one, as the bytes of files with their paths. */
    private static Dataset<Row> files;
    /** The embeddings of the column {@code content}. */
    private static List<Object> expected;

    @BeforeAll
    static void make() throws IOException {
        encoder = Samples.encoder(dir.resolve("encoder.onnx"), 1);
        Path images = Samples.images(dir.resolve("images"), 1);
        Files.writeString(images.resolve("red/0.png"), "no image");
        files = Samples.files(images, 1)
                .select("path", "content")
                .orderBy("path")
                .cache();
        expected = features(embedder(), files);
    }

    private static ImageEmbedder embedder() {
        return new ImageEmbedder().setEncoder(encoder.toString()).setOnUnreadable("null");
    }

    private static List<Object> features(ImageEmbedder embedder, Dataset<Row> rows) {
        Dataset<Row> embedded = embedder.transform(rows);
        StructType announced = embedder.transformSchema(rows.schema());
        assertEquals(List.of(announced.fieldNames()), List.of(embedded.columns()));
        return embedded.collectAsList().stream()
                .map(row -> row.<Object>getAs("features"))
                .toList();
    }

    /** Returns the start of the error of the damaged image. */
    private static String named(ImageEmbedder embedder, Dataset<Row> rows) {
        Row damaged = embedder.setErrorCol("error")
                .transform(rows)
                .where("error is not null")
                .first();
        return damaged.<String>getAs("error").replaceFirst(": [^/]*$", "");
    }

    /** The columns of data sets that the library {@code datasets} has written as Parquet. */
    @Test
    void aFieldOfAStructureIsAnImageAndAnotherItsName() {
        Dataset<Row> rows =
                files.select(struct(col("content").as("bytes"), col("path")).as("image"), lit(7).as("label"));
        ImageEmbedder embedder = embedder().setInputCol("image.bytes").setNameCol("image.path");
        assertEquals(expected, features(embedder, rows));
        assertTrue(named(embedder, rows).endsWith("/red/0.png"), named(embedder, rows));
        Row first = embedder().setInputCol("image.bytes").transform(rows).first();
        assertEquals(3, first.size());
        assertEquals(7, first.<Integer>getAs("label"));
        ImageEmbedder paths = embedder().setInputCol("image.path");
        assertEquals(expected, features(paths, rows));
        assertTrue(named(paths, rows).endsWith("/red/0.png"), named(paths, rows));
    }

    @Test
    void theCaseOfNamesMattersOnlyIfTheSessionSaysSo() {
        ImageEmbedder upper = embedder().setInputCol("CONTENT").setNameCol("Path");
        assertEquals(expected, features(upper, files));
        assertTrue(named(upper.copy(new org.apache.spark.ml.param.ParamMap()), files)
                .endsWith("/red/0.png"));
        SparkSession session = LocalSpark.SESSION;
        session.conf().set(CASE, "true");
        try {
            assertRefused(upper, "inputCol must be the name of a column, found CONTENT: ");
            assertEquals("An image", named(embedder().setNameCol("Path"), files));
        } finally {
            session.conf().unset(CASE);
        }
    }

    @Test
    void backquotesEncloseNamesWithDots() {
        Dataset<Row> rows =
                files.select(col("content").as("my.images"), col("path").as("my.names"));
        ImageEmbedder quoted = embedder().setInputCol("`my.images`").setNameCol("`my.names`");
        assertEquals(expected, features(quoted, rows));
        assertTrue(named(quoted, rows).endsWith("/red/0.png"));
        assertEquals(expected, features(embedder().setInputCol("`content`"), files));
        ImageEmbedder bare = embedder().setInputCol("my.images");
        assertThrows(IllegalArgumentException.class, () -> bare.transform(rows));
        assertThrows(IllegalArgumentException.class, () -> bare.transformSchema(rows.schema()));
    }

    private static void assertRefused(ImageEmbedder wrong, String message) {
        for (String found : Stream.of(
                        assertThrows(IllegalArgumentException.class, () -> wrong.transform(files)),
                        assertThrows(IllegalArgumentException.class, () -> wrong.transformSchema(files.schema())))
                .map(Exception::getMessage)
                .toList()) {
            assertTrue(found.startsWith(message), found);
            assertEquals(1, found.lines().count(), found);
        }
    }

    @Test
    void aMissingColumnAndAllColumnsAreRefused() {
        assertRefused(embedder().setInputCol("nowhere"), "inputCol must be the name of a column, found nowhere: ");
        assertRefused(embedder().setInputCol("content.bytes"), "inputCol must be the name of a column");
        assertRefused(embedder().setInputCol("a`b"), "inputCol must be the name of a column, found a`b: ");
        assertRefused(embedder().setInputCol("*"), "inputCol must be the name of one column, found *");
    }

    @Test
    void aNameMayBeAnyColumnAndIsOptional() {
        Dataset<Row> numbered = files.withColumn("id", monotonically_increasing_id());
        assertEquals("1", named(embedder().setNameCol("id"), numbered));
        assertEquals("An image", named(embedder().setNameCol("nowhere"), files));
        assertEquals("An image", named(embedder().setNameCol("content"), files));
    }

    /** As after a join. */
    @Test
    void ofTwoColumnsWithTheDefaultNameTheFirstNamesAnImage() {
        Dataset<Row> rows =
                files.select(col("path"), col("content"), lit("other").as("Path"));
        assertTrue(named(embedder(), rows).endsWith("/red/0.png"));
    }

    @Test
    void pathsWithACollationAreRead() {
        assumeFalse(LocalSpark.SESSION.version().startsWith("3."), "skipped: Spark 3 has no collations");
        Dataset<Row> rows = files.selectExpr("path collate UTF8_LCASE as path");
        ImageEmbedder embedder = embedder().setInputCol("path");
        assertEquals(expected, features(embedder, rows));
        assertEquals(
                rows.schema().apply("path").dataType(),
                embedder.transform(rows).schema().apply("path").dataType());
    }
}
