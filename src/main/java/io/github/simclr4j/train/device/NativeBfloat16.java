// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.device;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;

/** Detects processors and GPUs with native bfloat16; elsewhere it is emulated and slower than float32. */
final class NativeBfloat16 {
    /** Flags of Linux's {@code /proc/cpuinfo}: x86-64 with AVX512_BF16 or AMX, ARM with its bfloat16 extension. */
    private static final List<String> FLAGS = List.of("avx512_bf16", "amx_bf16", "bf16");
    /** Compute capability of NVIDIA's Ampere, the first GPUs with bfloat16. */
    private static final double AMPERE = 8.0;

    private final Supplier<String> cpuInfo;

    /** Reads the processor's flags from a text in the format of {@code /proc/cpuinfo}. */
    NativeBfloat16(Supplier<String> cpuInfo) {
        this.cpuInfo = cpuInfo;
    }

    /** Returns the detection for this machine. */
    static NativeBfloat16 here() {
        return new NativeBfloat16(() -> {
            try {
                return Files.readString(Path.of("/proc/cpuinfo"));
            } catch (IOException e) {
                // Only Linux has it; elsewhere float32 is the safe choice.
                return "";
            }
        });
    }

    /** Returns the processor's bfloat16 feature in words, or null if it has none. */
    String cpu() {
        return cpuInfo.get()
                .lines()
                .filter(line -> line.startsWith("flags") || line.startsWith("Features"))
                .findFirst()
                .map(line -> Set.of(line.replaceFirst("^[^:]*:\\s*", "").split("\\s+")))
                .flatMap(flags -> FLAGS.stream().filter(flags::contains).findFirst())
                .map(flag -> "the processor has " + flag)
                .orElse(null);
    }

    /** Returns the GPU's compute capability in words, or null if it lacks bfloat16 or the driver does not report it. */
    String gpu(Devices devices, int index) {
        String capability = devices.computeCapability(index);
        return capability != null && Double.parseDouble(capability) >= AMPERE
                ? "the GPU has compute capability " + capability
                : null;
    }
}
