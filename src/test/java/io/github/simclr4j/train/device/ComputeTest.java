// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.simclr4j.train.network.Precision;
import io.github.simclr4j.train.torch.Torch;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The choice of a precision on made-up processors and GPUs. */
class ComputeTest {
    private static final String INTEL = """
            processor\t: 0
            vendor_id\t: GenuineIntel
            bugs\t\t: spectre_v1 bf16_is_no_flag_here
            flags\t\t: fpu sse4_2 avx2 avx512f avx512_vnni %s
            vmx flags\t: vnmi bf16

            processor\t: 1
            flags\t\t: fpu bf16
            """;
    private static final String ARM = """
            processor\t: 0
            BogoMIPS\t: 243.75
            Features\t: fp asimd evtstrm aes crc32 asimddp %s
            CPU implementer\t: 0x41
            """;

    private final FakeMachine machine = new FakeMachine();
    private final Told told = new Told();

    private Compute choose(String device, Precision precision, String cpuInfo) {
        return Compute.choose(
                List.of(device), precision, 0, told, new Devices(machine), new NativeBfloat16(() -> cpuInfo));
    }

    private Compute choose(List<String> devices, int threads) {
        return Compute.choose(
                devices, Precision.FLOAT32, threads, told, new Devices(machine), new NativeBfloat16(() -> ""));
    }

    private void withGpus(String... capabilities) {
        // Else CUDA has an order of its own for GPUs of several kinds.
        machine.variables.put("CUDA_DEVICE_ORDER", "PCI_BUS_ID");
        String[] lines = new String[capabilities.length];
        for (int i = 0; i < lines.length; i++) {
            lines[i] = i + ", GPU number " + i + ", 81559, GPU-" + i + "a5e, 570.124.06, Disabled, " + capabilities[i];
        }
        machine.driver("570.124.06", "12.8", lines)
                .libtorch(FakeMachine.CACHE.resolve("2.7.1-cu128-linux-x86_64"), true);
    }

    @Test
    void severalGpusAreChosenInTheirOrderAndEachIsTold() {
        withGpus("9.0", "9.0", "9.0");
        Compute c = choose(List.of("gpu:2", "gpu"), 3);
        assertEquals("gpu:2,gpu:0", c.device());
        assertEquals(2, c.devices());
        assertEquals(Device.gpu(2), c.computation().device());
        assertEquals(List.of(Device.gpu(0)), c.others());
        assertEquals(3, c.threads());
        assertEquals(3, told.lines.size(), told.lines.toString());
        assertTrue(told.lines.get(0).startsWith("device gpu:2: GPU number 2"), told.lines.toString());
        assertTrue(told.lines.get(1).startsWith("device gpu:0: GPU number 0"), told.lines.toString());
        assertEquals("each step is shared by 2 GPUs", lastLine());
        assertEquals(c.others(), c.with(Precision.BFLOAT16, c.layout()).others());
    }

    @Test
    void bfloat16IsTakenWhereAllGpusHaveIt() {
        withGpus("8.0", "9.0", "7.5");
        assertEquals(Precision.BFLOAT16, chooseAll("gpu:0", "gpu:1").precision());
        assertEquals(Precision.FLOAT32, chooseAll("gpu:1", "gpu:2").precision());
        assertTrue(told.lines.contains("precision float32 (no native bfloat16 on all devices)"), told.lines.toString());
    }

    private Compute chooseAll(String... devices) {
        return Compute.choose(List.of(devices), null, 0, told, new Devices(machine), new NativeBfloat16(() -> ""));
    }

    /** A step on one of them alone would be another run's. */
    @Test
    void aGpuThatIsNotThereOrDoesNotComputeIsAnErrorWhicheverItIs() {
        withGpus("9.0", "9.0");
        String gone = assertThrows(IllegalStateException.class, () -> choose(List.of("gpu:0", "gpu:5"), 0))
                .getMessage();
        assertTrue(gone.contains("gpu:5 is not there: GPUs are gpu:0 to gpu:1"), gone);
        machine.problems.put(1, "CUDA error: out of memory");
        String full = assertThrows(IllegalStateException.class, () -> choose(List.of("gpu:0", "gpu:1"), 0))
                .getMessage();
        assertTrue(full.contains("gpu:1 (GPU number 1, 81559 MiB) has no memory left"), full);
    }

