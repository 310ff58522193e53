// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.convert;

/**
 * The precision of an encoder's arithmetic. The type of its input, and of its float32 embeddings, does not depend on it.
 *
 * @since 0.1.0
 */
public enum Precision {
    /** Single precision, as trained; only from a float32 file. */
    FLOAT32,
    /** IEEE 754 half precision for weights and arithmetic: half the size. */
    FLOAT16,
    /**
     * 8-bit integers for convolutions, residual additions and pooling: a quarter of the size. Weights are signed, with a scale for each
     * output channel. Activations are unsigned, with a scale and a zero point for each tensor:
     * {@code real = scale * (quantized - zeroPoint)} (<a href="https://arxiv.org/abs/1712.05877">Jacob et al., CVPR 2018</a>, equation
     * 1).
     */
    INT8
}
