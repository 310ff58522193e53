package io.github.simclr4j.onnx.network;

import java.util.List;

/**
 * One operation of a network. A {@link LayerGraph} joins layers; one backend writes them as TorchScript for training, another as
 * ONNX for use, and nothing else knows what a layer computes.
 *
 * <p>Shapes leave the batch axis out: a feature map is [channels, height, width], tokens are [tokens, width], a feature is [width].
 * Axes count from 0 without the batch axis. A layer with weights has a name; its weights are {@code name.weight},
 * {@code name.bias} and so on, as PyTorch names them.
 */
public sealed interface Layer {
    /** Weights that the layer has, in the order in which they are made; none by default. */
    default List<Weight> weights() {
        return List.of();
    }

    /**
     * The network's input: images, float32 [channels, height, width], normalised.
     *
     * @param channels of the image
     * @param height in pixels
     * @param width in pixels
     */
    record Input(int channels, int height, int width) implements Layer {}

    /**
     * A two-dimensional convolution with a square kernel.
     *
     * @param name of the weights: {@code name.weight} [out, in / groups, kernel, kernel], and {@code name.bias} [out] with a bias
     * @param in channels in
     * @param out channels out
     * @param kernel side of the kernel
     * @param stride of both axes
     * @param padding zeros on each of the four sides
     * @param groups groups of channels; {@code in} for a depthwise convolution
     * @param bias whether there is a bias
     * @param init how the weights start
     */
    record Conv(String name, int in, int out, int kernel, int stride, int padding, int groups, boolean bias, Weight.Init init)
            implements Layer {
        @Override
        public List<Weight> weights() {
            Weight weight = Weight.matrix(name + ".weight", init, out, in / groups, kernel, kernel);
            return bias ? List.of(weight, Weight.bias(name + ".bias", out)) : List.of(weight);
        }
    }

    /**
     * Batch normalisation of feature maps, or of features (Ioffe and Szegedy 2015).
     *
     * @param name of the weights: {@code name.weight}, {@code .bias}, {@code .running_mean} and {@code .running_var}, [channels]
     * @param channels of the input
     * @param epsilon added to the variance
     * @param shift whether the bias is trained; otherwise it stays 0
     * @param endsBranch whether this is the last norm of a residual branch, which may start at 0 (Goyal et al. 2017, section 5.1)
     */
    record BatchNorm(String name, int channels, float epsilon, boolean shift, boolean endsBranch) implements Layer {
        @Override
        public List<Weight> weights() {
            return List.of(Weight.scale(name + ".weight", channels),
                    shift ? Weight.shift(name + ".bias", channels) : Weight.fixed(name + ".bias", 0, channels),
                    Weight.fixed(name + ".running_mean", 0, channels), Weight.fixed(name + ".running_var", 1, channels));
        }
    }

    /**
     * Layer normalisation over the last axis (Ba et al. 2016).
     *
     * @param name of the weights: {@code name.weight} and {@code name.bias}, [size]
     * @param size of the last axis
     * @param epsilon added to the variance
     */
    record LayerNorm(String name, int size, float epsilon) implements Layer {
        @Override
        public List<Weight> weights() {
            return List.of(Weight.scale(name + ".weight", size), Weight.shift(name + ".bias", size));
        }
    }

    /**
     * Group normalisation of feature maps (Wu and He 2018); one group normalises over all channels and pixels of an image.
     *
     * @param name of the weights: {@code name.weight} and {@code name.bias}, [channels]
     * @param channels of the input
     * @param groups that the channels are divided into
     * @param epsilon added to the variance
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
     * @param name of the weights: {@code name.weight} [out, in], and {@code name.bias} [out] with a bias
     * @param in size of the last axis
     * @param out size of the last axis afterwards
     * @param bias whether there is a bias
     * @param init how the weights start
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
     * @param name of the tensor
     * @param shape without the batch axis
     * @param init how it starts
     */
    record Learned(String name, List<Integer> shape, Weight.Init init) implements Layer {
        @Override
        public List<Weight> weights() {
            return List.of(new Weight(name, shape, Weight.Kind.TOKEN, init));
        }
    }

    /** An activation function of each value. */
    record Activation(Function function) implements Layer {
        /** The functions. */
        public enum Function {
            /** {@code max(0, x)}. */
            RELU,
            /** {@code x * Phi(x)} by the error function (Hendrycks and Gimpel 2016), not by its tanh approximation. */
            GELU,
            /** {@code x * relu6(x + 3) / 6} (Howard et al. 2019, section 5.2). */
            HARD_SWISH,
            /** {@code relu6(x + 3) / 6}. */
            HARD_SIGMOID,
            /** {@code 1 / (1 + exp(-x))}. */
            SIGMOID,
            /** {@code tanh(x)}. */
            TANH,
            /**
             * The linear light of an sRGB value (IEC 61966-2-1) that was normalised as networks take it: with
             * {@code v = MEAN + DEVIATION * x}, limited to [0, 1], {@code v / 12.92} up to 0.04045 and
             * {@code ((v + 0.055) / 1.055)^2.4} above.
             */
            LINEAR_LIGHT,
            /**
             * The function of CIELab (CIE 15) less a constant: {@code f(x) - 66/116}, where f is the cube root above
             * {@code (6/29)^3} and {@code x / (3 (6/29)^2) + 4/29} below.
             */
            LAB
        }
    }

    /** Max pooling with a square window; the padding never wins. */
    record MaxPool(int kernel, int stride, int padding) implements Layer {}

    /** Average pooling with a square window and no padding. */
    record AveragePool(int kernel, int stride) implements Layer {}

    /**
     * The mean over a feature map's pixels.
     *
     * @param keepAxes true for [channels, 1, 1], false for [channels]
     */
    record GlobalAveragePool(boolean keepAxes) implements Layer {}

    /** The mean over one axis, which then is gone. */
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

    /** Cuts {@code [from, to)} out of an axis. */
    record Slice(int axis, int from, int to) implements Layer {}

    /** The matrix product of the last two axes of two values; the axes before them are equal. */
    record MatMul() implements Layer {}

    /** Softmax over the last axis. */
    record Softmax() implements Layer {}

    /**
     * Adds zeros at the ends of an axis.
     *
     * @param axis that grows
     * @param before how many go in front
     * @param after how many go behind
     */
    record Pad(int axis, int before, int after) implements Layer {}

    /**
     * Cuts a feature map into square patches, which may overlap: [channels, height, width] becomes [patches, channels, side, side],
     * row by row. What is left over at the right and at the bottom belongs to no patch.
     *
     * @param side of a patch
     * @param stride from one patch to the next, down and to the right
     */
    record Patches(int side, int stride) implements Layer {
        /** Returns the number of patches along an axis of a size. */
        public int along(int size) {
            return (size - side) / stride + 1;
        }
    }

    /**
     * Makes a row of the batch of each entry of the first axis, which is gone then, so that the layers that follow take each entry
     * for itself. The entries of an image stand together. {@link OutOfBatch} undoes it.
     */
    record IntoBatch() implements Layer {}

    /**
     * Joins rows of the batch to a new first axis; undoes {@link IntoBatch}.
     *
     * @param count size of the axis
     */
    record OutOfBatch(int count) implements Layer {}
}
