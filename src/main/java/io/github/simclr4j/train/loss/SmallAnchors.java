package io.github.simclr4j.train.loss;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;

/**
 * Small views that are compared with the full-size views of their batch: the positives of a small view are both full-size views of its
 * image, one at a time, and its negatives all full-size views of the other images.
 *
 * @param rows some small views before normalisation, [n, d]; the i-th of all of them, view by view, is of image {@code i mod N}
 * @param full the full-size views before normalisation, [2N, d]; rows i and i + N are of image i
 * @param from number of the first row among all small views
 */
public record SmallAnchors(NDArray rows, NDArray full, int from) {
    private static final float NEVER = -1e9f;

    private int images() {
        return (int) full.getShape().get(0) / 2;
    }

    private NDArray cosines() {
        return Rows.normalise(rows).matMul(Rows.normalise(full).transpose());
    }

    /** Column of an image's full-size view, int64 [n, 1]. */
    private NDArray column(int view) {
        int n = (int) rows.getShape().get(0);
        return rows.getManager().arange(from, from + n).mod(images()).add(view * images()).toType(DataType.INT64, false)
                .reshape(n, 1);
    }

    /** The cosines without an image's other full-size view than the positive. */
    private NDArray without(NDArray logits, int other) {
        NDArray columns = rows.getManager().arange(2 * images()).toType(DataType.INT64, false).reshape(1, -1);
        return logits.add(Rows.like(logits, columns.eq(column(other))).mul(NEVER));
    }

    /** Returns the cross entropy of the cosines over a temperature, the mean over rows and over both positives. */
    public NDArray crossEntropy(double temperature) {
        NDArray logits = cosines().div(Rows.number(rows, temperature));
        NDArray first = without(logits, 1).logSoftmax(1).gather(column(0), 1).mean();
        NDArray second = without(logits, 0).logSoftmax(1).gather(column(1), 1).mean();
        NDArray sum = first.add(second);
        return sum.mul(Rows.number(sum, -0.5));
    }

    /** Returns for each row how many negatives are as near as the first of its positives or nearer, [n], without gradient. */
    public NDArray rank() {
        NDArray cosines = new SmallAnchors(rows.stopGradient(), full.stopGradient(), from).cosines();
        NDArray candidates = without(cosines, 1);
        return Rows.like(cosines, candidates.gte(cosines.gather(column(0), 1))).sum(new int[] {1}).sub(1);
    }
}
