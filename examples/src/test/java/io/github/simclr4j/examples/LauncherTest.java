package io.github.simclr4j.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** {@code ./simclr}, which passes its arguments and the exit code through, and chooses the libtorch. */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "the launcher is a shell script")
class LauncherTest {
    private static final Path ROOT = Path.of(System.getProperty("simclr.root"));

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
        Path libraries = ROOT.resolve("src/target/lib");
        Assumptions.assumeTrue(Files.isDirectory(libraries), "skipped: the launcher's libraries come with 'package'");
        // What it would build is what this very build has just packaged.
        Files.writeString(libraries.resolve(".built"), "");
        assertEquals(0, run("--version"));
        assertEquals(1, run("inspect", "no such file.onnx"));
        assertEquals(2, run("inspect"));
    }

    /** A copy of the launcher on a made-up machine: its java prints what it was given, its nvidia-smi lists a GPU. */
    @Nested
    @EnabledOnOs(value = OS.LINUX, architectures = {"amd64", "x86_64"}, disabledReason = "where DJL has CUDA")
    class Libtorch {
        @TempDir
        Path dir;

        private Path bin;
        private Path cached;
        private final Map<String, String> variables = new HashMap<>();

        private void script(Path file, String... lines) throws IOException {
            Files.createDirectories(file.getParent());
            Files.writeString(file, "#!/bin/sh\n" + String.join("\n", lines) + "\n");
            assertTrue(file.toFile().setExecutable(true));
        }

        private void gpu(String answer) throws IOException {
            script(bin.resolve("nvidia-smi"), "echo '" + answer + "'");
        }

        @BeforeEach
        void machine() throws IOException {
            bin = dir.resolve("bin");
            cached = dir.resolve("cache/pytorch/2.7.1-cu128-linux-x86_64/libtorch.so");
            Path lib = Files.createDirectories(dir.resolve("src/target/lib"));
            Files.createFile(lib.resolve("pytorch-jni-2.7.1-0.36.0.jar"));
            Files.createFile(lib.resolve(".built"));
            Files.copy(ROOT.resolve("simclr"), dir.resolve("simclr"), StandardCopyOption.COPY_ATTRIBUTES);
            // The download succeeds where FETCH is set.
            script(dir.resolve("jdk/bin/java"),
                    "echo \"java $*\"",
                    "echo \"env ${PYTORCH_FLAVOR-unset} ${OPT_OUT_TRACKING-unset}\"",
                    "case \"$*\" in *' devices --fetch') [ -n \"$FETCH\" ] ;; esac");
            variables.put("JAVA_HOME", dir.resolve("jdk").toString());
            variables.put("PATH", bin + ":/usr/bin:/bin");
            variables.put("DJL_CACHE_DIR", dir.resolve("cache").toString());
            gpu("GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-1a5e)");
        }

        /** Lines of all that was printed; the last is the exit code. */
        private List<String> simclr(String... args) throws IOException, InterruptedException {
            List<String> command = new ArrayList<>(List.of(dir.resolve("simclr").toString()));
            command.addAll(List.of(args));
            ProcessBuilder p = new ProcessBuilder(command).redirectErrorStream(true);
            p.environment().clear();
            p.environment().putAll(variables);
            Process process = p.start();
            List<String> lines = new ArrayList<>(new String(process.getInputStream().readAllBytes()).lines().toList());
            lines.add("exit " + process.waitFor());
            return lines;
        }

        /** One run of java, offline, with or without the CPU libtorch. */
        private void runs(boolean withCpu, String... args) throws IOException, InterruptedException {
            List<String> lines = simclr(args);
            assertEquals(3, lines.size(), lines.toString());
            assertRun(withCpu, lines.get(0), args);
            assertEquals("exit 0", lines.get(2));
        }

        private void assertRun(boolean withCpu, String java, String... args) {
            assertEquals(withCpu, java.contains(":" + dir + "/src/target/lib-cpu/* "), java);
            assertTrue(java.contains(" -Dai.djl.offline=true "), java);
            assertTrue(java.contains(dir + "/src/target/lib/*"), java);
            assertTrue(java.endsWith(" io.github.simclr4j.cli.Main " + String.join(" ", args)), java);
        }

        private void assertFetch(List<String> lines) {
            assertTrue(lines.get(0).startsWith("java ") && lines.get(0).endsWith(" devices --fetch"), lines.toString());
            assertTrue(!lines.get(0).contains("lib-cpu") && !lines.get(0).contains("offline"), lines.get(0));
            assertEquals("env unset true", lines.get(1), "DJL may use the network, and reports nothing");
        }

        @Test
        void withoutAGpuTheCpuLibtorchIsUsed() throws IOException, InterruptedException {
            gpu("No devices were found");
            runs(true, "pretrain", "--images", "x");
            script(bin.resolve("nvidia-smi"), "echo NVIDIA-SMI has failed", "exit 9");
            runs(true, "pretrain", "--images", "x", "--device", "gpu");
        }

        @Test
        void theCudaLibtorchIsFetchedOnceAndThenUsedOffline() throws IOException, InterruptedException {
            variables.put("FETCH", "works");
            List<String> lines = simclr("pretrain", "--images", "x");
            assertEquals(5, lines.size(), lines.toString());
            assertFetch(lines);
            assertRun(false, lines.get(2), "pretrain", "--images", "x");
            Files.createDirectories(cached.getParent());
            Files.createFile(cached);
            runs(false, "pretrain", "--images", "x");
            runs(false, "quickstart", "--device=gpu:1");
            runs(false, "finetune", "--encoder", "e.onnx");
            runs(false, "evaluate", "--protocol", "linear,finetune");
            runs(false, "evaluate", "--protocol=distillation");
            runs(false, "evaluate", "--protocol", "from-scratch");
            runs(false, "views", "--device", "gpu");
            runs(false, "devices");
        }

        @Test
        void autoGoesOnOnTheCpuWithAWordAndGpuFails() throws IOException, InterruptedException {
            List<String> lines = simclr("pretrain", "--images", "x");
            assertEquals(6, lines.size(), lines.toString());
            assertFetch(lines);
            assertTrue(lines.get(2).contains("the GPU can't be used, and this run is on the CPU"), lines.get(2));
            assertRun(true, lines.get(3), "pretrain", "--images", "x");
            lines = simclr("pretrain", "--device", "gpu");
            assertEquals(3, lines.size(), lines.toString());
            assertFetch(lines);
            assertEquals("exit 1", lines.get(2));
        }

        @Test
        void nothingIsFetchedForTheCpuNorForWhatDoesNotTrain() throws IOException, InterruptedException {
            runs(true, "pretrain", "--images", "x", "--device", "cpu");
            runs(true, "pretrain", "--device=cpu", "--images", "x");
            runs(true, "inspect", "e.onnx");
            runs(true, "embed", "--encoder", "pretrain");
            runs(true, "evaluate", "--device", "gpu");
            runs(true, "evaluate", "--protocol", "linear,self-training", "--encoder", "finetune");
            runs(true, "pretrain", "--help");
            runs(true, "--version");
            runs(true, "devices");
            variables.put("CUDA_VISIBLE_DEVICES", "");
            runs(true, "pretrain", "--images", "x");
            variables.remove("CUDA_VISIBLE_DEVICES");
            variables.put("SIMCLR_DEVICE", "cpu");
            runs(true, "pretrain", "--images", "x");
            List<String> lines = simclr("pretrain", "--device", "gpu");
            assertFetch(lines);
        }

        @Test
        void aLibraryPathIsUsedAsItIs() throws IOException, InterruptedException {
            variables.put("PYTORCH_LIBRARY_PATH", "/opt/libtorch/lib");
            variables.put("PYTORCH_FLAVOR", "");
            runs(false, "pretrain", "--images", "x");
            assertEquals("env unset unset", simclr("pretrain").get(1), "an empty flavour would hide the right one");
            variables.put("PYTORCH_LIBRARY_PATH", "");
            runs(true, "pretrain", "--images", "x", "--device", "cpu");
        }

        @Test
        void argumentsPassAsTheyAre() throws IOException, InterruptedException {
            gpu("No devices were found");
            runs(true, "pretrain", "--images", "a  b;$(exit 3)*'");
        }
    }
}
