// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.network;

import java.util.List;
import java.util.Set;

/**
 * A linear classifier of an embedding h: {@code probabilities = softmax(W h + b)}. The arrays are not copied.
 *
 * @param weights W, [classes, dimension], row-major
 * @param bias b, [classes]
 * @param labels names of the classes, in order
 * @since 0.1.0
 */
public record LinearClassifier(float[] weights, float[] bias, List<String> labels) {
    /**
     * Checks the sizes.
     *
     * @throws IllegalArgumentException if the sizes don't match, or a label occurs twice
     */
    public LinearClassifier {
        labels = List.copyOf(labels);
        if (labels.size() < 2 || bias.length != labels.size() || weights.length % labels.size() != 0) {
            throw new IllegalArgumentException(
                    "Expected at least two labels, a bias and a row of weights for each, found " + labels.size()
                            + " labels, " + bias.length + " biases and " + weights.length + " weights");
        }
        if (Set.copyOf(labels).size() < labels.size()) {
            throw new IllegalArgumentException(
                    "Expected a different label for each class, found a duplicate among " + labels);
        }
    }

    /** Returns the length of the embedding. */
    public int dimension() {
        return weights.length / labels.size();
    }
}
