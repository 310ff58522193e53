package io.github.simclr4j.train.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.github.simclr4j.train.PretrainSettings;
import io.github.simclr4j.train.loop.Batch;
import io.github.simclr4j.train.loop.Passes;
import io.github.simclr4j.train.loop.Step;
import io.github.simclr4j.train.network.Network;
import java.util.List;
import java.util.Map;

/**
 * How the views of a batch become a loss. A method is one small class over the shared parts: it says which networks embed which
 * views with gradient, and what the loss of these embeddings is. Micro-batches, mixed precision, the optimiser, checkpoints and
 * the monitor are the same for all ({@link Step}).
 */
public interface Method extends AutoCloseable {
    /**
     * A network that gets gradients, and the views that it embeds, in one batch.
     *
     * @param network what embeds
     * @param views 0 and 1, or one of them
     */
    record Branch(Network network, int... views) {}

    /**
     * What some anchors came to.
     *
     * @param loss the mean over them, a scalar
     * @param rank for each the number of candidates that are as near as its positive or nearer, without gradient, float32
     */
    record Part(NDArray loss, NDArray rank) {}

    /**
     * What a batch came to. All but the loss is for the monitor, without gradient.
     *
     * @param loss a scalar
     * @param rank of all anchors, see {@link Part}
     * @param anchors [n, d]
     * @param positives [n, d], the other view of each
     */
    record Outcome(NDArray loss, NDArray rank, NDArray anchors, NDArray positives) {}

    /** The networks that get gradients; the first is the one that is exported. */
    List<Branch> branches();

    /** Makes what the loss needs beside the embeddings, such as keys; no gradient is recorded. */
    default void prepare(Batch batch, NDManager manager) {}

    /** How many anchors the loss is a mean over; every projection is one, unless a method says otherwise. */
    default int anchors(NDArray z) {
        return (int) z.getShape().get(0);
    }

    /** False if the loss of all anchors is not the mean of the losses of some of them at a time. */
    default boolean separable() {
        return true;
    }

    /**
     * The loss of some anchors. With micro-batches it is asked for a part of the anchors at a time, so that what compares each with
     * all others never stands in memory at once.
     *
     * @param batch the images and their labels
     * @param z projections before normalisation, branch by branch and view by view, [views * N, d], float32
     * @param from first anchor
     * @param to anchor after the last
     */
    Part loss(Batch batch, NDArray z, int from, int to);

    /** The anchors that the monitor looks at, and the positive of each, without gradient: the two views of each image. */
    default NDList pairs(NDArray z) {
        NDArray fixed = z.stopGradient();
        long n = z.getShape().get(0) / 2;
        return new NDList(fixed.get(":" + n), fixed.get(n + ":"));
    }

    /** After the weights have moved, such as of a momentum encoder; {@code done} is the share of the run that is over. */
    default void finish(double done) {}

    /** The loss of a network that has learnt nothing, which a collapsed one keeps; NaN where there is none. */
    double chance();

    /** Steps at the start in which the loss may well rise. */
    default int settling() {
        return 0;
    }

    /** Tensors beside those of the branches' networks, to save and to fill again. */
    default Map<String, NDArray> state() {
        return Map.of();
    }

    /** Frees what the method made itself; the first branch's network is the caller's. */
    @Override
    default void close() {}

    /**
     * The method that settings name.
     *
     * @param network what is exported; the caller's to close
     * @param batch images a step
     * @param passes how a network is run without gradient
     */
    static Method of(PretrainSettings settings, Network network, int batch, Passes passes) {
        MethodSettings s = settings.method();
        return switch (s.name()) {
            case "simclr" -> new SimClr(s, network, batch);
            case "mocov1", "mocov2" -> new MoCo(s, network, batch, passes, settings.seed());
            case "end-to-end" -> new EndToEnd(s, network, batch);
            case "supervised" -> new Supervised(network);
            default -> throw new IllegalArgumentException(s.name());
        };
    }
}
