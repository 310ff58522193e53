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
 * SimSiam (Chen and He 2021), a method that the library does not have: the prediction from one view is drawn to the projection of
 * the other, which gets no gradient; there are no negatives and no second network. This class and its line in
 * {@code META-INF/services/io.github.simclr4j.train.method.MethodFactory} are all that it takes.
 */
public final class AddAMethod implements MethodFactory {
    private static final String PREDICTION = "prediction";
    private static final Option<Integer> HIDDEN = Option.whole("predictor-hidden", 0, 0, 1 << 15,
            "Width of the predictor's hidden layer; 0 for a quarter of the projection", "Chen and He 2021, section 4.5");

    @Override
    public String name() {
        return "simsiam";
    }

    @Override
    public String summary() {
        return "A prediction from one view is drawn to the other's projection, which gets no gradient; no negatives";
    }

    @Override
    public String paper() {
        return "https://arxiv.org/abs/2011.10566";
    }

    @Override
    public List<Option<?>> options() {
        return List.of(HIDDEN);
    }

    /** The projection has three layers with batch norm (section 3). */
    @Override
    public void defaults(Defaults d) {
        d.head("deep").headNorm(true);
    }

    @Override
    public Method create(MethodContext context) {
        Network network = context.train(withPredictor(context.encoder(), context.options().get(HIDDEN)));
        return new BothViews(new Branch(network, List.of(0, 1), List.of(ProjectionHead.PROJECTION, PREDICTION), true));
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

    /** Equations 1 and 2: the mean of {@code -cos(p, stop-gradient(z))} over both views, p of one and z of the other. */
    private record BothViews(Branch both) implements Method {
        @Override
        public List<Branch> branches() {
            return List.of(both);
        }

        /** The loss is a mean over the 2N predictions, so it may be taken of some of them at a time. */
        @Override
        public int anchors(int images) {
            return 2 * images;
        }

        @Override
        public Loss loss(Embeddings z) {
            String some = z.from() + ":" + z.to();
            NDArray p = z.of(both, PREDICTION).get(some);
            // The rows stand view by view; those of the other view in front of each other.
            NDArray other = NDArrays.concat(new NDList(z.view(both, 1), z.view(both, 0))).stopGradient().get(some);
            return Loss.of(Rows.normalise(p).mul(Rows.normalise(other)).sum(new int[] {1}).mean().neg());
        }
    }

    /** Learns an encoder by the new method, which is found by its name: arguments are the images and where the encoder goes. */
    public static void main(String[] args) throws IOException {
        try (Pretraining pretraining = Pretraining.builder().images(Path.of(args[0])).method("simsiam").epochs(100).build()) {
            pretraining.run().writeEncoder(Path.of(args[1]));
        }
    }
}
