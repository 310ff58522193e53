// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.cli.CommandLineTest.Run;
import io.github.simclr4j.train.device.Devices;
import io.github.simclr4j.train.device.Environment;
import io.github.simclr4j.train.torch.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.jar.JarOutputStream;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which libtorch a command gets, on a made-up machine that has a GPU unless a test says otherwise. */
class LauncherTest {
    private static final List<String> PROPERTIES = List.of(
            "ai.djl.offline",
            "ai.djl.pytorch.cudnn_benchmark",
            "OPT_OUT_TRACKING",
            "sun.net.client.defaultConnectTimeout",
            "sun.net.client.defaultReadTimeout");

    @TempDir
    Path dir;

    private final Map<String, String> properties = new HashMap<>();
    private final Map<String, String> variables = new HashMap<>();
    private ClassLoader before;
    private Path cpu;
    private Path images;
    private boolean cached;
    private boolean reachable;
    private int fetches;
    private Environment.Output smi;
    private String err;

    @BeforeEach
    void machine() throws IOException {
        before = Thread.currentThread().getContextClassLoader();
        PROPERTIES.forEach(p -> properties.put(p, System.getProperty(p)));
        PROPERTIES.forEach(System::clearProperty);
        cpu = Files.createDirectories(dir.resolve("lib-cpu"));
        try (JarOutputStream jar = new JarOutputStream(Files.newOutputStream(cpu.resolve("pytorch-native-cpu.jar")))) {
            jar.putNextEntry(new ZipEntry("the-cpu-library"));
        }
        images = Files.createDirectories(dir.resolve("none"));
        smi = new Environment.Output(0, "0, NVIDIA H100 80GB HBM3, 81559, GPU-1a5e, 570.124.06, Disabled, 9.0\n");
    }

    @AfterEach
    void restore() {
        Thread.currentThread().setContextClassLoader(before);
        properties.forEach((name, value) -> {
            if (value == null) {
                System.clearProperty(name);
            } else {
                System.setProperty(name, value);
            }
        });
    }

    /** A machine that only says what it has. */
    private final class Machine implements Environment {
        @Override
        public String variable(String name) {
            return variables.get(name);
        }

        @Override
        public String system() {
            return "linux-x86_64";
        }

        @Override
        public List<String> list(Path folder) {
            return cached && folder.endsWith("2.7.1-cu128-linux-x86_64") ? List.of("libtorch.so") : List.of();
        }

        @Override
        public String read(Path file) {
            return null;
        }

        @Override
        public void delete(Path folder) {
            throw new IllegalStateException();
        }

        @Override
        public Output run(String... command) {
            return smi;
        }

        @Override
        public Map<String, Properties> resources(String name) {
            Properties p = new Properties();
            p.setProperty("jni_version", "2.7.1-0.36.0");
            return name.equals("jnilib/pytorch.properties") ? Map.of("jar:file:/lib/pytorch-jni.jar", p) : Map.of();
        }

        @Override
        public Path cache() {
            return Path.of("/home/ann/.djl.ai/pytorch");
        }

        @Override
        public boolean offline() {
            return true;
        }

        @Override
        public void flavour(String flavour) {
            throw new IllegalStateException();
        }

        @Override
        public Torch.Library load() {
            throw new IllegalStateException();
        }

        @Override
        public String probe(int gpu) {
            throw new IllegalStateException();
        }
    }

    private int run(String... args) {
        Thread.currentThread().setContextClassLoader(before);
        PROPERTIES.forEach(System::clearProperty);
        Launcher launcher = new Launcher(new Devices(new Machine()), cpu, () -> {
            fetches++;
            return reachable;
        });
        Run run = CommandLineTest.capture(() -> Main.run(launcher, args));
        err = run.err();
        return run.code();
    }

    /** A command that fails before it loads anything, with or without the CPU library, and offline. */
    private void has(boolean cpuLibrary, int fetched, String... args) {
        fetches = 0;
        assertEquals(1, run(args), () -> String.join(" ", args) + ": " + err);
        boolean added = Thread.currentThread().getContextClassLoader().getResource("the-cpu-library") != null;
        assertEquals(cpuLibrary, added, () -> String.join(" ", args) + ": " + err);
        assertEquals(fetched, fetches, () -> String.join(" ", args) + ": " + err);
        assertEquals("true", System.getProperty("ai.djl.offline"));
        assertNull(System.getProperty("OPT_OUT_TRACKING"));
    }

    private String[] pretrain(String... more) {
        return with(
                List.of(
                        "pretrain",
                        "--images",
                        images.toString(),
                        "--out",
                        dir.resolve("x.onnx").toString()),
                more);
    }

    private String[] evaluate(String... more) {
        return with(List.of("evaluate", "--encoder", "e", "--train", "nowhere", "--test", "nowhere"), more);
    }

    private static String[] with(List<String> first, String... more) {
        List<String> all = new ArrayList<>(first);
        all.addAll(List.of(more));
        return all.toArray(String[]::new);
    }

    @Test
    void withoutAGpuTheCpuLibtorchIsUsed() {
        for (Environment.Output none : List.of(
                new Environment.Output(0, "No devices were found\n"),
                new Environment.Output(9, "NVIDIA-SMI has failed\n"),
                new Environment.Output(-1, "no such program"))) {
            smi = none;
            has(true, 0, pretrain());
            has(true, 0, pretrain("--device", "gpu"));
        }
    }

