// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/**
 * A self-supervised (or supervised) training method: turns the views of a batch into a loss.
 *
 * <p>A method names its {@linkplain Branch branches}, which are passes of networks over views, and computes the loss of their
 * embeddings. Views, micro-batches, precision, the optimizer, moving averages, checkpoints and monitoring are common to all
 * methods and need no support from a method.
 *
 * <p>A {@link MethodFactory} creates the method and declares its name, options and defaults. Tensors are DJL's. All tensors that
 * a method computes in a step belong to the manager of the embeddings and are freed after the step.
 *
 * @since 0.1.0
 */
public interface Method {
    /**
     * A loss and the values that the monitor records.
     *
     * @param value the loss, a scalar: the mean over the requested anchors
     * @param rank for each anchor the number of other candidates that are at least as similar as its positive, [anchors], without
     *     gradient; null for a method without candidates
     * @param figures further scalars by name, without gradient, whose means over an epoch are reported
     */
    record Loss(NDArray value, NDArray rank, Map<String, NDArray> figures) {
        /** Returns a loss with ranks and without further figures. */
        public static Loss of(NDArray value, NDArray rank) {
            return new Loss(value, rank, Map.of());
        }

        /** Returns a loss without ranks and further figures. */
        public static Loss of(NDArray value) {
            return new Loss(value, null, Map.of());
        }
    }

    /**
     * Prepares the first step, for example by computing a teacher's features of each image.
     *
     * <p>It is called once, after a checkpoint has been restored, unless all epochs are done.
     *
     * @param start images, folder and progress of the run
     * @throws IOException if an image cannot be read or a file cannot be written
     * @throws java.io.InterruptedIOException if the thread was interrupted; a later run continues from what has been saved
     */
    default void begin(RunStart start) throws IOException {}

    /**
     * Returns targets of a step that the loss needs beside the embeddings of the branches, such as a teacher's features.
     *
     * <p>It is called once per step. The losses of all ranges of anchors get the result as {@link Embeddings#targets}.
     *
     * @param views images and views of the step
     * @param manager owner of the result
     * @return the targets, or null (the default) for none
     */
    default NDArray targets(StepViews views, NDManager manager) {
        return null;
    }

    /** Returns the passes of a step; those without gradient are run first. */
    List<Branch> branches();

    /**
     * Returns the loss of a batch, averaged over the anchors from {@link Embeddings#from()} to {@link Embeddings#to()}.
     *
     * @param z embeddings of the batch
     */
    Loss loss(Embeddings z);

    /**
     * Returns the number of anchors that the loss is a mean over, if it can be computed as the mean of the losses of ranges of
     * anchors.
     *
     * <p>With micro-batches such a loss is computed range by range, so that the full similarity matrix is never in memory.
     *
     * @param images images in the batch
     * @return the number of anchors, or 0 (the default) if the loss is only defined for the whole batch
     */
    default int anchors(int images) {
        return 0;
    }

    /**
     * Returns embeddings and their positives for the metrics alignment, uniformity and effective rank.
     *
     * <p>By default these are the first two views of the first branch with gradient.
     *
     * @param z embeddings of the batch
     * @return two tensors, [n, d] each, without gradient
     */
    default NDList pairs(Embeddings z) {
        Branch first = branches().stream().filter(Branch::gradient).findFirst().orElseThrow();
        return new NDList(z.view(first, 0).stopGradient(), z.view(first, 1).stopGradient());
    }

    /** Returns the names of the further figures that each {@link Loss} of this method has. */
    default List<String> figures() {
        return List.of();
    }

    /** Updates the method's own state, such as a queue of keys, after the optimizer step. */
    default void afterStep(Embeddings z) {}

    /**
     * Returns name prefixes of weights that always use the base learning rate, whatever the schedule; none by default.
     *
     * <p>The names are those of the network that holds the encoder.
     */
    default List<String> constantRate() {
        return List.of();
    }

    /** Returns the loss of a collapsed network, whose embeddings are all equal, or NaN if it is unknown. */
    default double lossAtCollapse() {
        return Double.NaN;
    }

    /**
     * Tells whether nearly equal embeddings indicate a failing run. They do not for a student whose embeddings need only spread as
     * much as its teacher's.
     */
    default boolean needsSpread() {
        return true;
    }

    /**
     * Tells whether shared batch norm statistics can reveal the positive, so that the batch should be split into groups with their
     * own statistics (shuffle BN, <a href="https://arxiv.org/abs/1911.05722">He et al. 2020</a>, section 3.3).
     */
    default boolean needsGroups() {
        return false;
    }

    /** Returns the number of initial steps in which a rising loss is normal, such as those that fill a queue. */
    default int settlingSteps() {
        return 0;
    }
}
