package io.github.simclr4j.tribuo.explore;

import io.github.simclr4j.util.Progress;

/** Finds the images of a set whose features are nearest by the cosine. May be used by several threads. */
public interface NearestSearch {
    /** The largest set that is searched exactly; above, the time grows too fast. */
    int EXACT = 50_000;

    /**
     * Chooses the search for a set: {@linkplain #exact exact} up to {@value #EXACT} images, {@linkplain #indexed by an index}
     * above.
     */
    static NearestSearch of(Features set, Progress progress) {
        return set.size() <= EXACT ? exact(set, progress) : indexed(set, progress);
    }

    /**
     * Compares with every image, in blocks: beyond the features and the result it takes a few megabytes.
     *
     * @param progress told how many images were compared
     */
    static NearestSearch exact(Features set, Progress progress) {
        return new ExactSearch(set, progress);
    }

    /**
     * Builds an index, a hierarchical navigable small world graph (Malkov and Yashunin, 2018, arXiv 1603.09320), which finds most
     * of the nearest images without comparing with all. It is made by the library {@code com.github.jelmerk:hnswlib-core}, an
     * optional dependency, which must be on the class path.
     *
     * @param progress told how many images the index has
     * @throws IllegalStateException if the library is not on the class path
     * @throws java.util.concurrent.CancellationException if the thread is interrupted
     */
    static NearestSearch indexed(Features set, Progress progress) {
        try {
            return new IndexedSearch(set, progress);
        } catch (NoClassDefFoundError e) {
            throw new IllegalStateException("An index of " + set.size() + " images needs the library com.github.jelmerk:hnswlib-core:"
                    + " add it to the class path", e);
        }
    }

    /**
     * Finds the nearest images of other images.
     *
     * @param asked their features, by the same encoder
     * @param k how many, at least 1; fewer if the set has fewer
     * @throws IllegalArgumentException if the features are of another encoder
     * @throws java.util.concurrent.CancellationException if the thread is interrupted
     */
    Nearest nearest(Features asked, int k);

    /**
     * Finds the nearest images of each image of the set, the image itself left out.
     *
     * @param k how many, at least 1; fewer if the set has fewer
     * @throws java.util.concurrent.CancellationException if the thread is interrupted
     */
    Nearest ofEach(int k);
}
