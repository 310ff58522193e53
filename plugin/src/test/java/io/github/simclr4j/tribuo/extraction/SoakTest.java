package io.github.simclr4j.tribuo.extraction;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.tribuo.source.ImageFolderDataSource;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
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
 *     -Dsoak.minutes=10 -Dsoak.images=photos -Dsoak.encoder=encoder.onnx
 * }</pre>
 *
 * <p>Each line is an interval: the heap after a collection, direct buffers, and the process's resident memory (Linux only).
 */
@Tag("slow")
class SoakTest {
    private static final int INTERVALS = 20;

    @TempDir
    Path dir;

    /** Memory at the end of an interval, in MiB. */
    private record Memory(double heap, double direct, double resident) {
        static Memory now() throws IOException {
            System.gc();
            double direct = ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                    .filter(p -> p.getName().equals("direct")).mapToLong(BufferPoolMXBean::getMemoryUsed).sum();
            double resident = 0;
            Path status = Path.of("/proc/self/status");
            if (Files.isReadable(status)) {
                for (String line : Files.readAllLines(status)) {
                    if (line.startsWith("VmRSS:")) {
                        resident = Long.parseLong(line.replaceAll("\\D", "")) * 1024.0;
                    }
                }
            }
            return new Memory(mebibytes(ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed()),
                    mebibytes(direct), mebibytes(resident));
        }

        private static double mebibytes(double bytes) {
            return bytes / (1 << 20);
        }
    }

    @Test
    void memoryStaysFlat() throws IOException {
        double minutes = Double.parseDouble(System.getProperty("soak.minutes", "0.1"));
        String images = System.getProperty("soak.images");
        String encoder = System.getProperty("soak.encoder");
        Path folder = images == null ? Fixture.images(dir.resolve("images"), 20, 1) : Path.of(images);
        Path file = encoder == null ? Fixture.encoder(dir.resolve("encoder.onnx"), 1) : Path.of(encoder);
        long interval = (long) (minutes * 60e9 / INTERVALS);
        List<Memory> memory = new ArrayList<>();
        try (SimCLRFeatureExtractor<Label> extractor = new SimCLRFeatureExtractor<>(new LabelFactory(), file, 1)) {
            ImageFolderDataSource<Label> source = new ImageFolderDataSource<>(folder, extractor);
            long start = System.nanoTime();
            long read = 0;
            while (memory.size() < INTERVALS) {
                for (Example<Label> example : source) {
                    read += example.size() > 0 ? 1 : 0;
                    if (System.nanoTime() - start >= interval * (memory.size() + 1)) {
                        Memory now = Memory.now();
                        memory.add(now);
                        System.out.println(String.format(Locale.ROOT,
                                "%6.1f s %9d images  heap %.1f MiB  direct %.1f MiB  resident %.1f MiB",
                                (System.nanoTime() - start) / 1e9, read, now.heap(), now.direct(), now.resident()));
                        if (memory.size() == INTERVALS) {
                            break;
                        }
                    }
                }
            }
        }
        // From where everything is loaded and compiled to the end.
        Memory settled = memory.get(INTERVALS / 2);
        Memory end = memory.get(INTERVALS - 1);
        assertTrue(end.heap() < settled.heap() + 16, "heap grew from " + settled + " to " + end);
        assertTrue(end.direct() < settled.direct() + 16, "direct memory grew from " + settled + " to " + end);
        assertTrue(end.resident() < settled.resident() + 128, "the process grew from " + settled + " to " + end);
    }
}
