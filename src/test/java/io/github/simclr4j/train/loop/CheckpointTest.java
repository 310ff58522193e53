// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import static io.github.simclr4j.train.loop.Runs.everyStep;
import static io.github.simclr4j.train.loop.Runs.run;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDManager;
import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.network.LayerGraph;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.train.augment.AugmentationPipeline;
import io.github.simclr4j.train.augment.ViewGenerator;
import io.github.simclr4j.train.augment.ViewPool;
import io.github.simclr4j.train.data.ImageSet;
import io.github.simclr4j.train.data.TrainingImages;
import io.github.simclr4j.train.monitor.Knn;
import io.github.simclr4j.train.network.Network;
import io.github.simclr4j.train.network.Precision;
import io.github.simclr4j.train.settings.PretrainBuilder;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.train.testing.Golden;
import io.github.simclr4j.train.testing.Small;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What checkpoints hold, which are continued from, and which are refused. */
class CheckpointTest {
    /**
     * The scale and the good steps since it changed stand behind magic, version, epoch, step (four bytes each) and loss
     * (eight).
     */
    @Test
    void theLossScaleOfACheckpointIsTakenOver(@TempDir Path dir) throws IOException {
        TrainingImages set = Small.labelled(8);
        run(Small.settings("simclr", "sgd", 0.01, 4, 1), set, RunOptions.checkpoints(dir));
        ByteBuffer file = ByteBuffer.wrap(Files.readAllBytes(new CheckpointFolder(dir).newest()));
        write(new CheckpointFolder(dir).newest(), file.putDouble(24, 512).putDouble(32, 77));
        assertEquals(
                1,
                run(Small.settings("simclr", "sgd", 0.01, 4, 2), set, RunOptions.checkpoints(dir))
                        .resumedAt());
        // In float32 it stays.
        ByteBuffer next = ByteBuffer.wrap(Files.readAllBytes(new CheckpointFolder(dir).newest()));
        assertEquals(2, next.getInt(8), "epochs done");
        assertEquals(512, next.getDouble(24));
        assertEquals(77, next.getDouble(32));
    }

    /** A checkpoint with the checksum of what it holds now. */
    private static void write(Path path, ByteBuffer file) throws IOException {
        CRC32 sum = new CRC32();
        sum.update(file.array(), 0, file.capacity() - 8);
        Files.write(path, file.putLong(file.capacity() - 8, sum.getValue()).array());
    }

    @Test
    void aCheckpointOfAnotherVersionIsRefusedForWhateverItIsRead(@TempDir Path dir) throws IOException {
        TrainingImages set = Small.labelled(8);
        PretrainSettings s = Small.build(Small.settings("simclr", "sgd", 0.01, 4, 1));
        run(s, set, RunOptions.checkpoints(dir));
        Path file = new CheckpointFolder(dir).newest();
        write(file, ByteBuffer.wrap(Files.readAllBytes(file)).putInt(4, 99));
        for (IOException e : List.of(
                assertThrows(IOException.class, () -> run(s, set, RunOptions.checkpoints(dir))),
                assertThrows(IOException.class, () -> new CheckpointEncoder(file, Small.NET, 32)))) {
            assertTrue(e.getMessage().contains("version 3, found 99"), e.getMessage());
        }
    }

    @Test
    void aDamagedCheckpointIsPassedOverAndAnotherRunsIsRefused(@TempDir Path dir) throws IOException {
        TrainingImages set = Small.labelled(16);
        PretrainSettings s = Small.build(Small.settings("simclr", "adamw", 1e-3, 8, 2));
        run(s, set, RunOptions.checkpoints(dir));
        assertEquals(2, new CheckpointFolder(dir).list().size());
        Path last = new CheckpointFolder(dir).list().get(1);
        byte[] bytes = Files.readAllBytes(last);
        bytes[bytes.length / 2] ^= 1;
        Files.write(last, bytes);
        Runs.Warnings warnings = new Runs.Warnings();
        assertEquals(
                1,
                new EncoderTrainer(s, "cpu", 1, warnings)
                        .run(set, RunOptions.checkpoints(dir))
                        .resumedAt());
        assertTrue(warnings.all.get(0).contains(last.getFileName().toString()), warnings.all.toString());

        PretrainSettings other = Small.build(Small.settings("simclr", "lars", 1e-3, 8, 2));
        IOException e = assertThrows(IOException.class, () -> run(other, set, RunOptions.checkpoints(dir)));
        assertTrue(e.getMessage().contains("training.optimizer"), e.getMessage());
        assertFalse(e.getMessage().contains("--"), "a library's user has no command line: " + e.getMessage());
        assertNull(new CheckpointFolder(dir.resolve("none")).read(new TreeMap<>(), Map.of(), w -> {}));
    }

