// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.network;

import java.util.List;

/**
 * The signature of a layer. Layers with equal signatures can have each other's weights.
 *
 * @param kind kind of the layer
 * @param shape shape of its weights as in PyTorch; for a learned tensor without leading axes of size 1
 * @param detail stride, padding and groups of a convolution; empty for other layers
 */
record LayerSignature(Kind kind, List<Integer> shape, String detail) {
    /** The kinds of layers with weights. */
    enum Kind {
        CONVOLUTION,
        DENSE,
        NORM,
        BATCH_NORM,
        LEARNED
    }

    static LayerSignature convolution(List<Integer> shape, long stride, long padding, long groups) {
        return new LayerSignature(Kind.CONVOLUTION, shape, detail(stride, padding, groups));
    }

    static String detail(long stride, long padding, long groups) {
        return "stride " + stride + ", padding " + padding + ", groups " + groups;
    }

    static LayerSignature of(Kind kind, Integer... shape) {
        return new LayerSignature(kind, List.of(shape), "");
    }

    static LayerSignature learned(List<Integer> shape) {
        int ones = 0;
        while (ones < shape.size() && shape.get(ones) == 1) {
            ones++;
        }
        return new LayerSignature(Kind.LEARNED, shape.subList(ones, shape.size()), "");
    }

    @Override
    public String toString() {
        return shape + (detail.isEmpty() ? "" : ", " + detail);
    }
}
