// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.util.Platform;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The choice of a device on made-up machines, where libtorch is found by DJL's rules (LibUtils and Platform of DJL 0.36). */
class DevicesTest {
    private static final Path CACHE = FakeMachine.CACHE;
    private static final Path CUDA = CACHE.resolve("2.7.1-cu128-linux-x86_64");
    private static final String JAR = FakeMachine.JAR;

    private final FakeMachine machine = new FakeMachine();
    private final Told told = new Told();

    private String choose(String name) {
        return new Devices(machine).choose(name, told);
    }

    /** A choice of auto that falls back, and is not possible as gpu. */
    private void fallsBack(String... words) {
        assertEquals("cpu", choose("auto"));
        assertEquals(1, told.warnings.size(), told.warnings.toString());
        IllegalStateException e = assertThrows(IllegalStateException.class, () -> choose("gpu"));
        for (String w : words) {
            assertTrue(told.warnings.get(0).contains(w), told.warnings.get(0));
            assertTrue(e.getMessage().contains(w), e.getMessage());
        }
    }

    private void refused(String name, String... words) {
        IllegalStateException e = assertThrows(IllegalStateException.class, () -> choose(name));
        for (String w : words) {
            assertTrue(e.getMessage().contains(w), e.getMessage());
        }
    }

    private static String h100(int index) {
        return index + ", NVIDIA H100 80GB HBM3, 81559, GPU-" + index + "a5e, 570.124.06, Disabled, 9.0";
    }

    private FakeMachine withH100() {
        return machine.driver("570.124.06", "12.8", h100(0));
    }

    @Test
    void itIsSaidWhetherThereIsALibtorchAtAll() {
        Devices devices = new Devices(machine);
        assertFalse(devices.hasLibtorch());
        assertEquals("ai.djl.pytorch:pytorch-native-cpu:2.7.1:linux-x86_64", devices.cpuLibtorch());
        machine.onClassPath = true;
        assertTrue(devices.hasLibtorch());
        machine.onClassPath = false;
        machine.libtorch(CACHE.resolve("2.7.1-cpu-linux-x86_64"), false);
        assertTrue(devices.hasLibtorch());
        machine.files.clear();
        machine.libtorch(CUDA, true);
        assertTrue(devices.hasLibtorch());
        machine.files.clear();
        machine.variables.put("PYTORCH_LIBRARY_PATH", "/opt/libtorch/lib");
        assertTrue(devices.hasLibtorch());
        machine.variables.clear();
        machine.offline = false;
        assertTrue(devices.hasLibtorch(), "DJL fetches one");
    }

    @Test
    void withoutAGpuAutoIsTheCpuAndGpuAnError() {
        machine.onClassPath = true;
        assertEquals("cpu", choose("auto"));
        assertEquals(List.of("device cpu (no NVIDIA GPU was found), libtorch 2.7.1 cpu"), told.lines);
        assertEquals(List.of(), told.warnings, "no GPU, nothing to warn of");
        refused("gpu", "no NVIDIA driver was found", "install its driver");
    }

    /**
     * What could not be run says nothing of the GPU, so that the kernel is asked; if it knows of none either, the cause is
     * told.
     */
    @Test
    void whyNvidiaSmiCouldNotBeRunIsTold() {
        machine.onClassPath = true;
        machine.says(-2, "java.nio.file.FileSystemException: /tmp/simclr1.out: No space left on device");
        assertEquals("cpu", choose("auto"));
        assertEquals(List.of(), told.warnings, "no sign of a GPU");
        refused("gpu", "no NVIDIA driver was found (nvidia-smi could not be run:", "No space left on device");
        machine.files.put(Path.of("/proc/driver/nvidia/gpus/0000:01:00.0/information"), "Model: \t NVIDIA H100\n");
        Devices.Report hidden = new Devices(machine).report("auto", told);
        assertTrue(hidden.smi().contains("No space left") && hidden.smi().contains("/dev/nvidiactl"), hidden.smi());
        machine.files.put(Path.of("/dev/nvidiactl"), "");
        assertEquals(
                "NVIDIA H100",
                new Devices(machine).report("auto", told).gpus().get(0).name());
    }

