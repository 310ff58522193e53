package io.github.simclr4j.train.loop;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.github.simclr4j.train.augment.Views;
import io.github.simclr4j.train.data.Feed;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * The images of a step and their two random views. A view depends on the run's seed, the epoch, the image and which view it is;
 * it can be made again and is the same. Row {@code r} is view {@code r / N} of image {@code r mod N}.
 */
public final class Batch {
    private final Feed feed;
    private final Views[] views;
    private final int[] images;
    private final int[] labels;
    private final long epochSeed;
    private final long stepSeed;

    /**
     * @param feed stands at this batch
     * @param views how view 0 and view 1 are made
     * @param images numbers of the images in the whole set
     * @param labels of the images, or null
     * @param epochSeed of the views
     * @param stepSeed of what is drawn anew in every step
     */
    public Batch(Feed feed, Views[] views, int[] images, int[] labels, long epochSeed, long stepSeed) {
        this.feed = feed;
        this.views = views;
        this.images = images;
        this.labels = labels;
        this.epochSeed = epochSeed;
        this.stepSeed = stepSeed;
    }

    public int size() {
        return images.length;
    }

    /** Numbers of the images in the whole set. */
    public int[] images() {
        return images;
    }

    /** Class of each image. */
    public int[] labels() {
        if (labels == null) {
            throw new IllegalStateException("These images have no labels: name a folder with one sub-folder a class");
        }
        return labels;
    }

    /** A seed of this step's own. */
    long seed(int purpose) {
        return mix(stepSeed, purpose);
    }

    /**
     * Some rows.
     *
     * @return float32 [rows, 3, size, size] in [0, 1], owned by the manager
     */
    public NDArray rows(NDManager manager, int[] rows) {
        int n = images.length;
        NDList parts = new NDList();
        int[] place = new int[rows.length];
        int placed = 0;
        for (int v = 0; v < 2; v++) {
            int view = v;
            int[] which = IntStream.range(0, rows.length).filter(i -> rows[i] / n == view).toArray();
            if (which.length == 0) {
                continue;
            }
            int[] slots = Arrays.stream(which).map(i -> rows[i] % n).toArray();
            long[] seeds = Arrays.stream(slots).mapToLong(s -> mix(epochSeed, 2L * images[s] + view)).toArray();
            parts.add(views[v].view(feed.images(manager, slots), seeds));
            for (int i : which) {
                place[i] = placed++;
            }
        }
        NDArray all = parts.size() == 1 ? parts.get(0) : NDArrays.concat(parts);
        return Passes.inOrder(all, place);
    }

    /** Mixes two numbers into a seed that has nothing to do with its neighbours' (Steele et al. 2014, figure 14). */
    public static long mix(long seed, long number) {
        long z = seed * 0x9e3779b97f4a7c15L + number * 0xd1342543de82ef95L + 0x632be59bd9b4e019L;
        z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }
}
