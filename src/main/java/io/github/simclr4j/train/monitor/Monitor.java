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
 * What an epoch looks like, from the embeddings of its steps; everything is added up on the device and read once an epoch. The
 * loss alone tells little: it does not compare between batch sizes, temperatures or queue lengths.
 */
public final class Monitor {
    /** Loss, top-1, top-5, alignment, uniformity, spread, effective rank, steps. */
    private static final int FIGURES = 8;
    /** Rows that are compared with all others at once. */
    private static final int ROWS = 256;

    private final List<String> names;
    private final NDArray sums;
    private final int checkEvery;
    private int unchecked;
    private boolean ranked;

    /**
     * Means over the steps of an epoch.
     *
     * @param loss the loss
     * @param top1 share of anchors to which no candidate is as near as the positive; NaN for a method without candidates
     * @param top5 share of anchors to which at most four are; likewise
     * @param alignment mean squared distance of positive pairs, 0 to 4 (Wang and Isola 2020, equation 5, alpha 2)
     * @param uniformity log of the mean of {@code exp(-2 |x - y|^2)} over pairs, -8 to 0 (Wang and Isola 2020, equation 6, t 2)
     * @param spread standard deviation of a normalised embedding's coordinates times the root of their number: 1 if spread
     *     evenly over the sphere, 0 if collapsed
     * @param effectiveRank directions that the embeddings fill: {@code (tr C)^2 / tr(C^2)} of their covariance C, 1 to d; 0 where
     *     all are equal. It is the participation ratio of C's eigenvalues, a simpler relative of the effective rank of Roy and
     *     Vetterli 2007, which takes the exponential of their entropy
     * @param others further figures of the method, by name
     */
    public record Figures(double loss, double top1, double top5, double alignment, double uniformity, double spread,
            double effectiveRank, Map<String, Double> others) {
        /** True if there was no step to take a mean over, as where mixed precision left out all of an epoch: nothing is a number. */
        public boolean none() {
            return Double.isNaN(loss);
        }
    }

    /**
     * Starts an epoch.
     *
     * @param owner the run's manager
     * @param names of the method's further figures, in order
     */
    public Monitor(NDManager owner, List<String> names) {
        this.names = List.copyOf(names);
        sums = owner.zeros(new Shape(FIGURES + names.size()), DataType.FLOAT64);
        // Reading a value from a GPU waits for it.
        checkEvery = owner.getDevice().isGpu() ? 20 : 1;
    }

    public NDArray state() {
        return sums;
    }

    /** Adds a step. */
    public void add(Outcome o) {
        NDArray a = Rows.normalise(o.anchors());
        NDArray p = Rows.normalise(o.positives());
        long n = a.getShape().get(0);
        long d = a.getShape().get(1);
        NDArray alignment = a.sub(p).square().sum(new int[] {1}).mean();
        // |x - y|^2 = 2 - 2 cos, and the pairs of a row with itself, of which there are n, add exp(0) each.
        NDArray uniformity = pairs(a).sub(n).div(Math.max(1, n * (n - 1))).maximum(1e-30f).log();
        NDArray centred = a.sub(a.sum(new int[] {0}, true).div(n));
        NDArray variances = centred.square().sum(new int[] {0}).div(n);
        NDArray spread = variances.sqrt().mean().mul(Math.sqrt(d));
        NDArray covariance = centred.transpose().matMul(centred).div(n);
        NDArray rank = variances.sum().square().div(covariance.square().sum().maximum(1e-30f));
        NDList figures = new NDList(o.loss(), within(o, 1), within(o, 5), alignment, uniformity, spread, rank,
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

    /** The share of anchors with fewer nearer candidates than a number; 0 without candidates. */
    private static NDArray within(Outcome o, int candidates) {
        return o.rank() == null ? o.loss().mul(0) : o.rank().lt(candidates).toType(DataType.FLOAT32, false).mean();
    }

    /** The sum of {@code exp(-2 |x - y|^2)} over all pairs, some rows at a time: the whole matrix would take a large batch's memory. */
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

    /** True if the loss was a number in every step of the epoch so far; looks only now and then unless {@code now}. */
    public boolean sound(boolean now) {
        if (!now && unchecked < checkEvery) {
            return true;
        }
        unchecked = 0;
        return Double.isFinite(sums.toDoubleArray()[0]);
    }

    /** The means so far; without a step they are NaN. */
    public Figures figures() {
        double[] s = sums.toDoubleArray();
        double steps = s[FIGURES - 1];
        Map<String, Double> others = new LinkedHashMap<>();
        for (int i = 0; i < names.size(); i++) {
            others.put(names.get(i), s[FIGURES + i] / steps);
        }
        return new Figures(s[0] / steps, ranked ? s[1] / steps : Double.NaN, ranked ? s[2] / steps : Double.NaN, s[3] / steps, s[4] / steps, s[5] / steps, s[6] / steps, others);
    }

    /** A new epoch begins. */
    public void clear() {
        sums.muli(0);
    }
}
