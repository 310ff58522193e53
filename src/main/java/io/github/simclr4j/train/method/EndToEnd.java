// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import io.github.simclr4j.onnx.network.ProjectionHead;
import io.github.simclr4j.train.loss.Losses;
import io.github.simclr4j.train.network.Network;
import io.github.simclr4j.util.Option;
import java.util.List;

/**
 * End-to-end contrastive learning with in-batch negatives, the baseline of MoCo
 * (<a href="https://arxiv.org/abs/1911.05722">He et al. 2020</a>, section 3.2 and figure 2a).
 *
 * <p>First views are queries, second views are keys. Queries and keys have separate encoders, which start equal and are both
 * trained. The negatives of a query are the keys of the other images of the batch.
 *
 * @since 0.1.0
 */
public final class EndToEnd implements MethodFactory {
    /** Temperature of the loss. */
    public static final Option<Double> TEMPERATURE = SimClr.TEMPERATURE.withDefault(0.2, "");

    @Override
    public String name() {
        return "end-to-end";
    }

    @Override
    public String summary() {
        return "A query and its key are a positive pair, the batch's other keys are negatives; both encoders are trained";
    }

    @Override
    public String paper() {
        return "https://arxiv.org/abs/1911.05722";
    }

    @Override
    public String publishedOptimizer() {
        return "sgd";
    }

    @Override
    public List<Option<?>> options() {
        return List.of(TEMPERATURE);
    }

    @Override
    public void defaults(Defaults d) {
        d.adamRateFactor(0.5);
    }

    @Override
    public Method create(MethodContext context) {
        Network query = context.train(context.encoder());
        Network key = context.trainCopy(query);
        return new QueriesAndKeys(
                Branch.trained(query, ProjectionHead.PROJECTION, 0),
                Branch.trained(key, ProjectionHead.PROJECTION, 1),
                context.options().get(TEMPERATURE),
                context.batch());
    }

    private record QueriesAndKeys(Branch query, Branch key, double temperature, int batch) implements Method {
        @Override
        public List<Branch> branches() {
            return List.of(query, key);
        }

        /** Returns the number of images, because every query is an anchor. */
        @Override
        public int anchors(int images) {
            return images;
        }

        @Override
        public Loss loss(Embeddings z) {
            NDArray both = NDArrays.concat(new NDList(z.of(query), z.of(key)));
            NDArray logits = Losses.queryKeyLogits(both, temperature, z.from(), z.to());
            return Loss.of(
                    Losses.crossEntropyOfDiagonal(logits, z.from()),
                    Losses.rankOfDiagonal(logits.stopGradient(), z.from()));
        }

        @Override
        public NDList pairs(Embeddings z) {
            return new NDList(z.of(query).stopGradient(), z.of(key).stopGradient());
        }

        @Override
        public double lossAtCollapse() {
            return Math.log(batch);
        }
    }
}
