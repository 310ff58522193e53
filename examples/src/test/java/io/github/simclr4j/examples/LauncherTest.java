package io.github.simclr4j.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** {@code ./simclr}, which passes its arguments and the exit code through. */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "the launcher is a shell script")
class LauncherTest {
    private static final Path ROOT = Path.of(System.getProperty("simclr.root"));

    @BeforeAll
    static void built() throws IOException {
        Path libraries = ROOT.resolve("src/target/lib");
        Assumptions.assumeTrue(Files.isDirectory(libraries), "skipped: the launcher's libraries come with 'package'");
        // What it would build is what this very build has just packaged.
        Files.writeString(libraries.resolve(".built"), "");
    }

    private static int run(String... args) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(ROOT.resolve("simclr").toString()));
        command.addAll(List.of(args));
        Process p = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(p.getInputStream().readAllBytes());
        int code = p.waitFor();
        assertTrue(code != 0 || output.startsWith("simclr4j "), output);
        return code;
    }

    @Test
    void argumentsAndExitCodePassThrough() throws IOException, InterruptedException {
        assertEquals(0, run("--version"));
        assertEquals(1, run("inspect", "no such file.onnx"));
        assertEquals(2, run("inspect"));
    }
}
