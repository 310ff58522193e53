package io.github.simclr4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.train.augment.Composition;
import io.github.simclr4j.train.data.BuiltInImages;
import io.github.simclr4j.train.data.ImageSet;
import io.github.simclr4j.train.data.StreamedImages;
import io.github.simclr4j.train.data.TrainingImages;
import io.github.simclr4j.train.loop.Checkpoint;
import io.github.simclr4j.train.method.MethodSettings;
import io.github.simclr4j.train.method.MoCo;
import io.github.simclr4j.train.monitor.Knn;
import io.github.simclr4j.train.network.CheckpointEncoder;
import io.github.simclr4j.train.network.Head;
import io.github.simclr4j.train.network.Network;
import io.github.simclr4j.train.optim.OptimiserSettings;
import io.github.simclr4j.train.torch.Torch;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole runs on drawn images: what they end with, and what they do when they are cut, damaged or go wrong. */
public class PretrainerTest {
    private static final RunOptions NOTHING = RunOptions.checkpoints(null);

    private static Pretrainer.Result run(PretrainSettings s, TrainingImages images, RunOptions options) throws IOException {
        return new Pretrainer(s, "cpu", 1, Progress.NONE).run(images, options);
    }

    @Test
    void theGraphGivesTheTrainersOwnFeatures() throws IOException {
        List<RgbImage> images = Small.drawings(10);
        for (ResNet net : List.of(new ResNet(18, 0.25, ResNet.Stem.CIFAR), new ResNet(18, 0.25, ResNet.Stem.IMAGENET),
                new ResNet(50, 1.0 / 16, ResNet.Stem.CIFAR), new ResNet(50, 1.0 / 16, ResNet.Stem.IMAGENET))) {
            try (Network network = new Network(net, Head.simclr(16), false, Device.cpu(), DataType.FLOAT32, 1);
                    NDManager m = network.manager().newSubManager()) {
                NDArray x = Small.pixels(m, images);
                for (int i = 0; i < 5; i++) {
                    // Moves the running statistics away from 0 and 1.
                    Network.Statistics seen = new Network.Statistics(m);
                    network.encode(x, new Network.Pass(true, 1, seen, null));
                    network.move(seen);
                }
                float[] expected = network.encode(x, Network.Pass.EVALUATION).toFloatArray();
                try (OnnxEncoder e = OnnxEncoder.open(Pretrainer.export(network, 32, Map.of()), "test", 1)) {
                    float[][] embedded = e.embed(images);
                    float[] actual = new float[expected.length];
                    for (int i = 0; i < embedded.length; i++) {
                        System.arraycopy(embedded[i], 0, actual, i * e.dimension(), e.dimension());
                    }
                    Golden.same(expected, actual, 1e-4, 0, net.toString());
                }
            }
        }
    }

    @Test
    void theLossFallsByEveryMethodAndOptimiser() throws IOException {
        TrainingImages set = Small.labelled(32);
        Map<String, Double> rates = Map.of("adamw", 3e-3, "adam", 3e-3, "lars", 0.5, "sgd", 0.05);
        for (String[] how : new String[][] {{"simclr", "adamw"}, {"simclr", "lars"}, {"simclr", "adam"}, {"mocov2", "adamw"},
            {"end-to-end", "adamw"}, {"supervised", "sgd"}}) {
            double rate = rates.get(how[1]);
            // A queue of noise is easy to tell from a key, so MoCo starts low: it must stay below chance, log(1 + 24).
            double from = how[0].equals("mocov2") ? Math.log(25)
                    : run(Small.settings(how[0], how[1], rate, 8, 1, 0, 0), set, NOTHING).finalLoss();
            Pretrainer.Result twelve = run(Small.settings(how[0], how[1], rate, 8, 12, 0, 0), set, NOTHING);
            assertTrue(twelve.finalLoss() < from - 0.1, String.join(" ", how) + ": " + from + " to " + twelve.finalLoss());
            assertEquals(48, twelve.steps());
        }
    }

    @Test
    void theSameSeedGivesTheSameWeightsToTheBit() throws IOException {
        TrainingImages set = Small.labelled(16);
        PretrainSettings s = Small.settings("simclr", "adamw", 1e-3, 8, 2, 0, 0);
        byte[] one = new Pretrainer(s, "cpu", 2, Progress.NONE).run(set, NOTHING).onnx();
        byte[] two = new Pretrainer(s, "cpu", 2, Progress.NONE).run(set, NOTHING).onnx();
        assertArrayEquals(Small.withoutTime(one), Small.withoutTime(two));
    }

    /** Interrupts the run after a number of steps. */
    public static Progress interruptAfter(int steps) {
        return new Progress() {
            private int seen;

            @Override
            public void at(long done, String detail) {
                if (++seen == steps) {
                    Thread.currentThread().interrupt();
                }
            }
        };
    }

    @Test
    void aRunCutAtAnyStepEndsWithTheSameWeightsToTheBit(@TempDir Path dir) throws IOException {
        TrainingImages set = Small.labelled(16);
        for (String[] how : new String[][] {
            {"simclr", "adamw"}, {"simclr", "lars"}, {"mocov2", "sgd"}, {"end-to-end", "adam"}}) {
            PretrainSettings s = Small.settings(how[0], how[1], 1e-3, 4, 2, 0, 2);
            byte[] whole = Small.withoutTime(run(s, set, NOTHING).onnx());
            for (int cut : new int[] {1, 3, 4, 6}) {
                Pretrainer.Result rest = cut(s, set, cut, dir.resolve(how[0] + how[1] + cut));
                assertEquals(cut / 4, rest.resumedAt());
                assertArrayEquals(whole, Small.withoutTime(rest.onnx()), String.join(" ", how) + " cut after " + cut);
            }
        }
    }

