package io.github.simclr4j.onnx.convert;

/** What an encoder file computes in. Whichever it is, images go in and float32 embeddings come out as before. */
public enum Precision {
    /** As trained; of a float32 file only. */
    FLOAT32,
    /** Weights and arithmetic in IEEE 754 half precision: half the size. */
    FLOAT16,
    /**
     * Convolutions, residual additions and pooling on 8-bit integers: signed weights with a scale for each output
     * channel, unsigned activations with a scale and a zero point for each tensor (Jacob et al., CVPR 2018, equation 1:
     * {@code real = scale * (quantised - zeroPoint)}). A quarter of the size.
     */
    INT8
}
