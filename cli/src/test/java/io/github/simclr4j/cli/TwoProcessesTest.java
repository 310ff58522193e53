// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import static io.github.simclr4j.cli.CommandLineTest.run;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two processes at one output, and processes that are killed: what they leave, and what the next one makes of it. */
@Tag("slow")
@Timeout(300)
class TwoProcessesTest {
    @TempDir
    static Path dir;

    private static Path encoder;
    private static Path images;

    @BeforeAll
    static void make() throws IOException {
        run("--version");
        images = Colours.write(dir.resolve("images"), 250, 1);
        encoder = CommandLineTest.untrained(dir.resolve("encoder.onnx"), 1);
    }

    private static Process start(Path log, Path temporary, Object... args) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Djava.io.tmpdir=" + temporary,
                Main.class.getName()));
        Stream.of(args).map(Object::toString).forEach(command::add);
        ProcessBuilder b = new ProcessBuilder(command);
        b.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        return b.redirectErrorStream(true).redirectOutput(log.toFile()).start();
    }

    private static Set<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(f -> f.getFileName().toString())
                    .filter(n -> !n.startsWith("hsperf"))
                    .collect(Collectors.toSet());
        }
    }

    private static Object[] embed(Path out) {
        return new Object[] {"embed", "--encoder", encoder, "--images", images, "--out", out, "--device", "cpu"};
    }

    @Test
    void ofTwoRunsIntoOneFileOneIsRefusedAndTheFileIsWhole() throws Exception {
        Path folder = Files.createDirectories(dir.resolve("two"));
        Path temporary = Files.createDirectories(dir.resolve("two-temporary"));
        for (String name : List.of("f.csv", "f.npy")) {
            Path alone = dir.resolve("alone-" + name);
            assertEquals(0, run(embed(alone)).code());
            Path out = folder.resolve(name);
            Process first = start(dir.resolve("first.log"), temporary, embed(out));
            Process second = start(dir.resolve("second.log"), temporary, embed(out));
            List<Integer> codes =
                    Stream.of(first.waitFor(), second.waitFor()).sorted().toList();
            String logs = Files.readString(dir.resolve("first.log")) + Files.readString(dir.resolve("second.log"));
            assertEquals(List.of(0, 1), codes, logs);
            assertTrue(logs.matches("(?s).*Another process \\(\\d+\\) is writing to .*" + name + ".*"), logs);
            assertArrayEquals(Files.readAllBytes(alone), Files.readAllBytes(out));
        }
        assertEquals(Set.of("f.csv", "f.npy", "f.npy.txt"), names(folder));
        assertEquals(Set.of(), names(temporary));
    }

    @Test
    void whatAKilledRunLeavesGoesWithTheNextOne() throws Exception {
        Path folder = Files.createDirectories(dir.resolve("killed"));
        Path temporary = Files.createDirectories(dir.resolve("killed-temporary"));
        Path out = folder.resolve("f.csv");
        Process p = start(dir.resolve("killed.log"), temporary, embed(out));
        while (p.isAlive() && names(folder).stream().noneMatch(n -> n.endsWith(".part"))) {
            Thread.sleep(1);
        }
        assertTrue(p.isAlive(), () -> "it ended before it could be killed");
        p.destroyForcibly().waitFor();
        assertEquals(Set.of(), names(temporary), "libraries go as soon as they are loaded");
        assertFalse(names(folder).contains("f.csv"));
        assertEquals(
                0,
                start(dir.resolve("killed.log"), temporary, embed(out)).waitFor(),
                Files.readString(dir.resolve("killed.log")));
        assertEquals(Set.of("f.csv"), names(folder));
        assertEquals(Set.of(), names(temporary));
    }

    @Test
    void twoTrainingsDoNotShareAFolderOfCheckpoints() throws Exception {
        Path folder = Files.createDirectories(dir.resolve("trainings"));
        Process[] both = new Process[2];
        for (int i = 0; i < 2; i++) {
            both[i] = start(
                    dir.resolve("train" + i + ".log"),
                    Files.createDirectories(dir.resolve("t" + i)),
                    "pretrain",
                    "--images",
                    images,
                    "--out",
                    folder.resolve(i + ".onnx"),
                    "--checkpoint",
                    folder.resolve("state"),
                    "--metrics",
                    folder.resolve("m" + i),
                    "--encoder",
                    "resnet18",
                    "--width",
                    "0.0625",
                    "--image-size",
                    "16",
                    "--batch",
                    "64",
                    "--epochs",
                    "3",
                    "--device",
                    "cpu");
        }
        List<Integer> codes =
                Stream.of(both[0].waitFor(), both[1].waitFor()).sorted().toList();
        String logs = Files.readString(dir.resolve("train0.log")) + Files.readString(dir.resolve("train1.log"));
        assertEquals(List.of(0, 1), codes, logs);
        assertTrue(logs.matches("(?s).*Another process \\(\\d+\\) is writing to .*state: wait.*"), logs);
        assertEquals(2, names(folder.resolve("state")).size());
    }

    @Test
    void aTemporaryFolderOfNoUseIsOneClearLine() throws Exception {
        Path file = Files.createFile(dir.resolve("no-folder"));
        assertEquals(
                1,
                start(dir.resolve("tmp.log"), file, embed(dir.resolve("x.csv"))).waitFor());
        List<String> lines = Files.readAllLines(dir.resolve("tmp.log"));
        assertEquals(1, lines.size(), lines.toString());
        assertTrue(
                lines.get(0)
                        .startsWith("simclr: Can't write temporary files to " + file + " (there is no such folder)"),
                lines.toString());
    }
}
