// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.network;

import io.github.simclr4j.onnx.file.Opset;

/**
 * The layout of an encoder file: what it contains beside the network.
 *
 * @param opset version of ONNX's default operator set, 13 to 26
 * @param preprocessing true for uint8 input [batch, size, size, 3] with scaling and layout in the graph; false for float32 input
 *     [batch, 3, size, size] that is normalised already, {@code (x / 255 - mean) / deviation}
 * @param head a projection head, or its first layers, whose output becomes the embedding; null for none
 * @param classifier a linear classifier of the embedding, whose probabilities become a second output; null for none
 * @since 0.1.0
 */
public record EncoderLayout(int opset, boolean preprocessing, ProjectionHead head, LinearClassifier classifier) {
    /** The default layout: only the network, with preprocessing. */
    public static final EncoderLayout DEFAULT = new EncoderLayout(Opset.DEFAULT, true, null, null);

    /**
     * Checks the opset.
     *
     * @throws IllegalArgumentException if the opset is out of range
     */
    public EncoderLayout {
        Opset.check(opset);
    }

    /**
     * Returns this layout with another opset.
     *
     * @param version the opset, 13 to 26
     */
    public EncoderLayout withOpset(int version) {
        return new EncoderLayout(version, preprocessing, head, classifier);
    }

    /** Returns this layout with normalised float32 input. */
    public EncoderLayout withoutPreprocessing() {
        return new EncoderLayout(opset, false, head, classifier);
    }

    /**
     * Returns this layout with a projection head.
     *
     * @param layers the head, or null for none
     */
    public EncoderLayout withHead(ProjectionHead layers) {
        return new EncoderLayout(opset, preprocessing, layers, classifier);
    }

    /**
     * Returns this layout with a classifier.
     *
     * @param linear the classifier, or null for none
     */
    public EncoderLayout withClassifier(LinearClassifier linear) {
        return new EncoderLayout(opset, preprocessing, head, linear);
    }
}
