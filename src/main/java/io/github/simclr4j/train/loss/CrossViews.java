package io.github.simclr4j.train.loss;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import java.util.ArrayList;
import java.util.List;

/**
 * Two views of N images, of which each is compared with the other view alone: anchor i of 2N has candidates in the half of the
 * columns that it stands in, and column i is its positive. Where the anchors of one half and the columns of the same half are of
 * different views, a mean over all anchors is the symmetric InfoNCE of MoCo v3 (Chen, Xie and He 2021, algorithm 1).
 *
 * @param rows the anchors, before normalisation, [to - from, d]
 * @param columns what they are compared with, before normalisation, [2N, d]
 * @param from first anchor
 * @param to anchor after the last
 */
public record CrossViews(NDArray rows, NDArray columns, int from, int to) {

    /** Logits of the anchors from some one on; row i is right in column {@code first + i}. */
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

    /** Returns the cross entropy of the cosines over a temperature, the mean over the anchors. */
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

    /** Returns for each anchor how many of the other candidates are as near as its positive or nearer, without gradient. */
    public NDArray rank() {
        NDList ranks = new NDList();
        new CrossViews(rows.stopGradient(), columns.stopGradient(), from, to).halves(1)
                .forEach(h -> ranks.add(Losses.rankOfDiagonal(h.logits(), h.first())));
        return ranks.size() == 1 ? ranks.get(0) : NDArrays.concat(ranks);
    }
}
