package io.github.simclr4j.train.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/**
 * How the views of a batch become a loss. A method names its {@linkplain Branch branches}, which are passes of networks over views,
 * and computes the loss of what they embed. Views, micro-batches, precision, the optimizer, moving averages, checkpoints and the
 * monitor are the same for all methods and work without a method's help.
 *
 * <p>A {@link MethodFactory} makes it, and declares its name, options and defaults. Tensors are DJL's; everything that a method
 * computes in a step belongs to the manager of the embeddings and is freed after the step.
 */
public interface Method {
    /**
     * A loss, and what a step is watched by.
     *
     * @param value the loss, a scalar: the mean over the anchors that were asked for
     * @param rank for each anchor the number of candidates that are as near as its positive or nearer, [anchors], without gradient;
     *     null for a method without candidates
     * @param figures further scalars by name, without gradient, whose means over an epoch are reported
     */
    record Loss(NDArray value, NDArray rank, Map<String, NDArray> figures) {
        /** Returns a loss with a rank and without further figures. */
        public static Loss of(NDArray value, NDArray rank) {
            return new Loss(value, rank, Map.of());
        }

        /** Returns a loss without candidates. */
        public static Loss of(NDArray value) {
            return new Loss(value, null, Map.of());
        }
    }

    /**
     * Gets ready for the first step, such as by computing what a teacher says of each image. It is called once, after a checkpoint
     * was read, unless all epochs are done.
     *
     * @throws IOException if images can't be read, or what is kept of them can't be written
     * @throws java.io.InterruptedIOException if the thread was interrupted; a later run goes on from what is kept
     */
    default void begin(RunStart start) throws IOException {}

    /**
     * Returns what the loss needs of a step's images and views beside what the branches embed, such as a teacher's features; null,
     * the default, for nothing. It is called once a step, and the losses of all anchors get it as {@link Embeddings#targets}.
     *
     * @param manager owns the result
     */
    default NDArray targets(StepViews views, NDManager manager) {
        return null;
    }

    /** Returns the passes of a step; those without gradient run first. */
    List<Branch> branches();

    /** Returns the loss of a batch, or of the anchors from {@link Embeddings#from()} to {@link Embeddings#to()}. */
    Loss loss(Embeddings z);

    /**
     * Returns how many anchors the loss is a mean over, if it is the mean of the losses of some of them at a time: with micro-batches
     * it is then taken of a part of the anchors at a time, so that what compares each with all others never stands in memory at
     * once. Returns 0, the default, for a loss of the whole batch only, which no range of anchors is asked for.
     *
     * @param images in the batch
     */
    default int anchors(int images) {
        return 0;
    }

    /**
     * Returns embeddings and the positive of each, [n, d] both, without gradient, for alignment, uniformity and the effective rank.
     * By default these are the first two views of the first branch that gets gradients.
     */
    default NDList pairs(Embeddings z) {
        Branch first = branches().stream().filter(Branch::gradient).findFirst().orElseThrow();
        return new NDList(z.view(first, 0).stopGradient(), z.view(first, 1).stopGradient());
    }

    /** Returns the names of the further figures that each {@link Loss} of this method has. */
    default List<String> figures() {
        return List.of();
    }

    /** Changes the method's own state after the weights have moved, such as a queue of keys. */
    default void afterStep(Embeddings z) {}

    /**
     * Returns what the names of those weights begin with that always move by the base learning rate, whatever the schedule says; none
     * by default. The names are those of the network that holds the encoder.
     */
    default List<String> constantRate() {
        return List.of();
    }

    /** Returns the loss of networks whose embeddings are all equal, or NaN if it is not known. */
    default double lossAtCollapse() {
        return Double.NaN;
    }

    /**
     * Returns whether embeddings that are nearly all equal show that a run goes wrong; not so where they need only be as different as
     * a teacher's are.
     */
    default boolean needsSpread() {
        return true;
    }

    /**
     * Returns whether a positive can be told by batch norm statistics that all rows share, so that the batch should be split into
     * groups (shuffle BN, He et al. 2020, section 3.3).
     */
    default boolean needsGroups() {
        return false;
    }

    /** Returns the number of steps at the start in which the loss may well rise, such as those that fill a queue. */
    default int settlingSteps() {
        return 0;
    }
}
