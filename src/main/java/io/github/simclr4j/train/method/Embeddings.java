package io.github.simclr4j.train.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import java.util.Map;

/**
 * What the branches of a method made of a batch of N images. The rows of a branch stand view by view: row {@code v * N + i} is the
 * v-th of its views of image i.
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
     * @param results of each branch, in the order of {@link Branch#results()}
     * @param images numbers of the batch's images in the whole set
     * @param labels class of each image, or null
     * @param targets what {@link Method#targets} returned
     * @param from first anchor that is asked for
     * @param to anchor after the last
     */
    public Embeddings(Map<Branch, NDList> results, int[] images, int[] labels, NDArray targets, int from, int to) {
        this.results = results;
        this.targets = targets;
        this.images = images;
        this.labels = labels;
        this.from = from;
        this.to = to;
    }

    /** Collects the results of a method that has no targets. */
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
     * @throws IllegalArgumentException if the branch does not have it
     */
    public NDArray of(Branch branch, String result) {
        int i = branch.results().indexOf(result);
        if (i < 0) {
            throw new IllegalArgumentException("Expected one of " + branch.results() + ", found " + result);
        }
        return results.get(branch).get(i);
    }

    /** Returns the rows of one of a branch's views in its first result, [N, ...]; the first view has the number 0. */
    public NDArray view(Branch branch, int view) {
        return of(branch).get(view * images.length + ":" + (view + 1) * images.length);
    }

    /**
     * Returns a result of a branch of two views with the views exchanged, [2N, ...]: row i is what the other view of the image of
     * row i came to.
     */
    public NDArray others(Branch branch, String result) {
        NDArray both = of(branch, result);
        return NDArrays.concat(new NDList(both.get(images.length + ":"), both.get(":" + images.length)));
    }

    /** Returns what {@link Method#targets} returned for this step, without gradient; null if that was nothing. */
    public NDArray targets() {
        return targets;
    }

    /** Returns the number of images, N. */
    public int size() {
        return images.length;
    }

    /** Returns the numbers of the images in the whole set. */
    public int[] images() {
        return images;
    }

    /**
     * Returns the class of each image, [N].
     *
     * @throws IllegalStateException if the images have none
     */
    public int[] labels() {
        if (labels == null) {
            throw new IllegalStateException("These images have no labels: name a folder with one sub-folder a class");
        }
        return labels;
    }

    /** Returns the first anchor that is asked for. */
    public int from() {
        return from;
    }

    /** Returns the anchor after the last that is asked for. */
    public int to() {
        return to;
    }

    /** Returns the owner of what the step makes. */
    public NDManager manager() {
        return results.values().iterator().next().get(0).getManager();
    }
}
