// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.monitor;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.github.simclr4j.train.loss.Rows;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Metrics of an epoch, computed from the embeddings of its steps. They are accumulated on the device and read once per epoch.
 *
 * <p>The loss alone says little, because it cannot be compared across batch sizes, temperatures or queue lengths.
 *
 * @since 0.1.0
 */
public final class Monitor {
    /** Number of sums: loss, top-1, top-5, alignment, uniformity, spread, effective rank and steps. */
    private static final int FIGURES = 8;
    /** Number of rows that are compared with all others at once. */
    private static final int ROWS = 256;

    private final List<String> names;
    private final NDArray sums;
    private final int checkEvery;
    private int unchecked;
    private boolean ranked;

    /**
     * Metrics averaged over the steps of an epoch.
     *
     * @param loss the loss
     * @param top1 share of anchors whose positive is more similar than all other candidates; NaN for a method without candidates
     * @param top5 share of anchors whose positive is among the five most similar candidates; NaN for a method without candidates
     * @param alignment mean squared distance of positive pairs, 0 to 4
     *     (<a href="https://arxiv.org/abs/2005.10242">Wang and Isola 2020</a>, equation 5, alpha 2)
     * @param uniformity logarithm of the mean of {@code exp(-2 |x - y|^2)} over pairs, -8 to 0 (Wang and Isola 2020, equation 6, t 2)
     * @param spread standard deviation of the coordinates of normalised embeddings, times the square root of their number: 1 if the
     *     embeddings are spread evenly over the sphere, 0 if they have collapsed
     * @param effectiveRank number of directions that the embeddings fill: {@code (tr C)^2 / tr(C^2)} of their covariance C, 1 to d, or
     *     0 if all embeddings are equal. This is the participation ratio of C's eigenvalues, a simpler relative of the effective rank
     *     of Roy and Vetterli 2007, which is the exponential of their entropy
     * @param others further metrics of the method, by name
     */
    public record Figures(
            double loss,
            double top1,
            double top5,
            double alignment,
            double uniformity,
            double spread,
            double effectiveRank,
            Map<String, Double> others) {
        /** Tells whether no step was averaged, as when mixed precision skipped all steps of an epoch; all metrics are then NaN. */
        public boolean none() {
            return Double.isNaN(loss);
        }
    }

    /**
     * Starts an epoch.
     *
     * @param owner the run's manager
     * @param names names of the method's further metrics, in order
     */
    public Monitor(NDManager owner, List<String> names) {
        this.names = List.copyOf(names);
        sums = owner.zeros(new Shape(FIGURES + names.size()), DataType.FLOAT64);
        // Reading a value from a GPU waits for the GPU.
        checkEvery = owner.getDevice().isGpu() ? 20 : 1;
    }

    public NDArray state() {
        return sums;
    }

    /** Adds the outcome of a step. */
    public void add(Outcome o) {
        NDArray a = Rows.normalise(o.anchors());
        NDArray p = Rows.normalise(o.positives());
        long n = a.getShape().get(0);
        long d = a.getShape().get(1);
        NDArray alignment = a.sub(p).square().sum(new int[] {1}).mean();
        // |x - y|^2 = 2 - 2 cos. The n pairs of a row with itself add exp(0) each.
        NDArray uniformity =
                pairs(a).sub(n).div(Math.max(1, n * (n - 1))).maximum(1e-30f).log();
        NDArray centred = a.sub(a.sum(new int[] {0}, true).div(n));
        NDArray variances = centred.square().sum(new int[] {0}).div(n);
        NDArray spread = variances.sqrt().mean().mul(Math.sqrt(d));
        NDArray covariance = centred.transpose().matMul(centred).div(n);
        NDArray rank = variances.sum().square().div(covariance.square().sum().maximum(1e-30f));
        NDList figures = new NDList(
                o.loss(),
                within(o, 1),
                within(o, 5),
                alignment,
                uniformity,
                spread,
                rank,
                o.loss().mul(0).add(1));
        for (String name : names) {
            figures.add(o.figures().get(name));
        }
        NDList wide = new NDList();
        figures.forEach(f -> wide.add(f.toType(DataType.FLOAT64, false).reshape(1)));
        sums.addi(NDArrays.concat(wide).stopGradient());
        ranked = o.rank() != null;
        unchecked++;
    }

    /** Returns the share of anchors whose rank is below a number; 0 without candidates. */
    private static NDArray within(Outcome o, int candidates) {
        return o.rank() == null
                ? o.loss().mul(0)
                : o.rank().lt(candidates).toType(DataType.FLOAT32, false).mean();
    }

    /** Returns the sum of {@code exp(-2 |x - y|^2)} over all pairs, in blocks of rows, because the full matrix takes much memory. */
    private static NDArray pairs(NDArray a) {
        long n = a.getShape().get(0);
        NDArray sum = a.getManager().zeros(new Shape());
        NDArray columns = a.transpose();
        for (long from = 0; from < n; from += ROWS) {
            try (NDManager m = a.getManager().newSubManager()) {
                NDArray rows = a.get(from + ":" + Math.min(n, from + ROWS));
                rows.attach(m);
                sum.addi(rows.matMul(columns).sub(1).mul(4).exp().sum());
            }
        }
        return sum;
    }

    /**
     * Tells whether the loss was finite in every step of the epoch so far.
     *
     * @param now {@code true} to check now; {@code false} to check only every few steps, because a check waits for the GPU
     */
    public boolean sound(boolean now) {
        if (!now && unchecked < checkEvery) {
            return true;
        }
        unchecked = 0;
        return Double.isFinite(sums.toDoubleArray()[0]);
    }

    /** Returns the means over the steps so far; without a step they are NaN. */
    public Figures figures() {
        double[] s = sums.toDoubleArray();
        double steps = s[FIGURES - 1];
        Map<String, Double> others = new LinkedHashMap<>();
        for (int i = 0; i < names.size(); i++) {
            others.put(names.get(i), s[FIGURES + i] / steps);
        }
        return new Figures(
                s[0] / steps,
                ranked ? s[1] / steps : Double.NaN,
                ranked ? s[2] / steps : Double.NaN,
                s[3] / steps,
                s[4] / steps,
                s[5] / steps,
                s[6] / steps,
                others);
    }

    /** Clears the sums for a new epoch. */
    public void clear() {
        sums.muli(0);
    }
}
