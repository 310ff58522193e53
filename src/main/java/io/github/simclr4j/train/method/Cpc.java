// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import io.github.simclr4j.onnx.network.Architecture;
import io.github.simclr4j.onnx.network.Layer;
import io.github.simclr4j.onnx.network.LayerGraph;
import io.github.simclr4j.onnx.network.LayerGraph.Node;
import io.github.simclr4j.onnx.network.PatchEncoder;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.onnx.network.Weight;
import io.github.simclr4j.train.augment.PatchGrid;
import io.github.simclr4j.train.loss.Losses;
import io.github.simclr4j.train.loss.Rows;
import io.github.simclr4j.train.method.ContextNetwork.Direction;
import io.github.simclr4j.util.Option;
import io.github.simclr4j.util.OptionValues;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/**
 * CPC v2, contrastive predictive coding (van den Oord, Li and Vinyals 2018,
 * <a href="https://arxiv.org/abs/1807.03748">arXiv:1807.03748</a>; Hénaff et al. 2020,
 * <a href="https://arxiv.org/abs/1905.09272">arXiv:1905.09272</a>).
 *
 * <p>A context network predicts from known rows of patches the patches of later rows, and must identify them among all patches
 * of all images of the batch. Rows whose patches overlap those of the last known row are not predicted, because they share
 * pixels with it.
 *
 * <p>A view is cut into its patches before they are augmented singly, which keeps the colours of an image from giving its patches
 * away (Hénaff et al. 2020, section 3). The trained network therefore takes patches that stand side by side; the exported one cuts an
 * image itself.
 *
 * <p>By default, predictions and targets are compared by their cosine over a temperature, as in SimCLR. The papers take dot products,
 * whose scale the network must find first: on 10,000 small images that takes most of a short training (docs/methods.md).
 *
 * @since 0.1.0
 */
public final class Cpc implements MethodFactory {
    /** Number of rows to predict. */
    public static final Option<Integer> STEPS = Option.whole(
            "steps",
            1,
            1,
            64,
            "Number of rows to predict, from the nearest one that shares no pixels with the known rows",
            "Hénaff et al. 2020, appendix A: one row, in the code of its appendix");
    /** Number of directions of prediction. */
    public static final Option<Integer> DIRECTIONS = Option.whole(
            "directions",
            1,
            1,
            4,
            "Directions of prediction, each with a context network: down, up, right and left",
            "Hénaff et al. 2020, section 4.1: four directions are 1.5 points better than one, but take more time per step");
    /** Layers of the context network. */
    public static final Option<Integer> LAYERS = Option.whole(
            "context-layers", 5, 1, 64, "Residual layers of the context network", "Hénaff et al. 2020, appendix A");
    /** Channels of the context network. */
    public static final Option<Integer> WIDTH = Option.whole(
            "context-width",
            0,
            0,
            1 << 13,
            "Channels within those layers; 0 for half the encoder's dimension",
            "256 for 1024 in Hénaff et al. 2020, appendix A");
    /** Length of predictions and targets. */
    public static final Option<Integer> LENGTH = Option.whole(
            "prediction-length",
            64,
            1,
            1 << 13,
            "Length of predictions and their targets",
            "Hénaff et al. 2020, appendix A");
    /** Temperature of the cosines. */
    public static final Option<Double> TEMPERATURE =
            SimClr.TEMPERATURE.withDefault(0.1, "SimCLR's range; the papers have none");
    /** Whether predictions and targets are compared without normalisation. */
    public static final Option<Boolean> DOT_PRODUCT = Option.flag(
            "dot-product",
            "Compare predictions and targets by their dot product, as"
                    + " the papers do, and not by their cosine; this needs a lower learning rate and far longer training",
            "van den Oord et al. 2018, equation 4");
    /** Factor of the predictions, which keeps the first logits small. */
    private static final float SCALE = 0.1f;

    /** Most logits of a part of the loss, 8.6 GB in float32; the gradient takes as much again. */
    private static final long MOST_LOGITS = 1L << 31;

    private static final String TARGETS = "targets";

    @Override
    public String name() {
        return "cpc";
    }

    @Override
    public String summary() {
        return "Later rows of patches are predicted from known ones and identified among all patches of the batch's images (CPC v2, after van"
                + " den Oord et al. 2018, arXiv:1807.03748)";
    }

    @Override
    public String paper() {
        return "https://arxiv.org/abs/1905.09272";
    }

    @Override
    public List<Option<?>> options() {
        return List.of(STEPS, DIRECTIONS, LAYERS, WIDTH, LENGTH, TEMPERATURE, DOT_PRODUCT);
    }

    @Override
    public Map<Option<?>, String> withoutEffect(OptionValues values) {
        return values.get(DOT_PRODUCT) ? Map.of(TEMPERATURE, "without dot-product") : Map.of();
    }

