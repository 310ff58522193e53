package io.github.simclr4j.train.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import io.github.simclr4j.onnx.network.Layer;
import io.github.simclr4j.onnx.network.LayerGraph;
import io.github.simclr4j.onnx.network.ProjectionHead;
import io.github.simclr4j.onnx.network.Weight;
import io.github.simclr4j.train.loss.Rows;
import io.github.simclr4j.train.network.Network;
import io.github.simclr4j.util.Option;
import io.github.simclr4j.util.OptionValues;
import java.util.List;

/**
 * BYOL (Grill et al. 2020, <a href="https://arxiv.org/abs/2006.07733">arXiv:2006.07733</a>): the online network's prediction of one
 * view is drawn to the target network's projection of the other view. The target follows the online network as a moving average,
 * gets no gradient, and has no predictor. There are no negatives.
 */
public final class Byol implements MethodFactory {
    /** Name of the online network's result behind the predictor. */
    private static final String PREDICTION = "prediction";

    /** The target's momentum at the start. */
    public static final Option<Double> MOMENTUM = Option.below("momentum-encoder", 0.99, 0, 1,
            "Momentum m of the encoder that follows, target = m*target + (1-m)*online",
            "0.996 in Grill et al. 2020 for 1000 epochs of ImageNet, 0.99 for short runs");
    /** The target's momentum at the end. */
    public static final Option<Double> MOMENTUM_END = Option.between("momentum-encoder-end", 1, 0, 1,
            "What that momentum rises to along half a cosine; 0 for no rise", "Grill et al. 2020, implementation details");
    /** Width of the predictor's hidden layer. */
    public static final Option<Integer> HIDDEN = Option.whole("predictor-hidden", 0, 0, 1 << 15,
            "Width of the predictor's hidden layer; 0 for the encoder's dimension", "4096 in Grill et al. 2020");

    @Override
    public String name() {
        return "byol";
    }

    @Override
    public String summary() {
        return "A prediction from one view is drawn to a slowly following network's projection of the other; no negatives";
    }

    @Override
    public String paper() {
        return "https://arxiv.org/abs/2006.07733";
    }

    @Override
    public List<Option<?>> options() {
        return List.of(MOMENTUM, MOMENTUM_END, HIDDEN);
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
        Network online = context.train(withPredictor(context.encoder(), o.get(HIDDEN)));
        Network target = context.follow("target", online, context.encoder(), momentum(o));
        // The target of a view's prediction is the other view.
        return new OnlineAndTarget(Branch.trained(online, PREDICTION, 0, 1),
                Branch.fixed(target, ProjectionHead.PROJECTION, 1, 0));
    }

    /** Dense, batch norm, ReLU, dense (Grill et al. 2020, architecture). */
    private static LayerGraph withPredictor(LayerGraph encoder, int hidden) {
        int out = encoder.output(ProjectionHead.PROJECTION).shape().get(0);
        int wide = hidden == 0 ? encoder.output(LayerGraph.FEATURES).shape().get(0) : hidden;
        LayerGraph.Builder g = encoder.extend();
        LayerGraph.Node x = g.add(new Layer.Dense("predictor.0", out, wide, false, Weight.fanIn(out)),
                encoder.output(ProjectionHead.PROJECTION));
        x = g.relu(g.add(new Layer.BatchNorm("predictor.1", wide, 1e-5f, true, false), x));
        return g.output(PREDICTION, g.add(new Layer.Dense("predictor.3", wide, out, true, Weight.fanIn(wide)), x)).build();
    }

    /**
     * Returns equation 2 over both directions: {@code mean(2 - 2 cos(p1, t2)) + mean(2 - 2 cos(p2, t1))}.
     *
     * @param predictions p1 above p2, [2N, d]
     * @param targets t2 above t1, [2N, d], without gradient
     */
    static NDArray loss(NDArray predictions, NDArray targets) {
        NDArray cosines = Rows.normalise(predictions).mul(Rows.normalise(targets)).sum(new int[] {1});
        // The mean over 2N rows is half the sum of the means over N.
        return cosines.mean().mul(Rows.number(cosines, -4)).add(Rows.number(cosines, 4));
    }

    private record OnlineAndTarget(Branch online, Branch target) implements Method {
        @Override
        public List<Branch> branches() {
            return List.of(online, target);
        }

        @Override
        public int anchors(int images) {
            return 2 * images;
        }

        @Override
        public Loss loss(Embeddings z) {
            String some = z.from() + ":" + z.to();
            return Loss.of(Byol.loss(z.of(online).get(some), z.of(target).get(some)));
        }

        @Override
        public NDList pairs(Embeddings z) {
            return new NDList(z.of(online).stopGradient(), z.of(target));
        }
    }
}