    @Test
    void withoutAnyLibtorchATrainingSaysWhichOneToPutWhere() throws IOException {
        smi = new Environment.Output(-1, "no such program");
        Files.delete(cpu.resolve("pytorch-native-cpu.jar"));
        String there = "put pytorch-native-cpu-2.7.1-linux-x86_64.jar from Maven Central"
                + " (ai.djl.pytorch:pytorch-native-cpu:2.7.1:linux-x86_64) into the folder " + cpu;
        has(false, 0, pretrain());
        assertTrue(err.contains(there), err);
        has(false, 0, evaluate("--protocol", "finetune"));
        assertTrue(err.contains(there), err);
        has(false, 0, "inspect", "nowhere.onnx");
        assertFalse(err.contains("libtorch"), err);
        has(false, 0, evaluate());
        assertFalse(err.contains("libtorch"), err);
        // The CUDA library computes on the CPU as well.
        cached = true;
        has(false, 0, pretrain());
        assertFalse(err.contains(there), err);
        cached = false;
        variables.put("PYTORCH_LIBRARY_PATH", "/opt/libtorch/lib");
        has(false, 0, pretrain());
        assertFalse(err.contains(there), err);
    }

    @Test
    void theCudaLibtorchIsFetchedOnceAndThenUsedOffline() {
        reachable = true;
        has(false, 1, pretrain());
        cached = true;
        has(false, 0, pretrain());
        has(
                false,
                0,
                "finetune",
                "--encoder",
                "e.onnx",
                "--train",
                "nowhere",
                "--out",
                dir.resolve("x.onnx").toString(),
                "--device=gpu:1");
        has(false, 0, evaluate("--protocol", "linear,finetune"));
        has(false, 0, evaluate("--protocol=distillation"));
        has(false, 0, evaluate("--protocol", "from-scratch"));
    }

    @Test
    void autoGoesOnOnTheCpuWithAWordAndGpuFails() {
        has(true, 1, pretrain());
        assertTrue(err.contains("this run falls back to the CPU"), err);
        fetches = 0;
        assertEquals(1, run(pretrain("--device", "gpu")));
        assertEquals(1, fetches);
        assertTrue(
                err.endsWith(
                        "--device gpu needs the CUDA libtorch, which could not be downloaded" + System.lineSeparator()),
                err);
        assertEquals(1, run(pretrain("--devices", "gpu:0,gpu:1")));
        assertEquals(2, fetches);
        assertTrue(
                err.endsWith("--devices gpu:0,gpu:1 needs the CUDA libtorch, which could not be downloaded"
                        + System.lineSeparator()),
                err);
    }

    @Test
    void nothingIsFetchedForTheCpuNorForWhatDoesNotTrain() {
        has(true, 0, pretrain("--device", "cpu"));
        has(true, 0, pretrain("--device=cpu"));
        has(true, 0, pretrain("--devices", "cpu,cpu"));
        has(true, 0, "inspect", "nowhere.onnx");
        has(
                true,
                0,
                "embed",
                "--encoder",
                "pretrain",
                "--images",
                "finetune",
                "--out",
                dir.resolve("f.csv").toString());
        has(true, 0, evaluate("--device", "gpu"));
        has(true, 0, evaluate("--protocol", "linear,self-training"));
        variables.put("CUDA_VISIBLE_DEVICES", "");
        has(true, 0, pretrain());
        variables.put("CUDA_VISIBLE_DEVICES", "-1");
        has(true, 0, pretrain());
        variables.clear();
        variables.put("PYTORCH_FLAVOR", "cpu");
        has(true, 0, pretrain());
        assertEquals(0, run("pretrain", "--help"));
        assertEquals(2, run(pretrain("--epochs", "none")));
        assertEquals(2, run(pretrain("--device", "tpu")));
        assertEquals(0, fetches, "bad usage is told at once");
    }

    @Test
    void aLibraryPathIsUsedAsItIs() {
        variables.put("PYTORCH_LIBRARY_PATH", "/opt/libtorch/lib");
        has(false, 0, pretrain());
        has(false, 0, "inspect", "nowhere.onnx");
    }

    @Test
    void fetchingMayUseTheNetworkAndReportsNothing() {
        // The tests' own class path has a libtorch, so that nothing is fetched.
        assertEquals(1, run("devices", "--fetch"));
        assertTrue(err.contains("The class path has a libtorch"), err);
        assertNull(System.getProperty("ai.djl.offline"));
        assertEquals("true", System.getProperty("OPT_OUT_TRACKING"));
        assertEquals("20000", System.getProperty("sun.net.client.defaultConnectTimeout"));
        assertEquals(0, fetches);
    }

    /** {@code devices} says what there is, and does not change it. */
    @Test
    void nothingIsFetchedForAReport() {
        run("devices");
        assertNotNull(Thread.currentThread().getContextClassLoader().getResource("the-cpu-library"));
        cached = true;
        run("devices");
        assertNull(Thread.currentThread().getContextClassLoader().getResource("the-cpu-library"));
        assertEquals(0, fetches);
        assertFalse(err.contains("falls back to the CPU"), err);
    }
}
