// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.train.data.BuiltInImages;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a whole process takes, with the allocator's settings that {@code ./simclr} makes. */
@Tag("slow")
class MemoryTest {
    private static final Map<String, String> ALLOCATOR = Map.of(
            "MALLOC_ARENA_MAX",
            "1",
            "MALLOC_MMAP_MAX_",
            "0",
            "MALLOC_TRIM_THRESHOLD_",
            "17179869184",
            "GLIBC_TUNABLES",
            "glibc.malloc.tcache_count=0:glibc.malloc.mxfast=0");

    @Test
    void aBatchInMicroBatchesTakesTheMemoryOfOne(@TempDir Path dir) throws Exception {
        Assumptions.assumeTrue(
                Files.isReadable(Path.of("/proc/self/status")),
                "skipped: the largest resident memory of a process is read from Linux's /proc");
        Path images = dir.resolve("images");
        BuiltInImages.write(images, 52, 1);
        long small = peak(dir, images, "--batch", "64");
        long large = peak(dir, images, "--batch", "512", "--micro-batch", "64");
        // In one piece it would be several times as much.
        assertTrue(
                large < 1.25 * small,
                "batch 64 took " + small / 1024 + " MiB, 512 in micro-batches of 64 " + large / 1024);
    }

    /** Largest resident memory of a run, in kB. */
    private static long peak(Path dir, Path images, String... batch) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "-Dai.djl.offline=true",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName(),
                "pretrain",
                "--images",
                images.toString(),
                "--out",
                dir.resolve("e.onnx").toString(),
                "--epochs",
                "1",
                "--device",
                "cpu",
                "--threads",
                "1"));
        command.addAll(List.of(batch));
        Path log = dir.resolve("log");
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
        builder.environment().putAll(ALLOCATOR);
        Process p = builder.start();
        Path status = Path.of("/proc/" + p.pid() + "/status");
        long peak = 0;
        while (p.isAlive()) {
            try {
                peak = Files.readAllLines(status).stream()
                        .filter(l -> l.startsWith("VmHWM:"))
                        .mapToLong(l -> Long.parseLong(l.replaceAll("\\D", "")))
                        .findFirst()
                        .orElse(peak);
            } catch (IOException e) {
                // It has just ended.
                continue;
            }
            Thread.sleep(20);
        }
        assertEquals(0, p.waitFor(), Files.readString(log));
        return peak;
    }
}
