package io.github.simclr4j.train.loop;

import java.util.Random;

/** Seeds and orders that follow from the run's seed and the position in it alone. */
public final class Seeds {
    private Seeds() {}

    /**
     * Mixes two numbers into a seed that has nothing to do with its neighbours' (SplitMix64, Steele et al. 2014, figure 14).
     */
    public static long mix(long seed, long number) {
        long z = seed * 0x9e3779b97f4a7c15L + number * 0xd1342543de82ef95L + 0x632be59bd9b4e019L;
        z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }

    /** Returns a random order of 0 to count - 1 (Fisher and Yates). */
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
