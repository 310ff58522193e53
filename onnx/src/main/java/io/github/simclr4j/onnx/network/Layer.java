// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.network;

import java.util.List;

/**
 * One operation of a network. A {@link LayerGraph} connects layers. One backend writes them as TorchScript for training, and another
 * writes them as ONNX for inference. Only the backends define what a layer computes.
 *
 * <p>Shapes are without the batch axis: a feature map is [channels, height, width], tokens are [tokens, width], a feature vector is
 * [width]. Axes are counted from 0 without the batch axis. A layer with weights has a name, and its weights are {@code name.weight},
 * {@code name.bias} and so on, as in PyTorch.
 *
 * @since 0.1.0
 */
public sealed interface Layer {
    /** Returns the weights of the layer, in the order in which they are initialised; none by default. */
    default List<Weight> weights() {
        return List.of();
    }

    /**
     * The network's input: images, float32 [channels, height, width], normalised.
     *
     * @param channels number of channels
     * @param height height in pixels
     * @param width width in pixels
     */
    record Input(int channels, int height, int width) implements Layer {}

    /**
     * A two-dimensional convolution with a square kernel.
     *
     * @param name prefix of the weights {@code name.weight} [out, in / groups, kernel, kernel], and {@code name.bias} [out] with a bias
     * @param in number of input channels
     * @param out number of output channels
     * @param kernel side length of the kernel
     * @param stride stride along both axes
     * @param padding number of zeros on each of the four sides
     * @param groups number of groups of channels; {@code in} for a depthwise convolution
     * @param bias whether there is a bias
     * @param init distribution of the initial weights
     */
    record Conv(
            String name,
            int in,
            int out,
            int kernel,
            int stride,
            int padding,
            int groups,
            boolean bias,
            Weight.Init init)
            implements Layer {
        @Override
        public List<Weight> weights() {
            Weight weight = Weight.matrix(name + ".weight", init, out, in / groups, kernel, kernel);
            return bias ? List.of(weight, Weight.bias(name + ".bias", out)) : List.of(weight);
        }
    }

    /**
     * Batch normalisation of feature maps or feature vectors (<a href="https://arxiv.org/abs/1502.03167">Ioffe and Szegedy 2015</a>).
     *
     * @param name prefix of the weights {@code name.weight}, {@code .bias}, {@code .running_mean} and {@code .running_var}, [channels]
     * @param channels number of channels of the input
     * @param epsilon number added to the variance
     * @param shift whether the bias is trained; otherwise it stays 0
     * @param endsBranch whether this is the last norm of a residual branch, whose scale may be initialised to 0
     *     (<a href="https://arxiv.org/abs/1706.02677">Goyal et al. 2017</a>, section 5.1)
     */
    record BatchNorm(String name, int channels, float epsilon, boolean shift, boolean endsBranch) implements Layer {
        @Override
        public List<Weight> weights() {
            return List.of(
                    Weight.scale(name + ".weight", channels),
                    shift ? Weight.shift(name + ".bias", channels) : Weight.fixed(name + ".bias", 0, channels),
                    Weight.fixed(name + ".running_mean", 0, channels),
                    Weight.fixed(name + ".running_var", 1, channels));
        }
    }

    /**
     * Layer normalisation over the last axis (<a href="https://arxiv.org/abs/1607.06450">Ba et al. 2016</a>).
     *
     * @param name prefix of the weights {@code name.weight} and {@code name.bias}, [size]
     * @param size size of the last axis
     * @param epsilon number added to the variance
     */
    record LayerNorm(String name, int size, float epsilon) implements Layer {
        @Override
        public List<Weight> weights() {
            return List.of(Weight.scale(name + ".weight", size), Weight.shift(name + ".bias", size));
        }
    }

    /**
     * Group normalisation of feature maps (<a href="https://arxiv.org/abs/1803.08494">Wu and He 2018</a>). A single group normalises over
     * all channels and pixels of an image.
     *
     * @param name prefix of the weights {@code name.weight} and {@code name.bias}, [channels]
     * @param channels number of channels of the input
     * @param groups number of groups of channels
     * @param epsilon number added to the variance
     */
    record GroupNorm(String name, int channels, int groups, float epsilon) implements Layer {
        @Override
        public List<Weight> weights() {
            return List.of(Weight.scale(name + ".weight", channels), Weight.shift(name + ".bias", channels));
        }
    }

    /**
     * A dense layer on the last axis: {@code x W^T + b}.
     *
     * @param name prefix of the weights {@code name.weight} [out, in], and {@code name.bias} [out] with a bias
     * @param in size of the last axis of the input
     * @param out size of the last axis of the result
     * @param bias whether there is a bias
     * @param init distribution of the initial weights
     */
    record Dense(String name, int in, int out, boolean bias, Weight.Init init) implements Layer {
        @Override
        public List<Weight> weights() {
            Weight weight = Weight.matrix(name + ".weight", init, out, in);
            return bias ? List.of(weight, Weight.bias(name + ".bias", out)) : List.of(weight);
        }
    }

