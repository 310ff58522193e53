// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Adds Gaussian noise to every value, with a random standard deviation per image
 * (<a href="https://arxiv.org/abs/2002.05709">Chen et al. 2020</a>, figure 4).
 *
 * @since 0.1.0
 */
public final class GaussianNoise implements AugmentationFactory {
    /** A prime so small that the product of two numbers below it fits into 64 bits. */
    static final int PRIME = Integer.MAX_VALUE;

    @Override
    public String name() {
        return "noise";
    }

    @Override
    public String help() {
        return "Gaussian; largest standard deviation, for values from 0 to 1";
    }

    @Override
    public double probability() {
        return 0.5;
    }

    @Override
    public List<Strength> strengths() {
        return List.of(Strength.upTo("deviation", 0.1, 1, "largest standard deviation, for values from 0 to 1"));
    }

    @Override
    public Augmentation create(List<Double> strengths) {
        return (side, random) -> {
            float deviation = (float) (strengths.get(0) * random.nextDouble());
            int a = key(random);
            int b = key(random);
            int c = key(random);
            return image -> add(image, deviation, gaussian(a, b, c, 3 * image.pixels()));
        };
    }

    private static int key(RandomGenerator random) {
        return random.nextInt(1, PRIME);
    }

    private static void add(ViewImage image, float deviation, float[] noise) {
        int n = image.pixels();
        for (int c = 0; c < 3; c++) {
            float[] x = image.planes()[c];
            for (int i = 0; i < n; i++) {
                x[i] = Colours.cut(x[i] + deviation * noise[c * n + i]);
            }
        }
    }

    /**
     * Returns standard normal numbers that depend only on three keys, so that no Java release can change them.
     *
     * <p>The k-th uniform number is {@code ((a k + b)^5 + c)^5 mod PRIME}, in which each operation is a permutation. Two uniform numbers
     * give two normal ones (Box and Muller 1958, "A note on the generation of random normal deviates").
     *
     * @param a key, 1 to PRIME - 1
     * @param b key, 1 to PRIME - 1
     * @param c key, 1 to PRIME - 1
     * @param values number of values
     */
    static float[] gaussian(int a, int b, int c, int values) {
        int half = (values + 1) / 2;
        float[] normal = new float[2 * half];
        for (int k = 0; k < half; k++) {
            double radius = Math.sqrt(-2 * Math.log(uniform(a, b, c, k)));
            double angle = 2 * Math.PI * uniform(a, b, c, k + half);
            normal[k] = (float) (radius * Math.cos(angle));
            normal[k + half] = (float) (radius * Math.sin(angle));
        }
        return normal;
    }

    private static double uniform(long a, long b, long c, long k) {
        return (fifth((fifth((k * a + b) % PRIME) + c) % PRIME) + 0.5) / PRIME;
    }

    /** Returns the fifth power, which is a permutation because 5 and PRIME - 1 are coprime. */
    private static long fifth(long x) {
        long square = x * x % PRIME;
        return square * square % PRIME * x % PRIME;
    }
}
