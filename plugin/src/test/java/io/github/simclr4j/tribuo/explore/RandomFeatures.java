// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.explore;

import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** Features without images. */
final class RandomFeatures {
    private RandomFeatures() {}

    static Features of(int images, int dimension, long seed) {
        Random random = new Random(seed);
        float[][] rows = new float[images][dimension];
        for (float[] row : rows) {
            for (int j = 0; j < dimension; j++) {
                row[j] = (float) random.nextGaussian();
            }
        }
        return of("test", rows);
    }

    /** Images in groups: a random direction each, and a little noise. */
    static Features grouped(int images, int groups, int dimension, double noise, long seed) {
        Random random = new Random(seed);
        float[][] centres = of(groups, dimension, seed + 1).rows();
        float[][] rows = new float[images][dimension];
        for (int i = 0; i < images; i++) {
            for (int j = 0; j < dimension; j++) {
                rows[i][j] = centres[i % groups][j] + (float) (noise * random.nextGaussian() / Math.sqrt(dimension));
            }
        }
        return of("test", rows);
    }

    static Features of(String encoder, float[]... rows) {
        List<String> names =
                IntStream.range(0, rows.length).mapToObj(i -> i + ".png").toList();
        return new Features(encoder, names, rows);
    }
}
