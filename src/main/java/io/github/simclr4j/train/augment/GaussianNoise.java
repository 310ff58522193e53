package io.github.simclr4j.train.augment;

import java.util.List;
import java.util.random.RandomGenerator;

/** Adds Gaussian noise to every value (Chen et al. 2020, figure 4), with a standard deviation of the image's own. */
public final class GaussianNoise implements AugmentationFactory {
    /** A prime below which products of two numbers fit 64 bits. */
    static final int PRIME = Integer.MAX_VALUE;

    @Override
    public String name() {
        return "noise";
    }

    @Override
    public String help() {
        return "Gaussian; largest standard deviation, values 0 to 1";
    }

    @Override
    public double probability() {
        return 0.5;
    }

    @Override
    public List<Strength> strengths() {
        return List.of(Strength.upTo("deviation", 0.1, 1, "largest standard deviation, where values are from 0 to 1"));
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
     * Returns standard normal numbers that three keys alone decide. The k-th uniform number is
     * {@code ((a k + b)^5 + c)^5 mod PRIME}, in which each step is a permutation, and two of them make two normal ones (Box and
     * Muller 1958, "A note on the generation of random normal deviates"). No release of Java can change it.
     *
     * @param a 1 to PRIME - 1, as are b and c
     * @param values how many
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

    /** Five has no common divisor with PRIME - 1, so the fifth power is a permutation. */
    private static long fifth(long x) {
        long square = x * x % PRIME;
        return square * square % PRIME * x % PRIME;
    }
}