    /** A run that is interrupted after some steps, and then continued. */
    private static Pretrainer.Result cut(PretrainSettings s, TrainingImages set, int steps, Path folder) throws IOException {
        InterruptedIOException e = assertThrows(InterruptedIOException.class,
                () -> new Pretrainer(s, "cpu", 1, interruptAfter(steps)).run(set, RunOptions.checkpoints(folder)));
        assertTrue(e.getMessage().contains(folder.toString()), e.getMessage());
        return run(s, set, RunOptions.checkpoints(folder));
    }

    /** In the second of two epochs of two steps; each has a state of its own that must be saved. */
    @Test
    void runsOfEveryKindContinueWithinAnEpoch(@TempDir Path dir) throws IOException {
        TrainingImages set = Small.labelled(16);
        PretrainSettings moco = Small.imageSize(Small.settings("mocov2", "sgd", 0.05, 8, 2, 0, 2), 16);
        Map<String, PretrainSettings> runs = Map.of(
                "supervised", Small.imageSize(Small.settings("supervised", "sgd", 0.05, 8, 2, 0, 0), 16),
                "symmetric", Small.method(moco, new MethodSettings("mocov2", "nt-xent", 0.5, 0.8, 0.1, 24, 0.5, 0.9, true)),
                "averaged", Small.optimiser(moco, new OptimiserSettings("sgd", 0.05, 1e-4, 0.9, 0.2, "cosine", 1, 0.75)));
        for (String name : runs.keySet()) {
            byte[] whole = run(runs.get(name), set, NOTHING).onnx();
            Pretrainer.Result rest = cut(runs.get(name), set, 3, dir.resolve(name));
            assertEquals(1, rest.resumedAt());
            assertArrayEquals(Small.withoutTime(whole), Small.withoutTime(rest.onnx()), name);
        }
    }

    @Test
    void aRunOfStreamedImagesContinuesWithinAnEpoch(@TempDir Path dir) throws IOException {
        BuiltInImages.write(dir.resolve("images"), 2, 1);
        PretrainSettings s = Small.settings("simclr", "adamw", 1e-3, 10, 2, 0, 0);
        try (ImageSource source = ImageSource.open(dir.resolve("images"))) {
            TrainingImages set = new StreamedImages(source, 32, 1, 10, 2, Progress.NONE);
            byte[] whole = run(s, set, NOTHING).onnx();
            for (int cut : new int[] {1, 3}) {
                Pretrainer.Result rest = cut(s, set, cut, dir.resolve("" + cut));
                assertEquals(cut / 2, rest.resumedAt());
                assertArrayEquals(Small.withoutTime(whole), Small.withoutTime(rest.onnx()), "cut after " + cut);
            }
        }
    }

    /** The scale and the good steps since it changed stand behind magic, version, epoch, step (four bytes each) and loss (eight). */
    @Test
    void theLossScaleOfACheckpointIsTakenOver(@TempDir Path dir) throws IOException {
        TrainingImages set = Small.labelled(8);
        run(Small.settings("simclr", "sgd", 0.01, 4, 1, 0, 0), set, RunOptions.checkpoints(dir));
        ByteBuffer file = ByteBuffer.wrap(Files.readAllBytes(Checkpoint.newest(dir)));
        write(Checkpoint.newest(dir), file.putDouble(24, 512).putDouble(32, 77));
        assertEquals(1, run(Small.settings("simclr", "sgd", 0.01, 4, 2, 0, 0), set, RunOptions.checkpoints(dir)).resumedAt());
        // Without mixed precision it stays.
        ByteBuffer next = ByteBuffer.wrap(Files.readAllBytes(Checkpoint.newest(dir)));
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
        PretrainSettings s = Small.settings("simclr", "sgd", 0.01, 4, 1, 0, 0);
        run(s, set, RunOptions.checkpoints(dir));
        Path file = Checkpoint.newest(dir);
        write(file, ByteBuffer.wrap(Files.readAllBytes(file)).putInt(4, 99));
        for (IOException e : List.of(assertThrows(IOException.class, () -> run(s, set, RunOptions.checkpoints(dir))),
                assertThrows(IOException.class, () -> new CheckpointEncoder(file, Small.NET, 32)))) {
            assertTrue(e.getMessage().contains("version 3, found 99"), e.getMessage());
        }
    }

