// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.explore;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * UMAP's fuzzy graph of nearest neighbours (<a href="https://arxiv.org/abs/1802.03426">McInnes et al. 2018</a>, section 3.1 and
 * algorithms 2 and 3).
 *
 * @param images number of images
 * @param from the first image of each edge
 * @param to the second image of each edge
 * @param weight the weight of each edge, above 0 and at most 1
 */
record NeighbourGraph(int images, int[] from, int[] to, float[] weight) {
    private static final int ROUNDS = 64;

    /**
     * Builds the graph. The membership of image j in the neighbourhood of i is {@code exp(-max(0, d_ij - rho_i) / sigma_i)}, where d is
     * the cosine distance and rho the distance of the nearest image. Sigma is chosen so that the memberships sum to the binary
     * logarithm of their number. The weight of an edge is {@code a + b - ab}, where a and b are the memberships of its ends.
     *
     * @param nearest the nearest images of each image
     */
    static NeighbourGraph of(Nearest nearest) {
        int n = nearest.images().length;
        Map<Long, float[]> edges = new HashMap<>();
        for (int i = 0; i < n; i++) {
            double[] memberships = memberships(nearest.similarities()[i]);
            for (int k = 0; k < memberships.length; k++) {
                int j = nearest.images()[i][k];
                edges.computeIfAbsent((long) Math.min(i, j) * n + Math.max(i, j), key -> new float[2])[i < j ? 0 : 1] =
                        (float) memberships[k];
            }
        }
        List<Long> keys = new ArrayList<>(edges.keySet());
        keys.sort(null);
        NeighbourGraph graph =
                new NeighbourGraph(n, new int[keys.size()], new int[keys.size()], new float[keys.size()]);
        for (int e = 0; e < keys.size(); e++) {
            float[] both = edges.get(keys.get(e));
            graph.from[e] = (int) (keys.get(e) / n);
            graph.to[e] = (int) (keys.get(e) % n);
            graph.weight[e] = both[0] + both[1] - both[0] * both[1];
        }
        return graph;
    }

    private static double[] memberships(float[] similarities) {
        int k = similarities.length;
        double[] far = new double[k];
        double mean = 0;
        double least = Double.MAX_VALUE;
        for (int j = 0; j < k; j++) {
            far[j] = Math.max(0, 1 - similarities[j]);
            mean += far[j] / k;
            // Copies of the image do not count as its nearest neighbours.
            least = far[j] > 1e-7 ? Math.min(least, far[j]) : least;
        }
        double rho = least == Double.MAX_VALUE ? 0 : least;
        double wanted = Math.log(k) / Math.log(2);
        double low = 0;
        double high = Double.POSITIVE_INFINITY;
        double sigma = 1;
        for (int round = 0; round < ROUNDS; round++) {
            double sum = 0;
            for (double d : far) {
                sum += Math.exp(-Math.max(0, d - rho) / sigma);
            }
            if (sum > wanted) {
                high = sigma;
                sigma = (low + high) / 2;
            } else {
                low = sigma;
                sigma = high == Double.POSITIVE_INFINITY ? 2 * sigma : (low + high) / 2;
            }
        }
        sigma = Math.max(sigma, 1e-3 * Math.max(mean, 1e-6));
        double[] memberships = new double[k];
        for (int j = 0; j < k; j++) {
            memberships[j] = Math.exp(-Math.max(0, far[j] - rho) / sigma);
        }
        return memberships;
    }
}
