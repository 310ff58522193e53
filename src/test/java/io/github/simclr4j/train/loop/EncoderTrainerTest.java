// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import static io.github.simclr4j.train.loop.Runs.NOTHING;
import static io.github.simclr4j.train.loop.Runs.run;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.train.data.ImageSet;
import io.github.simclr4j.train.data.TrainingImages;
import io.github.simclr4j.train.device.Compute;
import io.github.simclr4j.train.network.Precision;
import io.github.simclr4j.train.settings.PretrainBuilder;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.train.testing.Interrupt;
import io.github.simclr4j.train.testing.Small;
import io.github.simclr4j.train.torch.Torch;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What whole runs end with, what they start from, and what is refused before they start. */
class EncoderTrainerTest {
    @ParameterizedTest
    @CsvSource({
        "simclr, adamw, 3e-3",
        "simclr, lars, 0.5",
        "simclr, adam, 3e-3",
        "mocov2, adamw, 3e-3",
        "end-to-end, adamw, 3e-3",
        "supervised, sgd, 0.05"
    })
    @Tag("slow")
    void theLossFallsByEveryMethodAndOptimizer(String method, String optimizer, double rate) throws IOException {
        TrainingImages set = Small.labelled(32);
        // A queue of noise is easy to tell from a key, so MoCo starts low: it must stay below chance, log(1 + 24).
        double from = method.equals("mocov2")
                ? Math.log(25)
                : run(Small.settings(method, optimizer, rate, 8, 1), set, NOTHING)
                        .finalLoss();
        EncoderTrainer.Result twelve = run(Small.settings(method, optimizer, rate, 8, 12), set, NOTHING);
        assertTrue(twelve.finalLoss() < from - 0.1, from + " to " + twelve.finalLoss());
        assertEquals(48, twelve.steps());
    }

    @ParameterizedTest
    @ValueSource(strings = {"FLOAT32", "BFLOAT16"})
    void theSameSeedGivesTheSameFileToTheByte(Precision precision) throws IOException, InterruptedException {
        TrainingImages set = Small.labelled(16);
        PretrainSettings s =
                Small.build(Small.settings("simclr", "adamw", 1e-3, 8, 2).precision(precision));
        EncoderTrainer.Result one = new EncoderTrainer(s, "cpu", 2, Progress.NONE).run(set, NOTHING);
        // Whatever tells the time tells another one now.
        Thread.sleep(1100);
        EncoderTrainer.Result two = new EncoderTrainer(s, "cpu", 2, Progress.NONE).run(set, NOTHING);
        assertArrayEquals(one.onnx(), two.onnx());
        assertEquals(one.settings(), two.settings());
        assertFalse(one.settings().containsKey(TrainingRun.RUN), one.settings().toString());
        assertEquals(precision.text(), one.settings().get("training.precision"));
        EncoderTrainer.Result other = new EncoderTrainer(
                        Small.build(Small.settings("simclr", "adamw", 1e-3, 8, 2)
                                .precision(precision)
                                .seed(6)),
                        "cpu",
                        2,
                        Progress.NONE)
                .run(set, NOTHING);
        assertFalse(java.util.Arrays.equals(one.onnx(), other.onnx()), "another seed gives another file");
    }