    /** The checkpoint is kept: the same command again, with other settings that no step is trained by. */
    @Test
    void aFinishedRunIsWrittenAgainAsItWasTrained(@TempDir Path dir) throws IOException {
        TrainingImages set = Small.labelled(16);
        Path state = dir.resolve("state");
        Path metrics = dir.resolve("metrics.jsonl");
        RunOptions options = new RunOptions(state, 10, 2, metrics, null, null, 1);
        Pretrainer.Result first = run(Small.settings("simclr", "adamw", 1e-3, 8, 2, 0, 0), set, options);
        Pretrainer.Result again = run(Small.settings("simclr", "adamw", 5e-2, 8, 2, 0, 0), set, options);
        assertArrayEquals(first.onnx(), again.onnx());
        assertEquals("0.001", again.settings().get("training.learning_rate"));
        assertEquals(first.settings(), again.settings());
        assertEquals(first.finalLoss(), again.finalLoss());
        String lines = Files.readString(metrics);
        IOException e = assertThrows(IOException.class,
                () -> run(Small.settings("simclr", "adamw", 1e-3, 8, 1, 0, 0), set, options));
        assertTrue(e.getMessage().contains(state.toString()) && e.getMessage().contains("--epochs 2 or more, found 1"), e.getMessage());
        assertEquals(lines, Files.readString(metrics));
        // Three of four steps of two epochs: one epoch is past, too.
        Path part = dir.resolve("part");
        assertThrows(InterruptedIOException.class, () -> new Pretrainer(Small.settings("simclr", "adamw", 1e-3, 8, 2, 0, 0), "cpu", 1,
                interruptAfter(3)).run(set, RunOptions.checkpoints(part)));
        IOException past = assertThrows(IOException.class,
                () -> run(Small.settings("simclr", "adamw", 1e-3, 8, 1, 0, 0), set, RunOptions.checkpoints(part)));
        assertTrue(past.getMessage().contains("1 and 1 steps: expected --epochs 2 or more, found 1"), past.getMessage());
    }

    @Test
    void anEpochIsSavedBeforeItIsReportedAndMetricsThatCanNotBeWrittenCostNothing(@TempDir Path dir) throws IOException {
        TrainingImages set = Small.labelled(16);
        PretrainSettings s = Small.settings("simclr", "adamw", 1e-3, 8, 2, 0, 0);
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
                    saved.add(text.startsWith("epoch ") ? Checkpoint.list(state).size() : 0);
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            }

