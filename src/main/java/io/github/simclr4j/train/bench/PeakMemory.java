package io.github.simclr4j.train.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** How much memory this process has had at most. */
public final class PeakMemory {
    private PeakMemory() {}

    /**
     * Returns the largest resident memory of this process so far in MiB, or NaN where the system does not tell (only Linux does).
     */
    public static double mebibytes() {
        try {
            return Files.readAllLines(Path.of("/proc/self/status")).stream().filter(l -> l.startsWith("VmHWM:"))
                    .mapToDouble(l -> Double.parseDouble(l.replaceAll("\\D", "")) / 1024).findFirst().orElse(Double.NaN);
        } catch (IOException e) {
            return Double.NaN;
        }
    }
}
