// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where encoders are read from and written to. */
@Tag("slow")
class SavedEmbedderTest {
    @TempDir
    private Path dir;

    private static String hash(ImageEmbedder embedder) {
        return embedder.encoderSha256(LocalSpark.SESSION);
    }

    /** The file must be read before Spark deletes the folder that is overwritten. */
    @Test
    void overwritingKeepsTheSavedStageIfTheEncoderIsMissingAndMayReadTheEncoderInIt() throws IOException {
        Path encoder = Samples.encoder(dir.resolve("encoder.onnx"), 1);
        ImageEmbedder first = new ImageEmbedder().setEncoder(encoder.toString());
        String saved = dir.resolve("stage").toString();
        first.write().save(saved);
        ImageEmbedder missing =
                new ImageEmbedder().setEncoder(dir.resolve("missing.onnx").toString());
        UncheckedIOException e = assertThrows(
                UncheckedIOException.class, () -> missing.write().overwrite().save(saved));
        assertTrue(e.getMessage().contains("missing.onnx: no such file"), e.getMessage());
        assertEquals(hash(first), hash(ImageEmbedder.load(saved)));

        ImageEmbedder inside =
                new ImageEmbedder().setEncoder(saved + "/encoder/encoder.onnx").setOutputCol("h");
        inside.write().overwrite().save(saved);
        ImageEmbedder loaded = ImageEmbedder.load(saved);
        assertEquals(hash(first), hash(loaded));
        assertEquals("h", loaded.getOutputCol());
    }

    /** Local files under another scheme. */
    public static final class Shelf extends RawLocalFileSystem {
        @Override
        public URI getUri() {
            return URI.create("shelf:///");
        }

        @Override
        public String getScheme() {
            return "shelf";
        }
    }

    @Test
    void fileSystemsThatAreSetForASessionAreUsed() throws IOException {
        Path images = Samples.images(dir.resolve("images"), 1);
        Path encoder = Samples.encoder(dir.resolve("encoder.onnx"), 1);
        SparkSession session = LocalSpark.SESSION.newSession();
        session.conf().set("fs.shelf.impl", Shelf.class.getName());
        Dataset<Row> paths = session.createDataset(List.of("shelf:" + images.resolve("red/0.png")), Encoders.STRING())
                .toDF("path");
        ImageEmbedder embedder =
                new ImageEmbedder().setEncoder("shelf:" + encoder).setInputCol("path");
        Row row = embedder.transform(paths).first();
        assertEquals(
                Samples.expected(encoder, images)
                        .get(images.resolve("red/0.png").toUri().getPath())
                        .length,
                row.getList(1).size());
        Path saved = dir.resolve("stage");
        new ImageEmbedder()
                .setEncoder("shelf:" + encoder)
                .write()
                .session(session)
                .save(saved.toString());
        assertEquals(
                hash(new ImageEmbedder().setEncoder(encoder.toString())), hash(ImageEmbedder.load(saved.toString())));
        assertTrue(Files.exists(saved.resolve("encoder/encoder.onnx")));
    }
}