    /** Two threads each where there are four. */
    @Test
    void replicasOnTheCpuShareItsThreads() throws Exception {
        machine.onClassPath = true;
        int before = Torch.threads();
        try {
            Compute c = choose(List.of("cpu", "cpu"), 4);
            assertEquals("cpu,cpu", c.device());
            assertEquals(4, c.threads(), "views are made by all");
            assertEquals(
                    List.of("device cpu, libtorch 2.7.1 cpu", "each step is shared by 2 replicas on the CPU"),
                    told.lines);
            ExecutorService other = Executors.newSingleThreadExecutor();
            assertEquals(
                    2,
                    other.submit(() -> {
                                // A thread takes its number over when it first computes.
                                try (NDManager m = Torch.engine().newBaseManager(Device.cpu())) {
                                    m.ones(new Shape(1 << 18)).add(1);
                                }
                                return Torch.threads();
                            })
                            .get());
            other.shutdown();
            assertEquals(2, Torch.threads());
            choose(List.of("cpu", "cpu", "cpu"), 2);
            assertEquals(1, Torch.threads());
        } finally {
            Torch.threads(before);
        }
    }

    /** The next training of the same JVM has libtorch's default again, and its replicas a share of that. */
    @Test
    void aNumberOfThreadsEndsWithItsTraining() {
        machine.onClassPath = true;
        int before = Torch.threads();
        int all = Torch.defaultThreads();
        try {
            choose(List.of("cpu"), 2);
            assertEquals(2, Torch.threads());
            choose(List.of("cpu"), 0);
            assertEquals(all, Torch.threads());
            Torch.threads(3 * all);
            for (int run = 0; run < 2; run++) {
                choose(List.of("cpu", "cpu"), 0);
                assertEquals(Math.max(1, all / 2), Torch.threads());
            }
            choose(List.of("cpu"), 0);
            assertEquals(all, Torch.threads());
        } finally {
            Torch.threads(before);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "gpu:0,cpu | A GPU and the CPU can't share a training, because each step would wait for the CPU: name only GPUs, or only cpu,"
                        + " found gpu:0,cpu",
                "cpu,gpu:1,gpu:0 | A GPU and the CPU can't share",
                "gpu:1,gpu:1 | gpu:1 is named twice, but has one replica: name each GPU once, found gpu:1,gpu:1",
                "gpu,gpu:1,gpu:0 | gpu:0 is named twice",
                "gpu:0,auto | auto is not one of several devices: name each device",
                "auto,auto | auto is not one of several devices",
                "gpu:0,tpu | Unknown device, expected auto, cpu, gpu or gpu:N, found tpu",
                "gpu:0, | Unknown device",
                "gpu:-1,gpu:0 | Unknown device"
            })
    void devicesThatDoNotShareStepsAreRefusedBeforeAnyIsLookedFor(String names, String why) {
        withGpus("9.0", "9.0");
        String message = assertThrows(IllegalArgumentException.class, () -> choose(List.of(names.split(",", -1)), 0))
                .getMessage();
        assertTrue(message.startsWith(why), message);
        assertEquals(0, machine.loads);
    }

