// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import java.util.Random;

/**
 * Seeds and permutations that follow only from the run's seed and position.
 *
 * @since 0.1.0
 */
public final class Seeds {
    private Seeds() {}

    /**
     * Mixes two numbers into a seed; neighbouring numbers give unrelated seeds
     * (SplitMix64, <a href="https://doi.org/10.1145/2660193.2660195">Steele et al. 2014</a>, figure 14).
     */
    public static long mix(long seed, long number) {
        long z = seed * 0x9e3779b97f4a7c15L + number * 0xd1342543de82ef95L + 0x632be59bd9b4e019L;
        z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }

    /** Returns a random permutation of 0 to {@code count - 1} (Fisher and Yates). */
    public static int[] permutation(int count, Random random) {
        int[] order = new int[count];
        for (int i = 0; i < count; i++) {
            int j = random.nextInt(i + 1);
            order[i] = order[j];
            order[j] = i;
        }
        return order;
    }
}
