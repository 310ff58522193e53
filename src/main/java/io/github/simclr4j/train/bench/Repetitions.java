package io.github.simclr4j.train.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * How often something is measured.
 *
 * @param count how many rates are taken
 * @param seconds that each takes at least
 */
public record Repetitions(int count, double seconds) {
    /** Calls before the first measurement, in which code is compiled and memory is allocated. */
    private static final int WARM_UP = 3;

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if there is no repetition, or a time is not above 0
     */
    public Repetitions {
        if (count < 1 || !(seconds > 0 && seconds < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("Repetitions must be at least 1 and their seconds above 0, found "
                    + count + " and " + seconds);
        }
    }

    /** What is measured. */
    @FunctionalInterface
    interface Work {
        /** Does it once. */
        void run() throws IOException;

        /** Waits until a device has done what it was given. */
        default void await() {}
    }

    /**
     * Measures.
     *
     * @param items that are done in one call
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
