package io.github.simclr4j.train.method;

import ai.djl.ndarray.NDArray;
import io.github.simclr4j.onnx.network.ProjectionHead;
import io.github.simclr4j.train.loss.Rows;
import io.github.simclr4j.util.Option;
import io.github.simclr4j.util.OptionValues;
import java.util.List;

/**
 * Barlow Twins (Zbontar et al. 2021, <a href="https://arxiv.org/abs/2103.03230">arXiv:2103.03230</a>): the cross-correlation matrix of
 * the two views' projections, over the batch, is drawn to the identity: the views agree in each number, and the numbers say different
 * things. There are no negatives; the projection must be long.
 */
public final class BarlowTwins implements MethodFactory {
    /** Added to the variance that numbers are standardised by, as in a batch norm. */
    private static final double EPSILON = 1e-5;

    /** Weight of the entries beside the diagonal. */
    public static final Option<Double> LAMBDA = Option.atLeast("lambda", 0.005, 0,
            "Weight of the correlations of different numbers against those of the same number",
            "Zbontar et al. 2021, section 2.2; also solo-learn for CIFAR");
    /** What the sum is multiplied by. */
    public static final Option<Double> SCALE = Option.above("loss-scale", 0.1, 0,
            "What the loss is multiplied by; with adam and adamw it hardly matters",
            "solo-learn for CIFAR; 0.024 in the authors' code for ImageNet");

    @Override
    public String name() {
        return "barlow";
    }

    @Override
    public String summary() {
        return "The correlations of the two views' projections over the batch are drawn to the identity matrix; no negatives";
    }

    @Override
    public String paper() {
        return "https://arxiv.org/abs/2103.03230";
    }

    @Override
    public List<Option<?>> options() {
        return List.of(LAMBDA, SCALE);
    }

    /** Three layers of 2048 as solo-learn for CIFAR (8192 in section 2.2), BYOL's views, the rate of section 2.2 for LARS. */
    @Override
    public void defaults(Defaults d) {
        d.head("deep").hidden(d.width(2048)).projection(d.width(2048)).headOutputNorm(false);
        Byol.views(d);
        d.adamRateFactor(0.5);
        if (d.optimizer().equals("lars")) {
            d.baseLearningRate(0.2).weightDecay(1.5e-6);
        }
    }

    @Override
    public Method create(MethodContext context) {
        OptionValues o = context.options();
        int length = context.encoder().output(ProjectionHead.PROJECTION).shape().get(0);
        return new BothViews(Branch.trained(context.train(context.encoder()), ProjectionHead.PROJECTION, 0, 1), o.get(LAMBDA),
                o.get(SCALE), length);
    }

    /**
     * Returns equation 1, {@code sum over i of (1 - C_ii)^2 + lambda * sum over i != j of C_ij^2}, where C are the correlations of the
     * numbers of z1 with those of z2.
     *
     * @param z1 projections of the first views, [N, d]
     * @param z2 projections of the second views, [N, d]
     */
    static NDArray loss(NDArray z1, NDArray z2, double lambda) {
        NDArray a = standardised(z1);
        NDArray b = standardised(z2);
        NDArray n = Rows.number(z1, z1.getShape().get(0));
        NDArray all = a.transpose().matMul(b).div(n).square().sum();
        NDArray same = a.mul(b).sum(new int[] {0}).div(n);
        NDArray different = all.sub(same.square().sum());
        return same.neg().add(Rows.number(z1, 1)).square().sum().add(different.mul(Rows.number(z1, lambda)));
    }

    private static NDArray standardised(NDArray z) {
        NDArray centred = z.sub(z.mean(new int[] {0}, true));
        NDArray variance = centred.square().mean(new int[] {0}, true);
        return centred.div(variance.add(Rows.number(z, EPSILON)).sqrt());
    }

    private record BothViews(Branch both, double lambda, double scale, int length) implements Method {
        @Override
        public List<Branch> branches() {
            return List.of(both);
        }

        @Override
        public Loss loss(Embeddings z) {
            NDArray sum = BarlowTwins.loss(z.view(both, 0), z.view(both, 1), lambda);
            return Loss.of(sum.mul(Rows.number(sum, scale)));
        }

        /** Numbers that never vary are correlated with nothing. */
        @Override
        public double lossAtCollapse() {
            return scale * length;
        }
    }
}
