// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.file;

/**
 * The names of the inputs and outputs of encoder files that this library writes. The input is an image, the output an embedding. A file
 * with a classifier also outputs the probabilities of the classes.
 *
 * @since 0.1.0
 */
public final class EncoderContract {
    /** The name of the input. */
    public static final String INPUT = "image";
    /** The name of the output for the embedding. */
    public static final String OUTPUT = "embedding";
    /** The name of the output for the probabilities of the classes. */
    public static final String PROBABILITIES = "probabilities";

    private EncoderContract() {}
}
