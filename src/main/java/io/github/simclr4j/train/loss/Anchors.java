package io.github.simclr4j.train.loss;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;

/**
 * Views that are compared with all views of their batch: rows i and i + N are the two views of one image, and those from
 * {@code from} up to (not including) {@code to} are the anchors. What is made belongs to the manager of z.
 *
 * @param z projections before normalisation, [2N, d]
 * @param from first anchor
 * @param to anchor after the last
 * @param normalised whether projections are compared by their cosine; by their dot product otherwise
 */
public record Anchors(NDArray z, int from, int to, boolean normalised) {
    /** Projections that are compared by their cosine. */
    public Anchors(NDArray z, int from, int to) {
        this(z, from, to, true);
    }

    /** Every view is an anchor. */
    public static Anchors all(NDArray z) {
        return new Anchors(z, 0, (int) z.getShape().get(0));
    }

    /** Views of the batch, 2N. */
    int views() {
        return (int) z.getShape().get(0);
    }

    /** Returns the same anchors, compared by their dot product (Chen et al. 2020, section 5.1, "without l2 normalization"). */
    public Anchors byDotProduct() {
        return new Anchors(z, from, to, false);
    }

    /** Cosines, or dot products, of the anchors with all views, over a temperature, [anchors, 2N]. */
    NDArray similarities(double temperature) {
        NDArray unit = normalised ? Rows.normalise(z) : z;
        NDArray rows = from == 0 && to == views() ? unit : unit.get(from + ":" + to);
        return (temperature == 1 ? rows : rows.div(Rows.number(z, temperature))).matMul(unit.transpose());
    }

    /** 1 where the column is the anchor itself, [anchors, 2N]. */
    NDArray self() {
        return Rows.like(z, column().eq(row()));
    }

    /** 1 where the column is another image's view, [anchors, 2N]. */
    NDArray negative() {
        int n = views() / 2;
        return Rows.like(z, column().mod(n).neq(row().mod(n)));
    }

    /**
     * 1 where the column is another view of an image of the anchor's class, [anchors, 2N].
     *
     * @param labels class of each image, [N]
     */
    NDArray same(int[] labels) {
        NDArray classes = z.getManager().create(labels).tile(2);
        NDArray equal = classes.reshape(1, -1).eq(classes.get(from + ":" + to).reshape(-1, 1));
        return Rows.like(z, equal).sub(self());
    }

    /** Row of the same image's other view, int64 [anchors, 1]. */
    NDArray partner() {
        return row().add(views() / 2).mod(views()).toType(DataType.INT64, false);
    }

    private NDArray row() {
        return z.getManager().arange(from, to).reshape(-1, 1);
    }

    private NDArray column() {
        return z.getManager().arange(views()).reshape(1, -1);
    }
}
