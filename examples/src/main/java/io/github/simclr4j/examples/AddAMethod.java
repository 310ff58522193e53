package io.github.simclr4j.examples;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
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
 * FastSiam (Pototzky et al. 2022), a method that the library does not have: SimSiam with four views, where the prediction from one is
 * drawn to the mean of the other three's projections, which gets no gradient; there are no negatives and no second network. This class
 * and its line in {@code META-INF/services/io.github.simclr4j.train.method.MethodFactory} are all that it takes.
 */
public final class AddAMethod implements MethodFactory {
    private static final int VIEWS = 4;
    private static final String PREDICTION = "prediction";
    private static final Option<Integer> HIDDEN = Option.whole("predictor-hidden", 0, 0, 1 << 15,
            "Width of the predictor's hidden layer; 0 for a quarter of the projection", "Chen and He 2021, section 4.5");

    @Override
    public String name() {
        return "fastsiam";
    }

    @Override
    public String summary() {
        return "A prediction from one view is drawn to the mean of three other views' projections; no negatives";
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

    /** SimSiam's projection has three layers with batch norm. */
    @Override
    public void defaults(Defaults d) {
        d.head("deep").headNorm(true);
    }

    @Override
    public Method create(MethodContext context) {
        Network network = context.train(withPredictor(context.encoder(), context.options().get(HIDDEN)));
        return new AllViews(new Branch(network, List.of(0, 1, 2, 3), List.of(ProjectionHead.PROJECTION, PREDICTION), true));
    }

    /** Dense, batch norm, ReLU, dense behind the projection. */
    private static LayerGraph withPredictor(LayerGraph encoder, int hidden) {
        LayerGraph.Node z = encoder.output(ProjectionHead.PROJECTION);
        int out = z.shape().get(0);
        int width = hidden == 0 ? Math.max(1, out / 4) : hidden;
        LayerGraph.Builder g = encoder.extend();
        LayerGraph.Node x = g.add(new Layer.Dense("predictor.0", out, width, false, Weight.fanIn(out)), z);
        x = g.relu(g.add(new Layer.BatchNorm("predictor.1", width, 1e-5f, true, false), x));
        return g.output(PREDICTION, g.add(new Layer.Dense("predictor.3", width, out, true, Weight.fanIn(width)), x)).build();
    }

    /** The mean of {@code -cos(p, stop-gradient(m))} over all views, p of one and m the mean of the others' projections. */
    private record AllViews(Branch all) implements Method {
        @Override
        public List<Branch> branches() {
            return List.of(all);
        }

        /** The loss is a mean over the predictions of all views, so it may be taken of some of them at a time. */
        @Override
        public int anchors(int images) {
            return VIEWS * images;
        }

        @Override
        public Loss loss(Embeddings z) {
            String some = z.from() + ":" + z.to();
            NDArray p = z.of(all, PREDICTION).get(some);
            NDArray unit = Rows.normalise(z.of(all)).stopGradient();
            // The rows stand view by view. A row's target is the sum of its image's rows without itself; cosines need no mean.
            long d = unit.getShape().get(1);
            NDArray sums = unit.reshape(VIEWS, z.size(), d).sum(new int[] {0}).tile(new long[] {VIEWS, 1});
            NDArray targets = sums.sub(unit).get(some);
            return Loss.of(Rows.normalise(p).mul(Rows.normalise(targets)).sum(new int[] {1}).mean().neg());
        }
    }

    /** Learns an encoder by the new method, which is found by its name: arguments are the images and where the encoder goes. */
    public static void main(String[] args) throws IOException {
        try (Pretraining pretraining = Pretraining.builder().images(Path.of(args[0])).method("fastsiam").epochs(100).build()) {
            pretraining.run().writeEncoder(Path.of(args[1]));
        }
    }
}
