// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import ai.djl.ndarray.NDArray;
import io.github.simclr4j.onnx.network.ProjectionHead;
import io.github.simclr4j.train.loss.Rows;
import io.github.simclr4j.util.Option;
import io.github.simclr4j.util.OptionValues;
import java.util.List;

/**
 * Barlow Twins (Zbontar et al. 2021, <a href="https://arxiv.org/abs/2103.03230">arXiv:2103.03230</a>).
 *
 * <p>The cross-correlation matrix of the two views' projections over the batch is trained towards the identity matrix. The
 * diagonal makes the projections invariant to the augmentations, the rest reduces redundancy between their dimensions. There
 * are no negatives, and the projection must be long.
 *
 * @since 0.1.0
 */
public final class BarlowTwins implements MethodFactory {
    /** Added to the variance before the root, as in batch norm. */
    private static final double EPSILON = 1e-5;

    /** Weight of the off-diagonal entries. */
    public static final Option<Double> LAMBDA = Option.atLeast(
            "lambda",
            0.005,
            0,
            "Weight of the off-diagonal correlations against the diagonal ones",
            "Zbontar et al. 2021, section 2.2; also solo-learn for CIFAR");
    /** Factor of the loss. */
    public static final Option<Double> SCALE = Option.above(
            "loss-scale",
            0.1,
            0,
            "Factor of the loss; it hardly matters with adam and adamw",
            "solo-learn for CIFAR; 0.024 for images above 64 pixels, the authors' code");

    @Override
    public String name() {
        return "barlow";
    }

    @Override
    public String summary() {
        return "The cross-correlation matrix of the two views' projections is trained towards the identity matrix; no negatives";
    }

    @Override
    public String paper() {
        return "https://arxiv.org/abs/2103.03230";
    }

    @Override
    public String publishedOptimizer() {
        return "lars";
    }

    @Override
    public List<Option<?>> options() {
        return List.of(LAMBDA, SCALE);
    }

    /**
     * Sets a head of three layers of 2048 as solo-learn uses for CIFAR, of 8192 for larger images (section 2.2), BYOL's views, and the
     * learning rate of section 2.2 for LARS.
     */
    @Override
    public void defaults(Defaults d) {
        int width = d.width(d.isSmall() ? 2048 : 8192);
        d.head("deep").hidden(width).projection(width).headOutputNorm(false);
        if (!d.isSmall()) {
            d.option(SCALE, 0.024);
        }
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
        return new BothViews(
                Branch.trained(context.train(context.encoder()), ProjectionHead.PROJECTION, 0, 1),
                o.get(LAMBDA),
                o.get(SCALE),
                length);
    }

    /**
     * Returns equation 1, {@code sum over i of (1 - C_ii)^2 + lambda * sum over i != j of C_ij^2}, where C is the
     * cross-correlation matrix of z1 and z2.
     *
     * @param z1 projections of the first views, [N, d]
     * @param z2 projections of the second views, [N, d]
     * @param lambda weight of the off-diagonal entries
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

        /** Returns the loss of constant dimensions, whose correlations are 0. */
        @Override
        public double lossAtCollapse() {
            return scale * length;
        }
    }
}
