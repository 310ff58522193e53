package io.github.simclr4j.onnx.runtime;

/**
 * An encoder gave features that are not finite, NaN or infinite, which no consumer can use. {@link OnnxEncoder} throws it, so that no
 * such value leaves it; who knows the image's name adds it by {@link #named}.
 */
public final class InvalidFeaturesException extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    private final int index;
    private final String what;

    private InvalidFeaturesException(int index, String what, String image, Throwable cause) {
        super(what + " of " + image + ": if it computes in float16, numbers above 65504 overflow, so use a float32 export; else its"
                + " weights are damaged or were never finite", cause);
        this.index = index;
        this.what = what;
    }

    /**
     * Returns an embedding whose values are all finite.
     *
     * @param index index of the image in the call
     * @param encoder what errors call the encoder
     * @throws InvalidFeaturesException if one is not
     */
    static float[] check(float[] embedding, int index, String encoder) {
        // One value that is not finite makes the sum so, and finite floats can't overflow a double.
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
        throw new InvalidFeaturesException(index, "The encoder " + encoder + " gives " + first + " in " + bad + " of "
                + embedding.length + " features", "image " + index + " of the call", null);
    }

    /** Index of the image among those that were given to the call. */
    public int index() {
        return index;
    }

    /** The same of an image with a name. */
    public InvalidFeaturesException named(String image) {
        return new InvalidFeaturesException(index, what, image, this);
    }

    /** The same of an image that stands elsewhere in what the caller was given. */
    public InvalidFeaturesException at(int other) {
        return new InvalidFeaturesException(other, what, "image " + other + " of the call", this);
    }
}
