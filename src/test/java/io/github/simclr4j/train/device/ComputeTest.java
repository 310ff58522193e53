package io.github.simclr4j.train.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.train.network.Precision;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
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
        return Compute.choose(List.of(device), precision, 0, told, new Devices(machine), new NativeBfloat16(() -> cpuInfo));
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
        assertEquals(Precision.BFLOAT16, choose("cpu", null, INTEL.formatted(flag)).precision());
        assertEquals("precision bfloat16 (the processor has " + flag + ")", lastLine());
    }

    @ParameterizedTest
    @CsvSource({"''", "avx512_bf16x", "avx512_fp16"})
    void aProcessorWithoutBfloat16TakesFloat32(String flag) {
        machine.onClassPath = true;
        assertEquals(Precision.FLOAT32, choose("cpu", null, INTEL.formatted(flag)).precision());
        assertEquals("precision float32 (no native bfloat16 on this device)", lastLine());
    }

    @Test
    void anArmProcessorSaysSoByItsFeatures() {
        machine.onClassPath = true;
        assertEquals(Precision.BFLOAT16, choose("cpu", null, ARM.formatted("i8mm bf16")).precision());
        assertEquals("precision bfloat16 (the processor has bf16)", lastLine());
        assertEquals(Precision.FLOAT32, choose("cpu", null, ARM.formatted("i8mm")).precision());
    }

    @Test
    void aSystemThatTellsNothingOfItsProcessorTakesFloat32() {
        machine.onClassPath = true;
        assertEquals(Precision.FLOAT32, choose("auto", null, "").precision());
        assertEquals("precision float32 (no native bfloat16 on this device)", lastLine());
    }

    /** Ampere, of compute capability 8.0, was NVIDIA's first with bfloat16. */
    @ParameterizedTest
    @CsvSource({"NVIDIA A100-SXM4-40GB, 8.0, BFLOAT16", "NVIDIA H100 80GB HBM3, 9.0, BFLOAT16", "NVIDIA B200, 10.0, BFLOAT16",
        "Tesla T4, 7.5, FLOAT32", "Tesla V100-SXM2-16GB, 7.0, FLOAT32"})
    void aGpuSaysSoByItsComputeCapability(String name, String capability, Precision expected) {
        withGpu(name, capability);
        // The processor's flags say nothing of the GPU.
        assertEquals(expected, choose("auto", null, INTEL.formatted("avx512_bf16")).precision());
        assertEquals(expected == Precision.BFLOAT16 ? "precision bfloat16 (the GPU has compute capability " + capability + ")"
                : "precision float32 (no native bfloat16 on this device)", lastLine());
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
            assertEquals("float16 needs a GPU, and this run is on the CPU: choose bfloat16 or float32", e.getMessage());
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
