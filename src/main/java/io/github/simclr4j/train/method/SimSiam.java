// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import ai.djl.ndarray.NDArray;
import io.github.simclr4j.onnx.network.ProjectionHead;
import io.github.simclr4j.train.loss.Rows;
import io.github.simclr4j.train.network.Network;
import io.github.simclr4j.util.Option;
import io.github.simclr4j.util.OptionValues;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * SimSiam (Chen and He 2021, <a href="https://arxiv.org/abs/2011.10566">arXiv:2011.10566</a>).
 *
 * <p>The prediction from one view is trained to match the other view's projection, which is behind a stop-gradient. There is one
 * network, without negatives or momentum encoder. The predictor's learning rate does not follow the schedule (section 4.2),
 * because the predictor must keep up with the projections.
 *
 * @since 0.1.0
 */
public final class SimSiam implements MethodFactory {
    /** Width of the predictor's hidden layer. */
    public static final Option<Integer> HIDDEN = Option.whole(
            "predictor-hidden",
            512,
            0,
            1 << 15,
            "Width of the predictor's hidden layer; 0 for the encoder's dimension",
            "a quarter of the projection, Chen and He 2021, baseline settings");
    /** Whether the predictor's learning rate is constant. */
    public static final Option<String> PREDICTOR_RATE = Option.choice(
            "predictor-rate",
            List.of("constant", "scheduled"),
            "Whether the predictor's learning rate stays at the base rate or follows the schedule",
            "Chen and He 2021, table 1");

    @Override
    public String name() {
        return "simsiam";
    }

    @Override
    public String summary() {
        return "A prediction from one view is trained to match the other view's projection, behind a stop-gradient; no negatives";
    }

    @Override
    public String paper() {
        return "https://arxiv.org/abs/2011.10566";
    }

    @Override
    public String publishedOptimizer() {
        return "sgd";
    }

    @Override
    public List<Option<?>> options() {
        List<Option<?>> all = new ArrayList<>(List.of(HIDDEN, PREDICTOR_RATE));
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
     * Sets the head of appendix D for CIFAR-10, two layers with batch norm also on the output, and the views of appendix A, for small
     * images without blur.
     */
    @Override
    public void defaults(Defaults d) {
        d.option(HIDDEN, d.width(2048) / 4)
                .hidden(d.width(2048))
                .projection(d.width(2048))
                .views(d.isSmall() ? "mocov2-cifar" : "mocov2");
        if (!d.isSmall()) {
            d.head("deep");
        }
        d.adamRateFactor(0.25);
        if (d.optimizer().equals("sgd")) {
            d.baseLearningRate(d.isSmall() ? 0.03 : 0.05)
                    .weightDecay(d.isSmall() ? 5e-4 : 1e-4)
                    .warmupEpochs(0);
        }
    }

    @Override
    public Method create(MethodContext context) {
        OptionValues o = context.options();
        Network network = context.train(Predictor.behind(context.encoder(), o.get(HIDDEN)));
        return new BothViews(
                new Branch(network, List.of(0, 1), List.of(ProjectionHead.PROJECTION, Predictor.PREDICTION), true),
                MultiCrop.branch(o, network, Predictor.PREDICTION),
                o.get(PREDICTOR_RATE).equals("constant"));
    }

    /**
     * Returns equation 2, {@code -(mean cos(p1, z2) + mean cos(p2, z1)) / 2}, or the part of it that belongs to a range of
     * predictions.
     *
     * @param predictions predictions from some views, [n, d]
     * @param projections projections of the other view of each, [n, d], without gradient
     */
    static NDArray loss(NDArray predictions, NDArray projections) {
        return Rows.normalise(predictions)
                .mul(Rows.normalise(projections))
                .sum(new int[] {1})
                .mean()
                .neg();
    }

    private record BothViews(Branch both, Branch small, boolean constant) implements Method {
        @Override
        public List<Branch> branches() {
            return small == null ? List.of(both) : List.of(both, small);
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
                        return SimSiam.loss(
                                z.of(both, Predictor.PREDICTION).get(some),
                                z.others(both, ProjectionHead.PROJECTION)
                                        .get(some)
                                        .stopGradient());
                    },
                    (from, to) -> MultiCrop.cosine(
                                    z.of(small).get(from + ":" + to),
                                    from,
                                    z.of(both).stopGradient())
                            .neg()));
        }

        @Override
        public List<String> constantRate() {
            return constant ? List.of(Predictor.PREFIX) : List.of();
        }
    }
}
