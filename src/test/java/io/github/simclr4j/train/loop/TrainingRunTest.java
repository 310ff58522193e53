// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import static io.github.simclr4j.train.loop.Runs.NOTHING;
import static io.github.simclr4j.train.loop.Runs.cut;
import static io.github.simclr4j.train.loop.Runs.everyStep;
import static io.github.simclr4j.train.loop.Runs.run;
import static io.github.simclr4j.train.loop.Runs.with;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDManager;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.images.source.ImagesUnavailableException;
import io.github.simclr4j.train.data.BuiltInImages;
import io.github.simclr4j.train.data.ImageSet;
import io.github.simclr4j.train.data.StreamedImages;
import io.github.simclr4j.train.data.TrainingImages;
import io.github.simclr4j.train.network.Network;
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
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The loop of a run: interruptions, the schedule, what is reported and when. */
@Tag("slow")
class TrainingRunTest {
    @ParameterizedTest
    @CsvSource({"simclr, adamw", "simclr, lars", "mocov2, sgd", "end-to-end, adam"})
    void aRunCutAtAnyStepEndsWithTheSameWeightsToTheBit(String method, String optimizer, @TempDir Path dir)
            throws IOException {
        TrainingImages set = Small.labelled(16);
        PretrainSettings s = Small.build(
                Small.settings(method, optimizer, 1e-3, 4, 2).imageSize(16).bnSplits(2));
        byte[] whole = run(s, set, NOTHING).onnx();
        for (int cut : new int[] {1, 3, 4, 6}) {
            EncoderTrainer.Result rest = cut(s, set, cut, dir.resolve("" + cut));
            assertEquals(cut / 4, rest.resumedAt());
            assertArrayEquals(whole, rest.onnx(), "cut after " + cut);
        }
    }

