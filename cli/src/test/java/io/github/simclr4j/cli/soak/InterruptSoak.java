// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.soak;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Interrupts each command that takes long by SIGINT and SIGTERM at random moments, {@code -Dsoak.interrupts} times, and runs it again
 * until it is done. Each file is there as a whole or not at all, the process ends with the signal's exit code, and its last line says
 * how to go on if there was something to go on with. In the end all is as if nobody had interrupted.
 */
@DisabledOnOs(OS.WINDOWS)
class InterruptSoak {
    private static final int INTERRUPTS = Integer.getInteger("soak.interrupts", 20);
    private static final String HOW_TO_GO_ON = "simclr: interrupted.*(same command|same settings|result was written).*";

    @TempDir
    static Path dir;

    static Stream<Job> jobs() throws IOException {
        Table.head(
                "command",
                "interruptions",
                "with a word how to go on",
                "runs to the end, all equal",
                "longest end, s",
                "minutes");
        return Job.all(Files.createDirectories(dir.resolve("inputs"))).stream();
    }

    @BeforeAll
    static void interruptsAreNotIgnored() {
        // A shell ignores SIGINT for what it starts in the background, and so would what is started from here.
        System.out.println("SIGINT is "
                + (ignoresInterrupts() ? "ignored here: only SIGTERM is sent" : "sent as often as SIGTERM"));
    }

    private static boolean ignoresInterrupts() {
        try {
            String ignored = Files.readAllLines(Path.of("/proc/self/status")).stream()
                    .filter(l -> l.startsWith("SigIgn:"))
                    .findFirst()
                    .orElse("SigIgn: 0");
            return (Long.parseUnsignedLong(ignored.replaceAll(".*\\s", ""), 16) & 2) != 0;
        } catch (IOException e) {
            return false;
        }
    }

    @ParameterizedTest
    @MethodSource("jobs")
    void anInterruptedCommandLeavesWholeFilesAndSaysHowToGoOn(Job job) throws Exception {
        long start = System.nanoTime();
        Path folder = Files.createDirectories(dir.resolve(job.name()));
        Simclr whole = Simclr.run(dir.resolve("log of " + job.name()), job.command(folder));
        assertEquals(0, whole.code(), whole.said());
        Map<String, byte[]> expected = job.written(folder);
        assertEquals(Set.copyOf(job.outputs()), expected.keySet());
        Set<String> names = Simclr.names(folder);
        Simclr.delete(folder);

        Random random = new Random(Table.SEED + job.name().hashCode());
        long duration = whole.duration();
        int sent = 0;
        int said = 0;
        int ends = 0;
        double longest = 0;
        boolean done = false;
        while (!done) {
            Files.createDirectories(folder);
            Simclr run = Simclr.start(dir.resolve("log of " + job.name()), job.command(folder));
            boolean hurried = random.nextBoolean();
            boolean last = sent == INTERRUPTS;
            Simclr.sleepWhile(run, last ? TimeUnit.HOURS.toMillis(1) : (long) (random.nextDouble() * 0.9 * duration));
            // Half of the interruptions come as soon as a file is seen to be written, which is where much can go wrong.
            while (hurried && run.isRunning() && Simclr.parts(folder).isEmpty()) {
                Thread.onSpinWait();
            }
            boolean running = run.isRunning();
            String signal = random.nextBoolean() && !ignoresInterrupts() ? "INT" : "TERM";
            if (running) {
                long now = System.nanoTime();
                run.signal(signal);
                run.code();
                longest = Math.max(longest, (System.nanoTime() - now) / 1e9);
            }
            boolean answered = run.lastLine().startsWith("simclr: ");
            if (run.code() == 0 || answered) {
                // One that was ended in its start-up leaves some to the next process, as one that was killed does.
                assertEquals(Set.of(), run.left(), () -> "temporary files");
            }
            if (run.code() == 0) {
                assertEquals(names, Simclr.names(folder), () -> "what is left in the folder");
                same(expected, job.written(folder));
                ends++;
                done = last;
                Simclr.delete(folder);
                continue;
            }
            sent++;
            assertEquals(signal.equals("INT") ? 130 : 143, run.code(), run.said());
            for (Map.Entry<String, byte[]> file : job.written(folder).entrySet()) {
                if (!job.isKept(file.getKey())) {
                    assertArrayEquals(expected.get(file.getKey()), file.getValue(), () -> "half of " + file.getKey());
                }
            }
            assertEquals(Set.of(), Simclr.parts(folder), run.said());
            assertTrue(Job.isPageWhole(folder), "half a page");
            if (answered) {
                assertTrue(run.lastLine().matches(HOW_TO_GO_ON), run.said());
                said++;
            }
        }
        // One in the start-up has nothing to say.
        assertTrue(said > 0 || INTERRUPTS < 10, "no interruption was answered");
        System.out.println(String.format(
                Locale.ROOT,
                "| %s | %d | %d | %d | %.1f | %.1f |",
                job.name(),
                sent,
                said,
                ends,
                longest,
                (System.nanoTime() - start) / 60e9));
    }

    private static void same(Map<String, byte[]> expected, Map<String, byte[]> found) {
        assertEquals(expected.keySet(), found.keySet());
        expected.forEach((name, bytes) -> assertArrayEquals(bytes, found.get(name), name));
    }
}
