// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import ai.djl.ndarray.NDArray;
import io.github.simclr4j.onnx.network.ProjectionHead;
import io.github.simclr4j.train.loss.CrossViews;
import io.github.simclr4j.train.loss.Rows;
import io.github.simclr4j.train.network.Network;
import io.github.simclr4j.util.Option;
import io.github.simclr4j.util.OptionValues;
import java.util.List;

/**
 * NNCLR (Dwibedi et al. 2021, <a href="https://arxiv.org/abs/2104.14548">arXiv:2104.14548</a>).
 *
 * <p>A view is replaced by the nearest neighbour of its projection among projections of earlier batches, so that different
 * images of one kind become positives. Its positive is the prediction from the other view, its negatives are the predictions
 * from the other images of the batch. Only the predictions get gradients.
 *
 * @since 0.1.0
 */
public final class Nnclr implements MethodFactory {
    /** Temperature of the loss. */
    public static final Option<Double> TEMPERATURE = SimClr.TEMPERATURE.withDefault(
            0.2, "solo-learn for CIFAR; 0.1 for images above 64 pixels, Dwibedi et al. 2021");
    /** Number of projections in the queue. */
    public static final Option<Integer> QUEUE = Option.whole(
            "queue",
            65_536,
            1,
            KeyQueue.MOST_KEYS,
            "Projections of earlier images in the queue, which is searched for the nearest neighbour",
            "solo-learn for CIFAR; 98304 for images above 64 pixels, Dwibedi et al. 2021; 4096 for fewer than 200000 images");
    /** Width of the predictor's hidden layer. */
    public static final Option<Integer> HIDDEN =
            Predictor.HIDDEN.withDefault(4096, "Dwibedi et al. 2021; at most 8 times the encoder's dimension");

    @Override
    public String name() {
        return "nnclr";
    }

    @Override
    public String summary() {
        return "The nearest neighbour of a view among earlier projections and the other view's prediction are a positive pair,"
                + " the batch's other predictions are negatives";
    }

    @Override
    public String paper() {
        return "https://arxiv.org/abs/2104.14548";
    }

    @Override
    public String publishedOptimizer() {
        return "lars";
    }

    @Override
    public List<Option<?>> options() {
        return List.of(TEMPERATURE, QUEUE, HIDDEN);
    }

    /**
     * Sets a head of three layers of 2048, 2048 and 256 as in solo-learn for CIFAR and section 4.1 of the paper, and the paper's
     * learning rate for LARS.
     */
    @Override
    public void defaults(Defaults d) {
        d.head("deep").hidden(d.width(2048)).projection(256).option(HIDDEN, d.width(4096));
        Byol.views(d);
        if (d.images() < KeyQueue.MANY_IMAGES) {
            d.option(QUEUE, 4096);
        } else if (!d.isSmall()) {
            d.option(QUEUE, 98_304);
        }
        if (!d.isSmall()) {
            d.option(TEMPERATURE, 0.1);
        }
        if (d.optimizer().equals("lars")) {
            d.baseLearningRate(0.3).weightDecay(1e-6);
        }
    }

    @Override
    public void check(OptionValues o, Defaults run) {
        int keys = Math.min(run.batch(), Math.max(1, run.images()));
        KeyQueue.check(o.get(QUEUE), keys, "projections");
    }

    @Override
    public Method create(MethodContext context) {
        OptionValues o = context.options();
        Network network = context.train(Predictor.behind(context.encoder(), o.get(HIDDEN)));
        int d = context.encoder().output(ProjectionHead.PROJECTION).shape().get(0);
        KeyQueue queue = KeyQueue.of(context, network, o.get(QUEUE), d);
        return new Neighbours(
                new Branch(network, List.of(0, 1), List.of(ProjectionHead.PROJECTION, Predictor.PREDICTION), true),
                queue,
                o.get(TEMPERATURE),
                context.batch());
    }

    /**
     * Returns the row of a queue with the largest cosine similarity to each projection, without gradient.
     *
     * @param projections [n, d]
     * @param queue [K, d], each row normalised
     * @return [n, d]
     */
    static NDArray nearest(NDArray projections, NDArray queue) {
        NDArray columns = queue.transpose();
        // The transpose belongs to the queue's manager, which outlives the step.
        columns.attach(projections.getManager());
        NDArray cosines = Rows.normalise(projections.stopGradient()).matMul(columns);
        NDArray nearest = queue.get(cosines.argMax(1));
        nearest.attach(projections.getManager());
        return nearest;
    }

    private record Neighbours(Branch both, KeyQueue queue, double temperature, int batch) implements Method {
        @Override
        public List<Branch> branches() {
            return List.of(both);
        }

        @Override
        public int anchors(int images) {
            return 2 * images;
        }

        /** Returns equation 3, {@code (CE(nn(z1) p2' / t) + CE(nn(z2) p1' / t)) / 2}. */
        @Override
        public Loss loss(Embeddings z) {
            NDArray some = z.of(both, ProjectionHead.PROJECTION).get(z.from() + ":" + z.to());
            CrossViews pairs =
                    new CrossViews(nearest(some, queue.rows()), z.others(both, Predictor.PREDICTION), z.from(), z.to());
            return Loss.of(pairs.crossEntropy(temperature), pairs.rank());
        }

        /** Replaces the oldest projections in the queue by those of the batch's first views. */
        @Override
        public void afterStep(Embeddings z) {
            queue.enqueue(Rows.normalise(z.view(both, 0).stopGradient()));
        }

        @Override
        public double lossAtCollapse() {
            return Math.log(batch);
        }

        /** Returns the steps that fill the queue, which starts as noise. */
        @Override
        public int settlingSteps() {
            return queue.size() / batch + 1;
        }
    }
}
