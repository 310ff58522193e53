// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loss;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.Activation;

/**
 * Contrastive and classification losses, and the ranks behind the contrastive accuracy.
 *
 * <p>In the formulas of the losses of {@link Anchors}:
 *
 * <ul>
 *   <li>{@code i} and {@code j} are the two views of one image, and {@code k} is any other view;
 *   <li>{@code s(a, b)} is the cosine similarity of two projections, or their dot product if the anchors are not normalised;
 *   <li>{@code t} is the temperature, above 0;
 *   <li>the loss is the mean over the anchors.
 * </ul>
 *
 * <p>Every loss is a scalar that belongs to the manager of its input. Semi-hard mining and ranks assume cosine similarities.
 *
 * @since 0.1.0
 */
public final class Losses {
    /** A logit with probability 0. It masks entries before the softmax, because subtracting them afterwards would leak gradient. */
    private static final float NEVER = -1e9f;

    private Losses() {}

    /**
     * Returns the normalised temperature-scaled cross entropy, NT-Xent
     * (<a href="https://arxiv.org/abs/2002.05709">Chen et al. 2020</a>, equation 1):
     * {@code -log(exp(s(i, j) / t) / sum over k != i of exp(s(i, k) / t))}.
     *
     * @param temperature t, above 0
     */
    public static NDArray ntXent(Anchors a, double temperature) {
        // These matrices take most of the memory of a large batch, so each is freed as soon as the next one exists.
        try (NDArray mask = a.self().muli(NEVER);
                NDArray logits = a.similarities(temperature);
                NDArray others = logits.add(mask)) {
            return at(others.logSoftmax(1), a.partner()).mean().neg();
        }
    }

    /**
     * Returns the logistic loss NT-Logistic (<a href="https://arxiv.org/abs/2002.05709">Chen et al. 2020</a>, table 2):
     * the mean of {@code -log sigmoid(s(i, j) / t)} over the positives plus the mean of {@code -log sigmoid(-s(i, k) / t)} over the
     * negatives.
     *
     * @param temperature t, above 0
     * @param semiHard whether to keep only the semi-hard negative of each anchor: the most similar one that is less similar than
     *     the positive (<a href="https://arxiv.org/abs/1503.03832">Schroff et al. 2015</a>, section 3.2)
     */
    public static NDArray ntLogistic(Anchors a, double temperature, boolean semiHard) {
        NDArray cosines = a.similarities(1);
        NDArray positive = at(cosines, a.partner());
        NDArray negatives = Activation.softPlus(cosines.div(Rows.number(cosines, temperature)));
        NDArray mask = semiHard ? semiHard(a, cosines, positive) : a.negative();
        return Activation.softPlus(positive.div(Rows.number(positive, -temperature)))
                .mean()
                .add(mean(negatives, mask));
    }

    /**
     * Returns the margin triplet loss (<a href="https://arxiv.org/abs/2002.05709">Chen et al. 2020</a>, table 2):
     * {@code max(0, s(i, k) - s(i, j) + m)}, averaged over all triplets.
     *
     * @param margin m, above 0
     * @param semiHard whether to keep only the semi-hard negative of each anchor: the most similar one that is less similar than
     *     the positive (<a href="https://arxiv.org/abs/1503.03832">Schroff et al. 2015</a>, section 3.2)
     */
    public static NDArray margin(Anchors a, double margin, boolean semiHard) {
        NDArray cosines = a.similarities(1);
        NDArray positive = at(cosines, a.partner());
        NDArray mask = semiHard ? semiHard(a, cosines, positive) : a.negative();
        return mean(Activation.relu(cosines.sub(positive).add(margin)), mask);
    }

    /**
     * Returns the debiased contrastive loss (<a href="https://arxiv.org/abs/2007.00224">Chuang et al. 2020</a>, equation 8),
     * {@code -log(pos / (pos + g))} with {@code pos = exp(s(i, j) / t)}.
     *
     * <p>The sum over the {@code N' = 2N - 2} negatives is corrected for the share {@code p} of them that belongs to the anchor's
     * own class: {@code g = (sum - N' p pos) / (1 - p)}, bounded below by {@code N' exp(-1 / t)}. All terms are divided by the
     * largest exponential of their row, which prevents overflow and does not change the loss.
     *
     * @param temperature t, above 0
     * @param prior p, from 0 (inclusive) to 1 (exclusive)
     */
    public static NDArray debiased(Anchors a, double temperature, double prior) {
        NDArray logits = a.similarities(temperature).add(a.self().mul(NEVER));
        NDArray top = logits.max(new int[] {1}, true).stopGradient();
        NDArray shifted = logits.sub(top);
        NDArray e = shifted.exp();
        NDArray positive = at(e, a.partner());
        int negatives = a.views() - 2;
        NDArray least = top.add(Rows.number(top, 1 / temperature)).neg().exp().mul(Rows.number(top, negatives));
        NDArray g = e.mul(a.negative())
                .sum(new int[] {1}, true)
                .sub(positive.mul(Rows.number(e, negatives * prior)))
                .div(Rows.number(e, 1 - prior))
                .maximum(least);
        return positive.add(g).log().sub(at(shifted, a.partner())).mean();
    }

