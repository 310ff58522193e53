// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Peak memory of this process.
 *
 * @since 0.1.0
 */
public final class PeakMemory {
    private PeakMemory() {}

    /** Returns the largest resident set size of this process so far in MiB, or NaN except on Linux. */
    public static double mebibytes() {
        try {
            return Files.readAllLines(Path.of("/proc/self/status")).stream()
                    .filter(l -> l.startsWith("VmHWM:"))
                    .mapToDouble(l -> Double.parseDouble(l.replaceAll("\\D", "")) / 1024)
                    .findFirst()
                    .orElse(Double.NaN);
        } catch (IOException e) {
            return Double.NaN;
        }
    }
}