    @Test
    void aRunIsNotContinuedWithOtherLabels(@TempDir Path dir) throws IOException {
        ImageSet set = Small.labelled(16);
        PretrainSettings s = Small.build(Small.settings("supervised", "sgd", 0.01, 8, 2));
        run(s, set, RunOptions.checkpoints(dir));
        int[] labels = set.labels().clone();
        labels[3] = 0;
        ImageSet other = new ImageSet(32, set.pixels(), labels, set.classes(), List.of(), set.fingerprint());
        IOException e = assertThrows(IOException.class, () -> run(s, other, RunOptions.checkpoints(dir)));
        assertTrue(e.getMessage().contains("data.labels"), e.getMessage());
    }

    @Test
    void onlyTheNewestCheckpointsStay(@TempDir Path dir) throws IOException {
        run(
                Small.settings("simclr", "adamw", 1e-3, 4, 2),
                Small.labelled(16),
                RunOptions.checkpoints(dir).withCheckpointsKept(1e-9, 3));
        assertEquals(
                List.of("step-0000000006.ckpt", "step-0000000007.ckpt", "step-0000000008.ckpt"),
                new CheckpointFolder(dir)
                        .list().stream().map(p -> p.getFileName().toString()).toList());
    }

    /**
     * After each step average = 0.75 * average + 0.25 * weights, from the first weights on; the training itself is the same.
     */
    @Test
    void theMovingAverageOfTheWeightsIsWhatIsMeasuredAndWritten(@TempDir Path dir) throws IOException {
        ImageSet ten = Small.labelled(40);
        // Two classes of as many images: it is close which of them wins the vote.
        int[] labels = IntStream.of(ten.labels()).map(l -> l % 2).toArray();
        ImageSet set = new ImageSet(32, ten.pixels(), labels, List.of("even", "odd"), List.of(), ten.fingerprint());
        PretrainSettings plain = Small.build(Small.settings("simclr", "sgd", 0.5, 8, 1));
        run(plain, set, everyStep(dir.resolve("plain"), set));
        EncoderTrainer.Result result = run(
                Small.settings("simclr", "sgd", 0.5, 8, 1).weightAverage(0.75),
                set,
                everyStep(dir.resolve("averaged"), set));
        List<Path> steps = new CheckpointFolder(dir.resolve("plain/checkpoints")).list();
        assertEquals(5, steps.size());
        try (Network network =
                        new Network(plain.network(0), plain.zeroGamma(), Network.Computation.cpu(), plain.seed());
                NDManager m = network.manager().newSubManager();
                ViewPool pool = new ViewPool(1)) {
            Map<String, float[]> average = new TreeMap<>();
            network.tensors().keySet().forEach(name -> average.put(name, network.values(name)));
            for (Path step : steps) {
                Map<String, float[]> now = Checkpoint.tensors(step);
                average.forEach((name, a) -> {
                    for (int i = 0; i < a.length; i++) {
                        a[i] = (float) (0.75 * a[i] + 0.25 * now.get(name)[i]);
                    }
                });
            }
            Map<String, float[]> without = Checkpoint.tensors(steps.get(4));
            Map<String, float[]> with =
                    Checkpoint.tensors(new CheckpointFolder(dir.resolve("averaged/checkpoints")).newest());
            average.forEach((name, a) -> {
                assertArrayEquals(without.get(name), with.get(name), name);
                Golden.same(a, with.get("average." + name), 1e-6, 0, name);
            });
            network.load(average);
            ViewGenerator resize = new ViewGenerator(AugmentationPipeline.of("none"), 32);
            assertEquals(Knn.accuracy(network, resize, set, set, pool), result.knn(), 1e-9);
            List<RgbImage> images = Small.drawings(4);
            double[][] expected =
                    Small.wide(network.run(Small.pixels(m, images), Network.Pass.EVALUATION, LayerGraph.FEATURES)
                            .get(0));
            try (OnnxEncoder e = OnnxEncoder.open(result.onnx(), "test", 1);
                    CheckpointEncoder c = new CheckpointEncoder(
                            new CheckpointFolder(dir.resolve("averaged/checkpoints")).newest(), Small.NET, 32)) {
                double[][] exported = Small.wide(e.embed(images));
                double[][] saved = Small.wide(c.embed(images));
                for (int i = 0; i < expected.length; i++) {
                    assertArrayEquals(expected[i], exported[i], 1e-4, "image " + i);
                    assertArrayEquals(expected[i], saved[i], 1e-4, "image " + i);
                }
            }
        }
    }

