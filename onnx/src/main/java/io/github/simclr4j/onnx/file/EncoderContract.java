package io.github.simclr4j.onnx.file;

/**
 * Names of the inputs and outputs of an encoder file that this library writes: an image goes in, an embedding comes out, and
 * the classes' probabilities too if the file has a classifier.
 */
public final class EncoderContract {
    /** Name of the input. */
    public static final String INPUT = "image";
    /** Name of the embedding's output. */
    public static final String OUTPUT = "embedding";
    /** Name of the classifier's output. */
    public static final String PROBABILITIES = "probabilities";

    private EncoderContract() {}
}
