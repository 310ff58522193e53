// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.soak;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Has each command that writes much run on a disk that is full but for a random number of bytes, {@code -Dsoak.full} times, and then
 * on the same disk with room. A failure is one line that names what could not be written and the remedy; what was whole before stays; in
 * the end all is as on an empty disk.
 */
class FullDiskSoak {
    private static final int TIMES = Integer.getInteger("soak.full", 8);
    private static final byte[] OLD = "what was there before".getBytes(StandardCharsets.UTF_8);

    @TempDir
    static Path dir;

    private static SmallDisk disk;

    @BeforeAll
    static void mount() throws IOException, InterruptedException {
        disk = SmallDisk.mount(dir.resolve("disk"), "48m");
    }

    @AfterAll
    static void unmount() throws IOException {
        if (disk != null) {
            disk.close();
        }
    }

    @BeforeEach
    void clear() throws IOException {
        disk.empty();
        Simclr.delete(disk.folder().resolve("out"));
    }

    static Stream<Job> jobs() throws IOException {
        Table.head(
                "command",
                "full disks",
                "failed in one line",
                "ended in spite of it",
                "then equal to a run with room",
                "minutes");
        return Job.all(Files.createDirectories(dir.resolve("inputs"))).stream();
    }

    @ParameterizedTest
    @MethodSource("jobs")
    void aFullDiskIsOneClearLineAndNothingIsLost(Job job) throws Exception {
        long start = System.nanoTime();
        Path log = dir.resolve("log of " + job.name());
        Path folder = Files.createDirectories(disk.folder().resolve("out"));
        long before = disk.used();
        long peak = 0;
        Simclr whole = Simclr.start(log, job.command(folder));
        while (whole.isRunning()) {
            peak = Math.max(peak, disk.used() - before);
            Thread.sleep(2);
        }
        assertEquals(0, whole.code(), whole.said());
        Map<String, byte[]> expected = job.written(folder);
        Set<String> names = Simclr.names(folder);
        Simclr.delete(folder);

        Random random = new Random(Table.SEED + job.name().hashCode());
        int failed = 0;
        int ended = 0;
        for (int i = 0; i < TIMES; i++) {
            Files.createDirectories(folder);
            Map<String, byte[]> old = old(job, folder);
            // In the first round there is no room at all.
            disk.fill(i == 0 ? 0 : (long) (random.nextDouble() * peak));
            Simclr run = Simclr.run(log, job.command(folder));
            if (run.code() == 0) {
                ended++;
                disk.empty();
                end(job, folder, expected);
                continue;
            }
            failed++;
            assertEquals(1, run.code(), run.said());
            List<String> errors =
                    run.said().lines().filter(l -> l.startsWith("simclr: ")).toList();
            String last = run.lastLine();
            assertEquals(List.of(last), errors, run.said());
            assertTrue(
                    last.contains(folder.toString())
                            && last.matches(
                                    ".*(free some space|make room|choose another|free some|the same command).*"),
                    run.said());
            assertEquals(Set.of(), Simclr.parts(folder), run.said());
            assertEquals(Set.of(), run.left(), run.said());
            assertTrue(Job.isPageWhole(folder), "half a page");
            job.written(folder).forEach((name, bytes) -> {
                if (old.containsKey(name)) {
                    // When it is the page that fails in the end, all else is there.
                    byte[] now =
                            last.contains(Job.PAGE) && bytes.length != OLD.length ? expected.get(name) : old.get(name);
                    assertArrayEquals(now, bytes, () -> name + " is no longer what it was");
                }
            });
        }
        disk.empty();
        Files.createDirectories(folder);
        Simclr last = Simclr.run(log, job.command(folder));
        assertEquals(0, last.code(), last.said());
        assertEquals(names, Simclr.names(folder), "what is left in the folder");
        end(job, folder, expected);
        System.out.println(String.format(
                Locale.ROOT,
                "| %s | %d | %d | %d | %d | %.1f |",
                job.name(),
                TIMES,
                failed,
                ended,
                ended + 1,
                (System.nanoTime() - start) / 60e9));
    }

    /** Puts other files where the outputs go, but for those that a command goes on from. */
    private static Map<String, byte[]> old(Job job, Path folder) throws IOException {
        Map<String, byte[]> old = new TreeMap<>();
        for (String output : job.outputs()) {
            if (!job.isKept(output)) {
                Files.write(folder.resolve(output), OLD);
                old.put(output, OLD);
            }
        }
        return old;
    }

    private static void end(Job job, Path folder, Map<String, byte[]> expected) throws IOException {
        Map<String, byte[]> found = job.written(folder);
        assertEquals(expected.keySet(), found.keySet());
        expected.forEach((name, bytes) -> assertArrayEquals(bytes, found.get(name), name));
        Simclr.delete(folder);
    }

    /** Native libraries are unpacked to it. */
    @Test
    void aFullFolderForTemporaryFilesIsOneClearLine() throws Exception {
        for (Job job : Job.all(Files.createDirectories(dir.resolve("temporary-inputs")))) {
            Path folder = Files.createDirectories(dir.resolve("out of " + job.name()));
            disk.fill(1 << 20);
            Simclr run = Simclr.run(disk.folder().resolve("log"), job.command(folder));
            disk.empty();
            assertEquals(Set.of(), run.left());
            if (run.code() == 0) {
                // DJL keeps the libraries that it has unpacked once elsewhere.
                continue;
            }
            assertEquals(1, run.code(), run.said());
            assertTrue(run.lastLine().matches("simclr: .*" + disk.folder() + ".*free some space there.*"), run.said());
            assertTrue(job.written(folder).keySet().stream().allMatch(job::isKept), run.said());
        }
    }
}