    @Test
    void aCheckpointsEncoderIsTheExportedOne(@TempDir Path dir) throws IOException {
        byte[] onnx = run(
                        Small.settings("simclr", "adamw", 1e-3, 8, 2), Small.labelled(16), RunOptions.checkpoints(dir))
                .onnx();
        List<RgbImage> images = Small.drawings(5);
        try (OnnxEncoder e = OnnxEncoder.open(onnx, "test", 1);
                CheckpointEncoder c = new CheckpointEncoder(new CheckpointFolder(dir).newest(), Small.NET, 32)) {
            float[][] expected = c.embed(images);
            float[][] actual = e.embed(images);
            for (int i = 0; i < 5; i++) {
                assertArrayEquals(expected[i], actual[i], 1e-4f);
            }
        }
        ResNet other = new ResNet(34, 1.0 / 16, ResNet.Stem.CIFAR);
        assertThrows(IOException.class, () -> new CheckpointEncoder(new CheckpointFolder(dir).newest(), other, 32));
    }

    private static PretrainBuilder earlier(String method) {
        PretrainBuilder b = Small.settings(method)
                .encoder(new ResNet(18, 1.0 / 32, ResNet.Stem.CIFAR))
                .imageSize(16)
                .learningRate(1e-2)
                .batch(8)
                .epochs(2);
        return method.equals("simclr")
                ? b.optimizer("adamw")
                : b.optimizer("sgd")
                        .option("symmetric", true)
                        .option("momentum-encoder", 0.5)
                        .option("momentum-encoder-end", 0.9);
    }

    private static Path copy(String method, Path folder) throws IOException {
        Files.createDirectories(folder);
        return Files.copy(
                Path.of("test/resources/earlier/" + method + ".ckpt"), folder.resolve("step-0000000002.ckpt"));
    }

    private static JsonObject expected(String method) throws IOException {
        return JsonParser.parseString(Files.readString(Path.of("test/resources/earlier/" + method + ".json")))
                .getAsJsonObject();
    }

    private static void same(JsonElement expected, float[][] actual, double tolerance) {
        float[][] features = new Gson().fromJson(expected, float[][].class);
        assertEquals(features.length, actual.length);
        for (int i = 0; i < features.length; i++) {
            assertArrayEquals(features[i], actual[i], (float) tolerance, "image " + i);
        }
    }

    /**
     * The second epoch comes to what it came to there: the same views, steps and moving average, but for the order of
     * additions.
     */
    @ParameterizedTest
    @ValueSource(strings = {"simclr", "mocov2"})
    void aCheckpointOfAnEarlierVersionIsContinued(String method, @TempDir Path dir) throws IOException {
        copy(method, dir);
        EncoderTrainer.Result r = run(earlier(method), Small.labelled(16), RunOptions.checkpoints(dir));
        assertEquals(1, r.resumedAt());
        assertEquals(expected(method).get("finalLoss").getAsDouble(), r.finalLoss(), 1e-4);
        try (OnnxEncoder e = OnnxEncoder.open(r.onnx(), "test", 1)) {
            same(expected(method).get("final"), e.embed(Small.drawings(3)), 1e-4);
        }
        assertEquals("float32", r.settings().get("training.precision"));
        assertFalse(r.settings().containsKey("training.mixed_precision"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"simclr", "mocov2"})
    void theEncoderOfACheckpointOfAnEarlierVersionGivesItsFeatures(String method, @TempDir Path dir)
            throws IOException {
        try (CheckpointEncoder e =
                new CheckpointEncoder(copy(method, dir), new ResNet(18, 1.0 / 32, ResNet.Stem.CIFAR), 16)) {
            same(expected(method).get("saved"), e.embed(Small.drawings(3)), 1e-5);
        }
    }

    @Test
    void aCheckpointOfAnEarlierVersionIsNotContinuedInAnotherPrecision(@TempDir Path dir) throws IOException {
        copy("simclr", dir);
        PretrainSettings other = Small.build(earlier("simclr").precision(Precision.BFLOAT16));
        IOException e =
                assertThrows(IOException.class, () -> run(other, Small.labelled(16), RunOptions.checkpoints(dir)));
        assertTrue(e.getMessage().contains("training.precision was float32, is now bfloat16"), e.getMessage());
        copy("mocov2", dir.resolve("moco"));
        PretrainSettings moco = Small.build(earlier("mocov2").option("momentum-encoder-end", 0.95));
        e = assertThrows(
                IOException.class, () -> run(moco, Small.labelled(16), RunOptions.checkpoints(dir.resolve("moco"))));
        assertTrue(e.getMessage().contains("training.momentum_encoder_end was 0.9, is now 0.95"), e.getMessage());
    }

    @Test
    void anEncoderOfAnEarlierVersionGivesItsFeaturesAndTrainsOn() throws IOException {
        Path file = Path.of("test/resources/earlier/simclr.onnx");
        try (OnnxEncoder e = OnnxEncoder.open(file)) {
            same(expected("simclr").get("final"), e.embed(Small.drawings(3)), 1e-5);
        }
        EncoderTrainer trainer =
                new EncoderTrainer(Small.build(earlier("simclr").epochs(1)), "cpu", 1, Progress.NONE);
        trainer.startFrom(file);
        assertTrue(Double.isFinite(trainer.run(Small.labelled(16), Runs.NOTHING).finalLoss()));
    }
}
