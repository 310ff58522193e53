package io.github.simclr4j.tribuo.explore;

import io.github.simclr4j.util.Progress;

/**
 * A map of images: two coordinates for each, so that images whose features are near each other are near each other on the map. The
 * layout is that of UMAP (McInnes, Healy and Melville 2018, <a href="https://arxiv.org/abs/1802.03426">arXiv 1802.03426</a>): a graph
 * of nearest neighbours is laid out so that its edges are short and everything else is apart. It begins with the two principal
 * components, which keeps the large-scale order (Kobak and Linderman 2021). Neighbourhoods mean something; distances between far
 * groups, their sizes and the axes do not.
 *
 * <p>The same features and seed give the same map. Time grows with the square of the number of images (the neighbours) and memory
 * with the number of images: a few thousand are enough for a picture.
 *
 * @param x the first coordinate of each image, 0 to 1
 * @param y the second, 0 to 1
 */
public record EmbeddingMap(float[] x, float[] y) {
    /** Neighbours of an image that it is kept near to. */
    public static final int NEIGHBOURS = 15;

    /**
     * Lays images out.
     *
     * @param features at least one image
     * @param seed of the order in which points are moved
     * @param progress told how far the layout is
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

    /** One scale for both axes, so that the map is not stretched; the smaller extent is centred. */
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
