// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loss;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;

/**
 * The projections of a batch of two views per image, and those of them that serve as anchors of a contrastive loss.
 *
 * <p>Rows {@code i} and {@code i + N} are the two views of one image. Each anchor is compared with all 2N views. Tensors
 * that the methods create belong to the manager of {@code z}.
 *
 * @param z projections before normalisation, [2N, d]
 * @param from index of the first anchor, inclusive
 * @param to index after the last anchor, exclusive
 * @param normalised {@code true} to compare projections by cosine similarity, {@code false} to compare them by dot product
 * @since 0.1.0
 */
public record Anchors(NDArray z, int from, int to, boolean normalised) {
    /** Creates anchors that are compared by cosine similarity. */
    public Anchors(NDArray z, int from, int to) {
        this(z, from, to, true);
    }

    /**
     * Returns all views of a batch as anchors.
     *
     * @param z projections before normalisation, [2N, d]
     */
    public static Anchors all(NDArray z) {
        return new Anchors(z, 0, (int) z.getShape().get(0));
    }

    /** Returns the number of views of the batch, 2N. */
    int views() {
        return (int) z.getShape().get(0);
    }

    /**
     * Returns the same anchors, compared by dot product (<a href="https://arxiv.org/abs/2002.05709">Chen et al. 2020</a>,
     * section 5.1, "without l2 normalization").
     */
    public Anchors byDotProduct() {
        return new Anchors(z, from, to, false);
    }

    /** Returns the similarities of the anchors to all views, divided by the temperature, [anchors, 2N]. */
    NDArray similarities(double temperature) {
        NDArray unit = normalised ? Rows.normalise(z) : z;
        NDArray rows = from == 0 && to == views() ? unit : unit.get(from + ":" + to);
        return (temperature == 1 ? rows : rows.div(Rows.number(z, temperature))).matMul(unit.transpose());
    }

    /** Returns a mask that is 1 where the column is the anchor itself, [anchors, 2N]. */
    NDArray self() {
        return Rows.like(z, column().eq(row()));
    }

    /** Returns a mask that is 1 where the column is a view of another image, [anchors, 2N]. */
    NDArray negative() {
        int n = views() / 2;
        return Rows.like(z, column().mod(n).neq(row().mod(n)));
    }

    /**
     * Returns a mask that is 1 where the column is another view of an image of the anchor's class, [anchors, 2N].
     *
     * @param labels class of each image, [N]
     */
    NDArray same(int[] labels) {
        NDArray classes = z.getManager().create(labels).tile(2);
        NDArray equal = classes.reshape(1, -1).eq(classes.get(from + ":" + to).reshape(-1, 1));
        return Rows.like(z, equal).sub(self());
    }

    /** Returns the column of the other view of each anchor's image, int64 [anchors, 1]. */
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
