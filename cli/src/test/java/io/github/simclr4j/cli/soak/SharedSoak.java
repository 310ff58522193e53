// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.soak;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Starts each command twice at random times, {@code -Dsoak.pairs} times: into the same files, or, of a training, into two encoders with
 * one folder of checkpoints, one file of metrics and one cache of a teacher's features. In a third of the pairs one is killed. Whoever
 * ends has written what a run alone writes; the other one is refused in one line.
 */
class SharedSoak {
    private static final int PAIRS = Integer.getInteger("soak.pairs", 10);
    private static final String REFUSED = "simclr: .*Another process( \\(\\d+\\))? is writing to.*wait until.*";

    @TempDir
    static Path dir;

    static Stream<Job> jobs() throws IOException {
        Table.head(
                "command",
                "pairs",
                "with other names",
                "one killed",
                "one refused",
                "both ended",
                "then equal to a run alone",
                "minutes");
        return Job.all(Files.createDirectories(dir.resolve("inputs"))).stream();
    }

    @ParameterizedTest
    @MethodSource("jobs")
    void ofTwoAtOnceEachWritesWhatOneAloneWritesOrIsRefused(Job job) throws Exception {
        long start = System.nanoTime();
        Path folder = Files.createDirectories(dir.resolve(job.name()));
        Path log = dir.resolve("log of " + job.name());
        Path secondLog = dir.resolve("second log of " + job.name());
        Simclr alone = Simclr.run(log, job.command(folder));
        assertEquals(0, alone.code(), alone.said());
        Map<String, byte[]> expected = job.written(folder);
        Simclr.delete(folder);

        Random random = new Random(Table.SEED + job.name().hashCode());
        int others = 0;
        int killed = 0;
        int refused = 0;
        int both = 0;
        for (int i = 0; i < PAIRS; i++) {
            Files.createDirectories(folder);
            boolean other = job.outputs().contains("e.onnx") && random.nextBoolean();
            boolean kill = random.nextInt(3) == 0;
            Simclr first = Simclr.start(log, job.command(folder));
            Simclr.sleepWhile(first, (long) (random.nextDouble() * random.nextDouble() * alone.duration()));
            Simclr second =
                    Simclr.start(secondLog, other ? elsewhere(job.command(folder), folder) : job.command(folder));
            if (kill) {
                Simclr.sleepWhile(first, (long) (random.nextDouble() * alone.duration()));
                first.kill();
            }
            List<Integer> codes = new ArrayList<>();
            for (Simclr run : kill ? List.of(second) : List.of(first, second)) {
                codes.add(run.code());
                if (run.code() != 0) {
                    assertEquals(1, run.code(), run.said());
                    assertTrue(run.lastLine().matches(REFUSED), run.said());
                    refused++;
                }
                assertEquals(Set.of(), run.left(), "temporary files");
            }
            assertTrue(kill || codes.contains(0), "both were refused");
            others += other ? 1 : 0;
            killed += kill ? 1 : 0;
            both += codes.equals(List.of(0, 0)) ? 1 : 0;
            Path otherEncoder = folder.resolve("other.onnx");
            if (Files.exists(otherEncoder)) {
                assertArrayEquals(expected.get("e.onnx"), Files.readAllBytes(otherEncoder), "the second encoder");
            }
            Simclr last = Simclr.run(log, job.command(folder));
            assertEquals(0, last.code(), last.said());
            Map<String, byte[]> found = job.written(folder);
            assertEquals(expected.keySet(), found.keySet());
            expected.forEach((name, bytes) -> assertArrayEquals(bytes, found.get(name), name));
            assertEquals(
                    Set.of(),
                    Simclr.names(folder).stream()
                            .filter(n -> n.endsWith(".part") && !n.startsWith("other") || n.endsWith(".lock") && !kill)
                            .collect(Collectors.toSet()));
            Simclr.delete(folder);
        }
        System.out.println(String.format(
                Locale.ROOT,
                "| %s | %d | %d | %d | %d | %d | %d | %.1f |",
                job.name(),
                PAIRS,
                others,
                killed,
                refused,
                both,
                PAIRS,
                (System.nanoTime() - start) / 60e9));
    }

    /** The same training with the same checkpoints into another file. */
    private static Object[] elsewhere(Object[] command, Path folder) {
        List<Object> all = new ArrayList<>(Arrays.asList(command));
        all.replaceAll(a -> a.equals(folder.resolve("e.onnx")) ? folder.resolve("other.onnx") : a);
        all.addAll(List.of("--checkpoint", folder.resolve("e.onnx.checkpoint")));
        return all.toArray();
    }
}