    @Test
    void noDeviceAtAllIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> choose(List.of(), 0));
    }

    private String lastLine() {
        return told.lines.get(told.lines.size() - 1);
    }

    private void withGpu(String name, String capability) {
        Path cuda = FakeMachine.CACHE.resolve("2.7.1-cu128-linux-x86_64");
        machine.driver("570.124.06", "12.8", "0, " + name + ", 81559, GPU-0a5e, 570.124.06, Disabled, " + capability)
                .libtorch(cuda, true);
    }

    @ParameterizedTest
    @CsvSource({"avx512_bf16", "amx_bf16"})
    void aProcessorWithBfloat16TakesIt(String flag) {
        machine.onClassPath = true;
        assertEquals(
                Precision.BFLOAT16, choose("cpu", null, INTEL.formatted(flag)).precision());
        assertEquals("precision bfloat16 (the processor has " + flag + ")", lastLine());
    }

    @ParameterizedTest
    @CsvSource({"''", "avx512_bf16x", "avx512_fp16"})
    void aProcessorWithoutBfloat16TakesFloat32(String flag) {
        machine.onClassPath = true;
        assertEquals(
                Precision.FLOAT32, choose("cpu", null, INTEL.formatted(flag)).precision());
        assertEquals("precision float32 (no native bfloat16 on this device)", lastLine());
    }

    @Test
    void anArmProcessorSaysSoByItsFeatures() {
        machine.onClassPath = true;
        assertEquals(
                Precision.BFLOAT16,
                choose("cpu", null, ARM.formatted("i8mm bf16")).precision());
        assertEquals("precision bfloat16 (the processor has bf16)", lastLine());
        assertEquals(
                Precision.FLOAT32, choose("cpu", null, ARM.formatted("i8mm")).precision());
    }

    @Test
    void aSystemThatTellsNothingOfItsProcessorTakesFloat32() {
        machine.onClassPath = true;
        assertEquals(Precision.FLOAT32, choose("auto", null, "").precision());
        assertEquals("precision float32 (no native bfloat16 on this device)", lastLine());
    }

    /** Ampere, of compute capability 8.0, was NVIDIA's first with bfloat16. */
    @ParameterizedTest
    @CsvSource({
        "NVIDIA A100-SXM4-40GB, 8.0, BFLOAT16",
        "NVIDIA H100 80GB HBM3, 9.0, BFLOAT16",
        "NVIDIA B200, 10.0, BFLOAT16",
        "Tesla T4, 7.5, FLOAT32",
        "Tesla V100-SXM2-16GB, 7.0, FLOAT32"
    })
    void aGpuSaysSoByItsComputeCapability(String name, String capability, Precision expected) {
        withGpu(name, capability);
        // The processor's flags say nothing of the GPU.
        assertEquals(
                expected, choose("auto", null, INTEL.formatted("avx512_bf16")).precision());
        assertEquals(
                expected == Precision.BFLOAT16
                        ? "precision bfloat16 (the GPU has compute capability " + capability + ")"
                        : "precision float32 (no native bfloat16 on this device)",
                lastLine());
    }

    @ParameterizedTest
    @CsvSource({"[N/A]", "[Not Supported]", "''"})
    void aGpuThatDoesNotTellItsComputeCapabilityTakesFloat32(String capability) {
        withGpu("NVIDIA Something", capability);
        Compute c = choose("gpu", null, "");
        assertEquals(Precision.FLOAT32, c.precision());
        assertTrue(c.computation().device().isGpu());
    }

    @Test
    void anOldDriverThatDoesNotKnowTheFieldTakesFloat32() {
        machine.oldSmi = true;
        machine.driver("535.183.01", "12.2", "0, Tesla V100-SXM2-16GB, 16160, GPU-7, 535.183.01")
                .libtorch(FakeMachine.CACHE.resolve("2.7.1-cu128-linux-x86_64"), true);
        assertEquals(Precision.FLOAT32, choose("gpu", null, "").precision());
    }

    @ParameterizedTest
    @EnumSource(names = {"FLOAT32", "BFLOAT16"})
    void aPrecisionThatIsAskedForIsTakenWithoutAWord(Precision asked) {
        machine.onClassPath = true;
        assertEquals(asked, choose("cpu", asked, "").precision());
        assertEquals(List.of("device cpu, libtorch 2.7.1 cpu"), told.lines);
    }

    @Test
    void float16NeedsAGpu() {
        machine.onClassPath = true;
        for (String device : List.of("cpu", "auto")) {
            IllegalArgumentException e =
                    assertThrows(IllegalArgumentException.class, () -> choose(device, Precision.FLOAT16, ""));
            assertEquals("float16 needs a GPU, but this run is on the CPU: choose bfloat16 or float32", e.getMessage());
        }
        machine.onClassPath = false;
        withGpu("Tesla T4", "7.5");
        assertEquals(Precision.FLOAT16, choose("auto", Precision.FLOAT16, "").precision());
    }

    /** The text goes into logs and metadata, whatever the language of the user. */
    @Test
    void theTextIsTheSameInEveryLanguage() {
        Locale before = Locale.getDefault();
        Locale.setDefault(Locale.forLanguageTag("tr-TR"));
        try {
            assertEquals("bfloat16", Precision.BFLOAT16.text());
        } finally {
            Locale.setDefault(before);
        }
    }

    @Test
    void thisMachineIsAskedToo() {
        // Nothing is known of it but that the question is answered.
        String here = NativeBfloat16.here().cpu();
        assertTrue(here == null || here.startsWith("the processor has "), here);
        assertNull(new NativeBfloat16(() -> "flags\t\t:\n").cpu());
    }
}
