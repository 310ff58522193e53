// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * The number and length of measurements.
 *
 * @param count number of measurements, at least 1
 * @param seconds shortest time of a measurement in seconds, above 0
 * @since 0.1.0
 */
public record Repetitions(int count, double seconds) {
    /** Number of calls before the first measurement, in which code is compiled and memory is allocated. */
    private static final int WARM_UP = 3;

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a value is out of range
     */
    public Repetitions {
        if (count < 1 || !(seconds > 0 && seconds < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(
                    "Repetitions must be at least 1 and their seconds above 0, found " + count + " and " + seconds);
        }
    }

    /** The work that is measured. */
    @FunctionalInterface
    interface Work {
        /** Does the work once. */
        void run() throws IOException;

        /** Waits until a device has finished its work. */
        default void await() {}
    }

    /**
     * Measures the throughput.
     *
     * @param items number of items per call
     * @param work the work
     */
    Rate measure(int items, Work work) throws IOException {
        for (int i = 0; i < WARM_UP; i++) {
            work.run();
        }
        work.await();
        long before = System.nanoTime();
        work.run();
        work.await();
        double once = (System.nanoTime() - before) / 1e9;
        int calls = (int) Math.max(1, Math.ceil(seconds / once));
        List<Double> rates = new ArrayList<>();
        for (int r = 0; r < count; r++) {
            long start = System.nanoTime();
            for (int i = 0; i < calls; i++) {
                work.run();
            }
            work.await();
            rates.add(items * (double) calls / ((System.nanoTime() - start) / 1e9));
        }
        return new Rate(rates);
    }
}
