// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import ai.djl.ndarray.NDArray;
import io.github.simclr4j.onnx.network.ProjectionHead;
import io.github.simclr4j.train.loss.Losses;
import io.github.simclr4j.util.OptionValues;
import java.util.List;

/**
 * Supervised training of the encoder on the same views: a linear classifier as head, and the cross entropy of both views of an
 * image with its label. It is the baseline of the other methods, and it fine-tunes encoders.
 *
 * @since 0.1.0
 */
public final class Supervised implements MethodFactory {
    @Override
    public String name() {
        return "supervised";
    }

    @Override
    public String summary() {
        return "A linear classifier on the same views, as a supervised baseline";
    }

    @Override
    public String paper() {
        return "https://arxiv.org/abs/2002.05709";
    }

    @Override
    public String publishedOptimizer() {
        return "sgd";
    }

    @Override
    public boolean needsLabels(OptionValues values) {
        return true;
    }

    @Override
    public HeadUse headUse() {
        return HeadUse.CLASSIFIER;
    }

    @Override
    public Method create(MethodContext context) {
        return new Classifier(
                Branch.trained(context.train(context.encoder()), ProjectionHead.PROJECTION, 0, 1), context.classes());
    }

    private record Classifier(Branch both, int classes) implements Method {
        @Override
        public List<Branch> branches() {
            return List.of(both);
        }

        @Override
        public int anchors(int images) {
            return 2 * images;
        }

        @Override
        public Loss loss(Embeddings z) {
            int[] labels = labels(z);
            NDArray some = z.of(both).get(z.from() + ":" + z.to());
            return Loss.of(Losses.crossEntropy(some, labels), Losses.rankOf(some.stopGradient(), labels));
        }

        @Override
        public double lossAtCollapse() {
            return Math.log(classes);
        }
    }

    /** Returns the class of the image of each requested anchor. */
    static int[] labels(Embeddings z) {
        int[] labels = new int[z.to() - z.from()];
        for (int i = 0; i < labels.length; i++) {
            labels[i] = z.labels()[(z.from() + i) % z.size()];
        }
        return labels;
    }
}