    @Override
    public void defaults(Defaults d) {
        d.views("crop:0.3,flip,jitter:0.4/0.4/0.4/0.1,grey,patches,crop:0.36,flip,jitter:0.4/0.4/0.4/0.1,grey@0.5")
                .adamRateFactor(0.25);
    }

    /** Refuses a loss whose logits need more memory than a machine has, since that is only seen when the first step fails. */
    @Override
    public void check(OptionValues o, Defaults run) {
        PatchGrid grid = patches(run.encoder());
        long side = grid.along(run.imageSize());
        long rows = IntStream.range(0, o.get(STEPS))
                .mapToLong(step -> Math.max(0, side - overlap(grid) - step))
                .sum();
        long batch = Math.min(run.batch(), run.images());
        long predictions = batch * rows * side * o.get(DIRECTIONS);
        long targets = batch * side * side;
        long parts = run.microBatch() == 0 ? 1 : Math.max(1, batch / run.microBatch());
        double logits = (double) predictions * targets / parts;
        if (logits > MOST_LOGITS) {
            throw new IllegalArgumentException(String.format(
                    Locale.ROOT,
                    "cpc compares %d predictions with %d patches in each step, which takes %.0f GB of memory for the logits alone:"
                            + " choose larger patches (patch-size and patch-stride of resnet18-patches), a smaller batch, or a smaller"
                            + " micro-batch",
                    predictions,
                    targets,
                    logits * Float.BYTES / 1e9));
        }
    }

    @Override
    public HeadUse headUse() {
        return HeadUse.NONE;
    }

    /** Returns 1, because the patches of one view are compared. */
    @Override
    public int views() {
        return 1;
    }

    @Override
    public Architecture encoder(Architecture chosen, int imageSize) {
        if (chosen instanceof ResNet net) {
            int side = Math.max(PatchGrid.usual(imageSize).side(), PatchEncoder.leastPatch(net.stem()));
            return new PatchEncoder(net, side, side / 2);
        } else if (chosen instanceof PatchEncoder) {
            return chosen;
        }
        throw new IllegalArgumentException(
                "Method cpc trains an encoder of patches: expected architecture resnet18 to resnet152, or"
                        + " resnet18-patches to resnet152-patches, found " + chosen.name());
    }

    @Override
    public PatchGrid patches(Architecture encoder) {
        return encoder instanceof PatchEncoder p ? new PatchGrid(p.patch(), p.stride()) : PatchGrid.NONE;
    }

    @Override
    public Method create(MethodContext context) {
        OptionValues o = context.options();
        LayerGraph.Builder g = PatchEncoder.ofCutImages(context.encoder()).extend();
        Node patches = g.output(PatchEncoder.PATCHES);
        int side = (int) Math.round(Math.sqrt(patches.shape().get(0)));
        int dimension = patches.shape().get(1);
        int first = overlap(grid(context.encoder()));
        if (first >= side) {
            throw new IllegalArgumentException(
                    "A grid of " + side + "x" + side + " patches, each of which overlaps the next " + (first - 1)
                            + ", leaves no row to predict: choose smaller patches or larger images");
        }
        int steps = o.get(STEPS);
        if (first + steps > side) {
            throw new IllegalArgumentException("steps must be at most " + (side - first) + " for a grid of " + side
                    + "x" + side + " patches, each of which overlaps the next " + (first - 1) + ", found " + steps);
        }
        Node map = g.add(
                new Layer.Transpose(List.of(2, 0, 1)),
                g.add(new Layer.Reshape(List.of(side, side, dimension)), patches));
        g.output(
                TARGETS,
                g.add(new Layer.Dense("target", dimension, o.get(LENGTH), true, Weight.fanIn(dimension)), patches));
        List<Prediction> predictions = new ArrayList<>();
        int width = o.get(WIDTH) == 0 ? Math.max(1, dimension / 2) : o.get(WIDTH);
        for (Direction d : Arrays.asList(Direction.values()).subList(0, o.get(DIRECTIONS))) {
            String name = "context." + d.name().toLowerCase(Locale.ROOT);
            Node contexts = new ContextNetwork(g, d, name, width).append(map, o.get(LAYERS));
            for (int step = first; step < first + steps; step++) {
                predictions.add(predict(g, contexts, d, step, name + ".prediction." + step, o.get(LENGTH)));
            }
        }
        List<String> results = new ArrayList<>(List.of(TARGETS));
        predictions.forEach(p -> results.add(p.name()));
        return new Predicting(
                new Branch(context.train(g.build()), List.of(0), results, true),
                predictions,
                (long) context.batch() * side * side,
                o.get(DOT_PRODUCT) ? OptionalDouble.empty() : OptionalDouble.of(o.get(TEMPERATURE)));
    }

