// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.onnx.runtime.EncoderSettings;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a task holds while it embeds. */
class EmbeddedRowsTest {
    @TempDir
    private Path dir;

    private static long workers() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.isAlive() && thread.getName().equals("simclr-decode"))
                .count();
    }

    @Test
    void theEndOfTheRowsFreesTheWorkersAndTheEncoder() throws Exception {
        Path images = Samples.images(dir.resolve("images"), 1);
        Path encoder = Samples.encoder(dir.resolve("encoder.onnx"), 21);
        EncoderFile file =
                EncoderFile.read(new org.apache.hadoop.fs.Path(encoder.toString()), Map.of(), new Configuration());
        Row image = RowFactory.create(Files.readAllBytes(images.resolve("red/0.png")));
        Plan plan = new Plan(1, 0, false, -1, false, false, Plan.FAIL, "cpu", 0);
        int before = EncoderSessions.users();
        EncoderSessions.Lease lease = EncoderSessions.lease(file, RuntimeSettings.DEFAULT.withThreads(1));
        EmbeddedRows rows = new EmbeddedRows(List.of(image, image).iterator(), plan, lease, 1, new Configuration());
        assertEquals(2, rows.next().size());
        assertEquals(before + 1, EncoderSessions.users());
        rows.next();
        assertFalse(rows.hasNext());
        assertEquals(before, EncoderSessions.users());
        for (int i = 0; i < 1000 && workers() > 0; i++) {
            Thread.sleep(10);
        }
        assertEquals(0, workers());
        assertFalse(rows.hasNext());
        assertThrows(NoSuchElementException.class, rows::next);
        rows.close();
        assertEquals(before, EncoderSessions.users());
    }

    /** One task runs all partitions after coalesce(), one after the other. */
    @Test
    @Tag("slow")
    void aTaskOfSeveralPartitionsHoldsOnlyTheOneThatItRuns() throws IOException {
        Path images = Samples.images(dir.resolve("images"), 4);
        ImageEmbedder embedder = new ImageEmbedder()
                .setEncoder(Samples.encoder(dir.resolve("encoder.onnx"), 1).toString());
        List<Integer> users = embedder.transform(Samples.files(images, 8))
                .coalesce(1)
                .map((MapFunction<Row, Integer>) row -> EncoderSessions.users(), Encoders.INT())
                .collectAsList();
        assertEquals(8, users.size());
        assertTrue(Collections.max(users) <= 1, users.toString());
    }

    /** The batch of {@code embed} for each kind of device; the sizes for GPUs are those of the encoder itself. */
    @Test
    void aCpuGetsSmallBatchesAndOtherDevicesTheEncodersOwn() throws IOException {
        Path file = Samples.encoder(dir.resolve("photos.onnx"), 1, new ResNet(18, 1.0 / 32, ResNet.Stem.IMAGENET), 224);
        try (OnnxEncoder encoder = OnnxEncoder.open(file, 1)) {
            assertEquals(4, EmbeddedRows.batch(encoder, "cpu"));
            assertEquals(8, encoder.batch());
            for (String provider : List.of("cuda", "cuda:1", "tensorrt", "xnnpack")) {
                assertEquals(8, EmbeddedRows.batch(encoder, provider), provider);
            }
        }
        RuntimeSettings six = RuntimeSettings.DEFAULT.withThreads(1).withBatch(6);
        try (OnnxEncoder encoder = OnnxEncoder.open(file, EncoderSettings.none(), six)) {
            assertEquals(6, EmbeddedRows.batch(encoder, "cpu"));
            assertEquals(6, EmbeddedRows.batch(encoder, "cuda"));
        }
        Path fixed = Path.of(
                System.getProperty("simclr.root", ".."),
                "onnx/src/test/resources/io/github/simclr4j/onnx/foreign/resnet34-spatial.onnx");
        try (OnnxEncoder encoder = OnnxEncoder.open(fixed, 1)) {
            assertEquals(1, EmbeddedRows.batch(encoder, "cpu"), "the graph's own batch");
        }
    }
}
