package io.github.simclr4j.train.loss;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;

/** Operations that losses share. */
public final class Rows {
    /** Keeps the squared norm of a zero vector from dividing by zero: norms are at least 1e-12. */
    private static final float FLOOR = 1e-24f;

    private Rows() {}

    /** Returns the rows of a matrix, each divided by its length. */
    public static NDArray normalise(NDArray z) {
        // The floor is under the root: the root's gradient at 0 is no number.
        return z.div(z.square().sum(new int[] {1}, true).maximum(number(z, FLOOR)).sqrt());
    }

    /**
     * Returns a number that an operation may keep for its backward pass. DJL makes one of a Java number, too, but in memory that
     * Java's garbage collector frees, and closes it at once: a collection before the backward pass then leaves a gradient of rubbish.
     */
    public static NDArray number(NDArray like, double value) {
        if (like.getDataType() == DataType.FLOAT64) {
            // full has the digits of a float only; the copy's memory is libtorch's own.
            try (NDArray javas = like.getManager().create(value)) {
                return javas.duplicate();
            }
        }
        return like.getManager().full(new Shape(), (float) value, like.getDataType());
    }

    /** Returns a constant in the type of z. */
    public static NDArray like(NDArray z, NDArray constant) {
        return constant.toType(z.getDataType(), false);
    }
}
