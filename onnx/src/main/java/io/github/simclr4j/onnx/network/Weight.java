// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.network;

import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/**
 * A weight tensor of a layer.
 *
 * @param name name as in PyTorch, such as {@code layer1.0.conv1.weight}
 * @param shape shape of the tensor, with at least one axis
 * @param kind the purpose of the tensor
 * @param init distribution of the initial values
 * @since 0.1.0
 */
public record Weight(String name, List<Integer> shape, Kind kind, Init init) {

    /** The purpose of a tensor. */
    public enum Kind {
        /** The weights of a convolution or a dense layer; weight decay applies only to these. */
        MATRIX,
        /** A bias of a convolution or a dense layer. */
        BIAS,
        /** The scale of a norm. */
        SCALE,
        /** The shift of a norm. */
        SHIFT,
        /** A learned token or position embedding. */
        TOKEN,
        /** A tensor that is not trained: a batch norm's running statistic, or a shift that stays 0. */
        FIXED;

        /** Returns whether the tensor is trained. */
        public boolean isTrained() {
            return this != FIXED;
        }
    }

    /** The distribution of the initial values of a tensor. */
    public sealed interface Init {
        /**
         * Draws initial values.
         *
         * @param size number of values
         * @param random the source of random numbers
         * @return the values, row-major
         */
        float[] values(int size, RandomGenerator random);
    }

    /**
     * The same value everywhere.
     *
     * @param value the value
     */
    public record Constant(float value) implements Init {
        @Override
        public float[] values(int size, RandomGenerator random) {
            float[] v = new float[size];
            Arrays.fill(v, value);
            return v;
        }
    }

    /**
     * A normal distribution with mean 0.
     *
     * @param deviation the standard deviation
     */
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

    /**
     * A normal distribution with mean 0, truncated at two standard deviations.
     *
     * @param deviation the standard deviation before truncation
     */
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

    /**
     * A uniform distribution from {@code -bound} to {@code bound}.
     *
     * @param bound the bound, above 0
     */
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
     * @throws IllegalArgumentException if an axis is below 1, or if there are no axes
     */
    public Weight {
        shape = List.copyOf(shape);
        if (shape.isEmpty() || shape.stream().anyMatch(d -> d < 1)) {
            throw new IllegalArgumentException(name + ": expected axes of at least 1, found " + shape);
        }
    }

    /**
     * Returns a normal distribution with the variance 2 / fan-out, for ReLU networks
     * (<a href="https://arxiv.org/abs/1502.01852">He et al. 2015</a>, equation 14).
     *
     * @param out number of output channels
     * @param kernel side length of the kernel
     */
    public static Init heFanOut(int out, int kernel) {
        return new Normal(Math.sqrt(2.0 / ((double) out * kernel * kernel)));
    }

    /**
     * Returns a uniform distribution with the bound 1 / sqrt(fan-in), PyTorch's default for dense layers.
     *
     * @param in number of inputs
     */
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

    /** Returns the number of values. */
    public int size() {
        return Math.toIntExact(shape.stream().mapToLong(Integer::longValue).reduce(1, Math::multiplyExact));
    }

    /** Returns the shape as an array. */
    public long[] dimensions() {
        return IntStream.range(0, shape.size()).mapToLong(shape::get).toArray();
    }
}
