// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loss;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;

/**
 * The small views of multi-crop, as anchors that are compared with the full-size views of their batch.
 *
 * <p>A small view has two positives, the two full-size views of its image, which are used one at a time. Its negatives are
 * all full-size views of the other images.
 *
 * @param rows consecutive small views before normalisation, [n, d]; among all small views, which are ordered view by view,
 *     the i-th belongs to image {@code i mod N}
 * @param full the full-size views before normalisation, [2N, d]; rows i and i + N belong to image i
 * @param from index of the first row among all small views
 * @since 0.1.0
 */
public record SmallAnchors(NDArray rows, NDArray full, int from) {
    private static final float NEVER = -1e9f;

    private int images() {
        return (int) full.getShape().get(0) / 2;
    }

    private NDArray cosines() {
        return Rows.normalise(rows).matMul(Rows.normalise(full).transpose());
    }

    /** Returns the columns of one full-size view of each row's image, int64 [n, 1]. */
    private NDArray column(int view) {
        int n = (int) rows.getShape().get(0);
        return rows.getManager()
                .arange(from, from + n)
                .mod(images())
                .add(view * images())
                .toType(DataType.INT64, false)
                .reshape(n, 1);
    }

    /** Returns the logits with the other positive masked. */
    private NDArray without(NDArray logits, int other) {
        NDArray columns = rows.getManager()
                .arange(2 * images())
                .toType(DataType.INT64, false)
                .reshape(1, -1);
        return logits.add(Rows.like(logits, columns.eq(column(other))).mul(NEVER));
    }

    /**
     * Returns the cross entropy of the cosine similarities divided by the temperature, averaged over the rows and over both
     * positives.
     *
     * @param temperature above 0
     * @return a scalar
     */
    public NDArray crossEntropy(double temperature) {
        NDArray logits = cosines().div(Rows.number(rows, temperature));
        NDArray first = without(logits, 1).logSoftmax(1).gather(column(0), 1).mean();
        NDArray second = without(logits, 0).logSoftmax(1).gather(column(1), 1).mean();
        NDArray sum = first.add(second);
        return sum.mul(Rows.number(sum, -0.5));
    }

    /**
     * Returns the rank of each row's first positive: the number of negatives that are at least as similar.
     *
     * @return [n], without gradient; 0 is best
     */
    public NDArray rank() {
        NDArray cosines = new SmallAnchors(rows.stopGradient(), full.stopGradient(), from).cosines();
        NDArray candidates = without(cosines, 1);
        return Rows.like(cosines, candidates.gte(cosines.gather(column(0), 1)))
                .sum(new int[] {1})
                .sub(1);
    }
}
