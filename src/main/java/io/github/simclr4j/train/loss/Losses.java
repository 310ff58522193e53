package io.github.simclr4j.train.loss;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.Activation;

/**
 * The losses. A loss of {@link Anchors} is the mean over these, where {@code s(a, b)} is the cosine of two projections, or their dot
 * product where the anchors say so, and i and j are the two views of one image. Semi-hard mining and ranks are for cosines alone. A
 * loss is a scalar that belongs to the manager of z.
 */
public final class Losses {
    /** A logit that gets no probability. A mask before the sum: subtracting after it would leak gradient. */
    private static final float NEVER = -1e9f;

    private Losses() {}

    /**
     * NT-Xent (Chen et al. 2020, equation 1): {@code -log(exp(s(i, j) / t) / sum over k != i of exp(s(i, k) / t))}.
     */
    public static NDArray ntXent(Anchors a, double temperature) {
        // These matrices are most of a large batch's memory: each is given up as soon as the next is there.
        try (NDArray mask = a.self().muli(NEVER);
                NDArray logits = a.similarities(temperature);
                NDArray others = logits.add(mask)) {
            return at(others.logSoftmax(1), a.partner()).mean().neg();
        }
    }

    /**
     * NT-Logistic (Chen et al. 2020, table 2): {@code -log sigmoid(s(i, j) / t)} and {@code -log sigmoid(-s(i, k) / t)}, each
     * a mean, of the positives and of the negatives.
     *
     * @param semiHard take of each view only the negative that is nearest among those farther than its positive
     */
    public static NDArray ntLogistic(Anchors a, double temperature, boolean semiHard) {
        NDArray cosines = a.similarities(1);
        NDArray positive = at(cosines, a.partner());
        NDArray negatives = Activation.softPlus(cosines.div(Rows.number(cosines, temperature)));
        NDArray mask = semiHard ? semiHard(a, cosines, positive) : a.negative();
        return Activation.softPlus(positive.div(Rows.number(positive, -temperature))).mean().add(mean(negatives, mask));
    }

    /**
     * Margin triplet (Chen et al. 2020, table 2): {@code max(0, s(i, k) - s(i, j) + m)}, the mean over all triplets.
     *
     * @param semiHard take of each view only the negative that is nearest among those farther than its positive
     *     (Schroff et al. 2015, section 3.2)
     */
    public static NDArray margin(Anchors a, double margin, boolean semiHard) {
        NDArray cosines = a.similarities(1);
        NDArray positive = at(cosines, a.partner());
        NDArray mask = semiHard ? semiHard(a, cosines, positive) : a.negative();
        return mean(Activation.relu(cosines.sub(positive).add(margin)), mask);
    }

    /**
     * Debiased contrastive loss (Chuang et al. 2020, equation 8): the negatives' sum over N' = 2N - 2 is corrected by the
     * share p of them that belongs to the anchor's own class, {@code g = (sum - N' p exp(s(i, j) / t)) / (1 - p)}, at least
     * {@code N' exp(-1 / t)}; the loss is {@code -log(pos / (pos + g))}. All are divided by the largest exponential of their row,
     * which leaves the loss as it is and nothing to overflow.
     *
     * @param prior p, 0 up to (not including) 1
     */
    public static NDArray debiased(Anchors a, double temperature, double prior) {
        NDArray logits = a.similarities(temperature).add(a.self().mul(NEVER));
        NDArray top = logits.max(new int[] {1}, true).stopGradient();
        NDArray shifted = logits.sub(top);
        NDArray e = shifted.exp();
        NDArray positive = at(e, a.partner());
        int negatives = a.views() - 2;
        NDArray least = top.add(Rows.number(top, 1 / temperature)).neg().exp().mul(Rows.number(top, negatives));
        NDArray g = e.mul(a.negative()).sum(new int[] {1}, true)
                .sub(positive.mul(Rows.number(e, negatives * prior)))
                .div(Rows.number(e, 1 - prior))
                .maximum(least);
        return positive.add(g).log().sub(at(shifted, a.partner())).mean();
    }

    /** Decoupled contrastive loss (Yeh et al. 2022, equation 6): NT-Xent without the positive in the denominator. */
    public static NDArray decoupled(Anchors a, double temperature) {
        NDArray logits = a.similarities(temperature);
        NDArray others = logits.add(a.negative().neg().add(1).mul(NEVER));
        NDArray top = others.max(new int[] {1}, true).stopGradient();
        NDArray log = others.sub(top).exp().sum(new int[] {1}, true).log().add(top);
        return log.sub(at(logits, a.partner())).mean();
    }

    /**
     * SupCon (Khosla et al. 2020, equation 2, "out"): NT-Xent with all views of the anchor's class as positives.
     *
     * @param labels class of each image, [N]
     */
    public static NDArray supCon(Anchors a, double temperature, int[] labels) {
        NDArray mask = a.same(labels);
        NDArray log = a.similarities(temperature).add(a.self().mul(NEVER)).logSoftmax(1);
        return log.mul(mask).sum(new int[] {1}, true).div(mask.sum(new int[] {1}, true)).mean().neg();
    }