    /** In the second of two epochs of two steps; each has a state of its own that must be saved. */
    @ParameterizedTest
    @ValueSource(strings = {"supervised", "symmetric", "averaged"})
    void runsOfEveryKindContinueWithinAnEpoch(String kind, @TempDir Path dir) throws IOException {
        TrainingImages set = Small.labelled(16);
        PretrainBuilder moco =
                Small.settings("mocov2", "sgd", 0.05, 8, 2).imageSize(16).bnSplits(2);
        PretrainSettings s = Small.build(
                switch (kind) {
                    case "supervised" ->
                        Small.settings("supervised", "sgd", 0.05, 8, 2).imageSize(16);
                    case "symmetric" ->
                        moco.option("symmetric", true)
                                .option("momentum-encoder", 0.5)
                                .option("momentum-encoder-end", 0.9);
                    default -> moco.clip(1).weightAverage(0.75);
                });
        byte[] whole = run(s, set, NOTHING).onnx();
        EncoderTrainer.Result rest = cut(s, set, 3, dir);
        assertEquals(1, rest.resumedAt());
        assertArrayEquals(whole, rest.onnx());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void aRunOfStreamedImagesContinuesWithinAnEpoch(int cut, @TempDir Path dir) throws IOException {
        BuiltInImages.write(dir.resolve("images"), 2, 1);
        PretrainSettings s = Small.build(Small.settings("simclr", "adamw", 1e-3, 10, 2));
        try (ImageSource source = ImageSource.open(dir.resolve("images"))) {
            TrainingImages set = new StreamedImages(source, 32, 1, 10, 2, Progress.NONE);
            byte[] whole = run(s, set, NOTHING).onnx();
            EncoderTrainer.Result rest = cut(s, set, cut, dir.resolve("state"));
            assertEquals(cut / 2, rest.resumedAt());
            assertArrayEquals(whole, rest.onnx());
        }
    }

    /** What was decoded ahead is learned, then the state is saved. */
    @Test
    void aStreamedRunWhoseImagesGoAwayContinuesWhenTheyAreBack(@TempDir Path dir) throws IOException {
        Path images = dir.resolve("images");
        Path elsewhere = dir.resolve("elsewhere");
        BuiltInImages.write(images, 8, 1);
        Path state = dir.resolve("state");
        PretrainSettings s = Small.build(Small.settings("simclr", "adamw", 1e-3, 10, 1));
        try (ImageSource source = ImageSource.open(images)) {
            TrainingImages set = new StreamedImages(source, 32, 1, 10, 1, Progress.NONE);
            byte[] whole = run(s, set, NOTHING).onnx();
            Progress unmounting = new Progress() {
                @Override
                public void at(long done, String detail) {
                    if (Files.exists(images)) {
                        images.toFile().renameTo(elsewhere.toFile());
                    }
                }
            };
            IOException gone = assertThrows(
                    IOException.class,
                    () -> new EncoderTrainer(s, "cpu", 1, unmounting).run(set, RunOptions.checkpoints(state)));
            assertEquals(ImagesUnavailableException.class, gone.getCause().getClass());
            List<Path> saved = new CheckpointFolder(state).list();
            assertEquals(1, saved.size());
            assertFalse(
                    saved.get(0).toString().contains("step-0000000000")
                            || saved.get(0).toString().contains("step-0000000008"),
                    "" + saved);
            Files.move(elsewhere, images);
            EncoderTrainer.Result rest = run(s, set, RunOptions.checkpoints(state));
            assertEquals(List.of(), set.skipped());
            assertArrayEquals(whole, rest.onnx());
        }
    }

    /** The checkpoint is kept: the same run again, with other settings that no step is trained by. */
    @Test
    void aFinishedRunIsWrittenAgainAsItWasTrained(@TempDir Path dir) throws IOException {
        TrainingImages set = Small.labelled(16);
        Path state = dir.resolve("state");
        Path metrics = dir.resolve("metrics.jsonl");
        RunOptions options = with(state, metrics);
        EncoderTrainer.Result first = run(Small.settings("simclr", "adamw", 1e-3, 8, 2), set, options);
        EncoderTrainer.Result again = run(Small.settings("simclr", "adamw", 5e-2, 8, 2), set, options);
        assertArrayEquals(first.onnx(), again.onnx());
        assertEquals("0.001", again.settings().get("training.learning_rate"));
        assertEquals(first.settings(), again.settings());
        assertEquals(first.finalLoss(), again.finalLoss());
        String lines = Files.readString(metrics);
        IOException e =
                assertThrows(IOException.class, () -> run(Small.settings("simclr", "adamw", 1e-3, 8, 1), set, options));
        assertTrue(
                e.getMessage().contains(state.toString())
                        && e.getMessage().contains("expected 2 epochs or more, found 1"),
                e.getMessage());
        assertEquals(lines, Files.readString(metrics));
        // Three of four steps of two epochs: one epoch is past, too.
        Path part = dir.resolve("part");
        assertThrows(
                InterruptedIOException.class,
                () -> new EncoderTrainer(
                                Small.build(Small.settings("simclr", "adamw", 1e-3, 8, 2)),
                                "cpu",
                                1,
                                Interrupt.after(3))
                        .run(set, RunOptions.checkpoints(part)));
        IOException past = assertThrows(
                IOException.class,
                () -> run(Small.settings("simclr", "adamw", 1e-3, 8, 1), set, RunOptions.checkpoints(part)));
        assertTrue(past.getMessage().contains("1 and 1 steps: expected 2 epochs or more, found 1"), past.getMessage());
    }

    @Test
    void anEpochIsSavedBeforeItIsReportedAndMetricsThatCanNotBeWrittenCostNothing(@TempDir Path dir)
            throws IOException {
        TrainingImages set = Small.labelled(16);
        PretrainSettings s = Small.build(Small.settings("simclr", "adamw", 1e-3, 8, 2));
        Path state = dir.resolve("state");
        Path metrics = dir.resolve("metrics.jsonl");
        List<String> warnings = new ArrayList<>();
        List<Integer> saved = new ArrayList<>();
        Progress listener = new Progress() {
            @Override
            public void start(String task, long total) {
                try {
                    Files.createDirectories(metrics);
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            }

            @Override
            public void line(String text) {
                try {
                    saved.add(
                            text.startsWith("epoch ")
                                    ? new CheckpointFolder(state).list().size()
                                    : 0);
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            }

            @Override
            public void warn(String text) {
                warnings.add(text);
            }
        };
        EncoderTrainer trainer = new EncoderTrainer(s, "cpu", 1, listener);
        saved.clear();
        EncoderTrainer.Result result = trainer.run(set, with(state, metrics));
        assertEquals(List.of(1, 2), saved);
        assertEquals(
                2, warnings.stream().filter(w -> w.contains(metrics.toString())).count(), warnings.toString());
        assertArrayEquals(run(s, set, NOTHING).onnx(), result.onnx());
    }

    /** At a temperature of a thousand all logits are nearly equal, whatever is learned. */
    @Test
    void aRunThatIsInterruptedInEveryEpochIsDiagnosedAllTheSame(@TempDir Path dir) throws IOException {
        PretrainSettings s = Small.build(
                Small.settings("simclr", "sgd", 1e-3, 8, 4).imageSize(8).option("temperature", 1000));
        TrainingImages set = Small.labelled(16);
        List<String> warnings = new ArrayList<>();
        for (int epoch = 1; epoch <= 4; epoch++) {
            Progress interrupt = Interrupt.after(2);
            Progress listener = new Progress() {
                @Override
                public void at(long done, String detail) {
                    interrupt.at(done, detail);
                }

                @Override
                public void warn(String text) {
                    warnings.add(text);
                }
            };
            EncoderTrainer part = new EncoderTrainer(s, "cpu", 1, listener);
            if (epoch < 4) {
                assertThrows(InterruptedIOException.class, () -> part.run(set, RunOptions.checkpoints(dir)));
            } else {
                // After the last step there is nothing to interrupt.
                part.run(set, RunOptions.checkpoints(dir));
                assertTrue(Thread.interrupted(), "the interrupt is left to the caller");
            }
        }
        List<String> stuck =
                warnings.stream().filter(w -> w.contains("nothing is learned")).toList();
        assertEquals(1, stuck.size(), warnings.toString());
        assertTrue(stuck.get(0).startsWith("epoch 3: "), stuck.get(0));
    }

    /** The network that a run starts with. */
    private static Network start(PretrainSettings s) {
        return new Network(s.network(0), s.zeroGamma(), Network.Computation.cpu(), s.seed());
    }

    /**
     * A weight decay of a million makes the gradient as nothing: without momentum a step multiplies a weight by 1 - 1e6 * rate,
     * and the checkpoints of two steps tell the rate.
     */
    @ParameterizedTest
    @ValueSource(strings = {"cosine", "step"})
    void everyStepIsTakenAtTheRateOfTheSchedule(String schedule, @TempDir Path dir) throws IOException {
        double base = 1e-7;
        double[] cosine = new double[10];
        for (int i = 0; i < 10; i++) {
            // Five epochs of two steps. One and a half are three steps of warm-up from 0; half a cosine over seven
            // follows.
            cosine[i] = i < 3 ? base * i / 3 : base * (1 + Math.cos(Math.PI * (i - 3) / 7)) / 2;
        }
        // A tenth after 60%, a hundredth after 80%, as the 120th and 160th of MoCo's 200 epochs.
        double[] stairs = {base, base, base, base, base, base, base / 10, base / 10, base / 100, base / 100};
        double[] expected = schedule.equals("cosine") ? cosine : stairs;
        PretrainSettings s = Small.build(Small.settings("simclr", "sgd", base, 8, 5)
                .imageSize(8)
                .weightDecay(1e6)
                .momentum(0)
                .warmupEpochs(schedule.equals("cosine") ? 1.5 : 0)
                .schedule(schedule));
        run(s, Small.labelled(16), everyStep(dir, null));
        List<double[]> weights = new ArrayList<>();
        try (Network network = start(s)) {
            weights.add(Small.wide(new float[][] {network.values("conv1.weight")})[0]);
        }
        for (Path step : new CheckpointFolder(dir.resolve("checkpoints")).list()) {
            weights.add(Small.wide(new float[][] {Checkpoint.tensors(step).get("conv1.weight")})[0]);
        }
        assertEquals(11, weights.size());
        for (int i = 0; i < 10; i++) {
            double[] w = weights.get(i);
            double rate = (1 - Small.dot(w, weights.get(i + 1)) / Small.dot(w, w)) / 1e6;
            assertEquals(expected[i], rate, 1e-3 * base, "step " + i);
        }
        List<String> lines = Files.readAllLines(dir.resolve("metrics.jsonl"));
        assertEquals(5, lines.size());
        for (int e = 0; e < 5; e++) {
            double logged = JsonParser.parseString(lines.get(e))
                    .getAsJsonObject()
                    .get("learningRate")
                    .getAsDouble();
            assertEquals(expected[2 * e + 1], logged, 1e-9 * base, "of the last step of epoch " + (e + 1));
        }
    }

    /** From 0.5 to 0.9 along half a cosine over all steps: key = m * key + (1 - m) * query tells m. */
    @Test
    void theMomentumEncodersMomentumRisesOverTheRun(@TempDir Path dir) throws IOException {
        PretrainSettings s = Small.build(Small.settings("mocov2", "sgd", 0.05, 8, 2)
                .imageSize(8)
                .option("momentum-encoder", 0.5)
                .option("momentum-encoder-end", 0.9));
        run(s, Small.labelled(16), everyStep(dir, null));
        float[] before;
        try (Network network = start(s)) {
            before = network.values("conv1.weight");
        }
        List<Path> steps = new CheckpointFolder(dir.resolve("checkpoints")).list();
        assertEquals(4, steps.size());
        for (int k = 0; k < 4; k++) {
            Map<String, float[]> now = Checkpoint.tensors(steps.get(k));
            float[] query = now.get("conv1.weight");
            float[] key = now.get("method.key.conv1.weight");
            double[][] from = Small.wide(new float[][] {before, key});
            for (int i = 0; i < query.length; i++) {
                from[0][i] -= query[i];
                from[1][i] -= query[i];
            }
            double m = Small.dot(from[0], from[1]) / Small.dot(from[0], from[0]);
            assertEquals(0.5 + 0.4 * (1 - Math.cos(Math.PI * (k + 1) / 4)) / 2, m, 1e-3, "step " + k);
            before = key;
        }
    }

    /**
     * Two views by one rule without chance are equal, so a pair is no distance apart; another rule for the second one parts
     * them.
     */
    @ParameterizedTest
    @CsvSource({"none, none", "none, grey@1", "grey@1, none", "grey@1, grey@1"})
    void theSecondViewsRuleReachesTheTraining(String first, String second, @TempDir Path dir) throws IOException {
        run(
                Small.settings("simclr", "sgd", 0.01, 8, 1).views(first).otherViews(second),
                Small.labelled(8),
                everyStep(dir, null));
        double alignment = JsonParser.parseString(Files.readString(dir.resolve("metrics.jsonl")))
                .getAsJsonObject()
                .get("alignment")
                .getAsDouble();
        assertEquals(first.equals(second), alignment < 1e-6, "" + alignment);
    }

    /** With two steps an epoch, and with one, whose loss is known only after the wild weights would have been saved. */
    @ParameterizedTest
    @ValueSource(ints = {8, 16})
    void aLossThatIsNoNumberStopsTheRunAtTheLastGoodCheckpoint(int batch, @TempDir Path dir) throws IOException {
        TrainingImages set = Small.labelled(16);
        run(Small.settings("simclr", "adamw", 1e-3, batch, 1), set, RunOptions.checkpoints(dir));
        PretrainSettings wild = Small.build(Small.settings("simclr", "adamw", 1e30, batch, 50));
        IllegalStateException e =
                assertThrows(IllegalStateException.class, () -> run(wild, set, RunOptions.checkpoints(dir)));
        assertTrue(e.getMessage().contains("learning rate") && e.getMessage().contains("ckpt"), e.getMessage());
        // With a rate that is not wild it goes on from there.
        EncoderTrainer.Result tame =
                run(Small.settings("simclr", "adamw", 1e-3, batch, 3), set, RunOptions.checkpoints(dir));
        assertTrue(tame.resumedAt() >= 1 && Double.isFinite(tame.finalLoss()), tame.toString());
    }

    @Test
    void aRunIsMadeLongerWithItsWarmUpByDefault(@TempDir Path dir) throws IOException {
        TrainingImages set = Small.labelled(16);
        PretrainBuilder s = new PretrainBuilder().encoder(Small.NET).batch(8).seed(3);
        run(s.epochs(1).build(16), set, RunOptions.checkpoints(dir));
        Files.writeString(dir.resolve("step-0000000009.ckpt.part"), "half");
        EncoderTrainer.Result more = run(s.epochs(3).build(16), set, RunOptions.checkpoints(dir));
        assertEquals(1, more.resumedAt());
        assertEquals(3, more.epochs());
        new CheckpointFolder(dir).delete();
        assertFalse(Files.exists(dir), "what a kill left half written goes too");
    }

    /** Persian digits are not what a checkpoint's name is looked for by. */
    @Test
    void checkpointsAreFoundUnderAnyLocale(@TempDir Path dir) throws IOException {
        Locale before = Locale.getDefault();
        Locale.setDefault(Locale.forLanguageTag("fa-IR"));
        try {
            assertFalse(String.format("%d", 7).equals("7"), "the locale has digits of its own");
            List<String> tasks = new ArrayList<>();
            Progress listener = new Progress() {
                @Override
                public void start(String task, long total) {
                    tasks.add(task);
                }
            };
            new EncoderTrainer(Small.build(Small.settings("simclr", "adamw", 1e-3, 8, 1)), "cpu", 1, listener)
                    .run(Small.labelled(16), RunOptions.checkpoints(dir));
            assertEquals(1, new CheckpointFolder(dir).list().size());
            assertEquals(List.of("epoch 1/1"), tasks);
        } finally {
            Locale.setDefault(before);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"my notes\n", "one\ntwo\n", "{\"a\": 1}\n", "{\"run\":\"r\",\"epoch\":\"x\"}\n{}\n"})
    void metricsAreNotWrittenOverSomeoneElsesFile(String content, @TempDir Path dir) throws IOException {
        Path notes = dir.resolve("notes.txt");
        Files.writeString(notes, content);
        IOException e = assertThrows(
                IOException.class,
                () -> run(Small.settings("simclr", "adamw", 1e-3, 8, 1), Small.labelled(16), with(null, notes)));
        assertTrue(e.getMessage().contains("notes.txt"), e.getMessage());
        assertEquals(content, Files.readString(notes));
    }

    @Test
    void aRunInterruptedInItsLastMeasurementOfAnEpochLosesNothing(@TempDir Path dir) throws IOException {
        Path labelled = dir.resolve("labelled");
        BuiltInImages.write(labelled, 20, 1);
        PretrainSettings s = Small.build(Small.settings("simclr", "adamw", 1e-3, 8, 2));
        TrainingImages set = Small.labelled(16);
        try (ImageSource source = ImageSource.open(labelled)) {
            TrainingImages streamed = new StreamedImages(source, 32, 1, 8, 1, Progress.NONE);
            EncoderTrainer.Result whole = run(s, set, NOTHING.withNeighbours(streamed, null, 1));
            RunOptions options = RunOptions.checkpoints(dir.resolve("c")).withNeighbours(streamed, null, 1);
            // Two steps an epoch: the interrupt comes with the second, so the measurement meets it.
            assertThrows(
                    InterruptedIOException.class,
                    () -> new EncoderTrainer(s, "cpu", 1, Interrupt.after(2)).run(set, options));
            EncoderTrainer.Result rest = run(s, set, options);
            assertEquals(1, rest.resumedAt());
            assertEquals(whole.knn(), rest.knn());
            assertEquals(whole.finalLoss(), rest.finalLoss());
            assertArrayEquals(whole.onnx(), rest.onnx());
        }
    }

    /** Two epochs of two steps. */
    @ParameterizedTest
    @ValueSource(strings = {"no measurement", "in the last step", "in the last measurement"})
    void anInterruptInTheLastEpochIsLeftToTheCallerAndLosesNothingElse(String when, @TempDir Path dir)
            throws IOException {
        PretrainSettings s = Small.build(Small.settings("simclr", "adamw", 1e-3, 8, 2));
        TrainingImages set = Small.labelled(16);
        byte[] whole = run(s, set, NOTHING).onnx();
        ImageSet bank = Small.labelled(300);
        AtomicBoolean lastStep = new AtomicBoolean();
        List<byte[]> interrupting = new AbstractList<>() {
            @Override
            public byte[] get(int i) {
                if (lastStep.get()) {
                    Thread.currentThread().interrupt();
                }
                return bank.pixels().get(i);
            }

            @Override
            public int size() {
                return bank.count();
            }
        };
        List<String> ends = new ArrayList<>();
        TrainingListener listener = new TrainingListener() {
            @Override
            public void stepFinished(long step, long steps) {
                lastStep.set(step == steps);
                if (step == steps && !when.equals("in the last measurement")) {
                    Thread.currentThread().interrupt();
                }
            }

            @Override
            public void epochFinished(EpochSummary e) {
                ends.add(e.epoch() + ": " + Thread.currentThread().isInterrupted() + " " + !Double.isNaN(e.knn()));
            }

            @Override
            public void runEnded(Throwable failure) {
                ends.add(failure + ": " + Thread.currentThread().isInterrupted());
            }
        };
        RunOptions options =
                with(dir.resolve("c"), dir.resolve("metrics.jsonl")).withListener(listener);
        boolean measures = !when.equals("no measurement");
        if (measures) {
            ImageSet some = new ImageSet(
                    32, interrupting, bank.labels(), bank.classes(), List.of(), bank.fingerprint(), bank.originals());
            options = options.withNeighbours(some, null, 1);
        }
        Runs.Warnings warnings = new Runs.Warnings();
        EncoderTrainer.Result result = new EncoderTrainer(s, "cpu", 1, warnings).run(set, options);
        assertTrue(Thread.interrupted());
        assertArrayEquals(whole, result.onnx());
        assertEquals(List.of("1: false " + measures, "2: false false", "null: false"), ends);
        assertEquals(2, Files.readAllLines(dir.resolve("metrics.jsonl")).size());
        assertEquals(2, run(s, set, RunOptions.checkpoints(dir.resolve("c"))).resumedAt());
        assertTrue(Double.isNaN(result.knn()), "the accuracy of the first epoch is not that of the last");
        assertEquals(
                measures
                        ? List.of(
                                "interrupted: the accuracy of nearest neighbours after the last epoch was not measured")
                        : List.of(),
                warnings.all);
    }

    /** The names of the classes, which the description needs, can't be read. */
    @Test
    void theAverageOfARunThatCannotStartIsFreed() {
        ImageSet bare = Small.labelled(16);
        List<String> unreadable = new AbstractList<>() {
            @Override
            public String get(int i) {
                throw new IllegalStateException("no name");
            }

            @Override
            public int size() {
                return 10;
            }
        };
        TrainingImages set = new ImageSet(32, bare.pixels(), bare.labels(), unreadable, List.of(), "");
        PretrainSettings s =
                Small.build(Small.settings("supervised", "adamw", 1e-3, 8, 2).weightAverage(0.75));
        NDManager all = Torch.engine().newBaseManager().getParentManager();
        int before = all.getManagedArrays().size();
        IllegalStateException e = assertThrows(IllegalStateException.class, () -> run(s, set, NOTHING));
        assertEquals("no name", e.getMessage());
        assertEquals(before, all.getManagedArrays().size());
    }

    @Test
    void classesThatNoNeighbourCanHaveAreRefused() {
        ImageSet bank = Small.labelled(20);
        ImageSet asked = new ImageSet(
                32, bank.pixels().subList(0, 4), new int[] {0, 1, 0, 1}, List.of("circle", "dog"), List.of(), "");
        IOException e = assertThrows(
                IOException.class,
                () -> run(Small.settings("simclr", "adamw", 1e-3, 8, 1), bank, NOTHING.withNeighbours(bank, asked, 1)));
        assertTrue(e.getMessage().contains("dog"), e.getMessage());
    }

    @Test
    void everyEpochLeavesALineOfFigures(@TempDir Path dir) throws IOException {
        Path metrics = dir.resolve("metrics.jsonl");
        TrainingImages set = Small.labelled(16);
        RunOptions options = with(dir.resolve("c"), metrics).withNeighbours(set, null, 2);
        run(Small.settings("simclr", "adamw", 1e-3, 8, 2), set, options);
        // A line that a kill has cut off, and one of an epoch that is done again, go.
        Files.writeString(metrics, Files.readString(metrics) + "{\"run\":\"x\",\"epo");
        Files.delete(new CheckpointFolder(dir.resolve("c")).list().get(1));
        EncoderTrainer.Result rest = run(Small.settings("simclr", "adamw", 1e-3, 8, 3), set, options);
        List<JsonObject> lines = Files.readAllLines(metrics).stream()
                .map(l -> JsonParser.parseString(l).getAsJsonObject())
                .toList();
        assertEquals(
                List.of(1, 2, 3),
                lines.stream().map(l -> l.get("epoch").getAsInt()).toList());
        JsonObject second = lines.get(1);
        for (String key : List.of(
                "loss",
                "learningRate",
                "viewsPerSecond",
                "top1",
                "top5",
                "alignment",
                "uniformity",
                "spread",
                "effectiveRank",
                "knn")) {
            assertTrue(Double.isFinite(second.get(key).getAsDouble()), key);
        }
        assertFalse(lines.get(0).has("knn"));
        assertEquals(rest.knn(), lines.get(2).get("knn").getAsDouble());
    }

    @Test
    void listenersAreToldOfEveryStepAndEpoch() throws IOException {
        List<String> told = new ArrayList<>();
        TrainingListener listener = new TrainingListener() {
            @Override
            public void epochFinished(EpochSummary e) throws IOException {
                told.add("epoch " + e.epoch() + "/" + e.epochs());
                // One that fails costs the run nothing.
                throw new IOException("no room");
            }

            @Override
            public void stepFinished(long step, long steps) {
                told.add("step " + step + "/" + steps);
            }
        };
        Runs.Warnings warnings = new Runs.Warnings();
        new EncoderTrainer(Small.build(Small.settings("simclr", "adamw", 1e-3, 8, 2)), "cpu", 1, warnings)
                .run(Small.labelled(16), NOTHING.withListener(listener));
        assertEquals(List.of("step 1/4", "step 2/4", "epoch 1/2", "step 3/4", "step 4/4", "epoch 2/2"), told);
        assertEquals(2, warnings.all.stream().filter(w -> w.contains("no room")).count(), warnings.all.toString());
    }
}
