// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.explore;

import io.github.simclr4j.util.Progress;

/**
 * Finds the images of a set with the most similar features, by cosine similarity. Implementations are thread-safe.
 *
 * @since 0.1.0
 */
public interface NearestSearch {
    /** The largest set for which {@link #of} searches exactly; for larger sets that takes too long. */
    int EXACT = 50_000;

    /**
     * Chooses the search for a set: {@linkplain #exact exact} up to {@value #EXACT} images, and {@linkplain #indexed by an index}
     * above.
     *
     * @param set the images to search
     * @param progress receives the number of images compared or indexed
     */
    static NearestSearch of(Features set, Progress progress) {
        return set.size() <= EXACT ? exact(set, progress) : indexed(set, progress);
    }

    /**
     * Returns a search that compares with every image, in blocks. It needs a few megabytes beside the features and the result.
     *
     * @param set the images to search
     * @param progress receives the number of images compared
     */
    static NearestSearch exact(Features set, Progress progress) {
        return new ExactSearch(set, progress);
    }

    /**
     * Returns an approximate search by an index, which finds most of the nearest images without comparing with all. The index is a
     * hierarchical navigable small world graph (HNSW, <a href="https://arxiv.org/abs/1603.09320">Malkov and Yashunin 2018</a>). It
     * needs the optional dependency {@code com.github.jelmerk:hnswlib-core}.
     *
     * <p>The index is built by several threads, and depends on the order in which they add the images. Two searches of the same set may
     * therefore miss different images. Equally near images are in the order of the set among those that are found.
     *
     * @param set the images to index
     * @param progress receives the number of images indexed
     * @throws IllegalStateException if the library is not on the class path
     * @throws java.util.concurrent.CancellationException if the thread is interrupted
     */
    static NearestSearch indexed(Features set, Progress progress) {
        try {
            return new IndexedSearch(set, progress);
        } catch (NoClassDefFoundError e) {
            throw new IllegalStateException(
                    "An index of " + set.size() + " images needs the library com.github.jelmerk:hnswlib-core:"
                            + " add it to the class path",
                    e);
        }
    }

    /**
     * Finds the nearest images of query images.
     *
     * @param asked features of the query images, by the same encoder
     * @param k number of nearest images, at least 1; the result has fewer if the set is smaller
     * @throws IllegalArgumentException if the features come from another encoder
     * @throws java.util.concurrent.CancellationException if the thread is interrupted
     */
    Nearest nearest(Features asked, int k);

    /**
     * Finds the nearest other images of each image of the set.
     *
     * @param k number of nearest images, at least 1; the result has fewer if the set is smaller
     * @throws java.util.concurrent.CancellationException if the thread is interrupted
     */
    Nearest ofEach(int k);
}
