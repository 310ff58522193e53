// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.runtime;

/**
 * Thrown if an encoder computes features that are NaN or infinite, which no consumer can use. Callers that know the image's name add
 * it by {@link #named}.
 *
 * @since 0.1.0
 */
public final class InvalidFeaturesException extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    private final int index;
    private final String what;

    private InvalidFeaturesException(int index, String what, String image, Throwable cause) {
        super(
                what + " of " + image
                        + ": if the encoder computes in float16, values above 65504 overflow, so export it in float32;"
                        + " otherwise its weights are damaged or were never finite",
                cause);
        this.index = index;
        this.what = what;
    }

    /**
     * Checks that all values of an embedding are finite, and returns it.
     *
     * @param index index of the image in the call
     * @param encoder the encoder's name in messages
     * @throws InvalidFeaturesException if a value is not finite
     */
    static float[] check(float[] embedding, int index, String encoder) {
        // The sum is finite exactly if all values are: finite floats can't overflow a double.
        double sum = 0;
        for (float v : embedding) {
            sum += v;
        }
        if (Double.isFinite(sum)) {
            return embedding;
        }
        int bad = 0;
        float first = 0;
        for (float v : embedding) {
            if (!Float.isFinite(v)) {
                first = bad++ == 0 ? v : first;
            }
        }
        throw new InvalidFeaturesException(
                index,
                "The encoder " + encoder + " computes " + first + " in " + bad + " of " + embedding.length
                        + " features",
                "image " + index + " of the call",
                null);
    }

    /** Returns the index of the image among the images of the call. */
    public int index() {
        return index;
    }

    /**
     * Returns this exception with the image's name in the message.
     *
     * @param image the name of the image
     */
    public InvalidFeaturesException named(String image) {
        return new InvalidFeaturesException(index, what, image, this);
    }

    /**
     * Returns this exception with another index, for callers that split their images into several calls.
     *
     * @param other the index of the image among the caller's images
     */
    public InvalidFeaturesException at(int other) {
        return new InvalidFeaturesException(other, what, "image " + other + " of the call", this);
    }
}
