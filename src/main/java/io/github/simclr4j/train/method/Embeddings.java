// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import java.util.Map;

/**
 * The results of a method's branches for a batch of N images.
 *
 * <p>The rows of a branch are ordered view by view: row {@code v * N + i} belongs to the branch's v-th view of image i.
 *
 * @since 0.1.0
 */
public final class Embeddings {
    private final Map<Branch, NDList> results;
    private final NDArray targets;
    private final int[] images;
    private final int[] labels;
    private final int from;
    private final int to;

    /**
     * Collects the results.
     *
     * @param results the results of each branch, in the order of {@link Branch#results()}
     * @param images indices of the batch's images in the training set, [N]
     * @param labels class of each image, [N], or null
     * @param targets the result of {@link Method#targets}, or null
     * @param from index of the first requested anchor, inclusive
     * @param to index after the last requested anchor, exclusive
     */
    public Embeddings(Map<Branch, NDList> results, int[] images, int[] labels, NDArray targets, int from, int to) {
        this.results = results;
        this.targets = targets;
        this.images = images;
        this.labels = labels;
        this.from = from;
        this.to = to;
    }

    /** Collects the results of a method without targets. */
    public Embeddings(Map<Branch, NDList> results, int[] images, int[] labels, int from, int to) {
        this(results, images, labels, null, from, to);
    }

    /** Returns the first result of a branch, [views * N, ...]. */
    public NDArray of(Branch branch) {
        return results.get(branch).get(0);
    }

    /**
     * Returns a result of a branch, [views * N, ...].
     *
     * @throws IllegalArgumentException if the branch has no result of this name
     */
    public NDArray of(Branch branch, String result) {
        int i = branch.results().indexOf(result);
        if (i < 0) {
            throw new IllegalArgumentException("Expected one of " + branch.results() + ", found " + result);
        }
        return results.get(branch).get(i);
    }

    /**
     * Returns the rows of one view in a branch's first result, [N, ...].
     *
     * @param branch the branch
     * @param view index among the branch's views, from 0
     */
    public NDArray view(Branch branch, int view) {
        return of(branch).get(view * images.length + ":" + (view + 1) * images.length);
    }

    /**
     * Returns a result of a branch of two views with the views swapped, [2N, ...]: row i belongs to the other view of the image of
     * row i.
     */
    public NDArray others(Branch branch, String result) {
        NDArray both = of(branch, result);
        return NDArrays.concat(new NDList(both.get(images.length + ":"), both.get(":" + images.length)));
    }

    /** Returns the result of {@link Method#targets} for this step, without gradient; null if there is none. */
    public NDArray targets() {
        return targets;
    }

    /** Returns the number of images, N. */
    public int size() {
        return images.length;
    }

    /** Returns the indices of the images in the training set, [N]. */
    public int[] images() {
        return images;
    }

    /**
     * Returns the class of each image, [N].
     *
     * @throws IllegalStateException if the images have no labels
     */
    public int[] labels() {
        if (labels == null) {
            throw new IllegalStateException(
                    "The method needs labels, but the images have none: use a folder with one sub-folder per class");
        }
        return labels;
    }

    /** Returns the index of the first requested anchor, inclusive. */
    public int from() {
        return from;
    }

    /** Returns the index after the last requested anchor, exclusive. */
    public int to() {
        return to;
    }

    /** Returns the manager that owns the tensors of the step. */
    public NDManager manager() {
        return results.values().iterator().next().get(0).getManager();
    }
}
