// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Measures how many of a folder's images are decoded in a second of processor time of one thread, the files being in memory:
 *
 * <pre>{@code java -cp images/target/test-classes:images/target/classes:cli/target/lib/* \
 *     io.github.simclr4j.images.DecoderBench FOLDER [SECONDS]}</pre>
 *
 * <p>To compare two versions, run them in turns.
 */
final class DecoderBench {
    private DecoderBench() {}

    public static void main(String[] args) throws IOException {
        List<byte[]> files = new ArrayList<>();
        try (Stream<Path> all = Files.walk(Path.of(args[0]))) {
            for (Path file : all.filter(Files::isRegularFile).sorted().toList()) {
                files.add(Files.readAllBytes(file));
            }
        }
        double seconds = args.length > 1 ? Double.parseDouble(args[1]) : 5;
        rate(files, seconds);
        System.out.println(String.format(Locale.ROOT, "%.0f images/s", rate(files, seconds)));
    }

    private static double rate(List<byte[]> files, double seconds) throws IOException {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long start = threads.getCurrentThreadCpuTime();
        long read = 0;
        while (threads.getCurrentThreadCpuTime() - start < seconds * 1e9) {
            for (byte[] file : files) {
                Images.read(file);
            }
            read += files.size();
        }
        return read / ((threads.getCurrentThreadCpuTime() - start) / 1e9);
    }
}
