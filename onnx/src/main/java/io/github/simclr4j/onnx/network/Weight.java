package io.github.simclr4j.onnx.network;

import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/**
 * A tensor of a layer.
 *
 * @param name as PyTorch has it, such as {@code layer1.0.conv1.weight}
 * @param shape of the tensor; [] for none of its axes is not allowed
 * @param kind what it is for
 * @param init how it starts
 */
public record Weight(String name, List<Integer> shape, Kind kind, Init init) {

    /** What a tensor is for. */
    public enum Kind {
        /** The weights of a convolution or a dense layer; only these are decayed. */
        MATRIX,
        /** A bias of a convolution or a dense layer. */
        BIAS,
        /** The scale of a norm. */
        SCALE,
        /** The shift of a norm. */
        SHIFT,
        /** A learned token or position embedding. */
        TOKEN,
        /** Not trained: a batch norm's running statistic, or a shift that stays 0. */
        FIXED;

        /** Whether gradients move it. */
        public boolean isTrained() {
            return this != FIXED;
        }
    }

    /** How a tensor starts. */
    public sealed interface Init {
        /**
         * Returns the first values, row-major.
         *
         * @param size how many values
         * @param random where they come from
         */
        float[] values(int size, RandomGenerator random);
    }

    /** Every value is the same. */
    public record Constant(float value) implements Init {
        @Override
        public float[] values(int size, RandomGenerator random) {
            float[] v = new float[size];
            Arrays.fill(v, value);
            return v;
        }
    }

    /** A normal distribution around 0. */
    public record Normal(double deviation) implements Init {
        @Override
        public float[] values(int size, RandomGenerator random) {
            float[] v = new float[size];
            for (int i = 0; i < size; i++) {
                v[i] = (float) (random.nextGaussian() * deviation);
            }
            return v;
        }
    }

    /** A normal distribution around 0 of which what is farther away than two standard deviations is drawn again. */
    public record TruncatedNormal(double deviation) implements Init {
        @Override
        public float[] values(int size, RandomGenerator random) {
            float[] v = new float[size];
            for (int i = 0; i < size; i++) {
                double x = random.nextGaussian();
                while (Math.abs(x) > 2) {
                    x = random.nextGaussian();
                }
                v[i] = (float) (x * deviation);
            }
            return v;
        }
    }

    /** A uniform distribution from {@code -bound} to {@code bound}. */
    public record Uniform(double bound) implements Init {
        @Override
        public float[] values(int size, RandomGenerator random) {
            float[] v = new float[size];
            for (int i = 0; i < size; i++) {
                v[i] = (float) ((2 * random.nextDouble() - 1) * bound);
            }
            return v;
        }
    }

    /**
     * Checks the shape.
     *
     * @throws IllegalArgumentException if an axis is below 1, or there is none
     */
    public Weight {
        shape = List.copyOf(shape);
        if (shape.isEmpty() || shape.stream().anyMatch(d -> d < 1)) {
            throw new IllegalArgumentException(name + ": expected axes of at least 1, found " + shape);
        }
    }

    /** Returns the variance 2 / fan-out of a ReLU network (He et al. 2015, equation 14) for a square kernel. */
    public static Init heFanOut(int out, int kernel) {
        return new Normal(Math.sqrt(2.0 / ((double) out * kernel * kernel)));
    }

    /** Returns a uniform distribution within 1 / sqrt(fan-in), PyTorch's start of a dense layer. */
    public static Init fanIn(int in) {
        return new Uniform(1 / Math.sqrt(in));
    }

    static Weight matrix(String name, Init init, Integer... shape) {
        return new Weight(name, List.of(shape), Kind.MATRIX, init);
    }

    static Weight bias(String name, int size) {
        return new Weight(name, List.of(size), Kind.BIAS, new Constant(0));
    }

    static Weight scale(String name, int size) {
        return new Weight(name, List.of(size), Kind.SCALE, new Constant(1));
    }

    static Weight shift(String name, int size) {
        return new Weight(name, List.of(size), Kind.SHIFT, new Constant(0));
    }

    static Weight fixed(String name, float value, int size) {
        return new Weight(name, List.of(size), Kind.FIXED, new Constant(value));
    }

    /** Returns how many values the tensor has. */
    public int size() {
        return Math.toIntExact(shape.stream().mapToLong(Integer::longValue).reduce(1, Math::multiplyExact));
    }

    /** Returns the shape as an array. */
    public long[] dimensions() {
        return IntStream.range(0, shape.size()).mapToLong(shape::get).toArray();
    }
}
