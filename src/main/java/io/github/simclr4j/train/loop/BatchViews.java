// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.simclr4j.train.augment.ViewGenerator;
import io.github.simclr4j.train.augment.ViewPool;
import io.github.simclr4j.train.augment.ViewRequest;
import io.github.simclr4j.train.data.BatchLoader;
import io.github.simclr4j.train.method.StepViews;
import io.github.simclr4j.train.network.ViewBatch;
import java.util.ArrayList;
import java.util.List;

/**
 * The random views of a step's images. A view depends only on the run's seed, the epoch, the image and the view's index, so it can
 * be rendered again. Row {@code r} is view {@code r / N} of image {@code r mod N}.
 */
class BatchViews implements StepViews {
    private final BatchLoader loader;
    private final List<ViewGenerator> views;
    private final int full;
    private final int[] images;
    private final int[] labels;
    private final long epochSeed;
    private final long stepSeed;
    private final ViewPool pool;

    /**
     * Describes a batch.
     *
     * @param loader loader whose current batch is this one
     * @param views generator of each view, those of the small views last
     * @param full number of full-size views
     * @param images indices of the images in the training set
     * @param labels class of each image, or null
     * @param epochSeed seed of the views
     * @param stepSeed seed of everything that is drawn once per step
     * @param pool renders the views
     */
    BatchViews(
            BatchLoader loader,
            List<ViewGenerator> views,
            int full,
            int[] images,
            int[] labels,
            long epochSeed,
            long stepSeed,
            ViewPool pool) {
        this.loader = loader;
        this.views = views;
        this.full = full;
        this.images = images;
        this.labels = labels;
        this.epochSeed = epochSeed;
        this.stepSeed = stepSeed;
        this.pool = pool;
    }

    @Override
    public int size() {
        return images.length;
    }

    @Override
    public int[] images() {
        return images;
    }

    /** Returns the class of each image, or null. */
    int[] labels() {
        return labels;
    }

    /** Returns a seed of this step for a purpose. */
    long seed(int purpose) {
        return Seeds.mix(stepSeed, purpose);
    }

    /** Numbers small views downwards from -1, so that the full-size views are the same with and without them. */
    private long seed(int view, int image) {
        long small = views.size() - full;
        return Seeds.mix(epochSeed, isSmall(view) ? -1 - (small * image + view - full) : (long) full * image + view);
    }

    /** Tells whether a view is one of the small views, which may have as many pixels as the others. */
    boolean isSmall(int view) {
        return view >= full;
    }

    /** Renders rows of one size, float32 [rows, 3, size, size] in [0, 1], owned by the manager. */
    @Override
    public NDArray rows(NDManager manager, int[] rows) {
        List<ViewRequest> requests = new ArrayList<>(rows.length);
        for (int row : rows) {
            int view = row / images.length;
            int slot = row % images.length;
            requests.add(
                    new ViewRequest(views.get(view), loader.pixels(slot), loader.side(), seed(view, images[slot])));
        }
        return ViewBatch.of(requests, pool, manager);
    }
}
