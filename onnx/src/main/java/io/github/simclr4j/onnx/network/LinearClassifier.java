package io.github.simclr4j.onnx.network;

import java.util.List;
import java.util.Set;

/**
 * A linear classifier on an embedding h: {@code probabilities = softmax(W h + b)}. The arrays are not copied.
 *
 * @param weights W, [classes, dimension], row-major
 * @param bias b, [classes]
 * @param labels names of the classes, in order
 */
public record LinearClassifier(float[] weights, float[] bias, List<String> labels) {
    /**
     * Checks the sizes.
     *
     * @throws IllegalArgumentException if they don't fit, or a label is there twice
     */
    public LinearClassifier {
        labels = List.copyOf(labels);
        if (labels.size() < 2 || bias.length != labels.size() || weights.length % labels.size() != 0) {
            throw new IllegalArgumentException("Expected at least two labels, a bias and a row of weights for each, found "
                    + labels.size() + " labels, " + bias.length + " biases and " + weights.length + " weights");
        }
        if (Set.copyOf(labels).size() < labels.size()) {
            throw new IllegalArgumentException("Expected a label for each class, found one twice among " + labels);
        }
    }

    /** Length of the embedding that it takes. */
    public int dimension() {
        return weights.length / labels.size();
    }
}
