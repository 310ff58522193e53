// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loss;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;

/**
 * Row operations that the losses share.
 *
 * @since 0.1.0
 */
public final class Rows {
    /** Lower bound of a squared norm, which keeps a zero vector from dividing by zero: norms are at least 1e-12. */
    private static final float FLOOR = 1e-24f;

    private Rows() {}

    /** Returns a matrix with each row divided by its Euclidean norm. */
    public static NDArray normalise(NDArray z) {
        // The bound is applied before the root, because the gradient of the root at 0 is NaN.
        return z.div(
                z.square().sum(new int[] {1}, true).maximum(number(z, FLOOR)).sqrt());
    }

    /**
     * Returns a scalar tensor that an operation can keep for its backward pass.
     *
     * <p>DJL also accepts a Java number, but wraps it in a tensor on memory that the garbage collector may free before the
     * backward pass, which then yields wrong gradients.
     *
     * @param like a tensor whose manager and data type the scalar gets
     * @param value the value
     */
    public static NDArray number(NDArray like, double value) {
        if (like.getDataType() == DataType.FLOAT64) {
            // full() has float precision only, and the copy owns libtorch memory.
            try (NDArray javas = like.getManager().create(value)) {
                return javas.duplicate();
            }
        }
        return like.getManager().full(new Shape(), (float) value, like.getDataType());
    }

    /** Returns a constant converted to the data type of z. */
    public static NDArray like(NDArray z, NDArray constant) {
        return constant.toType(z.getDataType(), false);
    }
}
