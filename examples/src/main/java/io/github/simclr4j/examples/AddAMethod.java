// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.examples;

import ai.djl.ndarray.NDArray;
import io.github.simclr4j.onnx.network.Layer;
import io.github.simclr4j.onnx.network.LayerGraph;
import io.github.simclr4j.onnx.network.ProjectionHead;
import io.github.simclr4j.onnx.network.Weight;
import io.github.simclr4j.train.Pretraining;
import io.github.simclr4j.train.loss.Rows;
import io.github.simclr4j.train.method.Branch;
import io.github.simclr4j.train.method.Defaults;
import io.github.simclr4j.train.method.Embeddings;
import io.github.simclr4j.train.method.Method;
import io.github.simclr4j.train.method.MethodContext;
import io.github.simclr4j.train.method.MethodFactory;
import io.github.simclr4j.train.network.Network;
import io.github.simclr4j.util.Option;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Adds a pretraining method that the library does not include: FastSiam
 * (<a href="https://link.springer.com/chapter/10.1007/978-3-031-16788-1_4">Pototzky et al. 2022</a>).
 *
 * <p>FastSiam is SimSiam with four views. The prediction from each view is pulled towards the mean of the other three views'
 * projections, behind a stop-gradient. There are no negatives and no second network.
 *
 * <p>All it takes is this class and its line in {@code META-INF/services/io.github.simclr4j.train.method.MethodFactory}.
 *
 * @since 0.1.0
 */
public final class AddAMethod implements MethodFactory {
    private static final int VIEWS = 4;
    private static final String PREDICTION = "prediction";
    private static final Option<Integer> HIDDEN = Option.whole(
            "predictor-hidden",
            0,
            0,
            1 << 15,
            "Width of the predictor's hidden layer; 0 for a quarter of the projection",
            "Chen and He 2021, baseline settings");

    @Override
    public String name() {
        return "fastsiam";
    }

    @Override
    public String summary() {
        return "The prediction from each view is pulled towards the mean of three other views' projections; no negatives";
    }

    @Override
    public String paper() {
        return "https://link.springer.com/chapter/10.1007/978-3-031-16788-1_4";
    }

    @Override
    public List<Option<?>> options() {
        return List.of(HIDDEN);
    }

    @Override
    public int views() {
        return VIEWS;
    }

    /** Sets SimSiam's projection head, which has three layers with batch norm. */
    @Override
    public void defaults(Defaults d) {
        d.head("deep").headNorm(true);
    }

    @Override
    public Method create(MethodContext context) {
        Network network =
                context.train(withPredictor(context.encoder(), context.options().get(HIDDEN)));
        return new AllViews(
                new Branch(network, List.of(0, 1, 2, 3), List.of(ProjectionHead.PROJECTION, PREDICTION), true));
    }

    /** Appends the predictor to the projection: dense, batch norm, ReLU, dense. */
    private static LayerGraph withPredictor(LayerGraph encoder, int hidden) {
        LayerGraph.Node z = encoder.output(ProjectionHead.PROJECTION);
        int out = z.shape().get(0);
        int width = hidden == 0 ? Math.max(1, out / 4) : hidden;
        LayerGraph.Builder g = encoder.extend();
        LayerGraph.Node x = g.add(new Layer.Dense("predictor.0", out, width, false, Weight.fanIn(out)), z);
        x = g.relu(g.add(new Layer.BatchNorm("predictor.1", width, 1e-5f, true, false), x));
        return g.output(PREDICTION, g.add(new Layer.Dense("predictor.3", width, out, true, Weight.fanIn(width)), x))
                .build();
    }

    /** The mean over all views of {@code -cos(p, stop-gradient(m))}: p is a view's prediction, m the mean of the other projections. */
    private record AllViews(Branch all) implements Method {
        @Override
        public List<Branch> branches() {
            return List.of(all);
        }

        /** The loss is a mean over the predictions of all views, so it can be computed in parts. */
        @Override
        public int anchors(int images) {
            return VIEWS * images;
        }

        @Override
        public Loss loss(Embeddings z) {
            String some = z.from() + ":" + z.to();
            NDArray p = z.of(all, PREDICTION).get(some);
            NDArray unit = Rows.normalise(z.of(all)).stopGradient();
            // Rows are ordered by view. A row's target is the sum of its image's other rows; the cosine makes dividing
            // by 3 needless.
            long d = unit.getShape().get(1);
            NDArray sums = unit.reshape(VIEWS, z.size(), d).sum(new int[] {0}).tile(new long[] {VIEWS, 1});
            NDArray targets = sums.sub(unit).get(some);
            return Loss.of(Rows.normalise(p)
                    .mul(Rows.normalise(targets))
                    .sum(new int[] {1})
                    .mean()
                    .neg());
        }
    }

    /**
     * Pretrains an encoder with the new method, which is found by its name.
     *
     * @param args the images, and the encoder file to write
     */
    public static void main(String[] args) throws IOException {
        try (Pretraining pretraining = Pretraining.builder()
                .images(Path.of(args[0]))
                .method("fastsiam")
                .epochs(100)
                .build()) {
            pretraining.run().writeEncoder(Path.of(args[1]));
        }
    }
}