    /**
     * Returns the decoupled contrastive loss (<a href="https://arxiv.org/abs/2110.06848">Yeh et al. 2022</a>, equation 6):
     * NT-Xent without the positive in the denominator.
     *
     * @param temperature t, above 0
     */
    public static NDArray decoupled(Anchors a, double temperature) {
        NDArray logits = a.similarities(temperature);
        NDArray others = logits.add(a.negative().neg().add(1).mul(NEVER));
        NDArray top = others.max(new int[] {1}, true).stopGradient();
        NDArray log = others.sub(top).exp().sum(new int[] {1}, true).log().add(top);
        return log.sub(at(logits, a.partner())).mean();
    }

    /**
     * Returns the supervised contrastive loss SupCon (<a href="https://arxiv.org/abs/2004.11362">Khosla et al. 2020</a>,
     * equation 2, "out"): NT-Xent with all views of the anchor's class as positives.
     *
     * @param temperature t, above 0
     * @param labels class of each image, [N]
     */
    public static NDArray supCon(Anchors a, double temperature, int[] labels) {
        NDArray mask = a.same(labels);
        NDArray log = a.similarities(temperature).add(a.self().mul(NEVER)).logSoftmax(1);
        return log.mul(mask)
                .sum(new int[] {1}, true)
                .div(mask.sum(new int[] {1}, true))
                .mean()
                .neg();
    }

    /**
     * Returns the logits of InfoNCE with a queue of negatives (<a href="https://arxiv.org/abs/1911.05722">He et al. 2020</a>,
     * equation 1): {@code s(q, k) / t} for the query's own key, then for the queue.
     *
     * <p>The loss is their {@link #crossEntropyOfFirst}.
     *
     * @param query [N, d], not normalised
     * @param key [N, d], normalised, of the same images
     * @param queue [K, d] negatives, normalised
     * @param temperature t, above 0
     * @return [N, 1 + K]
     */
    public static NDArray queueLogits(NDArray query, NDArray key, NDArray queue, double temperature) {
        NDArray q = Rows.normalise(query);
        NDArray positive = q.mul(key).sum(new int[] {1}, true);
        NDArray columns = queue.transpose();
        // The transpose belongs to the queue's manager, which outlives the step.
        columns.attach(query.getManager());
        return NDArrays.concat(new NDList(positive, q.matMul(columns)), 1).div(Rows.number(query, temperature));
    }

    /**
     * Returns the similarities of embeddings to a queue, divided by the temperature: {@code s(z, q) / t}.
     *
     * @param z [N, d], not normalised
     * @param queue [K, d], normalised
     * @param temperature t, above 0
     * @return [N, K]
     */
    public static NDArray similarities(NDArray z, NDArray queue, double temperature) {
        NDArray columns = queue.transpose();
        // The transpose belongs to the queue's manager, which outlives the step.
        columns.attach(z.getManager());
        return Rows.normalise(z).matMul(columns).div(Rows.number(z, temperature));
    }

    /**
     * Returns the Kullback-Leibler divergence of a student's distributions from a teacher's,
     * {@code KL(softmax(teacher) || softmax(student))}, averaged over the rows.
     *
     * @param student logits, [N, K]
     * @param teacher logits, [N, K], without gradient
     */
    public static NDArray divergence(NDArray student, NDArray teacher) {
        NDArray log = teacher.logSoftmax(1);
        return log.exp().mul(log.sub(student.logSoftmax(1))).sum(new int[] {1}).mean();
    }

    /**
     * Returns the logits of InfoNCE with in-batch negatives (<a href="https://arxiv.org/abs/1911.05722">He et al. 2020</a>,
     * section 3.2, "end-to-end").
     *
     * <p>The queries are the first views, the keys are the second views, and the negatives of a query are the keys of the other
     * images.
     *
     * @param z [2N, d], not normalised; rows i and i + N are views of one image
     * @param temperature t, above 0
     * @param from index of the first query, inclusive
     * @param to index after the last query, exclusive
     * @return [to - from, N]
     */
    public static NDArray queryKeyLogits(NDArray z, double temperature, int from, int to) {
        long n = z.getShape().get(0) / 2;
        NDArray unit = Rows.normalise(z);
        return unit.get(from + ":" + to).matMul(unit.get(n + ":").transpose()).div(Rows.number(z, temperature));
    }

