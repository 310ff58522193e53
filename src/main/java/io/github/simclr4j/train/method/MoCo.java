// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import io.github.simclr4j.onnx.network.ProjectionHead;
import io.github.simclr4j.train.loss.Losses;
import io.github.simclr4j.train.loss.Rows;
import io.github.simclr4j.train.network.Network;
import io.github.simclr4j.util.Option;
import io.github.simclr4j.util.OptionValues;
import java.util.List;

/**
 * MoCo, momentum contrast (<a href="https://arxiv.org/abs/1911.05722">He et al. 2020</a>, algorithm 1).
 *
 * <p>The first view is the query. Its key is the second view, embedded by the momentum encoder. The negatives are keys of
 * earlier batches from a first-in, first-out queue. The momentum encoder starts as a copy of the encoder, gets no gradient, and
 * follows it as an exponential moving average: {@code key = m * key + (1 - m) * query} (equation 2). Versions 1 and 2 differ
 * only in head, views, temperature and schedule.
 *
 * <p>Batch norm statistics must not reveal which key belongs to which query. Queries and keys are therefore distributed over the
 * groups of a split batch in different random orders (shuffle BN, section 3.3).
 *
 * @since 0.1.0
 */
public abstract sealed class MoCo implements MethodFactory {
    /** Number of keys in the queue. */
    public static final Option<Integer> QUEUE = Option.whole(
            "queue",
            65_536,
            1,
            KeyQueue.MOST_KEYS,
            "Keys in the queue",
            "He et al. 2020; 4096 for fewer than 200000 images");
    /** Momentum of the momentum encoder at the start. */
    public static final Option<Double> MOMENTUM = Option.below(
            "momentum-encoder",
            0.999,
            0,
            1,
            "Momentum m of the momentum encoder: key = m*key + (1-m)*query",
            "He et al. 2020; 0.99 for fewer than 200000 images");
    /** Momentum of the momentum encoder at the end. */
    public static final Option<Double> MOMENTUM_END = Momentum.END.withDefault(0.0, "");
    /** Whether both views serve as queries. */
    public static final Option<Boolean> SYMMETRIC =
            Option.flag("symmetric", "Use both views as queries in turn (MoCo v3, Chen, Xie and He 2021)", "");

    private final Option<Double> temperature;

    private MoCo(Option<Double> temperature) {
        this.temperature = temperature;
    }

    /** MoCo v1 (He et al. 2020): a linear head, temperature 0.07, a step schedule of the learning rate. */
    public static final class V1 extends MoCo {
        /** Creates the factory. */
        public V1() {
            super(SimClr.TEMPERATURE.withDefault(0.07, "He et al. 2020"));
        }

        @Override
        public String name() {
            return "mocov1";
        }

        @Override
        public String paper() {
            return "https://arxiv.org/abs/1911.05722";
        }

        @Override
        public void defaults(Defaults d) {
            super.defaults(d);
            d.head("linear").schedule("step").views("mocov1");
        }
    }

    /**
     * MoCo v2 (<a href="https://arxiv.org/abs/2003.04297">Chen, Fan, Girshick and He 2020</a>): a non-linear head, temperature 0.2,
     * a cosine schedule of the learning rate.
     */
    public static final class V2 extends MoCo {
        /** Creates the factory. */
        public V2() {
            super(SimClr.TEMPERATURE.withDefault(0.2, "Chen, Fan, Girshick and He 2020"));
        }

        @Override
        public String name() {
            return "mocov2";
        }

        @Override
        public String paper() {
            return "https://arxiv.org/abs/2003.04297";
        }

        @Override
        public String summary() {
            return super.summary() + ", as in mocov1; with SimCLR's non-linear head and stronger views";
        }

        @Override
        public void defaults(Defaults d) {
            super.defaults(d);
            d.views(d.isSmall() ? "mocov2-cifar" : "mocov2");
        }
    }

