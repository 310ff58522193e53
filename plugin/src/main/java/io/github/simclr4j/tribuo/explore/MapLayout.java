// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.explore;

import io.github.simclr4j.util.Progress;
import java.util.SplittableRandom;

/**
 * Lays out a graph in the plane by stochastic gradient descent on UMAP's cross entropy with negative sampling
 * (<a href="https://arxiv.org/abs/1802.03426">McInnes et al. 2018</a>, section 3.2 and algorithm 5). The ends of an edge attract each
 * other with a frequency proportional to the edge's weight, and repel randomly drawn images.
 */
final class MapLayout {
    private static final int EPOCHS = 400;
    private static final int NEGATIVES = 5;
    /** Parameters of UMAP's curve 1 / (1 + a d^2b) for min_dist = 0.1 and spread = 1. */
    private static final double A = 1.577;

    private static final double B = 0.8951;
    private static final double LONGEST_STEP = 4;
    /** Half the side length of the initial map. */
    private static final float START = 10;

    private final NeighbourGraph graph;
    private final SplittableRandom random;
    private final Progress progress;

    MapLayout(NeighbourGraph graph, long seed, Progress progress) {
        this.graph = graph;
        random = new SplittableRandom(seed);
        this.progress = progress;
    }

    /** Optimises the positions of the points, [images, 2], which may have any initial scale. */
    void improve(float[][] points) {
        spread(points);
        int edges = graph.weight().length;
        float heaviest = 0;
        for (float w : graph.weight()) {
            heaviest = Math.max(heaviest, w);
        }
        double[] due = new double[edges];
        progress.start("drawing the map", EPOCHS);
        for (int epoch = 0; epoch < EPOCHS; epoch++) {
            Interruption.check();
            double rate = 1 - (double) epoch / EPOCHS;
            for (int e = 0; e < edges; e++) {
                // An edge of half the maximum weight is used in every other epoch.
                due[e] += graph.weight()[e] / heaviest;
                if (due[e] >= 1) {
                    due[e] -= 1;
                    move(points, graph.from()[e], graph.to()[e], rate);
                    move(points, graph.to()[e], graph.from()[e], rate);
                }
            }
            progress.at(epoch + 1, "");
        }
        progress.end();
    }

    /** Scales the points to the initial square, and adds a little noise to separate identical images. */
    private void spread(float[][] points) {
        float most = 1e-12f;
        for (float[] p : points) {
            most = Math.max(most, Math.max(Math.abs(p[0]), Math.abs(p[1])));
        }
        for (float[] p : points) {
            for (int a = 0; a < 2; a++) {
                p[a] = START * p[a] / most + (float) (1e-3 * (random.nextDouble() - 0.5));
            }
        }
    }

    private void move(float[][] points, int image, int neighbour, double rate) {
        float[] p = points[image];
        float[] q = points[neighbour];
        double square = square(p, q);
        if (square > 0) {
            double power = Math.pow(square, B);
            double pull = -2 * A * B * power / square / (1 + A * power);
            for (int a = 0; a < 2; a++) {
                double step = rate * clip(pull * (p[a] - q[a]));
                p[a] += (float) step;
                q[a] -= (float) step;
            }
        }
        for (int k = 0; k < NEGATIVES; k++) {
            int other = random.nextInt(points.length);
            if (other == image) {
                continue;
            }
            float[] r = points[other];
            double distance = square(p, r);
            double push = 2 * B / ((0.001 + distance) * (1 + A * Math.pow(distance, B)));
            for (int a = 0; a < 2; a++) {
                p[a] += (float) (rate
                        * (distance > 0 ? clip(push * (p[a] - r[a])) : LONGEST_STEP * (random.nextDouble() - 0.5)));
            }
        }
    }

    private static double square(float[] p, float[] q) {
        double dx = p[0] - q[0];
        double dy = p[1] - q[1];
        return dx * dx + dy * dy;
    }

    private static double clip(double step) {
        return Math.max(-LONGEST_STEP, Math.min(LONGEST_STEP, step));
    }
}
