// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import io.github.simclr4j.util.Sha256;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * A teacher's class probabilities of each image. The arrays are not copied.
 *
 * @param probabilities [images, classes], each row a distribution
 * @since 0.1.0
 */
public record SoftLabels(float[][] probabilities) {

    /**
     * Applies a temperature to a distribution: {@code P(y; t) = P(y)^(1/t) / sum over k of P(k)^(1/t)}, which equals the softmax of
     * the logits divided by t.
     *
     * @param temperature t, above 0
     * @param probabilities a distribution, [classes]
     */
    public static float[] at(double temperature, double[] probabilities) {
        double[] logits = new double[probabilities.length];
        double most = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < logits.length; i++) {
            logits[i] = Math.log(probabilities[i]) / temperature;
            most = Math.max(most, logits[i]);
        }
        double sum = 0;
        for (int i = 0; i < logits.length; i++) {
            logits[i] = Math.exp(logits[i] - most);
            sum += logits[i];
        }
        float[] soft = new float[logits.length];
        for (int i = 0; i < soft.length; i++) {
            soft[i] = (float) (logits[i] / sum);
        }
        return soft;
    }

    /** Returns the SHA-256 hash of the probabilities. */
    public String sha256() {
        return Sha256.hex(
                () -> Arrays.stream(probabilities).map(SoftLabels::bytes).iterator());
    }

    private static byte[] bytes(float[] row) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * row.length);
        bytes.asFloatBuffer().put(row);
        return bytes.array();
    }
}
