// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.soak;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.simclr4j.cli.Main;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.train.data.BuiltInImages;
import io.github.simclr4j.train.loop.EncoderExport;
import io.github.simclr4j.train.method.MethodFactory;
import io.github.simclr4j.train.method.Methods;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import javax.management.JMException;
import javax.management.ObjectName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Memory of a JVM that trains for {@code -Dsoak.minutes}, by each of {@code -Dsoak.methods} in turn, with checkpoints, resumed runs and
 * nearest neighbours. It is a JVM of its own with the launcher's settings of the C library's allocator and a heap that is touched
 * beforehand, so that resident memory grows by what is native alone. Extraction has such a test in {@code plugin/}, {@code SoakTest}.
 */
class TrainingMemorySoak {
    private static final int INTERVALS = 12;
    /** Each run leaves about 40 kB in libtorch, however long it is; runs of many steps show what the steps leave. */
    private static final int EPOCHS = Integer.getInteger("soak.epochs", 20);
    /** From the second quarter, when all is loaded and compiled, to the last: MiB. */
    private static final double HEAP_GROWTH = 2;

    private static final double NATIVE_GROWTH = 12;
    /** What libtorch may keep of the two runs of a training: MiB. */
    private static final double NATIVE_GROWTH_PER_TRAINING = 0.1;

    private static final Map<String, String> ALLOCATOR = Map.of(
            "MALLOC_ARENA_MAX",
            "1",
            "MALLOC_MMAP_MAX_",
            "0",
            "MALLOC_TRIM_THRESHOLD_",
            "17179869184",
            "GLIBC_TUNABLES",
            "glibc.malloc.tcache_count=0:glibc.malloc.mxfast=0",
            "OMP_NUM_THREADS",
            "1");

    @TempDir
    Path dir;

