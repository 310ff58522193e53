// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.train.data.BuiltInImages;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Processes of their own that are told to end. */
@Tag("slow")
class ShutdownGuardTest {
    @TempDir
    Path dir;

    private Process start(Path log, Object... args) throws IOException {
        return start(Main.class, log, args);
    }

    private static Process start(Class<?> main, Path log, Object... args) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Dai.djl.offline=true",
                "-cp",
                System.getProperty("java.class.path"),
                main.getName()));
        Stream.of(args).map(Object::toString).forEach(command::add);
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
    }

    /** Steps after which there is a checkpoint, in order. */
    private static List<Integer> steps(Path state) throws IOException {
        if (!Files.isDirectory(state)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(state)) {
            return files.map(f -> f.getFileName().toString())
                    .filter(n -> n.endsWith(".ckpt"))
                    .map(n -> Integer.parseInt(n.replaceAll("\\D", "")))
                    .sorted()
                    .toList();
        }
    }

    /** ONNX Runtime gives up its environment when Java shuts down, whatever still computes with it. */
    @RepeatedTest(5)
    @DisabledOnOs(OS.WINDOWS)
    void anEndWhileImagesAreEncodedIsSaidInPlainWords(RepetitionInfo repetition) throws Exception {
        Path images = dir.resolve("images");
        BuiltInImages.write(images, 200, 1);
        Path encoder = CommandLineTest.untrained(dir.resolve("e.onnx"), 1);
        Path folder = Files.createDirectories(dir.resolve("out"));
        Path log = dir.resolve("log");
        Process p = start(
                log,
                "embed",
                "--encoder",
                encoder,
                "--images",
                images,
                "--device",
                "cpu",
                "--out",
                folder.resolve("f.csv"));
        while (p.isAlive() && !isWritten(folder)) {
            Thread.sleep(1);
        }
        Thread.sleep(20L * repetition.getCurrentRepetition());
        assertTrue(p.isAlive(), "it ended before it could be told to");
        p.destroy();
        assertTrue(p.waitFor(60, TimeUnit.SECONDS));
        String said = Files.readString(log);
        assertEquals(143, p.exitValue(), said);
        assertTrue(
                said.strip()
                        .matches("(?s).*simclr: interrupted: .*f.csv was not written; the same command starts over"),
                said);
        assertFalse(isWritten(folder), said);
    }

    private static boolean isWritten(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.anyMatch(f -> f.getFileName().toString().endsWith(".part"));
        }
    }

    /** SIGTERM, whose exit code is 128 + 15. */
    @Test
    @DisabledOnOs(OS.WINDOWS)
    void anEndInMidEpochIsSavedAndSaid() throws Exception {
        Path images = dir.resolve("images");
        BuiltInImages.write(images, 64, 1);
        Path state = dir.resolve("state");
        Path log = dir.resolve("log");
        // One epoch of 320 steps, which is saved now and then on the way: the last time, by the end itself.
        Process p = start(
                log,
                "pretrain",
                "--images",
                images,
                "--width",
                "0.0625",
                "--batch",
                "2",
                "--epochs",
                "1",
                "--threads",
                "1",
                "--device",
                "cpu",
                "--out",
                dir.resolve("x.onnx"),
                "--checkpoint",
                state,
                "--checkpoint-minutes",
                "0.002");
        while (p.isAlive() && steps(state).isEmpty()) {
            Thread.sleep(5);
        }
        int seen = steps(state).stream().reduce(0, (a, b) -> b);
        p.destroy();
        assertTrue(p.waitFor(60, TimeUnit.SECONDS));
        String said = Files.readString(log);
        assertEquals(143, p.exitValue(), said);
        assertTrue(
                said.strip()
                        .endsWith(
                                "simclr: interrupted in epoch 1; run the same command again to continue from " + state),
                said);
        List<Integer> saved = steps(state);
        int last = saved.get(saved.size() - 1);
        assertTrue(last > seen && last < 320, seen + " " + saved);
        assertFalse(Files.exists(dir.resolve("x.onnx")));
    }

    /** Runs a command when Java has begun to shut down, as after a signal during the start-up of the command. */
    static final class RunsWhileJavaShutsDown {
        private RunsWhileJavaShutsDown() {}

        public static void main(String[] args) {
            Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("code " + Main.run(args))));
        }
    }

    @Test
    void aCommandThatStartsWhileJavaShutsDownEndsWithoutAMessage() throws Exception {
        Path images = dir.resolve("images");
        BuiltInImages.write(images, 20, 1);
        Path encoder = CommandLineTest.untrained(dir.resolve("e.onnx"), 1);
        Path log = dir.resolve("log");
        Path table = dir.resolve("f.csv");
        Process p = start(
                RunsWhileJavaShutsDown.class, log, "embed", "--encoder", encoder, "--images", images, "--out", table);
        assertTrue(p.waitFor(60, TimeUnit.SECONDS));
        String said = Files.readString(log);
        assertTrue(said.contains("code 130"), said);
        assertFalse(said.contains("simclr:"), said);
        assertFalse(Files.exists(table), said);
    }
}
