// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.util;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Timer;
import java.util.TimerTask;

/** A second process that owns something until it is killed. */
final class OtherProcess implements AutoCloseable {
    private final Process process;

    private OtherProcess(Process process) {
        this.process = process;
    }

    /**
     * Starts it and waits until it owns what it is to own.
     *
     * @param what {@code part}, {@code lock}, {@code late} (the file of a lock, in which it writes its number a little later) or {@code folder}
     */
    static OtherProcess owning(String what, Path path) throws IOException {
        ProcessBuilder b = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xshare:auto",
                "-Djava.io.tmpdir=" + System.getProperty("java.io.tmpdir"),
                OtherProcess.class.getName(),
                what,
                path.toString());
        b.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        Process p = b.redirectError(ProcessBuilder.Redirect.INHERIT).start();
        String said = new BufferedReader(new InputStreamReader(p.getInputStream(), StandardCharsets.UTF_8)).readLine();
        if (!"ready".equals(said)) {
            p.destroyForcibly();
            throw new IOException("the other process said " + said);
        }
        return new OtherProcess(p);
    }

    long pid() {
        return process.pid();
    }

    /** Kills it as SIGKILL does. */
    @Override
    public void close() {
        process.destroyForcibly().onExit().join();
    }

    /** What the other process does. */
    public static void main(String[] args) throws Exception {
        Path path = Path.of(args[1]);
        AutoCloseable owned;
        switch (args[0]) {
            case "part" -> {
                TemporaryFile file = TemporaryFile.beside(path);
                file.stream().write(new byte[1 << 17]);
                owned = file;
            }
            case "lock" -> owned = OutputLock.of(path);
            case "late" -> {
                OwnedFile file = OwnedFile.acquire(path);
                owned = file;
                new Timer(true)
                        .schedule(
                                new TimerTask() {
                                    @Override
                                    public void run() {
                                        try {
                                            file.channel()
                                                    .write(StandardCharsets.US_ASCII.encode(
                                                            ProcessHandle.current()
                                                                            .pid() + "\n"));
                                        } catch (IOException e) {
                                            throw new UncheckedIOException(e);
                                        }
                                    }
                                },
                                300);
            }
            default -> {
                OwnedFolder folder = OwnedFolder.create(args[1]);
                Files.write(folder.path().resolve("library.so"), new byte[1000]);
                owned = folder;
            }
        }
        System.out.println("ready");
        System.in.read();
        owned.close();
    }

    static List<String> names(Path folder) throws IOException {
        try (var all = Files.list(folder)) {
            return all.map(f -> f.getFileName().toString()).sorted().toList();
        }
    }
}
