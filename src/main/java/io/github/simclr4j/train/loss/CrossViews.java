// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loss;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import java.util.ArrayList;
import java.util.List;

/**
 * The anchors of a symmetric contrastive loss in which each view is compared with the other view only.
 *
 * <p>There are 2N anchors and 2N columns for N images. Anchor {@code i} is compared with the N columns of its own half,
 * and its positive is column {@code i}. If the anchors and the columns of a half come from different views, the mean over
 * all anchors is the symmetric InfoNCE of MoCo v3 (<a href="https://arxiv.org/abs/2104.02057">Chen, Xie and He 2021</a>,
 * algorithm 1).
 *
 * @param rows the anchors before normalisation, [to - from, d]
 * @param columns the candidates before normalisation, [2N, d]
 * @param from index of the first anchor, inclusive
 * @param to index after the last anchor, exclusive
 * @since 0.1.0
 */
public record CrossViews(NDArray rows, NDArray columns, int from, int to) {

    /** The logits of consecutive anchors of one half; the positive of row i is column {@code first + i}. */
    private record Half(NDArray logits, int first) {}

    private List<Half> halves(double temperature) {
        int n = (int) columns.getShape().get(0) / 2;
        NDArray unit = Rows.normalise(rows).div(Rows.number(rows, temperature));
        NDArray others = Rows.normalise(columns);
        List<Half> halves = new ArrayList<>();
        for (int h = 0; h < 2; h++) {
            int first = Math.max(from, h * n);
            int end = Math.min(to, (h + 1) * n);
            if (first < end) {
                NDArray some = unit.get(first - from + ":" + (end - from));
                NDArray half = others.get(h * n + ":" + (h + 1) * n);
                halves.add(new Half(some.matMul(half.transpose()), first - h * n));
            }
        }
        return halves;
    }

    /**
     * Returns the cross entropy of the cosine similarities divided by the temperature, averaged over the anchors.
     *
     * @param temperature above 0
     * @return a scalar
     */
    public NDArray crossEntropy(double temperature) {
        NDArray sum = null;
        for (Half h : halves(temperature)) {
            double share = (double) h.logits().getShape().get(0) / (to - from);
            NDArray part = Losses.crossEntropyOfDiagonal(h.logits(), h.first());
            part = part.mul(Rows.number(part, share));
            sum = sum == null ? part : sum.add(part);
        }
        return sum;
    }

    /**
     * Returns the rank of each anchor's positive: the number of other candidates that are at least as similar.
     *
     * @return [to - from], without gradient; 0 is best
     */
    public NDArray rank() {
        NDList ranks = new NDList();
        new CrossViews(rows.stopGradient(), columns.stopGradient(), from, to)
                .halves(1)
                .forEach(h -> ranks.add(Losses.rankOfDiagonal(h.logits(), h.first())));
        return ranks.size() == 1 ? ranks.get(0) : NDArrays.concat(ranks);
    }
}
