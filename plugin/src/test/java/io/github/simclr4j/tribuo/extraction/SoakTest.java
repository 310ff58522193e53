// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.extraction;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.simclr4j.tribuo.source.ImageFolderDataSource;
import java.io.BufferedReader;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.Example;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;

/**
 * Memory of a JVM that runs the extractor for long. The test takes some seconds; for as long as one likes, over one's own
 * images, run
 *
 * <pre>{@code
 * ./mvnw -pl plugin -am test -Dtest=SoakTest -Dsurefire.failIfNoSpecifiedTests=false \
 *     -Dsoak.minutes=10 -Dsoak.images=photos -Dsoak.encoder=encoder.onnx -Dsoak.heap=2g
 * }</pre>
 *
 * <p>Each line is an interval: the heap after a collection, direct buffers, and the process's resident memory (Linux only).
 *
 * <p>The JVM is one of its own, so that nothing of other tests is in it. Its heap is of a fixed size and touched before the
 * beginning, so that resident memory grows by what is native alone. Memory is measured between two passes, when no image is being
 * read, and after finalizers have run: the streams of ImageIO have some, and outlive a collection with the bytes of their images.
 */
@Tag("slow")
class SoakTest {
    private static final int INTERVALS = 20;
    /** In an interval at least, however slow the machine: what leaks a little for each image must be seen. */
    private static final int IMAGES = 3000;
    /** MiB by which the heap and direct buffers may grow from the second quarter to the last; without a leak it is 0.1. */
    private static final double HEAP_GROWTH = 2;
    /** The same for native memory. An ONNX Runtime tensor of 16 numbers takes 350 bytes: one left open an image is 5 to 10 MiB. */
    private static final double NATIVE_GROWTH = 2;

    @TempDir
    Path dir;

    /** Memory at the end of an interval, in MiB. */
    private record Memory(double heap, double direct, double resident) {
        static Memory now() throws IOException, InterruptedException {
            double heap = Double.MAX_VALUE;
            for (int i = 0; i < 4; i++) {
                System.gc();
                // Finalizers run, and the threads of the pass that has ended go.
                do {
                    Thread.sleep(20);
                } while (ManagementFactory.getMemoryMXBean().getObjectPendingFinalizationCount() > 0);
                heap = Math.min(
                        heap,
                        ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
            }
            double direct = ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                    .filter(p -> p.getName().equals("direct"))
                    .mapToLong(BufferPoolMXBean::getMemoryUsed)
                    .sum();
            double resident = 0;
            Path status = Path.of("/proc/self/status");
            if (Files.isReadable(status)) {
                for (String line : Files.readAllLines(status)) {
                    if (line.startsWith("VmRSS:")) {
                        resident = Long.parseLong(line.replaceAll("\\D", "")) * 1024.0;
                    }
                }
            }
            return new Memory(mebibytes(heap), mebibytes(direct), mebibytes(resident));
        }

        private static double mebibytes(double bytes) {
            return bytes / (1 << 20);
        }
    }

    @Test
    void memoryStaysFlat() throws IOException, InterruptedException {
        String images = System.getProperty(
                "soak.images", Fixture.images(dir.resolve("images"), 20, 1).toString());
        String encoder = System.getProperty(
                "soak.encoder", Fixture.encoder(dir.resolve("encoder.onnx"), 1).toString());
        String heap = System.getProperty("soak.heap", "128m");
        ProcessBuilder java = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xms" + heap,
                        "-Xmx" + heap,
                        "-XX:+AlwaysPreTouch",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Soak.class.getName(),
                        images,
                        encoder,
                        System.getProperty("soak.minutes", "0.1"))
                .redirectErrorStream(true);
        // One arena of memory instead of one a thread, some of which would be touched late.
        java.environment().put("MALLOC_ARENA_MAX", "1");
        Process p = java.start();
        StringBuilder log = new StringBuilder();
        try (BufferedReader lines = p.inputReader()) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                System.out.println(line);
                log.append(line).append('\n');
            }
        }
        assertEquals(0, p.waitFor(), log.toString());
    }

    /** The process that is measured. */
    static final class Soak {
        private Soak() {}

        public static void main(String[] args) throws IOException, InterruptedException {
            List<Memory> memory =
                    run(Path.of(args[0]), Path.of(args[1]), (long) (Double.parseDouble(args[2]) * 60e9 / INTERVALS));
            grew("heap", memory, Memory::heap, HEAP_GROWTH);
            grew("direct memory", memory, Memory::direct, HEAP_GROWTH);
            grew("resident memory", memory, Memory::resident, NATIVE_GROWTH);
        }

        private static List<Memory> run(Path images, Path encoder, long interval)
                throws IOException, InterruptedException {
            List<Memory> memory = new ArrayList<>();
            try (SimCLRFeatureExtractor<Label> extractor =
                    new SimCLRFeatureExtractor<>(new LabelFactory(), encoder, 1)) {
                ImageFolderDataSource<Label> source = new ImageFolderDataSource<>(images, extractor);
                long start = System.nanoTime();
                long read = 0;
                while (memory.size() < INTERVALS) {
                    long ending = read + IMAGES;
                    while (read < ending || System.nanoTime() - start < interval * (memory.size() + 1)) {
                        for (Example<Label> example : source) {
                            read += example.size() > 0 ? 1 : 0;
                        }
                    }
                    Memory now = Memory.now();
                    memory.add(now);
                    System.out.println(String.format(
                            Locale.ROOT,
                            "%6.1f s %9d images  heap %.1f MiB  direct %.1f MiB  resident %.1f MiB",
                            (System.nanoTime() - start) / 1e9,
                            read,
                            now.heap(),
                            now.direct(),
                            now.resident()));
                }
            }
            return memory;
        }

        /** From the second quarter, when all is loaded and compiled, to the last. */
        private static void grew(String what, List<Memory> memory, ToDoubleFunction<Memory> of, double most) {
            double settled = median(memory.subList(INTERVALS / 4, INTERVALS / 2), of);
            double end = median(memory.subList(INTERVALS - INTERVALS / 4, INTERVALS), of);
            if (end > settled + most) {
                System.out.println(String.format(Locale.ROOT, "%s grew from %.1f to %.1f MiB", what, settled, end));
                System.exit(1);
            }
        }

        private static double median(List<Memory> memory, ToDoubleFunction<Memory> of) {
            return memory.stream().mapToDouble(of).sorted().toArray()[memory.size() / 2];
        }
    }
}
