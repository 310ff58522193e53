package io.github.simclr4j.train.method;

import ai.djl.ndarray.NDArray;
import io.github.simclr4j.onnx.network.ProjectionHead;
import io.github.simclr4j.train.loss.Losses;
import io.github.simclr4j.util.OptionValues;
import java.util.List;

/**
 * Supervised training of the same encoder on the same views: the head is a linear classifier, and the loss is the cross entropy
 * of both views of an image with its label. What the others are compared with, and what fine-tunes an encoder.
 */
public final class Supervised implements MethodFactory {
    @Override
    public String name() {
        return "supervised";
    }

    @Override
    public String summary() {
        return "A linear classifier on the same views, for comparison";
    }

    @Override
    public String paper() {
        return "https://arxiv.org/abs/2002.05709";
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
        return new Classifier(Branch.trained(context.train(context.encoder()), ProjectionHead.PROJECTION, 0, 1),
                context.classes());
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

    /** The class of the image of each anchor that is asked for. */
    static int[] labels(Embeddings z) {
        int[] labels = new int[z.to() - z.from()];
        for (int i = 0; i < labels.length; i++) {
            labels[i] = z.labels()[(z.from() + i) % z.size()];
        }
        return labels;
    }
}
