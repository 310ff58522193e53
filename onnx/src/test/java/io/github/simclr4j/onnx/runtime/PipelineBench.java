// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.runtime;

import com.sun.management.OperatingSystemMXBean;
import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.network.EncoderWriter;
import io.github.simclr4j.onnx.network.ResNet;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;

/**
 * Measures {@link EncoderPipeline} against its stages alone; see docs/embedding-speed.md. Arguments: a folder of images, the encoder
 * (resnet18 to resnet152 with random weights, or a file), the side of its images, cores, images a round, rounds, and
 * {@code direct} for convolutions without Winograd's transformation.
 *
 * <p>The stages and the pipeline are measured in turn, round by round, so that what else the machine does falls on all of
 * them alike. Each rate stands twice: by the clock, and by the processor time that this process used.
 */
final class PipelineBench {
    private static final OperatingSystemMXBean PROCESS =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    private PipelineBench() {}

    public static void main(String[] args) throws Exception {
        int size = Integer.parseInt(args[2]);
        int cores = Integer.parseInt(args[3]);
        int images = Integer.parseInt(args[4]);
        int rounds = Integer.parseInt(args[5]);
        List<Path> all = Images.find(Path.of(args[0]));
        List<Path> files = new ArrayList<>();
        for (int i = 0; i < images; i++) {
            files.add(all.get(i % all.size()));
        }
        RuntimeSettings runtime = RuntimeSettings.DEFAULT.withThreads(1).withWinograd(args.length < 7);
        try (OnnxEncoder encoder = args[1].endsWith(".onnx")
                ? OnnxEncoder.open(Path.of(args[1]), EncoderSettings.none(), runtime)
                : random(args[1], size, runtime)) {
            EncoderPipeline.Settings settings = EncoderPipeline.Settings.onCores(cores, encoder);
            List<RgbImage> ready = new ArrayList<>();
            for (Path f : files.subList(0, settings.batch())) {
                ready.add(encoder.preprocessing().apply(Images.read(f)));
            }
            // Decoding is fast: it takes more images to measure, and to be compiled first.
            int decoded = Math.max(images, size < 100 ? 8000 : 2000);
            parallel(cores, decoded, i -> decode(encoder, files.get(i % images)));
            // Clock and processor time of decoding, encoding and both.
            double[][] seconds = new double[3][2];
            for (int round = -1; round < rounds; round++) {
                add(seconds[0], round, () -> parallel(cores, decoded, i -> decode(encoder, files.get(i % images))));
                add(seconds[1], round, () -> parallel(cores, images / ready.size(), i -> encoder.embed(ready)));
                add(seconds[2], round, () -> {
                    try (EncoderPipeline p = new EncoderPipeline(encoder, files, settings, item -> {
                        throw new UncheckedIOException(item.error());
                    })) {
                        p.forEachRemaining(item -> {});
                    }
                });
            }
            double encoded = (double) (images / ready.size()) * ready.size();
            for (int kind = 0; kind < 2; kind++) {
                double decode = (double) rounds * decoded / seconds[0][kind];
                double infer = rounds * encoded / seconds[1][kind];
                double both = rounds * images / seconds[2][kind];
                double ceiling = 1 / (1 / decode + 1 / infer);
                System.out.printf(
                        Locale.ROOT,
                        "%s %s %d px, %d cores, batch %d, images a second %-12s decode %.1f"
                                + "  encode %.1f  ceiling %.1f  pipeline %.1f (%.0f%%)%n",
                        Path.of(args[0]).getFileName(),
                        Path.of(args[1]).getFileName(),
                        size,
                        cores,
                        settings.batch(),
                        kind == 0 ? "of the clock:" : "of the CPU:",
                        decode,
                        infer,
                        ceiling,
                        both,
                        100 * both / ceiling);
            }
        }
    }

    private static OnnxEncoder random(String name, int size, RuntimeSettings runtime) throws IOException {
        ResNet net = ResNet.of(name, 1, size < 100 ? "cifar" : "imagenet");
        return OnnxEncoder.open(
                EncoderWriter.toBytes(net, new Preprocessing(size), Encoders.weights(net, null), Map.of()),
                name,
                EncoderSettings.none(),
                runtime);
    }

    private static void decode(OnnxEncoder encoder, Path file) {
        try {
            encoder.preprocessing().apply(Images.read(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private interface Task {
        void run() throws InterruptedException;
    }

    /** Round -1 warms up and does not count. */
    private static void add(double[] seconds, int round, Task task) throws InterruptedException {
        long clock = System.nanoTime();
        long cpu = PROCESS.getProcessCpuTime();
        task.run();
        if (round >= 0) {
            seconds[0] += (System.nanoTime() - clock) / 1e9;
            seconds[1] += (PROCESS.getProcessCpuTime() - cpu) / 1e9;
        }
    }

    private static void parallel(int threads, int n, IntConsumer each) throws InterruptedException {
        AtomicInteger next = new AtomicInteger();
        List<Thread> all = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            Thread thread = new Thread(() -> {
                for (int i = next.getAndIncrement(); i < n; i = next.getAndIncrement()) {
                    each.accept(i);
                }
            });
            thread.start();
            all.add(thread);
        }
        for (Thread t : all) {
            t.join();
        }
    }
}
