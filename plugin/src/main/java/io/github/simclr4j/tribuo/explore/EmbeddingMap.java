// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.explore;

import io.github.simclr4j.util.Progress;

/**
 * A two-dimensional map of images, on which images with similar features are near each other.
 *
 * <p>The layout is UMAP's (<a href="https://arxiv.org/abs/1802.03426">McInnes, Healy and Melville 2018</a>): a graph of nearest
 * neighbours is laid out so that its edges are short and unconnected images are apart. The layout starts from the first two principal
 * components, which preserves the global structure (<a href="https://doi.org/10.1038/s41587-020-00809-z">Kobak and Linderman
 * 2021</a>). Neighbourhoods are meaningful. The axes, the sizes of groups and the distances between distant groups are not.
 *
 * <p>The same features and seed give the same map. Time grows with the square of the number of images, because of the search for
 * neighbours, and memory grows linearly. A few thousand images are enough for a picture.
 *
 * @param x the horizontal coordinates of the images, 0 to 1
 * @param y the vertical coordinates of the images, 0 to 1
 * @since 0.1.0
 */
public record EmbeddingMap(float[] x, float[] y) {
    /** The number of nearest neighbours of each image in the graph. */
    public static final int NEIGHBOURS = 15;

    /**
     * Computes the map.
     *
     * @param features features of at least one image
     * @param seed seed of the random numbers of the layout
     * @param progress receives the progress of the layout
     * @throws java.util.concurrent.CancellationException if the thread is interrupted
     */
    public static EmbeddingMap of(Features features, long seed, Progress progress) {
        int n = features.size();
        float[][] points = PrincipalComponents.two(features.rows());
        if (n > 2) {
            Nearest nearest = NearestSearch.exact(features, progress).ofEach(NEIGHBOURS);
            new MapLayout(NeighbourGraph.of(nearest), seed, progress).improve(points);
        }
        return new EmbeddingMap(unit(points, 0), unit(points, 1));
    }

    /** Scales both axes by the same factor to [0, 1], and centres the one with the smaller extent. */
    private static float[] unit(float[][] points, int axis) {
        float[] low = {Float.MAX_VALUE, Float.MAX_VALUE};
        float[] high = {-Float.MAX_VALUE, -Float.MAX_VALUE};
        for (float[] p : points) {
            for (int a = 0; a < 2; a++) {
                low[a] = Math.min(low[a], p[a]);
                high[a] = Math.max(high[a], p[a]);
            }
        }
        float extent = Math.max(high[0] - low[0], high[1] - low[1]);
        float[] out = new float[points.length];
        for (int i = 0; i < out.length; i++) {
            float place = extent == 0 ? 0.5f : 0.5f + (points[i][axis] - (low[axis] + high[axis]) / 2) / extent;
            out[i] = Math.max(0, Math.min(1, place));
        }
        return out;
    }
}
