package io.github.simclr4j.onnx.network;

import java.util.List;

/**
 * What must be equal for the weights of one layer to fit another.
 *
 * @param kind of the layer
 * @param shape of its weights, as PyTorch has them; of a learned tensor without the axes of 1 in front
 * @param detail of a convolution: stride, padding and groups; empty for others
 */
record LayerSignature(Kind kind, List<Integer> shape, String detail) {
    /** Kinds of layers with weights. */
    enum Kind { CONVOLUTION, DENSE, NORM, BATCH_NORM, LEARNED }

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