    /**
     * Returns the mean cross entropy when column 0 is the correct one in every row.
     *
     * @param logits [n, columns]
     */
    public static NDArray crossEntropyOfFirst(NDArray logits) {
        return logits.logSoftmax(1).get(":, 0").mean().neg();
    }

    /**
     * Returns the mean cross entropy when column {@code from + i} is the correct one in row i.
     *
     * @param logits [n, columns]
     * @param from correct column of row 0
     */
    public static NDArray crossEntropyOfDiagonal(NDArray logits, int from) {
        return at(logits.logSoftmax(1), diagonal(logits, from)).mean().neg();
    }

    /**
     * Returns the mean cross entropy of a classifier.
     *
     * @param logits [n, classes]
     * @param labels correct class of each row, [n]
     */
    public static NDArray crossEntropy(NDArray logits, int[] labels) {
        return at(logits.logSoftmax(1), column(logits, labels)).mean().neg();
    }

    /**
     * Returns the mean cross entropy with soft labels (<a href="https://arxiv.org/abs/2006.10029">Chen et al. 2020b</a>,
     * equation 2): {@code -sum over y of P(y) * log softmax(z / t)[y]}.
     *
     * @param logits z, [n, classes]
     * @param targets P, [n, classes], each row a distribution
     * @param temperature t, above 0
     */
    public static NDArray softCrossEntropy(NDArray logits, NDArray targets, double temperature) {
        return logits.div(Rows.number(logits, temperature))
                .logSoftmax(1)
                .mul(targets)
                .sum(new int[] {1})
                .mean()
                .neg();
    }

    /**
     * Returns the rank of each anchor's positive: the number of views of other images that are at least as similar.
     *
     * @return [anchors]; 0 is best
     */
    public static NDArray rankAmongViews(Anchors a) {
        NDArray cosines = a.similarities(1).subi(a.self().muli(4));
        return rank(cosines, at(cosines, a.partner()));
    }

    /** Returns for each row the number of other columns that are at least as high as column 0, [n]. */
    public static NDArray rankOfFirst(NDArray logits) {
        return rank(logits, logits.get(":, 0:1"));
    }

    /** Returns for each row i the number of other columns that are at least as high as column {@code from + i}, [n]. */
    public static NDArray rankOfDiagonal(NDArray logits, int from) {
        return rank(logits, at(logits, diagonal(logits, from)));
    }

    /** Returns for each row the number of other columns that are at least as high as the column of the row's label, [n]. */
    public static NDArray rankOf(NDArray logits, int[] labels) {
        return rank(logits, at(logits, column(logits, labels)));
    }

    /**
     * Returns for each row the number of other columns that are at least as high as the column in which another matrix has its
     * maximum, [n].
     */
    public static NDArray rankOfHighest(NDArray logits, NDArray other) {
        NDArray column = other.argMax(1)
                .toType(DataType.INT64, false)
                .reshape(other.getShape().get(0), 1);
        return rank(logits, at(logits, column));
    }

    /** Returns ranks that count ties against the correct column, so that a collapsed network, whose embeddings are all equal, ranks worst. */
    private static NDArray rank(NDArray values, NDArray right) {
        return Rows.like(values, values.gte(right)).sum(new int[] {1}).sub(1);
    }

    /** Returns a mask that is 1 at the semi-hard negative of each row; a row may have none. */
    private static NDArray semiHard(Anchors a, NDArray cosines, NDArray positive) {
        NDArray values = cosines.stopGradient();
        NDArray candidate = a.negative().mul(Rows.like(values, values.lt(positive.stopGradient())));
        NDArray hidden = values.sub(candidate.neg().add(1).mul(4));
        return candidate.mul(Rows.like(values, hidden.eq(hidden.max(new int[] {1}, true))));
    }

    private static NDArray mean(NDArray values, NDArray mask) {
        return values.mul(mask).sum().div(mask.sum().maximum(1));
    }

    private static NDArray diagonal(NDArray logits, int from) {
        int n = (int) logits.getShape().get(0);
        return logits.getManager()
                .arange(from, from + n)
                .toType(DataType.INT64, false)
                .reshape(n, 1);
    }

    private static NDArray column(NDArray logits, int[] labels) {
        return logits.getManager().create(labels).toType(DataType.INT64, false).reshape(labels.length, 1);
    }

    private static NDArray at(NDArray rows, NDArray column) {
        return rows.gather(column, 1);
    }
}
