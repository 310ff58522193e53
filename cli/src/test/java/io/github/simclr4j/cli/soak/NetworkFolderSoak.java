// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.soak;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Has the folder that a command reads from, or the one that it writes to, answer slowly, not at all for seconds, or with errors as a
 * network folder does whose server is gone, {@code -Dsoak.absences} times each. The command ends with what it always writes or with
 * one line, and then goes on when the folder is back; it never leaves out images that it could not reach. The folder is made to behave
 * so by a library that is loaded before the C library ({@code share.c}), so that whatever way Java takes to a file is covered.
 */
@EnabledOnOs(OS.LINUX)
class NetworkFolderSoak {
    private static final int ABSENCES = Integer.getInteger("soak.absences", 10);
    private static final int[] ERRORS = {116, 5, 107, 112};

    @TempDir
    static Path dir;

    private static Path library;
    private static Path inputs;
    private static Path state;

    @BeforeAll
    static void compile() throws Exception {
        state = Files.createDirectories(dir.resolve("state"));
        inputs = Files.createDirectories(dir.resolve("inputs"));
        Path source = dir.resolve("share.c");
        try (InputStream in = NetworkFolderSoak.class.getResourceAsStream("share.c")) {
            Files.copy(in, source);
        }
        library = dir.resolve("share.so");
        int code;
        try {
            code = new ProcessBuilder(
                            "cc", "-shared", "-fPIC", "-O2", "-o", library.toString(), source.toString(), "-ldl")
                    .inheritIO()
                    .start()
                    .waitFor();
        } catch (IOException e) {
            code = -1;
        }
        assumeTrue(code == 0, "skipped: there is no C compiler (cc) for the library that stands for a network");
    }

    static Stream<Job> jobs() throws IOException {
        Table.head(
                "command",
                "slow",
                "stalled for seconds",
                "gone for a moment",
                "gone for good",
                "ended all the same",
                "failed in one line",
                "then equal to an undisturbed run",
                "minutes");
        return Job.all(inputs == null ? Files.createDirectories(dir.resolve("inputs")) : inputs).stream();
    }

    private static void say(String name, Integer value) throws IOException {
        Path file = state.resolve(name);
        if (value == null) {
            Files.deleteIfExists(file);
        } else {
            Path whole = Files.writeString(state.resolve(name + ".new"), value.toString());
            Files.move(whole, file, StandardCopyOption.ATOMIC_MOVE);
        }
    }

    @ParameterizedTest
    @MethodSource("jobs")
    void aNetworkFolderThatIsSlowOrGoneCostsTimeAndNothingElse(Job job) throws Exception {
        long start = System.nanoTime();
        Path folder = Files.createDirectories(dir.resolve(job.name()));
        Path log = dir.resolve("log of " + job.name());
        Map<String, String> preload = Map.of("LD_PRELOAD", library.toString(), "SHARE_STATE", state.toString());
        Simclr whole = Simclr.start(log, preload, job.command(folder));
        assertEquals(0, whole.code(), whole.said());
        Map<String, byte[]> expected = job.written(folder);
        Set<String> names = Simclr.names(folder);
        Simclr.delete(folder);

        Random random = new Random(Table.SEED + job.name().hashCode());
        int[] kinds = new int[4];
        int ended = 0;
        int failed = 0;
        for (int i = 0; i < ABSENCES; i++) {
            int kind = i % kinds.length;
            kinds[kind]++;
            boolean reads = random.nextBoolean();
            Files.createDirectories(folder);
            if (kind == 0) {
                say("slow", 1 + random.nextInt(3000));
            }
            Simclr run = Simclr.start(
                    log,
                    Map.of(
                            "LD_PRELOAD",
                            library.toString(),
                            "SHARE_STATE",
                            state.toString(),
                            "SHARE",
                            (reads ? inputs : folder).toString()),
                    job.command(folder));
            Simclr.sleepWhile(run, (long) (random.nextDouble() * 0.9 * whole.duration()));
            if (kind == 1) {
                say("stall", 1);
                Thread.sleep(TimeUnit.SECONDS.toMillis(1 + random.nextInt(3)));
            } else if (kind > 1) {
                say("gone", ERRORS[random.nextInt(ERRORS.length)]);
                Simclr.sleepWhile(run, kind == 2 ? 1 + random.nextInt(100) : TimeUnit.MINUTES.toMillis(2));
            }
            say("stall", null);
            if (kind == 2) {
                say("gone", null);
            }
            int code = run.code();
            say("gone", null);
            say("slow", null);
            String what =
                    List.of("slow", "stalled", "gone for a moment", "gone").get(kind)
                            + (reads ? ", inputs: " : ", outputs: ")
                            + run.said();
            assertFalse(run.said().contains("skipped"), what);
            if (code == 0) {
                ended++;
                same(expected, job.written(folder), what);
                Simclr.delete(folder);
                continue;
            }
            failed++;
            assertEquals(1, code, what);
            assertEquals(
                    List.of(run.lastLine()),
                    run.said().lines().filter(l -> l.startsWith("simclr: ")).toList(),
                    what);
        }
        Files.createDirectories(folder);
        Simclr last = Simclr.start(log, preload, job.command(folder));
        assertEquals(0, last.code(), last.said());
        same(expected, job.written(folder), last.said());
        assertEquals(names, Simclr.names(folder), "what is left in the folder");
        System.out.println(String.format(
                Locale.ROOT,
                "| %s | %d | %d | %d | %d | %d | %d | %d | %.1f |",
                job.name(),
                kinds[0],
                kinds[1],
                kinds[2],
                kinds[3],
                ended,
                failed,
                ended + 1,
                (System.nanoTime() - start) / 60e9));
    }

    private static void same(Map<String, byte[]> expected, Map<String, byte[]> found, String what) {
        assertEquals(expected.keySet(), found.keySet(), what);
        expected.forEach((name, bytes) -> assertArrayEquals(bytes, found.get(name), () -> name + ", " + what));
    }
}
