// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import io.github.simclr4j.onnx.network.ProjectionHead;
import io.github.simclr4j.train.loss.Rows;
import io.github.simclr4j.train.network.Network;
import io.github.simclr4j.util.Option;
import io.github.simclr4j.util.OptionValues;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * BYOL (Grill et al. 2020, <a href="https://arxiv.org/abs/2006.07733">arXiv:2006.07733</a>).
 *
 * <p>The online network predicts from one view the target network's projection of the other view. The target network has no
 * predictor and gets no gradient: its weights are an exponential moving average of the online network's. There are no negatives.
 *
 * @since 0.1.0
 */
public final class Byol implements MethodFactory {
    /** The target network's momentum at the start. */
    public static final Option<Double> MOMENTUM = Option.below(
            "momentum-encoder",
            0.99,
            0,
            1,
            "Momentum m of the target network: target = m*target + (1-m)*online",
            "Grill et al. 2020; 0.996 for 1000 epochs or more of images above 64 pixels");
    /** The target network's momentum at the end. */
    public static final Option<Double> MOMENTUM_END = Momentum.END;
    /** Width of the predictor's hidden layer. */
    public static final Option<Integer> HIDDEN = Predictor.HIDDEN;

    @Override
    public String name() {
        return "byol";
    }

    @Override
    public String summary() {
        return "A prediction from one view is trained to match a momentum encoder's projection of the other view; no negatives";
    }

    @Override
    public String paper() {
        return "https://arxiv.org/abs/2006.07733";
    }

    @Override
    public String publishedOptimizer() {
        return "lars";
    }

    @Override
    public List<Option<?>> options() {
        List<Option<?>> all = new ArrayList<>(List.of(MOMENTUM, MOMENTUM_END, HIDDEN));
        all.addAll(MultiCrop.OPTIONS);
        return all;
    }

    @Override
    public Map<Option<?>, String> withoutEffect(OptionValues values) {
        return MultiCrop.withoutEffect(values);
    }

    @Override
    public SmallViews smallViews(OptionValues values, int imageSize) {
        return MultiCrop.views(values, imageSize);
    }

    /**
     * Sets head, predictor and views as in the paper and in solo-learn for CIFAR (no batch norm after the last layer), and the
     * paper's learning rate for LARS (implementation details).
     */
    @Override
    public void defaults(Defaults d) {
        d.hidden(d.width(4096)).projection(256).option(HIDDEN, d.width(4096)).headOutputNorm(false);
        views(d);
        d.adamRateFactor(0.25);
        // The authors' code, byol/configs/byol.py of deepmind-research, has other values for shorter runs on ImageNet.
        boolean full = d.isSmall() || d.epochs() >= 1000;
        if (d.optimizer().equals("lars")) {
            d.baseLearningRate(full ? 0.2 : d.epochs() >= 300 ? 0.3 : 0.45).weightDecay(full ? 1.5e-6 : 1e-6);
        }
        if (full && !d.isSmall()) {
            d.option(MOMENTUM, 0.996);
        }
    }

    /** Sets two compositions of views, one of them with solarisation (Grill et al. 2020, appendix B); small images get no blur. */
    static void views(Defaults d) {
        d.views(d.isSmall() ? "byol-cifar" : "byol").otherViews(d.isSmall() ? "byol2-cifar" : "byol2");
    }

    @Override
    public void check(OptionValues values, Defaults run) {
        momentum(values);
    }

    static Momentum momentum(OptionValues o) {
        return Momentum.rising(o.get(MOMENTUM), o.get(MOMENTUM_END));
    }

    @Override
    public Method create(MethodContext context) {
        OptionValues o = context.options();
        Network online = context.train(Predictor.behind(context.encoder(), o.get(HIDDEN)));
        Network target = context.follow("target", online, context.encoder(), momentum(o));
        // The target of the prediction from one view is the other view.
        return new OnlineAndTarget(
                Branch.trained(online, Predictor.PREDICTION, 0, 1),
                Branch.fixed(target, ProjectionHead.PROJECTION, 1, 0),
                MultiCrop.branch(o, online, Predictor.PREDICTION));
    }

    /**
     * Returns equation 2 over both directions: {@code mean(2 - 2 cos(p1, t2)) + mean(2 - 2 cos(p2, t1))}.
     *
     * @param predictions p1 above p2, [2N, d]
     * @param targets t2 above t1, [2N, d], without gradient
     */
    static NDArray loss(NDArray predictions, NDArray targets) {
        NDArray cosines =
                Rows.normalise(predictions).mul(Rows.normalise(targets)).sum(new int[] {1});
        return ofCosine(cosines.mean());
    }

    /** Maps the mean cosine over 2N rows to the loss: this mean is half the sum of the means over N rows. */
    private static NDArray ofCosine(NDArray mean) {
        return mean.mul(Rows.number(mean, -4)).add(Rows.number(mean, 4));
    }

    private record OnlineAndTarget(Branch online, Branch target, Branch small) implements Method {
        @Override
        public List<Branch> branches() {
            return small == null ? List.of(online, target) : List.of(online, target, small);
        }

        @Override
        public int anchors(int images) {
            return MultiCrop.anchors(images, small);
        }

        @Override
        public Loss loss(Embeddings z) {
            return Loss.of(MultiCrop.loss(
                    z,
                    small,
                    (from, to) -> {
                        String some = from + ":" + to;
                        return Byol.loss(z.of(online).get(some), z.of(target).get(some));
                    },
                    (from, to) -> ofCosine(MultiCrop.cosine(z.of(small).get(from + ":" + to), from, z.of(target)))));
        }

        @Override
        public NDList pairs(Embeddings z) {
            return new NDList(z.of(online).stopGradient(), z.of(target));
        }
    }
}