    @Test
    void autoTakesTheGpuAndSaysWhichAndWithWhat() {
        withH100().libtorch(CUDA, true);
        assertEquals("gpu:0", choose("auto"));
        assertEquals(
                List.of("device gpu:0: NVIDIA H100 80GB HBM3, 81559 MiB, driver 570.124.06, libtorch 2.7.1 cu128"),
                told.lines);
        assertEquals(List.of(), told.warnings);
        assertEquals("cu128", machine.variables.get("PYTORCH_FLAVOR"), "DJL alone would go by the CUDA runtime");
    }

    @Test
    void aCpuLibtorchOnTheClassPathIsNamed() {
        machine.onClassPath = true;
        withH100().libtorch(CUDA, true);
        fallsBack(JAR, "take pytorch-native-cpu off the class path", "Devices.fetch");
        assertNull(machine.variables.get("PYTORCH_FLAVOR"));
    }

    @Test
    void cpuIsNeverQuestioned() {
        machine.onClassPath = true;
        withH100();
        assertEquals("cpu", choose("cpu"));
        assertEquals(List.of("device cpu, libtorch 2.7.1 cpu"), told.lines);
        assertEquals(List.of(), told.warnings);
    }

    @Test
    void aDriverThatIsTooOldIsNamedWithWhatIsNeeded() {
        machine.oldSmi = true;
        machine.driver("470.256.02", "11.4", "0, Tesla V100-SXM2-16GB, 16160, GPU-7, 470.256.02")
                .libtorch(CUDA, true);
        machine.works = false;
        fallsBack("470.256.02 is too old for cu128", "CUDA up to 11.4", "525.60.13");
    }

    @Test
    void aDriverOfTheSameMajorVersionIsEnough() {
        machine.driver("535.183.01", "12.2", "0, NVIDIA A100-SXM4-40GB, 40960, GPU-7, 535.183.01, Disabled, 8.0")
                .libtorch(CUDA, true);
        assertEquals("gpu:0", choose("auto"));
    }

    @Test
    void aLibraryPathOfAnotherVersionIsRefusedBeforeItEndsTheProcess() {
        Path lib = Path.of("/opt/libtorch/lib");
        withH100().libtorch(lib, true);
        machine.variables.put("PYTORCH_LIBRARY_PATH", lib.toString());
        machine.files.put(Path.of("/opt/libtorch/build-version"), "2.13.0+cu128\n");
        for (String name : List.of("auto", "cpu", "gpu")) {
            refused(name, lib.toString(), "2.13.0+cu128, expected 2.7.1");
        }
        assertEquals(0, machine.loads);
        machine.files.put(lib.resolve("libdjl_torch.so"), "");
        assertEquals("gpu:0", choose("auto"), "it has its own binding");
        assertTrue(told.lines.get(0).endsWith("libtorch 2.13.0 cu128"), told.lines.toString());
    }

    @Test
    void aLibraryPathOfAPythonWheelIsUnderstood() {
        Path lib = Path.of("/usr/lib/python3/site-packages/torch/lib");
        withH100().libtorch(lib, true);
        machine.variables.put("PYTORCH_LIBRARY_PATH", lib.toString());
        machine.files.put(
                lib.resolveSibling("version.py"), "from typing import Optional\n__version__ = '2.9.0+cu130'\n");
        refused("auto", "2.9.0+cu130, expected 2.7.1");
        machine.files.put(lib.resolveSibling("version.py"), "__version__ = '2.7.1+cu128'\n");
        assertEquals("gpu:0", choose("auto"));
        assertEquals("cu128", machine.variables.get("PYTORCH_FLAVOR"), "DJL alone would add -precxx11");
    }