    @Test
    void aRunStartsFromAnEncodersWeights(@TempDir Path dir) throws IOException {
        TrainingImages set = Small.labelled(16);
        byte[] first =
                run(Small.settings("simclr", "sgd", 0.05, 8, 2), set, NOTHING).onnx();
        Path file = dir.resolve("first.onnx");
        Files.write(file, first);
        // A rate this small leaves the weights as they were; the statistics of batch norm move on.
        EncoderTrainer again =
                new EncoderTrainer(Small.build(Small.settings("simclr", "sgd", 1e-12, 8, 1)), "cpu", 1, Progress.NONE);
        again.startFrom(file);
        byte[] second = again.run(set, NOTHING).onnx();
        List<RgbImage> images = Small.drawings(8);
        try (OnnxEncoder a = OnnxEncoder.open(first, "first", 1);
                OnnxEncoder b = OnnxEncoder.open(second, "second", 1);
                OnnxEncoder fresh = OnnxEncoder.open(EncoderExport.untrained(Small.NET, 32, 9), "fresh", 1)) {
            assertEquals(1, cosine(a.embed(images), b.embed(images)), 0.02);
            assertTrue(cosine(a.embed(images), b.embed(images)) > cosine(a.embed(images), fresh.embed(images)) + 0.05);
            assertTrue(b.metadata().containsKey("training.started_from"));
        }
        PretrainSettings wider = Small.build(
                Small.settings("simclr", "sgd", 0.05, 8, 1).encoder(new ResNet(18, 0.125, ResNet.Stem.CIFAR)));
        IOException e = assertThrows(
                IOException.class, () -> new EncoderTrainer(wider, "cpu", 1, Progress.NONE).startFrom(file));
        assertTrue(e.getMessage().contains("width 0.125"), e.getMessage());
    }

    /** Followers and copies start where the loaded encoder is, too. */
    @ParameterizedTest
    @CsvSource({"mocov2, method.key.", "end-to-end, branch1."})
    void everyNetworkOfAMethodStartsFromTheEncoder(String method, String prefix, @TempDir Path dir) throws IOException {
        TrainingImages set = Small.labelled(16);
        Path file = dir.resolve("first.onnx");
        Files.write(
                file,
                run(Small.settings("simclr", "sgd", 0.05, 8, 1), set, NOTHING).onnx());
        EncoderTrainer trainer =
                new EncoderTrainer(Small.build(Small.settings(method, "sgd", 1e-12, 8, 1)), "cpu", 1, Progress.NONE);
        trainer.startFrom(file);
        trainer.run(set, RunOptions.checkpoints(dir.resolve("state")));
        TreeMap<String, float[]> saved =
                new TreeMap<>(Checkpoint.tensors(new CheckpointFolder(dir.resolve("state")).newest()));
        int compared = 0;
        for (String name : saved.keySet()) {
            // Rates of 1e-12 move nothing that float32 shows.
            if (name.startsWith(prefix) && name.endsWith(".weight")) {
                assertArrayEquals(saved.get(name.substring(prefix.length())), saved.get(name), 1e-5f, name);
                compared++;
            }
        }
        assertTrue(compared > 20, "" + compared);
    }

    private static double cosine(float[][] a, float[][] b) {
        double ab = 0;
        double aa = 0;
        double bb = 0;
        for (int i = 0; i < a.length; i++) {
            for (int k = 0; k < a[i].length; k++) {
                ab += a[i][k] * b[i][k];
                aa += a[i][k] * a[i][k];
                bb += b[i][k] * b[i][k];
            }
        }
        return ab / Math.sqrt(aa * bb);
    }

    @Test
    void aRunThatStartedFromAnEncoderIsNotContinuedWithoutIt(@TempDir Path dir) throws IOException {
        TrainingImages set = Small.labelled(16);
        PretrainSettings s = Small.build(Small.settings("simclr", "sgd", 0.05, 8, 2));
        Path file = dir.resolve("first.onnx");
        Files.write(file, run(s, set, NOTHING).onnx());
        Path state = dir.resolve("state");
        EncoderTrainer first = new EncoderTrainer(s, "cpu", 1, Interrupt.after(2));
        first.startFrom(file);
        assertThrows(InterruptedIOException.class, () -> first.run(set, RunOptions.checkpoints(state)));
        IOException e = assertThrows(IOException.class, () -> run(s, set, RunOptions.checkpoints(state)));
        assertTrue(e.getMessage().contains("training.started_from"), e.getMessage());
    }

