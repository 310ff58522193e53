// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.Activation;
import io.github.simclr4j.onnx.network.AmdimEncoder;
import io.github.simclr4j.onnx.network.Architecture;
import io.github.simclr4j.onnx.network.Layer;
import io.github.simclr4j.onnx.network.LayerGraph;
import io.github.simclr4j.onnx.network.LayerGraph.Node;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.onnx.network.Weight;
import io.github.simclr4j.train.loss.Losses;
import io.github.simclr4j.train.loss.Rows;
import io.github.simclr4j.util.Option;
import io.github.simclr4j.util.OptionValues;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * AMDIM, augmented multiscale deep infomax (Bachman, Hjelm and Buchwalter 2019,
 * <a href="https://arxiv.org/abs/1906.00910">arXiv:1906.00910</a>).
 *
 * <p>The global features of one view, and one random location of its 5x5 feature map, must identify all locations of the 5x5
 * and 7x7 maps of the image's other view among all locations of all other images.
 *
 * @since 0.1.0
 */
public final class Amdim implements MethodFactory {
    /** The bound of the scores. */
    public static final Option<Double> CLIP = Option.above(
            "score-clip", 20.0, 0, "c, the soft bound of scores s: c tanh(s / c)", "Bachman et al. 2019, section 3.4");
    /** Weight of the penalty on large scores. */
    public static final Option<Double> PENALTY = Option.atLeast(
            "score-penalty",
            0.05,
            0,
            "Weight of the mean squared score before bounding",
            "the authors' code; 0.04 in Bachman et al. 2019, section 3.4");

    private static final double SMALLEST_CLIP = 1e-30;
    private static final double LARGEST_CLIP = 1e24;

    private static final String F1 = "f1";
    private static final String F5 = "f5";
    private static final String F7 = "f7";

    @Override
    public String name() {
        return "amdim";
    }

    @Override
    public String summary() {
        return "Features of a view and locations of the other view's feature maps are positive pairs; locations of other images are negatives";
    }

    @Override
    public String paper() {
        return "https://arxiv.org/abs/1906.00910";
    }

    @Override
    public List<Option<?>> options() {
        return List.of(CLIP, PENALTY);
    }

    /** Sets the views of the authors' code for STL-10, except that each view is flipped by itself: theirs flips an image once for both. */
    @Override
    public void defaults(Defaults d) {
        d.views("crop:0.3,flip,jitter:0.4/0.4/0.4/0.2,grey@0.25").adamRateFactor(0.0625);
    }

    @Override
    public HeadUse headUse() {
        return HeadUse.NONE;
    }

    /** Returns the AMDIM encoder; a ResNet-18 stands for the AMDIM encoder of about the same cost. */
    @Override
    public Architecture encoder(Architecture chosen, int imageSize) {
        if (chosen instanceof ResNet net && net.depth() == 18) {
            int channels = Math.max(1, (int) Math.round(128 * net.width()));
            return new AmdimEncoder(channels, 8 * channels, 3);
        } else if (chosen instanceof AmdimEncoder) {
            return chosen;
        }
        throw new IllegalArgumentException(
                "Method amdim trains its own encoder: expected architecture amdim, or resnet18 for an"
                        + " AMDIM encoder of about the same cost, found " + chosen.name());
    }

    @Override
    public Method create(MethodContext context) {
        LayerGraph.Builder g = context.encoder().extend();
        Node features = g.output(LayerGraph.FEATURES);
        int length = features.shape().get(0);
        g.output(F1, features);
        g.output(F5, places(g, g.output(AmdimEncoder.MAP_5), "f5", length));
        g.output(F7, places(g, g.output(AmdimEncoder.MAP_7), "f7", length));
        OptionValues o = context.options();
        return new Maps(
                new Branch(context.train(g.build()), List.of(0, 1), List.of(F1, F5, F7), true),
                o.get(CLIP),
                o.get(PENALTY),
                context.batch(),
                context.seed());
    }

    /** Embeds each location of a feature map (section 3.6) by two 1x1 convolutions and a shortcut, [locations, length]. */
    private static Node places(LayerGraph.Builder g, Node map, String name, int length) {
        int in = map.shape().get(0);
        Node y = g.relu(g.add(conv(name + ".conv1", in, length, false), map));
        y = g.add(
                new Layer.Add(),
                g.add(conv(name + ".conv2", length, length, false), y),
                g.add(conv(name + ".shortcut", in, length, true), map));
        y = g.add(new Layer.BatchNorm(name + ".norm", length, ResNet.EPSILON, true, false), y);
        int count = map.shape().get(1) * map.shape().get(2);
        return g.add(new Layer.Reshape(List.of(count, length)), g.add(new Layer.Transpose(List.of(1, 2, 0)), y));
    }

    private static Layer.Conv conv(String name, int in, int out, boolean bias) {
        return new Layer.Conv(name, in, out, 1, 1, 0, 1, bias, Weight.heFanOut(out, 1));
    }