    /**
     * The logits of InfoNCE with a queue (He et al. 2020, equation 1): {@code s(q, k) / t}, the query's own key first, then the
     * queue. The loss is their {@link #crossEntropyOfFirst}.
     *
     * @param query [N, d], not normalised
     * @param key [N, d], normalised, of the same images
     * @param queue [K, d] negatives, normalised
     * @return [N, 1 + K]
     */
    public static NDArray queueLogits(NDArray query, NDArray key, NDArray queue, double temperature) {
        NDArray q = Rows.normalise(query);
        NDArray positive = q.mul(key).sum(new int[] {1}, true);
        NDArray columns = queue.transpose();
        // It would stay with the queue, and so for ever.
        columns.attach(query.getManager());
        return NDArrays.concat(new NDList(positive, q.matMul(columns)), 1).div(Rows.number(query, temperature));
    }

    /**
     * The logits of embeddings against a queue: {@code s(z, q) / t}.
     *
     * @param z [N, d], not normalised
     * @param queue [K, d], normalised
     * @return [N, K]
     */
    public static NDArray similarities(NDArray z, NDArray queue, double temperature) {
        NDArray columns = queue.transpose();
        // It would stay with the queue, and so for ever.
        columns.attach(z.getManager());
        return Rows.normalise(z).matMul(columns).div(Rows.number(z, temperature));
    }

    /**
     * How far a student's distributions are from a teacher's, the mean over the rows of
     * {@code KL(softmax(teacher) || softmax(student))}.
     *
     * @param student logits, [N, K]
     * @param teacher logits, [N, K], without gradient
     */
    public static NDArray divergence(NDArray student, NDArray teacher) {
        NDArray log = teacher.logSoftmax(1);
        return log.exp().mul(log.sub(student.logSoftmax(1))).sum(new int[] {1}).mean();
    }

    /**
     * The logits of InfoNCE within the batch (He et al. 2020, section 3.2, "end to end"): the queries are the first views, the
     * keys the second ones, and a query's negatives are the keys of the other images.
     *
     * @param z [2N, d], not normalised, rows i and i + N of one image
     * @param from first query
     * @param to query after the last
     * @return [to - from, N]
     */
    public static NDArray queryKeyLogits(NDArray z, double temperature, int from, int to) {
        long n = z.getShape().get(0) / 2;
        NDArray unit = Rows.normalise(z);
        return unit.get(from + ":" + to).matMul(unit.get(n + ":").transpose()).div(Rows.number(z, temperature));
    }

    /** Cross entropy where the first column is right. */
    public static NDArray crossEntropyOfFirst(NDArray logits) {
        return logits.logSoftmax(1).get(":, 0").mean().neg();
    }

    /** Cross entropy where column {@code from + i} is right in row i. */
    public static NDArray crossEntropyOfDiagonal(NDArray logits, int from) {
        return at(logits.logSoftmax(1), diagonal(logits, from)).mean().neg();
    }

    /** Cross entropy of logits [n, classes]. */
    public static NDArray crossEntropy(NDArray logits, int[] labels) {
        return at(logits.logSoftmax(1), column(logits, labels)).mean().neg();
    }

    /**
     * Cross entropy with soft labels (Chen et al. 2020b, equation 2), the mean over the rows:
     * {@code -sum over y of P(y) * log softmax(z / t)[y]}.
     *
     * @param logits z, [n, classes]
     * @param targets P, [n, classes], each row a distribution
     */
    public static NDArray softCrossEntropy(NDArray logits, NDArray targets, double temperature) {
        return logits.div(Rows.number(logits, temperature)).logSoftmax(1).mul(targets).sum(new int[] {1}).mean().neg();
    }

    /** For each anchor, how many other images' views are as near as its partner or nearer, [anchors]. */
    public static NDArray rankAmongViews(Anchors a) {
        NDArray cosines = a.similarities(1).subi(a.self().muli(4));
        return rank(cosines, at(cosines, a.partner()));
    }

    /** For each row, how many others are as high as the first column or higher, [n]. */
    public static NDArray rankOfFirst(NDArray logits) {
        return rank(logits, logits.get(":, 0:1"));
    }

    /** For each row i, how many others are as high as column {@code from + i} or higher, [n]. */
    public static NDArray rankOfDiagonal(NDArray logits, int from) {
        return rank(logits, at(logits, diagonal(logits, from)));
    }

    /** For each row, how many others are as high as its label's column or higher, [n]. */
    public static NDArray rankOf(NDArray logits, int[] labels) {
        return rank(logits, at(logits, column(logits, labels)));
    }

    /** For each row, how many others are as high as the column in which another matrix has its highest, or higher, [n]. */
    public static NDArray rankOfHighest(NDArray logits, NDArray other) {
        NDArray column = other.argMax(1).toType(DataType.INT64, false).reshape(other.getShape().get(0), 1);
        return rank(logits, at(logits, column));
    }

    /** A tie counts against the right one: where all embeddings are equal nothing is told apart. */
    private static NDArray rank(NDArray values, NDArray right) {
        return Rows.like(values, values.gte(right)).sum(new int[] {1}).sub(1);
    }

    /** 1 at the nearest negative of each row that is farther than the positive; a row may have none. */
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
        return logits.getManager().arange(from, from + n).toType(DataType.INT64, false).reshape(n, 1);
    }

    private static NDArray column(NDArray logits, int[] labels) {
        return logits.getManager().create(labels).toType(DataType.INT64, false).reshape(labels.length, 1);
    }

    private static NDArray at(NDArray rows, NDArray column) {
        return rows.gather(column, 1);
    }
}