    @Test
    void methodsThatNeedLabelsSaySo() {
        TrainingImages bare = ImageSet.of(Small.drawings(8), 32);
        IOException e = assertThrows(
                IOException.class, () -> run(Small.settings("supervised", "sgd", 0.1, 4, 1), bare, NOTHING));
        assertTrue(e.getMessage().contains("sub-folder"), e.getMessage());
        // One class has nothing to be told from; that others have names does not make it two.
        ImageSet alike = new ImageSet(32, Small.labelled(8).pixels(), new int[8], List.of("cat", "dog"), List.of(), "");
        for (PretrainBuilder s : List.of(
                Small.settings("supervised", "sgd", 0.1, 4, 1),
                Small.settings("simclr", "sgd", 1, 16, 1).option("loss", "supcon"))) {
            IOException one = assertThrows(IOException.class, () -> run(s, alike, NOTHING));
            assertTrue(one.getMessage().contains("at least two classes, found one"), one.getMessage());
        }
    }

    @Test
    void aClassifierComesWithAMethodThatTrainsOne() throws IOException {
        TrainingImages set = Small.labelled(16);
        EncoderTrainer.Result r = run(Small.settings("supervised", "sgd", 0.1, 4, 1), set, NOTHING);
        assertEquals(set.classes(), r.classifier().labels());
        assertEquals("linear classifier", r.settings().get("training.head"));
        assertEquals(
                null,
                run(Small.settings("simclr", "sgd", 0.1, 4, 1), set, NOTHING).classifier());
    }

    @Test
    void float16IsRefusedOnTheCpu() {
        PretrainSettings s =
                Small.build(Small.settings("simclr", "sgd", 0.1, 4, 1).precision(Precision.FLOAT16));
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> new EncoderTrainer(s, "cpu", 1, Progress.NONE));
        assertTrue(e.getMessage().contains("GPU"), e.getMessage());
    }

    @Test
    void aGpuThatIsNotThereIsAnErrorAndNotTheCpu() {
        if (Torch.engine().getGpuCount() == 0) {
            assertThrows(IllegalStateException.class, () -> Compute.choose("gpu", Precision.FLOAT32, 0, Progress.NONE));
            assertEquals(
                    ai.djl.Device.cpu(),
                    Compute.choose("auto", Precision.FLOAT32, 0, Progress.NONE)
                            .computation()
                            .device());
        }
        assertThrows(IllegalStateException.class, () -> Compute.choose("gpu:99", Precision.FLOAT32, 0, Progress.NONE));
        assertThrows(IllegalArgumentException.class, () -> Compute.choose("tpu", Precision.FLOAT32, 0, Progress.NONE));
    }

    @Test
    void fewerThanNoThreadsAreRefused() {
        PretrainSettings s = Small.build(Small.settings("mocov2", "sgd", 0.1, 8, 1));
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> new EncoderTrainer(s, "cpu", -1, Progress.NONE));
        assertTrue(e.getMessage().contains("found -1"), e.getMessage());
    }

    @Test
    void aQueueThatACheckpointCannotHoldIsRefused() {
        PretrainSettings s = Small.build(Small.settings("mocov2", "sgd", 0.1, 8, 1)
                .option("queue", 1 << 18)
                .projection(2048));
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> run(s, Small.labelled(16), NOTHING));
        assertEquals(
                "The queue must hold at most 536870911 values (2 GiB), found 262144 keys of length 2048: lower the queue size or the"
                        + " projection length",
                e.getMessage());
    }

    /** Keys that share their statistics with the queries give them away. */
    @Test
    void aQueueWithoutGroupsIsWarnedOf() throws IOException {
        Runs.Warnings one = new Runs.Warnings();
        new EncoderTrainer(
                        Small.build(Small.settings("mocov2", "sgd", 0.1, 8, 1).imageSize(8)), "cpu", 1, one)
                .run(Small.labelled(16), NOTHING);
        assertTrue(one.all.get(0).contains("a key can tell its query"), one.all.toString());
        Runs.Warnings two = new Runs.Warnings();
        new EncoderTrainer(
                        Small.build(Small.settings("mocov2", "sgd", 0.1, 8, 1)
                                .imageSize(8)
                                .bnSplits(2)),
                        "cpu",
                        1,
                        two)
                .run(Small.labelled(16), NOTHING);
        assertTrue(two.all.stream().noneMatch(w -> w.contains("a key can tell its query")), two.all.toString());
    }
}
