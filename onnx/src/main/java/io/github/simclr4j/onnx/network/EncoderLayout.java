package io.github.simclr4j.onnx.network;

import io.github.simclr4j.onnx.file.Opset;

/**
 * What goes into an encoder file beside the network.
 *
 * @param opset version of ONNX's operators, 13 to 26
 * @param preprocessing true for the input uint8 [batch, size, size, 3] with scaling and layout in the graph; false for
 *     float32 [batch, 3, size, size], already {@code (x / 255 - mean) / deviation}
 * @param head a projection head, or its first layers, behind the network: the embedding is what it gives; or null
 * @param classifier a linear classifier on the embedding, whose probabilities become a second output; or null
 */
public record EncoderLayout(int opset, boolean preprocessing, ProjectionHead head, LinearClassifier classifier) {
    /** The network alone, with preprocessing. */
    public static final EncoderLayout DEFAULT = new EncoderLayout(Opset.DEFAULT, true, null, null);

    /**
     * Checks the opset.
     *
     * @throws IllegalArgumentException if it is out of its range
     */
    public EncoderLayout {
        Opset.check(opset);
    }

    /** The same with another opset. */
    public EncoderLayout withOpset(int version) {
        return new EncoderLayout(version, preprocessing, head, classifier);
    }

    /** The same with normalised float32 input. */
    public EncoderLayout withoutPreprocessing() {
        return new EncoderLayout(opset, false, head, classifier);
    }

    /** The same with a head. */
    public EncoderLayout withHead(ProjectionHead layers) {
        return new EncoderLayout(opset, preprocessing, layers, classifier);
    }

    /** The same with a classifier. */
    public EncoderLayout withClassifier(LinearClassifier linear) {
        return new EncoderLayout(opset, preprocessing, head, linear);
    }
}