    /**
     * Returns half the sum of the six terms of section 3.5 (1 to 5, 1 to 7 and 5 to 5, each from both views).
     *
     * @param maps of the first view, then of the second: features [N, d], 5x5 locations [N, 25, d], 7x7 locations [N, 49, d]
     * @param at for each image the location of the 5x5 map that the term 5 to 5 starts from
     * @param from index of the first image that the loss averages over, inclusive
     * @param to index after the last image, exclusive
     */
    static NDArray loss(List<NDArray> maps, int[] at, double clip, double penalty, int from, int to) {
        NDArray sum = null;
        for (int view = 0; view < 2; view++) {
            NDArray f1 = maps.get(3 * view);
            NDArray f5 = maps.get(3 * view + 1);
            NDArray other5 = maps.get(3 * (1 - view) + 1);
            NDArray other7 = maps.get(3 * (1 - view) + 2);
            NDArray one = f1.get(from + ":" + to);
            NDArray place = place(f5.get(from + ":" + to), Arrays.copyOfRange(at, from, to));
            NDArray terms = term(one, other5, clip, penalty, from)
                    .add(term(one, other7, clip, penalty, from))
                    .add(term(place, other5, clip, penalty, from));
            sum = sum == null ? terms : sum.add(terms);
        }
        return sum.mul(Rows.number(sum, 0.5));
    }

    /** Returns one location of each image, [n, d] of [n, locations, d]. */
    private static NDArray place(NDArray map, int[] at) {
        long places = map.getShape().get(1);
        long[] rows = new long[at.length];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = i * places + at[i];
        }
        return map.reshape(-1, map.getShape().get(2)).get(map.getManager().create(rows));
    }

    /**
     * Returns equation 2 with the bound of section 3.4 and the penalty: the positives of an antecedent are all locations of its
     * image, the negatives are all locations of all other images.
     *
     * @param antecedents [n, d], of the images that start at {@code from}
     * @param map [N, locations, d]
     */
    private static NDArray term(NDArray antecedents, NDArray map, double clip, double penalty, int from) {
        long n = antecedents.getShape().get(0);
        long images = map.getShape().get(0);
        long places = map.getShape().get(1);
        long d = map.getShape().get(2);
        NDArray scores = antecedents.matMul(map.reshape(-1, d).transpose()).mul(Rows.number(map, 1 / Math.sqrt(d)));
        NDArray large = scores.square().mean().mul(Rows.number(map, penalty));
        NDArray bounded = bounded(scores, clip);
        NDArray image = map.getManager().arange((int) images).repeat(0, places).reshape(1, -1);
        NDArray others = map.getManager()
                .arange(from, from + (int) n)
                .reshape(-1, 1)
                .neq(image)
                .broadcast(bounded.getShape());
        NDArray candidates = NDArrays.where(
                others,
                bounded,
                map.getManager().full(bounded.getShape(), Float.NEGATIVE_INFINITY, bounded.getDataType()));
        // Subtracting the largest candidate keeps the exponentials from overflowing, and one of them from being 0.
        NDArray largest = candidates.max(new int[] {1}, true).stopGradient();
        NDArray negatives =
                candidates.sub(largest).exp().sum(new int[] {1}, true).log().add(largest);
        NDArray own = bounded.gather(columns(map, from, n, places), 1);
        // log(exp(own) + negatives) - own
        return Activation.softPlus(negatives.sub(own)).mean().add(large);
    }

    /** Returns {@code c tanh(s / c)} of section 3.4 for scores s. */
    private static NDArray bounded(NDArray scores, double clip) {
        // Within these limits neither c nor 1 / c overflows or vanishes in float32; beyond them the result rounds to
        // the same.
        double c = Math.min(Math.max(clip, SMALLEST_CLIP), LARGEST_CLIP);
        return Activation.tanh(scores.mul(Rows.number(scores, 1 / c))).mul(Rows.number(scores, c));
    }

    /** Returns the columns of each image's own locations, int64 [n, locations]. */
    private static NDArray columns(NDArray map, int from, long n, long places) {
        return map.getManager()
                .arange((int) (from * places), (int) ((from + n) * places))
                .toType(DataType.INT64, false)
                .reshape(n, places);
    }

    private record Maps(Branch both, double clip, double penalty, int batch, long seed) implements Method {
        @Override
        public List<Branch> branches() {
            return List.of(both);
        }

        @Override
        public int anchors(int images) {
            return images;
        }

        private List<NDArray> maps(Embeddings z) {
            int n = z.size();
            return List.of(
                    z.of(both, F1).get(":" + n),
                    z.of(both, F5).get(":" + n),
                    z.of(both, F7).get(":" + n),
                    z.of(both, F1).get(n + ":"),
                    z.of(both, F5).get(n + ":"),
                    z.of(both, F7).get(n + ":"));
        }

        /** Returns the same locations for the same images in the same order, so that a step can be repeated. */
        private int[] places(Embeddings z) {
            return new Random(seed * 31 + Arrays.hashCode(z.images()))
                    .ints(z.size(), 0, 25)
                    .toArray();
        }

        @Override
        public Loss loss(Embeddings z) {
            NDArray first = z.view(both, 0).stopGradient();
            NDArray second = z.view(both, 1).stopGradient();
            NDArray near = Losses.queryKeyLogits(NDArrays.concat(new NDList(first, second)), 1, z.from(), z.to());
            return Loss.of(
                    Amdim.loss(maps(z), places(z), clip, penalty, z.from(), z.to()),
                    Losses.rankOfDiagonal(near, z.from()));
        }

        /** Returns the loss if all scores are 0. */
        @Override
        public double lossAtCollapse() {
            return 2 * Math.log(1 + (batch - 1) * 25.0) + Math.log(1 + (batch - 1) * 49.0);
        }
    }
}
