package io.github.simclr4j.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;

/**
 * The normalised temperature-scaled cross entropy of SimCLR (Chen et al. 2020, equation 1), the mean over all 2N views:
 *
 * <pre>l(i, j) = -log( exp(sim(z_i, z_j) / t) / sum over k != i of exp(sim(z_i, z_k) / t) )</pre>
 *
 * @param temperature t, above 0
 */
record NtXent(double temperature) {
    /** Keeps the norm of a zero vector from dividing by zero. */
    private static final float FLOOR = 1e-12f;

    /**
     * @param z projections before normalisation, [2N, d]; rows i and i + N are the two views of one image
     * @return the loss, a scalar owned by the manager of z
     */
    NDArray loss(NDArray z) {
        long rows = z.getShape().get(0);
        NDManager m = z.getManager();
        NDArray norm = z.square().sum(new int[] {1}, true).sqrt().maximum(FLOOR);
        NDArray unit = z.div(norm);
        NDArray similarity = unit.matMul(unit.transpose()).div(temperature);
        // The anchor itself is masked before the sum: subtracting it after would leak gradient.
        NDArray self = m.eye((int) rows).mul(-1e9f);
        NDArray logProbability = similarity.add(self).logSoftmax(1);
        NDArray index = m.arange((int) rows);
        NDArray positive = NDArrays.concat(new NDList(
                index.get((rows / 2) + ":"), index.get(":" + (rows / 2)))).reshape(new Shape(rows, 1));
        return logProbability.gather(positive.toType(ai.djl.ndarray.types.DataType.INT64, false), 1).mean().neg();
    }
}
