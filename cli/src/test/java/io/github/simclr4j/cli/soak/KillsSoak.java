// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.soak;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.train.data.BuiltInImages;
import io.github.simclr4j.train.loop.EncoderExport;
import io.github.simclr4j.train.method.MethodFactory;
import io.github.simclr4j.train.method.Methods;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Kills {@code pretrain} by SIGKILL at random moments, {@code -Dsoak.kills} times for each of {@code -Dsoak.methods}, and has it
 * resumed: the encoder is that of a run that nobody disturbed, to the byte, and nothing else is left. A third of the kills comes
 * anywhere between the start of the process and its end, a third while it trains, a third as soon as it is seen to write a
 * checkpoint or the encoder. Resumed runs hold their images in memory and decode them anew in turn.
 */
class KillsSoak {
    private static final int KILLS = Integer.getInteger("soak.kills", 30);
    private static final String METHODS = System.getProperty("soak.methods", "");
    private static final int EPOCHS = Integer.getInteger("soak.epochs", 6);
    private static final int AIMS = 6;

    @TempDir
    static Path dir;

    private static Path images;
    private static Path teacher;

    /** What the kills of a method met. */
    private static final class Tally {
        private int kills;
        private int writing;
        private int ending;
        private int starting;
        private int runs;
    }

    @BeforeAll
    static void make() throws IOException {
        images = dir.resolve("images");
        BuiltInImages.write(images, 16, 1);
        teacher = Files.write(
                dir.resolve("teacher.onnx"),
                EncoderExport.untrained(new ResNet(18, 1.0 / 16, ResNet.Stem.CIFAR), BuiltInImages.SIZE, 9));
        Table.head(
                "method",
                "kills",
                "before the first checkpoint",
                "while a checkpoint was written",
                "while the encoder was written",
                "runs to the end, all equal",
                "minutes");
    }

    static Stream<String> methods() {
        Set<String> asked = Set.of(METHODS.split(","));
        return Methods.all().stream().map(MethodFactory::name).filter(n -> METHODS.isEmpty() || asked.contains(n));
    }

    @ParameterizedTest
    @MethodSource("methods")
    void aKilledRunEndsLikeOneThatNobodyDisturbed(String method) throws Exception {
        long start = System.nanoTime();
        Path alone = Files.createDirectories(dir.resolve(method + "-alone"));
        Simclr whole = Simclr.run(alone, command(method, alone, true));
        assertEquals(0, whole.code(), whole.said());
        byte[] expected = Files.readAllBytes(alone.resolve("e.onnx"));
        Set<String> files = Simclr.names(alone);

        Random random = new Random(Table.SEED + method.hashCode());
        Tally tally = new Tally();
        long duration = whole.duration();
        for (int chain = 1; tally.kills < KILLS; chain++) {
            Path work = Files.createDirectories(dir.resolve(method + "-" + chain));
            Simclr last = null;
            while (last == null) {
                Simclr run = Simclr.start(work, command(method, work, random.nextBoolean()));
                boolean killed = tally.kills < KILLS && killed(run, work, tally, random, duration, expected);
                if (!killed) {
                    assertEquals(0, run.code(), run.said());
                    last = run;
                }
            }
            tally.runs++;
            assertArrayEquals(
                    expected,
                    Files.readAllBytes(work.resolve("e.onnx")),
                    () -> method + ": other weights, see " + work);
            assertEquals(files, Simclr.names(work), "what is left in the folder");
            assertEquals(Set.of(), last.left(), "temporary files");
            eachEpochOnce(work);
        }
        System.out.println(String.format(
                Locale.ROOT,
                "| %s | %d | %d | %d | %d | %d | %.1f |",
                method,
                tally.kills,
                tally.starting,
                tally.writing,
                tally.ending,
                tally.runs,
                (System.nanoTime() - start) / 60e9));
    }

    /** A run that is killed between its checkpoint and its line leaves an epoch without one; no epoch of a run may have two. */
    private static void eachEpochOnce(Path work) throws IOException {
        List<String> epochs = Files.readAllLines(work.resolve("metrics.jsonl")).stream()
                .map(l -> l.replaceAll("(\"epoch\":\\d+).*", "$1"))
                .toList();
        assertEquals(epochs.size(), Set.copyOf(epochs).size(), () -> "an epoch twice: " + epochs);
        assertTrue(epochs.size()
                <= EPOCHS
                        * Set.copyOf(epochs.stream()
                                        .map(l -> l.replaceAll(",.*", ""))
                                        .toList())
                                .size());
    }

    private static Object[] command(String method, Path work, boolean inMemory) {
        List<Object> all = new ArrayList<>(List.of(
                "pretrain",
                "--method",
                method,
                "--images",
                images,
                "--out",
                work.resolve("e.onnx"),
                "--width",
                "0.0625",
                "--image-size",
                "32",
                "--batch",
                "32",
                "--epochs",
                EPOCHS,
                "--device",
                "cpu",
                "--threads",
                "1",
                "--checkpoint-minutes",
                "0.002"));
        if (!inMemory) {
            // Too few megabytes for all images, but enough for two batches.
            all.addAll(List.of("--memory", "1", "--decoders", "1"));
        }
        if (Methods.named(method).options().stream().anyMatch(o -> o.name().equals("teacher"))) {
            all.addAll(List.of("--teacher", teacher));
        }
        return all.toArray();
    }

    /** Kills a run, unless it ends before. */
    private static boolean killed(Simclr run, Path work, Tally tally, Random random, long duration, byte[] expected)
            throws Exception {
        Path state = work.resolve("e.onnx.checkpoint");
        int aim = random.nextInt(AIMS);
        if (aim < 2) {
            Simclr.sleepWhile(run, (long) (random.nextDouble() * duration));
        } else {
            // Its first checkpoint is seen by its name: those of the run before are known.
            Set<String> before = Simclr.names(state);
            while (run.isRunning()
                    && before.containsAll(Simclr.names(state))
                    && !Files.exists(work.resolve("e.onnx"))) {
                Thread.onSpinWait();
            }
            boolean aimed = aim > 3;
            Simclr.sleepWhile(run, (long) (random.nextDouble() * (aim == 5 ? duration : duration / 2)));
            while (aimed
                    && run.isRunning()
                    && (aim == 5 || Simclr.parts(state).isEmpty())
                    && Simclr.parts(work).isEmpty()
                    && !Files.exists(work.resolve("e.onnx"))) {
                Thread.onSpinWait();
            }
        }
        if (!run.isRunning()) {
            return false;
        }
        run.kill();
        tally.kills++;
        Path out = work.resolve("e.onnx");
        if (!Simclr.parts(state).isEmpty()) {
            tally.writing++;
        } else if (Files.exists(out) || Simclr.parts(work).stream().anyMatch(n -> n.startsWith("e.onnx"))) {
            tally.ending++;
        } else if (Simclr.names(state).stream().noneMatch(n -> n.endsWith(".ckpt"))) {
            tally.starting++;
        }
        if (Files.exists(out)) {
            assertArrayEquals(expected, Files.readAllBytes(out), "a killed run leaves the whole encoder or none");
            Files.delete(out);
        }
        return true;
    }
}