    @Override
    public String summary() {
        return "A query and its key from a momentum encoder are a positive pair, a queue of earlier keys are negatives";
    }

    @Override
    public String publishedOptimizer() {
        return "sgd";
    }

    @Override
    public List<Option<?>> options() {
        return List.of(temperature, QUEUE, MOMENTUM, MOMENTUM_END, SYMMETRIC);
    }

    @Override
    public void defaults(Defaults d) {
        d.headNorm(false).bnSplits(splits(d)).adamRateFactor(0.5);
        if (d.optimizer().equals("sgd")) {
            d.warmupEpochs(0);
        }
        if (d.images() < KeyQueue.MANY_IMAGES) {
            d.option(QUEUE, 4096).option(MOMENTUM, 0.99);
        }
    }

    /** Returns the largest number of groups, up to 8, that splits the batch into groups of at least 8 images; 0 for none. */
    private static int splits(Defaults d) {
        int micro = d.microBatch() == 0 ? 1 : Math.max(1, d.batch() / d.microBatch());
        for (int n = 8; n > 1; n--) {
            if (n % micro == 0 && d.batch() % n == 0 && d.batch() / n >= 8) {
                return n;
            }
        }
        return 0;
    }

    @Override
    public void check(OptionValues o, Defaults run) {
        momentum(o);
        int keys = Math.min(run.batch(), Math.max(1, run.images())) * (o.get(SYMMETRIC) ? 2 : 1);
        KeyQueue.check(o.get(QUEUE), keys, "keys");
    }

    private static Momentum momentum(OptionValues o) {
        return Momentum.rising(o.get(MOMENTUM), o.get(MOMENTUM_END));
    }

    @Override
    public Method create(MethodContext context) {
        OptionValues o = context.options();
        boolean symmetric = o.get(SYMMETRIC);
        int size = o.get(QUEUE);
        Network query = context.train(context.encoder());
        Network key = context.follow("key", query, context.encoder(), momentum(o));
        int d = context.encoder().output(ProjectionHead.PROJECTION).shape().get(0);
        KeyQueue queue = KeyQueue.of(context, query, size, d);
        String z = ProjectionHead.PROJECTION;
        return new Queue(
                symmetric ? Branch.trained(query, z, 0, 1) : Branch.trained(query, z, 0),
                // The key of a query is the other view.
                symmetric ? Branch.fixed(key, z, 1, 0) : Branch.fixed(key, z, 1),
                queue,
                o.get(temperature),
                symmetric ? 2 * context.batch() : context.batch());
    }

    record Queue(Branch query, Branch key, KeyQueue queue, double temperature, int arriving) implements Method {
        @Override
        public List<Branch> branches() {
            return List.of(query, key);
        }

        @Override
        public int anchors(int images) {
            return images * query.views().size();
        }

        @Override
        public Loss loss(Embeddings z) {
            String some = z.from() + ":" + z.to();
            NDArray logits = Losses.queueLogits(z.of(query).get(some), keys(z).get(some), queue.rows(), temperature);
            return Loss.of(Losses.crossEntropyOfFirst(logits), Losses.rankOfFirst(logits.stopGradient()));
        }

        /** Returns the batch's normalised keys, in the order of the queries. */
        private NDArray keys(Embeddings z) {
            return Rows.normalise(z.of(key));
        }

        @Override
        public NDList pairs(Embeddings z) {
            return new NDList(z.of(query).stopGradient(), keys(z));
        }

        /** Replaces the oldest keys in the queue by those of the batch. */
        @Override
        public void afterStep(Embeddings z) {
            queue.enqueue(keys(z));
        }

        @Override
        public double lossAtCollapse() {
            return Math.log(queue.size() + 1);
        }

        @Override
        public boolean needsGroups() {
            return true;
        }

        /** Returns the steps that fill the queue, which starts as noise that is easily distinguished from keys. */
        @Override
        public int settlingSteps() {
            return queue.size() / arriving + 1;
        }
    }
}