    @Test
    void aLibraryPathToACpuBuildLeavesTheGpuWithAWord() {
        Path lib = Path.of("/opt/libtorch/lib");
        withH100().libtorch(lib, false);
        machine.variables.put("PYTORCH_LIBRARY_PATH", lib.toString());
        fallsBack("for the CPU (PYTORCH_LIBRARY_PATH)");
        assertEquals("cpu", machine.variables.get("PYTORCH_FLAVOR"));
    }

    @Test
    void variablesThatContradictTheLibraryAreErrors() {
        Path lib = Path.of("/opt/libtorch/lib");
        withH100().libtorch(lib, true);
        machine.variables.put("PYTORCH_LIBRARY_PATH", "/opt/nothing");
        refused("auto", "PYTORCH_LIBRARY_PATH=/opt/nothing holds no libtorch.so");
        machine.variables.put("PYTORCH_LIBRARY_PATH", lib.toString());
        machine.variables.put("PYTORCH_VERSION", "2.5.1");
        refused("auto", "PYTORCH_VERSION is 2.5.1, expected 2.7.1");
        machine.variables.put("PYTORCH_VERSION", "2.7.1");
        machine.variables.put("PYTORCH_FLAVOR", "cpu-precxx11");
        refused("auto", "PYTORCH_FLAVOR is cpu-precxx11, expected cu128");
        machine.variables.remove("PYTORCH_LIBRARY_PATH");
        machine.variables.put("PYTORCH_VERSION", "2.5.1");
        refused("cpu", "PYTORCH_VERSION is 2.5.1, expected 2.7.1");
        assertEquals(0, machine.loads);
    }

    @Test
    void ofTwoGpusTheSecondCanBeChosenAndNoThird() {
        machine.driver("570.124.06", "12.8", h100(0), h100(1)).libtorch(CUDA, true);
        assertEquals("gpu:0", choose("auto"));
        assertEquals("gpu:1", choose("gpu:1"));
        refused("gpu:2", "gpu:2 is not there: GPUs are gpu:0 to gpu:1");
        machine.variables.put("CUDA_VISIBLE_DEVICES", "1");
        assertEquals("gpu:0", choose("gpu"));
        refused("gpu:1", "only gpu:0 is");
        machine.variables.put("CUDA_VISIBLE_DEVICES", "");
        machine.works = false;
        fallsBack("CUDA_VISIBLE_DEVICES= hides every GPU");
    }

    @Test
    void unlikeGpusAreNamedOnlyWhereTheOrderIsKnown() {
        machine.driver("570.124.06", "12.8", "0, Tesla T4, 15360, GPU-t, 570.124.06, [N/A], 7.5", h100(1))
                .libtorch(CUDA, true);
        choose("gpu:0");
        assertFalse(told.lines.get(0).contains("T4"), told.lines.get(0));
        machine.variables.put("CUDA_DEVICE_ORDER", "PCI_BUS_ID");
        choose("gpu:1");
        assertTrue(told.lines.get(1).contains("device gpu:1: NVIDIA H100 80GB HBM3, 81559 MiB"), told.lines.get(1));
        machine.variables.put("CUDA_VISIBLE_DEVICES", "GPU-1a5e");
        choose("gpu:0");
        assertTrue(told.lines.get(2).contains("device gpu:0: NVIDIA H100"), told.lines.get(2));
    }

    @Test
    void aGpuInMigModeIsOneInstance() {
        machine.driver(
                        "570.124.06",
                        "12.8",
                        "0, NVIDIA A100-SXM4-40GB, [Insufficient Permissions], GPU-7, 570.124.06, Enabled, 8.0")
                .libtorch(CUDA, true);
        assertEquals("gpu:0", choose("auto"));
        assertTrue(told.lines.get(0).contains("NVIDIA A100-SXM4-40GB, in MIG mode, driver"), told.lines.get(0));
        machine.problems.put(1, "CUDA error: invalid device ordinal\nCUDA kernel errors might be ...");
        refused("gpu:1", "in MIG mode a process sees one instance");
        machine.works = false;
        fallsBack("finds no usable GPU", "create an instance");
    }