    /**
     * A learned tensor that is the same for every image, such as a class token or position embeddings. It has no input.
     *
     * @param name name of the tensor
     * @param shape shape without the batch axis
     * @param init distribution of the initial values
     */
    record Learned(String name, List<Integer> shape, Weight.Init init) implements Layer {
        @Override
        public List<Weight> weights() {
            return List.of(new Weight(name, shape, Weight.Kind.TOKEN, init));
        }
    }

    /** An activation function, applied to each value. */
    record Activation(Function function) implements Layer {
        /** The activation functions. */
        public enum Function {
            /** {@code max(0, x)}. */
            RELU,
            /**
             * {@code x * Phi(x)} by the error function (<a href="https://arxiv.org/abs/1606.08415">Hendrycks and Gimpel 2016</a>), not by
             * its tanh approximation.
             */
            GELU,
            /** {@code x * relu6(x + 3) / 6} (<a href="https://arxiv.org/abs/1905.02244">Howard et al. 2019</a>, section 5.2). */
            HARD_SWISH,
            /** {@code relu6(x + 3) / 6}. */
            HARD_SIGMOID,
            /** {@code 1 / (1 + exp(-x))}. */
            SIGMOID,
            /** {@code tanh(x)}. */
            TANH,
            /**
             * The linear light of a normalised sRGB value (IEC 61966-2-1). With {@code v = MEAN + DEVIATION * x}, clipped to [0, 1], it is
             * {@code v / 12.92} up to 0.04045 and {@code ((v + 0.055) / 1.055)^2.4} above.
             */
            LINEAR_LIGHT,
            /**
             * The function f of CIELab (CIE 15) minus a constant: {@code f(x) - 66/116}, where f is the cube root above {@code (6/29)^3}
             * and {@code x / (3 (6/29)^2) + 4/29} below.
             */
            LAB
        }
    }

    /** Max pooling with a square window; padding never is the maximum. */
    record MaxPool(int kernel, int stride, int padding) implements Layer {}

    /** Average pooling with a square window and no padding. */
    record AveragePool(int kernel, int stride) implements Layer {}

    /**
     * The mean over a feature map's pixels.
     *
     * @param keepAxes true for [channels, 1, 1], false for [channels]
     */
    record GlobalAveragePool(boolean keepAxes) implements Layer {}

    /** The mean over one axis, which is removed. */
    record Mean(int axis) implements Layer {}

    /** The sum of two values; axes of size 1 are repeated. */
    record Add() implements Layer {}

    /** The product of two values, element by element; axes of size 1 are repeated. */
    record Multiply() implements Layer {}

    /** A product with a constant. */
    record Scale(float factor) implements Layer {}

    /** Joins its inputs along an axis. */
    record Concat(int axis) implements Layer {}

    /** Changes the shape, without the batch axis; the values stay in row-major order. */
    record Reshape(List<Integer> shape) implements Layer {}

    /** Reorders the axes: axis i of the result is axis {@code order[i]} of the input. */
    record Transpose(List<Integer> order) implements Layer {}

    /** Keeps the indices {@code [from, to)} of an axis. */
    record Slice(int axis, int from, int to) implements Layer {}

    /** The matrix product of the last two axes of two values; the axes before them are equal. */
    record MatMul() implements Layer {}

    /** Softmax over the last axis. */
    record Softmax() implements Layer {}

    /**
     * Adds zeros at the ends of an axis.
     *
     * @param axis the axis to extend
     * @param before number of zeros before the first value
     * @param after number of zeros after the last value
     */
    record Pad(int axis, int before, int after) implements Layer {}

    /**
     * Cuts a feature map into square patches, which may overlap: [channels, height, width] becomes [patches, channels, side, side],
     * row by row. Remaining pixels at the right and at the bottom are dropped.
     *
     * @param side side length of a patch
     * @param stride distance from one patch to the next, down and to the right
     */
    record Patches(int side, int stride) implements Layer {
        /**
         * Returns the number of patches along an axis.
         *
         * @param size size of the axis
         */
        public int along(int size) {
            return (size - side) / stride + 1;
        }
    }

    /**
     * Moves the first axis into the batch axis, so that the following layers treat its entries independently. The entries of an image
     * stay adjacent. {@link OutOfBatch} reverses it.
     */
    record IntoBatch() implements Layer {}

    /**
     * Moves entries out of the batch axis into a new first axis; reverses {@link IntoBatch}.
     *
     * @param count size of the new axis
     */
    record OutOfBatch(int count) implements Layer {}
}
