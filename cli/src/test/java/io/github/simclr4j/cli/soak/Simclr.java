// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.soak;

import io.github.simclr4j.cli.Main;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A command in a process of its own, on one thread, with a log and a folder for temporary files of its own. A folder of
 * {@code simclr} processes is used by one thread.
 */
final class Simclr {
    /** No command of these tests takes as long on a machine that does other things as well: one that does hangs. */
    private static final long SECONDS = Long.getLong("soak.patience", 600);

    private final Process process;
    private final Path log;
    private final Path temporary;
    private final long start = System.nanoTime();
    private long duration;

    private Simclr(Process process, Path log, Path temporary) {
        this.process = process;
        this.log = log;
        this.temporary = temporary;
    }

    /**
     * Starts a command.
     *
     * @param work where its log and its temporary files are
     * @param environment added to this process's
     */
    static Simclr start(Path work, Map<String, String> environment, Object... args) throws IOException {
        Path temporary = Files.createDirectories(work.resolve("temporary"));
        Path log = work.resolve("log");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-XX:-UsePerfData",
                "-Dai.djl.offline=true",
                "-Djava.io.tmpdir=" + temporary,
                Main.class.getName()));
        Arrays.stream(args).map(Object::toString).forEach(command::add);
        ProcessBuilder b = new ProcessBuilder(command);
        b.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        b.environment().put("OMP_NUM_THREADS", "1");
        b.environment().putAll(environment);
        return new Simclr(
                b.redirectErrorStream(true).redirectOutput(log.toFile()).start(), log, temporary);
    }

    static Simclr start(Path work, Object... args) throws IOException {
        return start(work, Map.of(), args);
    }

    /** Runs a command to its end and returns it. */
    static Simclr run(Path work, Object... args) throws IOException, InterruptedException {
        Simclr command = start(work, args);
        command.code();
        return command;
    }

    boolean isRunning() {
        return process.isAlive();
    }

    long pid() {
        return process.pid();
    }

    /** Milliseconds from its start to when its end was waited for. */
    long duration() {
        return duration;
    }

    /** Waits for its end and returns the exit code; a hang is an error. */
    int code() throws IOException, InterruptedException {
        if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly().waitFor();
            throw new AssertionError("it did not end within " + SECONDS + " s: " + said());
        }
        if (duration == 0) {
            duration = (System.nanoTime() - start) / 1_000_000;
        }
        return process.exitValue();
    }

    /** Sends SIGKILL and waits for the end. */
    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    /** Sends a signal, such as INT. */
    void signal(String name) throws IOException, InterruptedException {
        new ProcessBuilder("kill", "-" + name, Long.toString(pid()))
                .inheritIO()
                .start()
                .waitFor();
    }

    /** All that it has printed. */
    String said() throws IOException {
        return Files.readString(log).replace('\r', '\n');
    }

    /** The last line that it has printed. */
    String lastLine() throws IOException {
        return said().strip().lines().reduce("", (a, b) -> b);
    }

    /** The temporary files that it left. */
    Set<String> left() throws IOException {
        return names(temporary);
    }

    /** Waits, but no longer than a command runs. */
    static void sleepWhile(Simclr run, long milliseconds) throws InterruptedException {
        long until = System.nanoTime() + milliseconds * 1_000_000;
        while (run.isRunning() && System.nanoTime() < until) {
            Thread.sleep(1);
        }
    }

    /** Deletes a folder with all that is in it. */
    static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    /** Names in a folder; none if there is no folder. */
    static Set<String> names(Path folder) throws IOException {
        Set<String> names = new TreeSet<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
            files.forEach(f -> names.add(f.getFileName().toString()));
        } catch (NoSuchFileException | NotDirectoryException e) {
            return names;
        }
        return names;
    }

    /** Temporary files in a folder that are being written, or were when their process was killed. */
    static Set<String> parts(Path folder) throws IOException {
        return names(folder).stream().filter(n -> n.endsWith(".part")).collect(Collectors.toSet());
    }
}
