// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import io.github.simclr4j.onnx.network.ProjectionHead;
import io.github.simclr4j.train.loss.CrossViews;
import io.github.simclr4j.train.loss.Rows;
import io.github.simclr4j.train.network.Network;
import io.github.simclr4j.util.Option;
import io.github.simclr4j.util.OptionValues;
import java.util.List;

/**
 * MoCo v3 (Chen, Xie and He 2021, <a href="https://arxiv.org/abs/2104.02057">arXiv:2104.02057</a>, algorithm 1).
 *
 * <p>The query is the prediction from one view. Its key is the other view, embedded by the momentum encoder without predictor.
 * The negatives are the keys of the other images of the batch; there is no queue. The loss is
 * {@code 2t CE(q1 k2' / t) + 2t CE(q2 k1' / t)}.
 *
 * @since 0.1.0
 */
public final class MoCoV3 implements MethodFactory {
    /** Temperature of the loss. */
    public static final Option<Double> TEMPERATURE = SimClr.TEMPERATURE.withDefault(
            0.2,
            "Chen, Xie and He 2021 for vision transformers, solo-learn for CIFAR; 1 with lars for images above 64 pixels, as in the paper for"
                    + " ResNet-50");
    /** Momentum of the momentum encoder at the start. */
    public static final Option<Double> MOMENTUM = Option.below(
            "momentum-encoder",
            0.99,
            0,
            1,
            "Momentum m of the momentum encoder: key = m*key + (1-m)*query",
            "Chen, Xie and He 2021; 0.996 with lars for 1000 epochs or more of images above 64 pixels");
    /** Momentum of the momentum encoder at the end. */
    public static final Option<Double> MOMENTUM_END = Momentum.END.withDefault(1.0, "Chen, Xie and He 2021, section 3");
    /** Width of the predictor's hidden layer. */
    public static final Option<Integer> HIDDEN = Predictor.HIDDEN;

    @Override
    public String name() {
        return "mocov3";
    }

    @Override
    public String summary() {
        return "A prediction and the other view's key from a momentum encoder are a positive pair, the batch's other keys are negatives";
    }

    @Override
    public String paper() {
        return "https://arxiv.org/abs/2104.02057";
    }

    @Override
    public String publishedOptimizer() {
        return "lars";
    }

    @Override
    public List<Option<?>> options() {
        return List.of(TEMPERATURE, MOMENTUM, MOMENTUM_END, HIDDEN);
    }

    /**
     * Sets head, predictor and views as in the paper and in solo-learn for CIFAR. LARS is the optimizer of the paper's ResNet-50, whose
     * settings are in the files CONFIG.md and main_moco.py of the authors' code.
     */
    @Override
    public void defaults(Defaults d) {
        d.hidden(d.width(4096)).projection(256).option(HIDDEN, d.width(4096));
        Byol.views(d);
        d.adamRateFactor(0.5);
        if (d.optimizer().equals("lars")) {
            boolean full = d.isSmall() || d.epochs() >= 1000;
            d.baseLearningRate(d.isSmall() || d.epochs() >= 300 ? 0.3 : 0.6).weightDecay(full ? 1.5e-6 : 1e-6);
            if (!d.isSmall()) {
                d.option(TEMPERATURE, 1.0).option(MOMENTUM, full ? 0.996 : 0.99);
                d.views("crop:0.2,flip,jitter:0.4/0.4/0.2/0.1,grey,blur@1")
                        .otherViews("crop:0.2,flip,jitter:0.4/0.4/0.2/0.1,grey,blur@0.1,solarise");
            }
        }
    }

    @Override
    public void check(OptionValues values, Defaults run) {
        momentum(values);
    }

    private static Momentum momentum(OptionValues o) {
        return Momentum.rising(o.get(MOMENTUM), o.get(MOMENTUM_END));
    }

    @Override
    public Method create(MethodContext context) {
        OptionValues o = context.options();
        Network query = context.train(Predictor.behind(context.encoder(), o.get(HIDDEN)));
        Network key = context.follow("key", query, context.encoder(), momentum(o));
        // The key of a query is the other view.
        return new QueriesAndKeys(
                Branch.trained(query, Predictor.PREDICTION, 0, 1),
                Branch.fixed(key, ProjectionHead.PROJECTION, 1, 0),
                o.get(TEMPERATURE),
                context.batch());
    }

    /**
     * Returns the loss over both directions, or the part of it that belongs to a range of queries.
     *
     * @param pairs queries q1 above q2, and keys k2 above k1
     */
    static NDArray loss(CrossViews pairs, double temperature) {
        // The mean over 2N queries is half the sum of the means over N queries.
        NDArray mean = pairs.crossEntropy(temperature);
        return mean.mul(Rows.number(mean, 4 * temperature));
    }

    private record QueriesAndKeys(Branch query, Branch key, double temperature, int batch) implements Method {
        @Override
        public List<Branch> branches() {
            return List.of(query, key);
        }

        @Override
        public int anchors(int images) {
            return 2 * images;
        }

        @Override
        public Loss loss(Embeddings z) {
            CrossViews pairs = new CrossViews(z.of(query).get(z.from() + ":" + z.to()), z.of(key), z.from(), z.to());
            return Loss.of(MoCoV3.loss(pairs, temperature), pairs.rank());
        }

        @Override
        public NDList pairs(Embeddings z) {
            return new NDList(z.of(query).stopGradient(), z.of(key));
        }

        @Override
        public double lossAtCollapse() {
            return 4 * temperature * Math.log(batch);
        }
    }
}
