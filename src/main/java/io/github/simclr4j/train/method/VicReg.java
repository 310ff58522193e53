// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Activation;
import io.github.simclr4j.onnx.network.ProjectionHead;
import io.github.simclr4j.train.loss.Rows;
import io.github.simclr4j.util.Option;
import io.github.simclr4j.util.OptionValues;
import java.util.List;

/**
 * VICReg (Bardes, Ponce and LeCun 2022, <a href="https://arxiv.org/abs/2105.04906">arXiv:2105.04906</a>).
 *
 * <p>The loss has three terms. Invariance makes the projections of the two views equal, variance keeps the standard deviation of
 * each dimension over the batch at 1 or above, and covariance decorrelates the dimensions. There are no negatives, and the
 * projection must be long.
 *
 * @since 0.1.0
 */
public final class VicReg implements MethodFactory {
    /** Added to the variance before the root. */
    private static final double EPSILON = 1e-4;

    /** Weight of the invariance term. */
    public static final Option<Double> SIMILARITY = Option.atLeast(
            "similarity",
            25,
            0,
            "Weight of the mean squared distance of the two views' projections",
            "Bardes et al. 2022, section 4.2");
    /** Weight of the variance term. */
    public static final Option<Double> VARIANCE = Option.atLeast(
            "variance",
            25,
            0,
            "Weight of the hinge that keeps each dimension's standard deviation at 1 or above",
            "Bardes et al. 2022, section 4.2");
    /** Weight of the covariance term. */
    public static final Option<Double> COVARIANCE = Option.atLeast(
            "covariance",
            1,
            0,
            "Weight of the squared covariances of different dimensions",
            "Bardes et al. 2022, section 4.2");

    @Override
    public String name() {
        return "vicreg";
    }

    @Override
    public String summary() {
        return "The two views' projections are made equal (invariance), each dimension keeps its variance, and dimensions are"
                + " decorrelated; no negatives";
    }

    @Override
    public String paper() {
        return "https://arxiv.org/abs/2105.04906";
    }

    @Override
    public String publishedOptimizer() {
        return "lars";
    }

    @Override
    public List<Option<?>> options() {
        return List.of(SIMILARITY, VARIANCE, COVARIANCE);
    }

    /**
     * Sets three layers of 2048 and the views as in solo-learn for CIFAR, three layers of 8192 as in the paper for larger images, and the
     * paper's learning rate for LARS, which the authors' code has for 1000 epochs, and that code's for fewer.
     */
    @Override
    public void defaults(Defaults d) {
        int width = d.width(d.isSmall() ? 2048 : 8192);
        d.head("deep").hidden(width).projection(width).headOutputNorm(false);
        if (d.isSmall()) {
            d.views("vicreg-cifar");
        } else {
            Byol.views(d);
        }
        d.adamRateFactor(0.5);
        if (d.optimizer().equals("lars")) {
            d.baseLearningRate(d.isSmall() || d.epochs() >= 1000 ? 0.2 : 0.3).weightDecay(1e-6);
        }
    }

    @Override
    public Method create(MethodContext context) {
        OptionValues o = context.options();
        return new BothViews(
                Branch.trained(context.train(context.encoder()), ProjectionHead.PROJECTION, 0, 1),
                new Weights(o.get(SIMILARITY), o.get(VARIANCE), o.get(COVARIANCE)));
    }

    /** Weights of the three terms. */
    record Weights(double similarity, double variance, double covariance) {}

    /**
     * Returns equation 6, normalised as in the authors' code: {@code similarity * mse(z1, z2) + variance * (v(z1) + v(z2)) +
     * covariance * (c(z1) + c(z2))}.
     *
     * <p>Here v is half the mean of {@code max(0, 1 - sqrt(var + 1e-4))}, and c is the sum of the squared covariances of different
     * dimensions divided by d. Variances and covariances are unbiased.
     *
     * @param z1 projections of the first views, [N, d]
     * @param z2 projections of the second views, [N, d]
     * @param w weights of the terms
     */
    static NDArray loss(NDArray z1, NDArray z2, Weights w) {
        NDArray distance = z1.sub(z2).square().mean();
        return distance.mul(Rows.number(z1, w.similarity()))
                .add(regularisation(z1, w))
                .add(regularisation(z2, w));
    }

    private static NDArray regularisation(NDArray z, Weights w) {
        long n = z.getShape().get(0);
        long d = z.getShape().get(1);
        NDArray free = Rows.number(z, n - 1);
        NDArray centred = z.sub(z.mean(new int[] {0}, true));
        NDArray variance = centred.square().sum(new int[] {0}).div(free);
        NDArray deviation = variance.add(Rows.number(z, EPSILON)).sqrt();
        NDArray hinge = Activation.relu(deviation.neg().add(Rows.number(z, 1))).mean();
        NDArray covariances = centred.transpose()
                .matMul(centred)
                .div(free)
                .square()
                .sum()
                .sub(variance.square().sum());
        return hinge.mul(Rows.number(z, w.variance() / 2)).add(covariances.mul(Rows.number(z, w.covariance() / d)));
    }

    private record BothViews(Branch both, Weights weights) implements Method {
        @Override
        public List<Branch> branches() {
            return List.of(both);
        }

        @Override
        public Loss loss(Embeddings z) {
            return Loss.of(VicReg.loss(z.view(both, 0), z.view(both, 1), weights));
        }

        /** Returns the loss of equal views without variance. */
        @Override
        public double lossAtCollapse() {
            return weights.variance() * (1 - Math.sqrt(EPSILON));
        }
    }
}