    @Test
    void whatNvidiaSmiComplainsOfIsPassedOn() {
        machine.libtorch(CUDA, true);
        machine.works = false;
        machine.says(4, "Failed to initialize NVML: Insufficient Permissions\n");
        fallsBack("Insufficient Permissions", "/dev/nvidia*");
        told.warnings.clear();
        machine.says(18, "Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 550.54\n");
        fallsBack("Driver/library version mismatch", "reboot");
        told.warnings.clear();
        machine.says(9, "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n");
        fallsBack("couldn't communicate", "check that the driver is loaded");
    }

    @Test
    void aGpuThatMayNotBeOpenedIsNoGpu() {
        withH100().libtorch(CUDA, true);
        machine.works = false;
        fallsBack("libtorch 2.7.1 cu128 finds no usable GPU", "/dev/nvidia*", "--gpus all");
    }

    @Test
    void aGpuThatDoesNotComputeIsNotUsed() {
        withH100().libtorch(CUDA, true);
        machine.problems.put(0, "CUDA error: no kernel image is available for execution on the device");
        fallsBack("no code for gpu:0 (NVIDIA H100 80GB HBM3, 81559 MiB), whose compute capability is 9.0");
        told.warnings.clear();
        machine.problems.put(
                0, "CUDA out of memory. Tried to allocate 2.00 MiB. GPU 0 has a total capacity of 79.10 GiB");
        fallsBack("no memory left", "another GPU as gpu:N");
        told.warnings.clear();
        machine.problems.put(0, "CUDA error: uncorrectable ECC error encountered\nmore");
        fallsBack("does not compute: CUDA error: uncorrectable ECC error encountered;");
    }

    @Test
    void aContainerWithoutNvidiaSmiIsReadFromTheKernel() {
        machine.libtorch(CUDA, true);
        machine.files.put(
                Path.of("/proc/driver/nvidia/version"),
                "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.124.06  Release Build  (dvs-builder)\n");
        machine.files.put(
                Path.of("/proc/driver/nvidia/gpus/0000:04:00.0/information"),
                "Model: \t\t NVIDIA H100 80GB HBM3\nIRQ: 1\n");
        machine.works = false;
        fallsBack("no /dev/nvidiactl", "--gpus all");
        machine.works = true;
        told.lines.clear();
        machine.files.put(Path.of("/dev/nvidiactl"), "");
        assertEquals("gpu:0", choose("auto"));
        assertEquals(
                List.of("device gpu:0: NVIDIA H100 80GB HBM3, driver 570.124.06, libtorch 2.7.1 cu128"), told.lines);
    }

    @Test
    void aSystemWithoutABindingIsNamed() {
        machine.system = "linux-aarch64";
        machine.onClassPath = true;
        withH100();
        fallsBack("DJL has no CUDA binding for linux-aarch64");
    }

    @Test
    void withoutTheLibraryAndTheNetworkTheWordIsHowToGetIt() {
        withH100().libtorch(CACHE.resolve("2.7.1-cpu-linux-x86_64"), false);
        fallsBack("2.7.1 cu128 is not in " + CACHE, "Devices.fetch");
        machine.files.clear();
        machine.variables.clear();
        refused("auto", "libtorch can't be loaded: Failed to save pytorch index file", "Offline mode is enabled.");
    }

    @Test
    void theCudaLibtorchServesTheCpuWhereItIsTheOnlyOne() {
        machine.libtorch(CUDA, true);
        machine.works = false;
        assertEquals("cpu", choose("auto"));
        assertEquals(List.of("device cpu (no NVIDIA GPU was found), libtorch 2.7.1 cu128"), told.lines);
    }

    @Test
    void aLibraryUserIsToldWhatIsFetched() {
        machine.offline = false;
        machine.reachable = true;
        withH100();
        assertEquals("gpu:0", choose("auto"));
        assertEquals(
                "fetching libtorch 2.7.1 cu128 from https://publish.djl.ai into " + CUDA + ", once: about 3 GB",
                told.lines.get(0));
    }

