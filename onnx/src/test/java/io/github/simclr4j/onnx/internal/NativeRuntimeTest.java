// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.onnxruntime.OrtEnvironment;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What ONNX Runtime leaves in the folder for temporary files, seen from processes of their own. */
class NativeRuntimeTest {
    @TempDir
    private Path dir;

    private Path temporary() throws IOException {
        return Files.createDirectories(dir.resolve("temporary"));
    }

    private Process start(Path temporary, String... args) throws IOException {
        ProcessBuilder b = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Djava.io.tmpdir=" + temporary,
                Load.class.getName());
        b.command().addAll(List.of(args));
        b.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        return b.redirectErrorStream(true)
                .redirectOutput(dir.resolve("log").toFile())
                .start();
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> all = Files.list(folder)) {
            return all.map(f -> f.getFileName().toString())
                    .filter(n -> !n.startsWith("hsperfdata"))
                    .sorted()
                    .toList();
        }
    }

    private String log() throws IOException {
        return Files.readString(dir.resolve("log"));
    }

    @Test
    void nothingIsLeftByAProcessThatEnds() throws Exception {
        assertEquals(0, start(temporary()).waitFor(), log());
        assertEquals(List.of(), names(temporary()));
    }

    @Test
    void nothingIsLeftByAProcessThatIsKilled() throws Exception {
        assumeTrue(File.separatorChar == '/', "skipped: on Windows the next process deletes it");
        Process p = start(temporary(), "stay");
        try {
            while (p.isAlive() && !log().contains("loaded")) {
                Thread.sleep(5);
            }
            assertTrue(p.isAlive(), this::said);
        } finally {
            p.destroyForcibly().waitFor();
        }
        assertEquals(List.of(), names(temporary()));
    }

    @Test
    void whatAProcessKilledWhileItCopiedLeftTheNextOneDeletes() throws Exception {
        Process p = start(temporary(), "stay");
        while (p.isAlive() && names(temporary()).isEmpty()) {
            Thread.sleep(1);
        }
        p.destroyForcibly().waitFor();
        Path strangers = Files.createDirectories(temporary().resolve("onnxruntime-java123"));
        assertEquals(0, start(temporary()).waitFor(), log());
        assertEquals(List.of(strangers.getFileName().toString()), names(temporary()), "another program's stays");
    }

    @Test
    void aFolderOfNoUseIsOneClearLine() throws Exception {
        Path file = Files.createFile(dir.resolve("file"));
        Process p = start(file);
        assertTrue(p.waitFor(60, TimeUnit.SECONDS));
        assertEquals(
                "java.lang.IllegalStateException: Can't write temporary files to " + file
                        + " (there is no such folder): free"
                        + " some space there, or choose another folder by the Java property java.io.tmpdir (-Djava.io.tmpdir=FOLDER)",
                log().strip());
    }

    private String said() {
        try {
            return log();
        } catch (IOException e) {
            return e.toString();
        }
    }

    /** Loads the libraries. */
    static final class Load {
        public static void main(String[] args) throws IOException {
            try {
                NativeRuntime.load();
            } catch (IllegalStateException e) {
                System.out.println(e);
                return;
            }
            System.out.println("loaded " + OrtEnvironment.getAvailableProviders());
            if (args.length > 0) {
                System.in.read();
            }
        }
    }
}