    @Test
    void memoryStaysFlatForAsLongAsItTrains() throws IOException, InterruptedException {
        ProcessBuilder java = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xms192m",
                        "-Xmx192m",
                        "-XX:+AlwaysPreTouch",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-Dai.djl.offline=true",
                        Training.class.getName(),
                        dir.toString(),
                        System.getProperty("soak.minutes", "60"),
                        System.getProperty("soak.methods", ""))
                .redirectErrorStream(true);
        java.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        java.environment().putAll(ALLOCATOR);
        Process p = java.start();
        StringBuilder log = new StringBuilder();
        try (BufferedReader lines = p.inputReader()) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith("|")) {
                    System.out.println(line);
                }
                log.append(line).append('\n');
            }
        }
        assertEquals(0, p.waitFor(), log.toString());
    }

    /** Memory between two trainings: MiB, and tensors that live. */
    private record Memory(double heap, double direct, double tensors, double resident) {
        static Memory now() throws IOException, InterruptedException, JMException {
            double heap = Double.MAX_VALUE;
            for (int i = 0; i < 4; i++) {
                System.gc();
                Thread.sleep(20);
                heap = Math.min(
                        heap,
                        ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
            }
            double direct = ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                    .filter(p -> p.getName().equals("direct"))
                    .mapToLong(BufferPoolMXBean::getMemoryUsed)
                    .sum();
            double resident = 0;
            if (Files.isReadable(Path.of("/proc/self/status"))) {
                for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
                    resident =
                            line.startsWith("VmRSS:") ? Long.parseLong(line.replaceAll("\\D", "")) * 1024.0 : resident;
                }
            }
            return new Memory(heap / (1 << 20), direct / (1 << 20), living(), resident / (1 << 20));
        }

        /** Objects that hold a tensor of libtorch's. */
        private static double living() throws JMException {
            String histogram = (String) ManagementFactory.getPlatformMBeanServer()
                    .invoke(
                            new ObjectName("com.sun.management:type=DiagnosticCommand"),
                            "gcClassHistogram",
                            new Object[] {null},
                            new String[] {String[].class.getName()});
            return histogram
                    .lines()
                    .filter(l -> l.matches(".*\\sai\\.djl\\.pytorch\\.engine\\.PtNDArray\\s*.*"))
                    .mapToDouble(l -> Double.parseDouble(l.trim().split("\\s+")[1]))
                    .sum();
        }
    }

    /** The process that is measured. */
    static final class Training {
        private Training() {}

        public static void main(String[] args) throws Exception {
            Path dir = Path.of(args[0]);
            Set<String> asked = Set.of(args[2].split(","));
            List<String> methods = Methods.all().stream()
                    .map(MethodFactory::name)
                    .filter(n -> args[2].isEmpty() || asked.contains(n))
                    .toList();
            Path images = dir.resolve("images");
            BuiltInImages.write(images, 8, 1);
            Path teacher = Files.write(
                    dir.resolve("teacher.onnx"),
                    EncoderExport.untrained(new ResNet(18, 1.0 / 16, ResNet.Stem.CIFAR), BuiltInImages.SIZE, 9));
            long interval = (long) (Double.parseDouble(args[1]) * 60e9 / INTERVALS);
            List<Memory> memory = new ArrayList<>();
            long start = System.nanoTime();
            int trainings = 0;
            int settled = 0;
            System.out.println("| minutes | trainings | heap, MiB | direct, MiB | tensors | resident, MiB |");
            System.out.println("| --- | --- | --- | --- | --- | --- |");
            while (memory.size() < INTERVALS) {
                // Each method has trained once before the second quarter, however slow the machine: the first training
                // of a
                // method loads its networks.
                int least = Math.min(methods.size(), methods.size() * (memory.size() + 1) / (INTERVALS / 4));
                do {
                    train(dir, images, teacher, methods.get(trainings++ % methods.size()));
                } while (trainings < least || System.nanoTime() - start < interval * (memory.size() + 1));
                Memory now = Memory.now();
                memory.add(now);
                if (memory.size() == INTERVALS / 4) {
                    settled = trainings;
                }
                System.out.println(String.format(
                        Locale.ROOT,
                        "| %.1f | %d | %.1f | %.1f | %.0f | %.0f |",
                        (System.nanoTime() - start) / 60e9,
                        trainings,
                        now.heap(),
                        now.direct(),
                        now.tensors(),
                        now.resident()));
            }
            grew("the heap", memory, Memory::heap, HEAP_GROWTH);
            grew("direct memory", memory, Memory::direct, HEAP_GROWTH);
            grew("the number of tensors", memory, Memory::tensors, 0);
            double kept = NATIVE_GROWTH_PER_TRAINING * (trainings - settled);
            grew("resident memory", memory, Memory::resident, NATIVE_GROWTH + kept);
        }

        /** Trains, and continues from its checkpoint with the double number of epochs. */
        private static void train(Path dir, Path images, Path teacher, String method) throws IOException {
            for (int epochs = EPOCHS; epochs <= 2 * EPOCHS; epochs += EPOCHS) {
                List<String> args = new ArrayList<>(List.of(
                        "pretrain",
                        "--method",
                        method,
                        "--images",
                        images.toString(),
                        "--out",
                        dir.resolve("e.onnx").toString(),
                        "--checkpoint",
                        dir.resolve("state").toString(),
                        "--width",
                        "0.0625",
                        "--image-size",
                        "32",
                        "--batch",
                        "16",
                        "--epochs",
                        "" + epochs,
                        "--device",
                        "cpu",
                        "--threads",
                        "1",
                        "--knn",
                        images.toString(),
                        "--knn-every",
                        "4",
                        "--checkpoint-minutes",
                        "0.002"));
                if (Methods.named(method).options().stream()
                        .anyMatch(o -> o.name().equals("teacher"))) {
                    args.addAll(List.of("--teacher", teacher.toString()));
                }
                if (epochs > EPOCHS) {
                    // Held in memory before, decoded anew now.
                    args.addAll(List.of("--memory", "1"));
                }
                PrintStream out = System.out;
                int code;
                try {
                    System.setOut(new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8));
                    code = Main.run(args.toArray(String[]::new));
                } finally {
                    System.setOut(out);
                }
                if (code != 0) {
                    System.exit(code);
                }
            }
            Simclr.delete(dir.resolve("state"));
            Files.deleteIfExists(dir.resolve("metrics.jsonl"));
        }

        private static void grew(String what, List<Memory> memory, ToDoubleFunction<Memory> of, double most) {
            double settled = median(memory.subList(INTERVALS / 4, INTERVALS / 2), of);
            double end = median(memory.subList(INTERVALS - INTERVALS / 4, INTERVALS), of);
            if (end > settled + most) {
                System.out.println(String.format(Locale.ROOT, "%s grew from %.1f to %.1f", what, settled, end));
                System.exit(1);
            }
        }

        private static double median(List<Memory> memory, ToDoubleFunction<Memory> of) {
            return memory.stream().mapToDouble(of).sorted().toArray()[memory.size() / 2];
        }
    }
}