    @Test
    void cpuOnAMachineWithAGpuFetchesTheSmallLibrary() {
        machine.offline = false;
        machine.reachable = true;
        withH100();
        assertEquals("cpu", choose("cpu"));
        assertTrue(told.lines.get(0).startsWith("fetching libtorch 2.7.1 cpu from"), told.lines.get(0));
        assertEquals(List.of(), machine.list(CUDA));
    }

    @Test
    void fetchingNeedsNoGpuAndHappensOnce() throws IOException {
        machine.offline = false;
        machine.reachable = true;
        // Left by a libtorch that PYTORCH_LIBRARY_PATH named: DJL could not move what it fetches into a folder that is
        // there.
        machine.files.put(CUDA.resolve("0.36.0-libdjl_torch.so"), "");
        Devices devices = new Devices(machine);
        assertEquals(CUDA, devices.fetch(told));
        assertEquals(List.of("libtorch.so", "libtorch_cpu.so", "libtorch_cuda.so"), machine.list(CUDA));
        assertEquals(CUDA, devices.fetch(told));
        assertEquals(1, machine.loads);
        assertTrue(told.lines.get(1).contains("already"), told.lines.toString());
    }

    @Test
    void fetchingWhatWouldNotBeUsedIsRefused() {
        machine.offline = false;
        Devices devices = new Devices(machine);
        IOException unreachable = assertThrows(IOException.class, () -> devices.fetch(told));
        assertTrue(unreachable.getMessage().contains("publish.djl.ai"), unreachable.getMessage());
        machine.driver("470.256.02", "11.4", "0, Tesla V100-SXM2-16GB, 16160, GPU-7, 470.256.02");
        assertTrue(assertThrows(IllegalStateException.class, () -> devices.fetch(told))
                .getMessage()
                .contains("too old"));
        machine.onClassPath = true;
        assertTrue(assertThrows(IllegalStateException.class, () -> devices.fetch(told))
                .getMessage()
                .contains(JAR));
        machine.variables.put("PYTORCH_LIBRARY_PATH", "/opt/libtorch/lib");
        assertTrue(assertThrows(IllegalStateException.class, () -> devices.fetch(told))
                .getMessage()
                .contains("PYTORCH_LIBRARY_PATH"));
    }

    @Test
    void unknownNamesAreRefused() {
        for (String name : List.of("tpu", "gpu:", "gpu:-1", "GPU", "cuda:0", "gpu:99999")) {
            IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> choose(name));
            assertTrue(e.getMessage().endsWith("expected auto, cpu, gpu or gpu:N, found " + name), e.getMessage());
        }
    }

    @Test
    void theCudaFlavourIsTheBindingsOwn() {
        for (String file : List.of("/jnilib/linux-x86_64/%s/libdjl_torch.so", "/jnilib/win-x86_64/%s/djl_torch.dll")) {
            assertNotNull(getClass().getResource(file.formatted(Libraries.CUDA)), file);
        }
    }

    @Test
    @DisabledOnOs(value = OS.WINDOWS, disabledReason = "runs a shell")
    void thisMachineIsSeenAsDjlSeesIt(@TempDir Path dir) throws IOException {
        Environment here = new Environment.Machine();
        assertEquals(Platform.fromSystem("pytorch").getClassifier(), here.system());
        assertEquals(new Environment.Output(3, "out\nerr\n"), here.run("sh", "-c", "echo out; echo err >&2; exit 3"));
        assertEquals(-1, here.run("no-such-program").code());
        Path locked = Files.writeString(dir.resolve("locked"), "no program");
        Environment.Output refused = here.run(locked.toString());
        assertEquals(-2, refused.code());
        assertTrue(refused.text().contains("Permission denied"), refused.text());
        Environment.Output nowhere = new Environment.Machine(dir.resolve("gone")).run("sh", "-c", "exit 0");
        assertEquals(-2, nowhere.code());
        assertTrue(nowhere.text().contains("gone"), nowhere.text());
        assertEquals(1, here.resources("jnilib/pytorch.properties").size());
        assertNull(here.read(Path.of("no such file")));
        assertEquals(List.of(), here.list(Path.of("no such folder")));
    }
}