    private static PatchGrid grid(LayerGraph encoder) {
        Layer.Patches patches = (Layer.Patches) encoder.nodes().stream()
                .map(Node::layer)
                .filter(l -> l instanceof Layer.Patches)
                .findFirst()
                .orElseThrow();
        return new PatchGrid(patches.side(), patches.stride());
    }

    /** Returns the distance in rows at which patches share no pixels. */
    private static int overlap(PatchGrid grid) {
        return (grid.side() + grid.stride() - 1) / grid.stride();
    }

    /**
     * The predictions of one matrix.
     *
     * @param name name of the result, [locations, length]
     * @param places indices of the predicted patches, in the order of the result
     */
    private record Prediction(String name, int[] places) {}

    private static Prediction predict(
            LayerGraph.Builder g, Node contexts, Direction d, int step, String name, int length) {
        int side = contexts.shape().get(1);
        int dimension = contexts.shape().get(0);
        // The contexts that have a patch this many rows ahead.
        Node some =
                g.add(new Layer.Slice(d.axis(), d.fromZero() ? 0 : step, d.fromZero() ? side - step : side), contexts);
        int count = (side - step) * side;
        Node rows =
                g.add(new Layer.Reshape(List.of(count, dimension)), g.add(new Layer.Transpose(List.of(1, 2, 0)), some));
        Node y = g.add(new Layer.Dense(name, dimension, length, true, Weight.fanIn(dimension)), rows);
        g.output(name, g.add(new Layer.Scale(SCALE), y));
        int ahead = d.fromZero() ? step : -step;
        int[] places = IntStream.range(0, side * side)
                .filter(p -> {
                    int at = (d.axis() == 1 ? p / side : p % side) + ahead;
                    return at >= 0 && at < side;
                })
                .map(p -> p + ahead * (d.axis() == 1 ? side : 1))
                .toArray();
        return new Prediction(name, places);
    }

    /**
     * Returns equation 4 of van den Oord et al. 2018 without temperature: the mean cross entropy of identifying the predicted
     * patch among all patches of all images.
     *
     * @param predictions [rows, d]
     * @param targets [images * patches, d]
     * @param right for each prediction the row of its target
     */
    static NDArray loss(NDArray predictions, NDArray targets, int[] right) {
        return Losses.crossEntropy(predictions.matMul(targets.transpose()), right);
    }

    /** Compares predictions with targets, by their cosines over a temperature or without one by their dot products. */
    private record Predicting(Branch branch, List<Prediction> predictions, long candidates, OptionalDouble temperature)
            implements Method {
        @Override
        public List<Branch> branches() {
            return List.of(branch);
        }

        /** Returns the number of images, because each has equally many predictions. */
        @Override
        public int anchors(int images) {
            return images;
        }

        /** Returns the predictions of a range of images, image by image, [images * predictions, d]. */
        private NDArray predicted(Embeddings z) {
            NDList parts = new NDList();
            predictions.forEach(p -> parts.add(z.of(branch, p.name()).get(z.from() + ":" + z.to())));
            NDArray all = parts.size() == 1 ? parts.get(0) : NDArrays.concat(parts, 1);
            return all.reshape(-1, all.getShape().get(2));
        }

        private int[] places() {
            return predictions.stream()
                    .flatMapToInt(p -> IntStream.of(p.places()))
                    .toArray();
        }

        @Override
        public Loss loss(Embeddings z) {
            NDArray targets = z.of(branch, TARGETS);
            int all = (int) targets.getShape().get(1);
            int[] places = places();
            int[] right = IntStream.range(z.from(), z.to())
                    .flatMap(i -> IntStream.of(places).map(p -> i * all + p))
                    .toArray();
            NDArray rows = predicted(z);
            NDArray flat = targets.reshape(-1, targets.getShape().get(2));
            if (temperature.isPresent()) {
                rows = Rows.normalise(rows).mul(Rows.number(rows, 1 / temperature.getAsDouble()));
                flat = Rows.normalise(flat);
            }
            // Monitoring uses only the first prediction of each image.
            NDArray first = rows.stopGradient()
                    .reshape(new Shape(z.to() - z.from(), places.length, -1))
                    .get(":, 0");
            int[] own = IntStream.range(z.from(), z.to())
                    .map(i -> i * all + places[0])
                    .toArray();
            return Loss.of(
                    Cpc.loss(rows, flat, right),
                    Losses.rankOf(first.matMul(flat.stopGradient().transpose()), own));
        }

        @Override
        public NDList pairs(Embeddings z) {
            NDArray targets = z.of(branch, TARGETS).stopGradient();
            Prediction one = predictions.get(0);
            return new NDList(
                    z.of(branch, one.name()).stopGradient().get(":, 0"), targets.get(":, " + one.places()[0]));
        }

        @Override
        public double lossAtCollapse() {
            return Math.log(candidates);
        }
    }
}
