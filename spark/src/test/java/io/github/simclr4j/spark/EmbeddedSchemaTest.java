// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.spark;

import static org.apache.spark.sql.functions.array;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.struct;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.attribute.Attribute;
import org.apache.spark.ml.attribute.NominalAttribute;
import org.apache.spark.ml.feature.StringIndexer;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.MetadataBuilder;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Columns, their types and their metadata before and after the transformer. */
@Tag("slow")
class EmbeddedSchemaTest {
    private static final String CASE = "spark.sql.caseSensitive";

    @TempDir
    static Path dir;

    private static Path encoder;
    private static Dataset<Row> files;

    @BeforeAll
    static void make() throws IOException {
        encoder = Samples.encoder(dir.resolve("encoder.onnx"), 1);
        files = Samples.files(Samples.images(dir.resolve("images"), 1), 1);
    }

    private static ImageEmbedder embedder() {
        return new ImageEmbedder().setEncoder(encoder.toString());
    }

    @Test
    void theSchemaIsTheAnnouncedOneWithTheMetadataOfAllColumns() {
        Metadata about = new MetadataBuilder().putString("unit", "byte").build();
        Dataset<Row> rows = files.select(
                col("path").as("path", about),
                col("content"),
                struct(col("length").as("inner", about), lit(1)).as("nested"),
                array(struct(col("length").as("inner", about))).as("list"),
                lit("x").as("never.null", about),
                lit(2).as("twice", about),
                lit(3).as("twice"));
        for (String policy : List.of("fail", "null")) {
            for (String type : List.of("array", "vector")) {
                ImageEmbedder embedder = embedder()
                        .setOutputType(type)
                        .setOnUnreadable(policy)
                        .setErrorCol("error")
                        .setOutputCol("a.b");
                Dataset<Row> embedded = embedder.transform(rows);
                StructType expected = embedder.transformSchema(rows.schema());
                StructField[] found = embedded.schema().fields().clone();
                int output = rows.schema().length();
                assertEquals("a.b", found[output].name());
                assertEquals(
                        embedder.encoderSha256(LocalSpark.SESSION),
                        found[output].metadata().getString(ImageEmbedder.ENCODER_SHA256));
                found[output] =
                        new StructField("a.b", found[output].dataType(), found[output].nullable(), Metadata.empty());
                assertEquals(expected, new StructType(found));
            }
        }
        Row row = embedder().setOutputCol("a.b").transform(rows).first();
        assertEquals(List.of("x", 2, 3), List.of(row.get(4), row.get(5), row.get(6)));
        assertEquals(1, row.getStruct(2).getInt(1));
        assertFalse(row.getList(7).isEmpty());
    }

    @Test
    void stagesBeforeItKeepTheirAttributes() {
        Dataset<Row> rows = files.withColumn("kind", lit("png"));
        Dataset<Row> result = new Pipeline()
                .setStages(new PipelineStage[] {
                    new StringIndexer().setInputCol("kind").setOutputCol("label"),
                    embedder().setOutputCol("first").setOutputType("vector"),
                    embedder().setOutputCol("second").setOutputType("vector")
                })
                .fit(rows)
                .transform(rows);
        Attribute label = Attribute.fromStructField(result.schema().apply("label"));
        assertEquals("png", ((NominalAttribute) label).values().get()[0]);
        for (String column : List.of("first", "second")) {
            Metadata about = result.schema().apply(column).metadata();
            assertEquals(embedder().encoderSha256(LocalSpark.SESSION), about.getString(ImageEmbedder.ENCODER_SHA256));
            assertTrue(about.getMetadata("ml_attr").getLong("num_attrs") > 1);
        }
        assertEquals(result.first().<Object>getAs("first"), result.first().<Object>getAs("second"));
    }

    private static void assertRefused(String message, ImageEmbedder wrong) {
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> wrong.transformSchema(files.schema()), message);
        assertTrue(e.getMessage().contains(message), e.getMessage());
        assertEquals(
                e.getMessage(),
                assertThrows(IllegalArgumentException.class, () -> wrong.transform(files))
                        .getMessage());
    }

    @Test
    void paramsThatCanNotWorkAreRefusedBeforeAnyTask() {
        assertRefused("Column h exists already", embedder().setOutputCol("h").setErrorCol("h"));
        assertRefused("batchSize must be from 0 to 65536, found -1", embedder().setBatchSize(-1));
        assertRefused("found 65537", embedder().setBatchSize(65_537));
        assertRefused("Unknown execution provider", embedder().setProvider("gpu"));
        assertRefused("must be name=value", embedder().setEncoderSettings(new String[] {"mean"}));
        assertRefused("Unknown setting size", embedder().setEncoderSettings(new String[] {"size=5"}));
        assertRefused("outputCol must be", embedder().setOutputCol(""));
    }

    @Test
    void aParamWithoutAValueIsRefused() {
        ImageEmbedder unset = new ImageEmbedder();
        assertRefused("encoder is not set: call setEncoder", unset);
        assertEquals(
                "encoder is not set: call setEncoder",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> unset.write().save(dir.resolve("unset").toString()))
                        .getMessage());
        assertThrows(IllegalArgumentException.class, () -> unset.encoderSha256(LocalSpark.SESSION));
        assertRefused("encoder is null: call setEncoder", embedder().setEncoder(null));
        assertRefused("errorCol is null: call setErrorCol", embedder().setErrorCol(null));
        assertRefused("inputCol is null: call setInputCol", embedder().setInputCol(null));
        assertRefused("nameCol is null: call setNameCol", embedder().setNameCol(null));
        assertRefused("provider is null: call setProvider", embedder().setProvider(null));
        for (String[] settings : new String[][] {null, {"mean=0.5", null}}) {
            assertRefused(
                    "encoderSettings is null: call setEncoderSettings",
                    embedder().setEncoderSettings(settings));
        }
    }

    @Test
    void namesThatDifferOnlyInCaseAreRefusedUnlessTheSessionTellsThemApart() {
        ImageEmbedder upper = embedder().setOutputCol("PATH");
        ImageEmbedder both = embedder().setOutputCol("h").setErrorCol("H");
        assertRefused("Column PATH differs only in case from path", upper);
        assertRefused("Column H differs only in case from h", both);
        SparkSession session = LocalSpark.SESSION;
        session.conf().set(CASE, "true");
        try {
            for (ImageEmbedder embedder : List.of(upper, both)) {
                assertEquals(
                        List.of(embedder.transformSchema(files.schema()).fieldNames()),
                        List.of(embedder.transform(files).columns()));
            }
        } finally {
            session.conf().unset(CASE);
        }
    }
}