            @Override
            public void warn(String text) {
                warnings.add(text);
            }
        };
        Pretrainer pretrainer = new Pretrainer(s, "cpu", 1, listener);
        saved.clear();
        Pretrainer.Result result = pretrainer.run(set, new RunOptions(state, 10, 2, metrics, null, null, 1));
        assertEquals(List.of(1, 2), saved);
        assertEquals(2, warnings.stream().filter(w -> w.contains(metrics.toString())).count(), warnings.toString());
        assertArrayEquals(Small.withoutTime(run(s, set, NOTHING).onnx()), Small.withoutTime(result.onnx()));
    }

    /** At a temperature of a thousand all logits are nearly equal, whatever is learnt. */
    @Test
    void aRunThatIsInterruptedInEveryEpochIsDiagnosedAllTheSame(@TempDir Path dir) throws IOException {
        PretrainSettings s = Small.method(Small.imageSize(Small.settings("simclr", "sgd", 1e-3, 8, 4, 0, 0), 8),
                MethodSettings.of("simclr", "nt-xent", 1000));
        TrainingImages set = Small.labelled(16);
        List<String> warnings = new ArrayList<>();
        for (int epoch = 1; epoch <= 4; epoch++) {
            Progress interrupt = interruptAfter(2);
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
            Pretrainer part = new Pretrainer(s, "cpu", 1, listener);
            if (epoch < 4) {
                assertThrows(InterruptedIOException.class, () -> part.run(set, RunOptions.checkpoints(dir)));
            } else {
                // After the last step there is nothing to interrupt.
                part.run(set, RunOptions.checkpoints(dir));
            }
        }
        List<String> stuck = warnings.stream().filter(w -> w.contains("nothing is learnt")).toList();
        assertEquals(1, stuck.size(), warnings.toString());
        assertTrue(stuck.get(0).startsWith("epoch 3: "), stuck.get(0));
    }

    /** A checkpoint after every step. */
    private static RunOptions everyStep(Path dir, TrainingImages neighbours) {
        return new RunOptions(dir.resolve("checkpoints"), 1e-9, 99, dir.resolve("metrics.jsonl"), neighbours, neighbours, 1);
    }

    /** The network that a run starts with. */
    private static Network start(PretrainSettings s) {
        return new Network(s.encoder(), s.head(), s.zeroGamma(), Device.cpu(), DataType.FLOAT32, s.seed());
    }

    /** After each step average = 0.75 * average + 0.25 * weights, from the first weights on; the training itself is the same. */
    @Test
    void theMovingAverageOfTheWeightsIsWhatIsMeasuredAndWritten(@TempDir Path dir) throws IOException {
        ImageSet ten = Small.labelled(40);
        // Two classes of as many images: it is close which of them wins the vote.
        int[] labels = IntStream.of(ten.labels()).map(l -> l % 2).toArray();
        ImageSet set = new ImageSet(32, ten.pixels(), labels, List.of("even", "odd"), List.of(), ten.fingerprint());
        PretrainSettings plain = Small.settings("simclr", "sgd", 0.5, 8, 1, 0, 0);
        PretrainSettings averaged =
                Small.optimiser(plain, new OptimiserSettings("sgd", 0.5, 1e-4, 0.9, 0.2, "cosine", 0, 0.75));
        run(plain, set, everyStep(dir.resolve("plain"), set));
        Pretrainer.Result result = run(averaged, set, everyStep(dir.resolve("averaged"), set));
        List<Path> steps = Checkpoint.list(dir.resolve("plain/checkpoints"));
        assertEquals(5, steps.size());
        try (Network network = start(plain); NDManager m = network.manager().newSubManager()) {
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
            Map<String, float[]> with = Checkpoint.tensors(Checkpoint.newest(dir.resolve("averaged/checkpoints")));
            average.forEach((name, a) -> {
                assertArrayEquals(without.get(name), with.get(name), name);
                Golden.same(a, with.get("average." + name), 1e-6, 0, name);
            });
            network.load(average);
            assertEquals(Knn.accuracy(network, 32, set, set), result.knn(), 1e-9);
            List<RgbImage> images = Small.drawings(4);
            double[][] expected = Small.wide(network.encode(Small.pixels(m, images), Network.Pass.EVALUATION));
            try (OnnxEncoder e = OnnxEncoder.open(result.onnx(), "test", 1);
                    CheckpointEncoder c = new CheckpointEncoder(
                            Checkpoint.newest(dir.resolve("averaged/checkpoints")), Small.NET, 32)) {
                double[][] exported = Small.wide(e.embed(images));
                double[][] saved = Small.wide(c.embed(images));
                for (int i = 0; i < expected.length; i++) {
                    assertArrayEquals(expected[i], exported[i], 1e-4, "image " + i);
                    assertArrayEquals(expected[i], saved[i], 1e-4, "image " + i);
                }
            }
        }
    }

    /**
     * A weight decay of a million makes the gradient as nothing: without momentum a step multiplies a weight by 1 - 1e6 * rate, and
     * the checkpoints of two steps tell the rate.
     */
    @Test
    void everyStepIsTakenAtTheRateOfTheSchedule(@TempDir Path dir) throws IOException {
        double base = 1e-7;
        double[] cosine = new double[10];
        for (int i = 0; i < 10; i++) {
            // Five epochs of two steps. One and a half are three steps of warm-up from 0; then half a cosine over the other seven.
            cosine[i] = i < 3 ? base * i / 3 : base * (1 + Math.cos(Math.PI * (i - 3) / 7)) / 2;
        }
        // A tenth after 60%, a hundredth after 80%, as the 120th and 160th of MoCo's 200 epochs.
        double[] stairs = {base, base, base, base, base, base, base / 10, base / 10, base / 100, base / 100};
        Map<String, double[]> expected = Map.of("cosine", cosine, "step", stairs);
        for (String schedule : expected.keySet()) {
            PretrainSettings s = Small.optimiser(Small.imageSize(Small.settings("simclr", "sgd", base, 8, 5, 0, 0), 8),
                    new OptimiserSettings("sgd", base, 1e6, 0, schedule.equals("cosine") ? 1.5 : 0, schedule, 0, 0));
            Path folder = dir.resolve(schedule);
            run(s, Small.labelled(16), everyStep(folder, null));
            List<double[]> weights = new ArrayList<>();
            try (Network network = start(s)) {
                weights.add(Small.wide(new float[][] {network.values("conv1.weight")})[0]);
            }
            for (Path step : Checkpoint.list(folder.resolve("checkpoints"))) {
                weights.add(Small.wide(new float[][] {Checkpoint.tensors(step).get("conv1.weight")})[0]);
            }
            assertEquals(11, weights.size());
            for (int i = 0; i < 10; i++) {
                double[] w = weights.get(i);
                double rate = (1 - Small.dot(w, weights.get(i + 1)) / Small.dot(w, w)) / 1e6;
                assertEquals(expected.get(schedule)[i], rate, 1e-3 * base, schedule + " step " + i);
            }
            List<String> lines = Files.readAllLines(folder.resolve("metrics.jsonl"));
            assertEquals(5, lines.size());
            for (int e = 0; e < 5; e++) {
                double logged = JsonParser.parseString(lines.get(e)).getAsJsonObject().get("learningRate").getAsDouble();
                assertEquals(expected.get(schedule)[2 * e + 1], logged, 1e-9 * base, "of the last step of epoch " + (e + 1));
            }
        }
    }

    /** From 0.5 to 0.9 along half a cosine over all steps: key = m * key + (1 - m) * query tells m. */
    @Test
    void theMomentumEncodersMomentumRisesOverTheRun(@TempDir Path dir) throws IOException {
        PretrainSettings s = Small.method(Small.imageSize(Small.settings("mocov2", "sgd", 0.05, 8, 2, 0, 0), 8),
                new MethodSettings("mocov2", "nt-xent", 0.5, 0.8, 0.1, 24, 0.5, 0.9, false));
        run(s, Small.labelled(16), everyStep(dir, null));
        float[] before;
        try (Network network = start(s)) {
            before = network.values("conv1.weight");
        }
        List<Path> steps = Checkpoint.list(dir.resolve("checkpoints"));
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

    /** Two views by one rule without chance are equal, so a pair is no distance apart; another rule for the second one parts them. */
    @Test
    void theSecondViewsRuleReachesTheTraining(@TempDir Path dir) throws IOException {
        for (String[] views : new String[][] {{"none", "none"}, {"none", "grey@1"}, {"grey@1", "none"}, {"grey@1", "grey@1"}}) {
            Path folder = dir.resolve(String.join("-", views));
            run(Small.views(Small.settings("simclr", "sgd", 0.01, 8, 1, 0, 0), views[0], views[1]), Small.labelled(8),
                    everyStep(folder, null));
            double alignment = JsonParser.parseString(Files.readString(folder.resolve("metrics.jsonl"))).getAsJsonObject()
                    .get("alignment").getAsDouble();
            assertEquals(views[0].equals(views[1]), alignment < 1e-6, String.join(" ", views) + ": " + alignment);
        }
    }

    @Test
    void aDamagedCheckpointIsPassedOverAndAnotherRunsIsRefused(@TempDir Path dir) throws IOException {
        TrainingImages set = Small.labelled(16);
        PretrainSettings s = Small.settings("simclr", "adamw", 1e-3, 8, 2, 0, 0);
        run(s, set, RunOptions.checkpoints(dir));
        assertEquals(2, Checkpoint.list(dir).size());
        Path last = Checkpoint.list(dir).get(1);
        byte[] bytes = Files.readAllBytes(last);
        bytes[bytes.length / 2] ^= 1;
        Files.write(last, bytes);
        List<String> warnings = new ArrayList<>();
        Progress listener = new Progress() {
            @Override
            public void warn(String text) {
                warnings.add(text);
            }
        };
        assertEquals(1, new Pretrainer(s, "cpu", 1, listener).run(set, RunOptions.checkpoints(dir)).resumedAt());
        assertTrue(warnings.get(0).contains(last.getFileName().toString()), warnings.toString());

        PretrainSettings other = Small.settings("simclr", "lars", 1e-3, 8, 2, 0, 0);
        IOException e = assertThrows(IOException.class, () -> run(other, set, RunOptions.checkpoints(dir)));
        assertTrue(e.getMessage().contains("training.optimiser"), e.getMessage());
        assertNull(Checkpoint.read(dir.resolve("none"), new TreeMap<>(), Map.of(), w -> {}));
    }

    @Test
    void aRunIsNotContinuedWithOtherLabels(@TempDir Path dir) throws IOException {
        ImageSet set = Small.labelled(16);
        PretrainSettings s = Small.settings("supervised", "sgd", 0.01, 8, 2, 0, 0);
        run(s, set, RunOptions.checkpoints(dir));
        int[] labels = set.labels().clone();
        labels[3] = 0;
        ImageSet other = new ImageSet(32, set.pixels(), labels, set.classes(), List.of(), set.fingerprint());
        IOException e = assertThrows(IOException.class, () -> run(s, other, RunOptions.checkpoints(dir)));
        assertTrue(e.getMessage().contains("data.labels"), e.getMessage());
    }

    @Test
    void onlyTheNewestCheckpointsStay(@TempDir Path dir) throws IOException {
        RunOptions options = new RunOptions(dir, 1e-9, 3, null, null, null, 1);
        run(Small.settings("simclr", "adamw", 1e-3, 4, 2, 0, 0), Small.labelled(16), options);
        assertEquals(List.of("step-0000000006.ckpt", "step-0000000007.ckpt", "step-0000000008.ckpt"),
                Checkpoint.list(dir).stream().map(p -> p.getFileName().toString()).toList());
    }

    /** With two steps an epoch, and with one, whose loss is known only after the wild weights would have been saved. */
    @ParameterizedTest
    @ValueSource(ints = {8, 16})
    void aLossThatIsNoNumberStopsTheRunAtTheLastGoodCheckpoint(int batch, @TempDir Path dir) throws IOException {
        TrainingImages set = Small.labelled(16);
        run(Small.settings("simclr", "adamw", 1e-3, batch, 1, 0, 0), set, RunOptions.checkpoints(dir));
        PretrainSettings wild = Small.settings("simclr", "adamw", 1e30, batch, 50, 0, 0);
        IllegalStateException e =
                assertThrows(IllegalStateException.class, () -> run(wild, set, RunOptions.checkpoints(dir)));
        assertTrue(e.getMessage().contains("learning rate") && e.getMessage().contains("ckpt"), e.getMessage());
        // With a rate that is not wild it goes on from there.
        Pretrainer.Result tame =
                run(Small.settings("simclr", "adamw", 1e-3, batch, 3, 0, 0), set, RunOptions.checkpoints(dir));
        assertTrue(tame.resumedAt() >= 1 && Double.isFinite(tame.finalLoss()), tame.toString());
    }

    @Test
    void aRunIsMadeLongerWithItsWarmUpByDefault(@TempDir Path dir) throws IOException {
        TrainingImages set = Small.labelled(16);
        Composition views = Composition.of("simclr-cifar");
        run(PretrainSettings.simclr(Small.NET, 32, views, 8, 1, 3), set, RunOptions.checkpoints(dir));
        Files.writeString(dir.resolve("step-0000000009.ckpt.part"), "half");
        Pretrainer.Result more =
                run(PretrainSettings.simclr(Small.NET, 32, views, 8, 3, 3), set, RunOptions.checkpoints(dir));
        assertEquals(1, more.resumedAt());
        assertEquals(3, more.epochs());
        Checkpoint.delete(dir);
        assertFalse(Files.exists(dir), "what a kill left half written goes too");
    }

    @Test
    void aRunThatStartedFromAnEncoderIsNotContinuedWithoutIt(@TempDir Path dir) throws IOException {
        TrainingImages set = Small.labelled(16);
        PretrainSettings s = Small.settings("simclr", "sgd", 0.05, 8, 2, 0, 0);
        Path file = dir.resolve("first.onnx");
        Files.write(file, run(s, set, NOTHING).onnx());
        Path state = dir.resolve("state");
        Pretrainer first = new Pretrainer(s, "cpu", 1, interruptAfter(2));
        first.startFrom(file);
        assertThrows(InterruptedIOException.class, () -> first.run(set, RunOptions.checkpoints(state)));
        IOException e = assertThrows(IOException.class, () -> run(s, set, RunOptions.checkpoints(state)));
        assertTrue(e.getMessage().contains("training.started_from"), e.getMessage());
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
            new Pretrainer(Small.settings("simclr", "adamw", 1e-3, 8, 1, 0, 0), "cpu", 1, listener)
                    .run(Small.labelled(16), RunOptions.checkpoints(dir));
            assertEquals(1, Checkpoint.list(dir).size());
            assertEquals(List.of("epoch 1/1"), tasks);
        } finally {
            Locale.setDefault(before);
        }
    }

    @Test
    void metricsAreNotWrittenOverSomeoneElsesFile(@TempDir Path dir) throws IOException {
        TrainingImages set = Small.labelled(16);
        for (String content : List.of("my notes\n", "one\ntwo\n", "{\"a\": 1}\n", "{\"run\":\"r\",\"epoch\":\"x\"}\n{}\n")) {
            Path notes = dir.resolve("notes.txt");
            Files.writeString(notes, content);
            RunOptions options = new RunOptions(null, 10, 2, notes, null, null, 1);
            IOException e = assertThrows(IOException.class,
                    () -> run(Small.settings("simclr", "adamw", 1e-3, 8, 1, 0, 0), set, options));
            assertTrue(e.getMessage().contains("notes.txt"), e.getMessage());
            assertEquals(content, Files.readString(notes));
        }
    }

    @Test
    void drawnImagesReplaceThoseDrawnBeforeAndNothingElse(@TempDir Path dir) throws IOException {
        BuiltInImages.write(dir, 3, 1);
        BuiltInImages.write(dir, 2, 1);
        try (ImageSource source = ImageSource.open(dir)) {
            assertEquals(20, source.size());
        }
        Path mine = Files.createDirectories(dir.resolve("cats")).resolve("tom.png");
        Files.writeString(mine, "a cat");
        IOException e = assertThrows(IOException.class, () -> BuiltInImages.write(dir, 1, 1));
        assertTrue(e.getMessage().contains("tom.png"), e.getMessage());
        try (ImageSource source = ImageSource.open(dir)) {
            assertEquals(21, source.size());
        }
        assertThrows(IllegalArgumentException.class, () -> BuiltInImages.write(dir.resolve("new"), 0, 1));
        assertFalse(Files.exists(dir.resolve("new")));
    }

    @Test
    void whatASettingsTextSaysIsWhatIsUsed() {
        PretrainSettings simclr = Small.settings("simclr", "adamw", 1e-3, 8, 1, 0, 0);
        PretrainSettings supervised = Small.head(Small.settings("supervised", "sgd", 1e-3, 8, 1, 0, 0), Head.of("deep", 0, 16, true, 0));
        assertDescribes(supervised, "training.head", "linear classifier", "training.momentum", "0.9", "training.loss", null,
                "training.temperature", null, "training.margin", null, "training.class_prior", null);
        assertDescribes(simclr, "training.head", "2 layers, hidden as the encoder, out 16, batch norm", "training.loss", "nt-xent",
                "training.temperature", "0.5", "training.margin", null, "training.class_prior", null, "training.momentum", null);
        assertDescribes(Small.head(simclr, Head.of("none", 7, 16, true, 0)), "training.head", "none");
        assertDescribes(Small.head(simclr, Head.of("linear", 7, 16, false, 0)), "training.head", "1 layer, out 16, biases");
        assertDescribes(Small.method(simclr, MethodSettings.of("simclr", "margin", 0.5)), "training.margin", "0.8",
                "training.temperature", null);
        assertDescribes(Small.method(simclr, MethodSettings.of("simclr", "debiased", 0.5)), "training.class_prior", "0.1",
                "training.temperature", "0.5");
        // Its loss is its own.
        for (String loss : List.of("margin", "debiased")) {
            assertDescribes(Small.method(simclr, MethodSettings.of("mocov2", loss, 0.5)), "training.loss", null,
                    "training.temperature", "0.5", "training.margin", null, "training.class_prior", null);
        }
    }

    private static void assertDescribes(PretrainSettings s, String... pairs) {
        for (int i = 0; i < pairs.length; i += 2) {
            assertEquals(pairs[i + 1], s.describe().get(pairs[i]), pairs[i]);
        }
    }

    /** What would be a number that an array can't have, or none at all. */
    @Test
    void settingsOutOfTheirRangesAreRefused() {
        refused("16777216", () -> queue(2_000_000_000));
        refused("32768", () -> Head.simclr(1_000_000_000));
        refused("32768", () -> new Head(2, 1_000_000_000, 16, true, 0));
        PretrainSettings s = Small.settings("mocov2", "sgd", 0.1, 8, 1, 0, 0);
        refused("lower the queue or the projection",
                () -> Small.head(Small.method(s, queue(1 << 20)), new Head(2, 0, 2048, false, 0)));
        for (double wrong : new double[] {Double.NaN, Double.POSITIVE_INFINITY}) {
            refused("finite", () -> MethodSettings.simclr(wrong));
            refused("finite", () -> new MethodSettings("simclr", "margin", 0.5, wrong, 0.1, 24, 0.9, 0.9, false));
            refused("found", () -> new MethodSettings("simclr", "debiased", 0.5, 0.8, wrong, 24, 0.9, 0.9, false));
            refused("found", () -> new MethodSettings("mocov2", "nt-xent", 0.5, 0.8, 0.1, 24, 0.9, wrong, false));
        }
        refused("found -1", () -> new Pretrainer(s, "cpu", -1, Progress.NONE));
    }

    private static MethodSettings queue(int keys) {
        return new MethodSettings("mocov2", "nt-xent", 0.5, 0.8, 0.1, keys, 0.9, 0.9, false);
    }

    private static void refused(String word, Executable what) {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, what);
        assertTrue(e.getMessage().contains(word), e.getMessage());
    }

    @Test
    void aSmallerBatchKeepsItsGroupsAndMicroBatches() {
        // Groups of 16, of which six fit.
        assertBatch(96, 0, 6, Small.settings("mocov2", "sgd", 0.1, 128, 1, 0, 8).on(100));
        // Not two groups fit: two smaller ones, for keys must not tell their queries.
        assertBatch(30, 0, 2, Small.settings("mocov2", "sgd", 0.1, 128, 1, 0, 8).on(31));
        assertBatch(3968, 128, 0, Small.settings("simclr", "sgd", 0.1, 4096, 1, 128, 0).on(4000));
        assertBatch(256, 128, 4, Small.settings("simclr", "sgd", 0.1, 4096, 1, 128, 64).on(300));
        assertBatch(100, 0, 0, Small.settings("simclr", "sgd", 0.1, 4096, 1, 128, 0).on(100));
        assertBatch(101, 0, 0, Small.settings("simclr", "sgd", 0.1, 128, 1, 0, 0).on(101));
    }

    private static void assertBatch(int batch, int micro, int splits, PretrainSettings s) {
        assertEquals(List.of(batch, micro, splits), List.of(s.batch(), s.microBatch(), s.bnSplits()));
    }

    @Test
    void aRunInterruptedInItsLastMeasurementOfAnEpochLosesNothing(@TempDir Path dir) throws IOException {
        Path labelled = dir.resolve("labelled");
        BuiltInImages.write(labelled, 20, 1);
        PretrainSettings s = Small.settings("simclr", "adamw", 1e-3, 8, 2, 0, 0);
        TrainingImages set = Small.labelled(16);
        try (ImageSource source = ImageSource.open(labelled)) {
            TrainingImages streamed = new StreamedImages(source, 32, 1, 8, 1, Progress.NONE);
            Pretrainer.Result whole = run(s, set, new RunOptions(null, 10, 2, null, streamed, null, 1));
            RunOptions options = new RunOptions(dir.resolve("c"), 10, 2, null, streamed, null, 1);
            // Two steps an epoch: the interrupt comes with the second, so the measurement meets it.
            assertThrows(InterruptedIOException.class, () -> new Pretrainer(s, "cpu", 1, interruptAfter(2)).run(set, options));
            Pretrainer.Result rest = run(s, set, options);
            assertEquals(1, rest.resumedAt());
            assertEquals(whole.knn(), rest.knn());
            assertEquals(whole.finalLoss(), rest.finalLoss());
            assertArrayEquals(Small.withoutTime(whole.onnx()), Small.withoutTime(rest.onnx()));
        }
    }

    @Test
    void classesThatNoNeighbourCanHaveAreRefused(@TempDir Path dir) {
        ImageSet bank = Small.labelled(20);
        ImageSet asked = new ImageSet(32, bank.pixels().subList(0, 4), new int[] {0, 1, 0, 1}, List.of("circle", "dog"), List.of(), "");
        RunOptions options = new RunOptions(null, 10, 2, null, bank, asked, 1);
        IOException e = assertThrows(IOException.class,
                () -> run(Small.settings("simclr", "adamw", 1e-3, 8, 1, 0, 0), bank, options));
        assertTrue(e.getMessage().contains("dog"), e.getMessage());
    }

    @Test
    void everyEpochLeavesALineOfFigures(@TempDir Path dir) throws IOException {
        Path metrics = dir.resolve("metrics.jsonl");
        TrainingImages set = Small.labelled(16);
        RunOptions options = new RunOptions(dir.resolve("c"), 10, 2, metrics, set, null, 2);
        run(Small.settings("simclr", "adamw", 1e-3, 8, 2, 0, 0), set, options);
        // A line that a kill has cut off, and one of an epoch that is done again, go.
        Files.writeString(metrics, Files.readString(metrics) + "{\"run\":\"x\",\"epo");
        Files.delete(Checkpoint.list(dir.resolve("c")).get(1));
        Pretrainer.Result rest = run(Small.settings("simclr", "adamw", 1e-3, 8, 3, 0, 0), set, options);
        List<JsonObject> lines = Files.readAllLines(metrics).stream()
                .map(l -> JsonParser.parseString(l).getAsJsonObject()).toList();
        assertEquals(List.of(1, 2, 3), lines.stream().map(l -> l.get("epoch").getAsInt()).toList());
        JsonObject second = lines.get(1);
        for (String key : List.of("loss", "learningRate", "viewsPerSecond", "top1", "top5", "alignment", "uniformity",
                "spread", "effectiveRank", "knn")) {
            assertTrue(Double.isFinite(second.get(key).getAsDouble()), key);
        }
        assertFalse(lines.get(0).has("knn"));
        assertEquals(rest.knn(), lines.get(2).get("knn").getAsDouble());
    }

    @Test
    void layersOfTheHeadThatAreKeptAreInTheFile() throws IOException {
        List<RgbImage> images = Small.drawings(6);
        for (int kept : new int[] {1, 2}) {
            for (boolean norm : new boolean[] {true, false}) {
                Head head = new Head(3, 24, 16, norm, kept);
                try (Network network = new Network(Small.NET, head, false, Device.cpu(), DataType.FLOAT32, 1);
                        NDManager m = network.manager().newSubManager();
                        OnnxEncoder e = OnnxEncoder.open(Pretrainer.export(network, 32, Map.of()), "test", 1)) {
                    NDArray x = network.encode(Small.pixels(m, images), Network.Pass.EVALUATION);
                    for (int i = 0; i < kept; i++) {
                        NDArray w = network.trained().get(Head.dense(i) + ".weight");
                        NDArray bias = norm ? null : network.trained().get(Head.dense(i) + ".bias");
                        x = ai.djl.nn.core.Linear.linear(x, w, bias).get(0);
                        // Fresh batch norm only divides by sqrt(1 + epsilon).
                        x = ai.djl.nn.Activation.relu(norm ? x.div(Math.sqrt(1 + ResNet.EPSILON)) : x);
                    }
                    float[] expected = x.toFloatArray();
                    float[][] actual = e.embed(images);
                    for (int i = 0; i < 6; i++) {
                        for (int k = 0; k < 24; k++) {
                            assertEquals(expected[24 * i + k], actual[i][k], 1e-4, "kept " + kept + " norm " + norm);
                        }
                    }
                }
            }
        }
    }

    @Test
    void aRunStartsFromAnEncodersWeights(@TempDir Path dir) throws IOException {
        TrainingImages set = Small.labelled(16);
        PretrainSettings s = Small.settings("simclr", "sgd", 0.05, 8, 2, 0, 0);
        byte[] first = run(s, set, NOTHING).onnx();
        Path file = dir.resolve("first.onnx");
        Files.write(file, first);
        // A rate this small leaves the weights as they were; the statistics of batch norm move on.
        PretrainSettings still = Small.settings("simclr", "sgd", 1e-12, 8, 1, 0, 0);
        Pretrainer again = new Pretrainer(still, "cpu", 1, Progress.NONE);
        again.startFrom(file);
        byte[] second = again.run(set, NOTHING).onnx();
        List<RgbImage> images = Small.drawings(8);
        try (OnnxEncoder a = OnnxEncoder.open(first, "first", 1); OnnxEncoder b = OnnxEncoder.open(second, "second", 1);
                OnnxEncoder fresh = OnnxEncoder.open(Pretrainer.untrained(Small.NET, 32, 9), "fresh", 1)) {
            assertEquals(1, cosine(a.embed(images), b.embed(images)), 0.02);
            assertTrue(cosine(a.embed(images), b.embed(images)) > cosine(a.embed(images), fresh.embed(images)) + 0.05);
            assertTrue(b.metadata().containsKey("training.started_from"));
        }
        PretrainSettings wider = new PretrainSettings(new ResNet(18, 0.125, ResNet.Stem.CIFAR), 32, s.head(), s.firstView(),
                s.secondView(), s.method(), s.optimiser(), 8, 0, 0, 1, false, true, 5);
        IOException e = assertThrows(
                IOException.class, () -> new Pretrainer(wider, "cpu", 1, Progress.NONE).startFrom(file));
        assertTrue(e.getMessage().contains("width 0.125"), e.getMessage());
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
    void aCheckpointsEncoderIsTheExportedOne(@TempDir Path dir) throws IOException {
        byte[] onnx = run(Small.settings("simclr", "adamw", 1e-3, 8, 2, 0, 0), Small.labelled(16),
                RunOptions.checkpoints(dir)).onnx();
        List<RgbImage> images = Small.drawings(5);
        try (OnnxEncoder e = OnnxEncoder.open(onnx, "test", 1);
                CheckpointEncoder c = new CheckpointEncoder(Checkpoint.newest(dir), Small.NET, 32)) {
            float[][] expected = c.embed(images);
            float[][] actual = e.embed(images);
            for (int i = 0; i < 5; i++) {
                assertArrayEquals(expected[i], actual[i], 1e-4f);
            }
        }
        ResNet other = new ResNet(34, 1.0 / 16, ResNet.Stem.CIFAR);
        assertThrows(IOException.class, () -> new CheckpointEncoder(Checkpoint.newest(dir), other, 32));
    }

    @Test
    void methodsThatNeedLabelsSaySo() {
        TrainingImages bare = ImageSet.of(Small.drawings(8), 32);
        IOException e = assertThrows(IOException.class,
                () -> run(Small.settings("supervised", "sgd", 0.1, 4, 1, 0, 0), bare, NOTHING));
        assertTrue(e.getMessage().contains("sub-folder"), e.getMessage());
        // One class has nothing to be told from; that others have names does not make it two.
        ImageSet alike = new ImageSet(32, Small.labelled(8).pixels(), new int[8], List.of("cat", "dog"), List.of(), "");
        for (PretrainSettings s : List.of(Small.settings("supervised", "sgd", 0.1, 4, 1, 0, 0), Small.loss("supcon", 0))) {
            IOException one = assertThrows(IOException.class, () -> run(s, alike, NOTHING));
            assertTrue(one.getMessage().contains("at least two classes, found one"), one.getMessage());
        }
    }

    @Test
    void mixedPrecisionIsRefusedOnTheCpu() {
        PretrainSettings s = Small.mixed(Small.settings("simclr", "sgd", 0.1, 4, 1, 0, 0));
        IllegalArgumentException e = assertThrows(
                IllegalArgumentException.class, () -> new Pretrainer(s, "cpu", 1, Progress.NONE));
        assertTrue(e.getMessage().contains("GPU"), e.getMessage());
    }

    @Test
    void aGpuThatIsNotThereIsAnErrorAndNotTheCpu() {
        if (Torch.engine().getGpuCount() == 0) {
            assertThrows(IllegalStateException.class, () -> Torch.device("gpu"));
            assertEquals(Device.cpu(), Torch.device("auto"));
        }
        assertThrows(IllegalStateException.class, () -> Torch.device("gpu:99"));
        assertThrows(IllegalArgumentException.class, () -> Torch.device("tpu"));
    }
}
