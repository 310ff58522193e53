// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import io.github.simclr4j.onnx.network.Architecture;
import io.github.simclr4j.onnx.network.LayerGraph;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.onnx.network.TwoTowers;
import io.github.simclr4j.train.loss.Losses;
import io.github.simclr4j.util.Option;
import java.util.List;

/**
 * CMC, contrastive multiview coding (Tian, Krishnan and Isola 2020,
 * <a href="https://arxiv.org/abs/1906.05849">arXiv:1906.05849</a>).
 *
 * <p>The luminance and the chrominance of one crop are a positive pair; those of the other images of the batch are negatives.
 * Each has an encoder of half the width. The exported encoder runs both side by side.
 *
 * @since 0.1.0
 */
public final class Cmc implements MethodFactory {
    /** Temperature of the loss. */
    public static final Option<Double> TEMPERATURE =
            SimClr.TEMPERATURE.withDefault(0.07, "Tian et al. 2020; 0.1 for STL-10");

    private static final String LUMINANCE = "luminance.projection";
    private static final String CHROMINANCE = "chrominance.projection";

    @Override
    public String name() {
        return "cmc";
    }

    @Override
    public String summary() {
        return "The luminance and the chrominance of a crop are a positive pair, those of the batch's other images are negatives";
    }

    @Override
    public String paper() {
        return "https://arxiv.org/abs/1906.05849";
    }

    @Override
    public String publishedOptimizer() {
        return "sgd";
    }

    @Override
    public List<Option<?>> options() {
        return List.of(TEMPERATURE);
    }

    /** Sets a linear head of 128 and crops of at least a fifth of the image without colour jitter, as in the paper. */
    @Override
    public void defaults(Defaults d) {
        d.head("linear").headNorm(false).projection(128).views("crop:0.2,flip");
    }

    @Override
    public HeadUse headUse() {
        return HeadUse.PARTS;
    }

    /** Returns 1, because luminance and chrominance come from one crop. */
    @Override
    public int views() {
        return 1;
    }

    @Override
    public Architecture encoder(Architecture chosen, int imageSize) {
        if (chosen instanceof ResNet net) {
            return new TwoTowers(net, TwoTowers.Space.YCBCR);
        } else if (chosen instanceof TwoTowers) {
            return chosen;
        }
        throw new IllegalArgumentException(
                "Method cmc splits a ResNet into two towers: expected architecture resnet18 to resnet152, or"
                        + " resnet18-towers to resnet152-towers, found " + chosen.name());
    }

    @Override
    public Method create(MethodContext context) {
        LayerGraph.Builder graph = context.encoder().extend();
        context.head().append(graph, graph.output(TwoTowers.LUMINANCE), LUMINANCE);
        context.head().append(graph, graph.output(TwoTowers.CHROMINANCE), CHROMINANCE);
        return new Towers(
                new Branch(context.train(graph.build()), List.of(0), List.of(LUMINANCE, CHROMINANCE), true),
                context.options().get(TEMPERATURE),
                context.batch());
    }

    /**
     * Returns the loss of section 3.1 with in-batch negatives, {@code CE(z1 z2' / t) + CE(z2 z1' / t)}, where the positive of row
     * i is column i and all rows are normalised.
     *
     * @param luminance z1, [N, d]
     * @param chrominance z2, [N, d]
     * @param from index of the first image that the loss averages over, inclusive
     * @param to index after the last image, exclusive
     */
    static NDArray loss(NDArray luminance, NDArray chrominance, double temperature, int from, int to) {
        return half(luminance, chrominance, temperature, from, to)
                .add(half(chrominance, luminance, temperature, from, to));
    }

    private static NDArray half(NDArray anchors, NDArray others, double temperature, int from, int to) {
        return Losses.crossEntropyOfDiagonal(logits(anchors, others, temperature, from, to), from);
    }

    private static NDArray logits(NDArray anchors, NDArray others, double temperature, int from, int to) {
        return Losses.queryKeyLogits(NDArrays.concat(new NDList(anchors, others)), temperature, from, to);
    }

    private record Towers(Branch both, double temperature, int batch) implements Method {
        @Override
        public List<Branch> branches() {
            return List.of(both);
        }

        @Override
        public int anchors(int images) {
            return images;
        }

        @Override
        public Loss loss(Embeddings z) {
            NDArray luminance = z.of(both, LUMINANCE);
            NDArray chrominance = z.of(both, CHROMINANCE);
            NDArray logits =
                    logits(luminance.stopGradient(), chrominance.stopGradient(), temperature, z.from(), z.to());
            return Loss.of(
                    Cmc.loss(luminance, chrominance, temperature, z.from(), z.to()),
                    Losses.rankOfDiagonal(logits, z.from()));
        }

        @Override
        public NDList pairs(Embeddings z) {
            return new NDList(
                    z.of(both, LUMINANCE).stopGradient(),
                    z.of(both, CHROMINANCE).stopGradient());
        }

        /** Returns the loss of guessing among the batch in both directions. */
        @Override
        public double lossAtCollapse() {
            return 2 * Math.log(batch);
        }
    }
}
