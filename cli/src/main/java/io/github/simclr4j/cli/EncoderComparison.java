// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.images.RgbImage;
import java.util.List;
import java.util.function.Function;

/**
 * Compares the embeddings of two encoders on the same images.
 *
 * @param images number of images
 * @param largest the largest absolute difference of any value
 * @param mean the mean absolute difference
 * @param scale the mean absolute value of the first encoder's embeddings
 * @param leastCosine the least cosine similarity of an image's two embeddings; 0 if one of them is zero, 1 if both are
 * @param meanCosine the mean cosine similarity
 */
record EncoderComparison(int images, double largest, double mean, double scale, double leastCosine, double meanCosine) {
    private static final int BATCH = 64;

    /**
     * Runs two encoders on the same images.
     *
     * @param first computes embeddings [images, dimension]
     * @param second computes embeddings of the same dimension
     * @param images images, at least one
     */
    static EncoderComparison of(
            Function<List<RgbImage>, float[][]> first,
            Function<List<RgbImage>, float[][]> second,
            List<RgbImage> images) {
        double largest = 0;
        double sum = 0;
        double scale = 0;
        double least = 1;
        double cosines = 0;
        long values = 0;
        for (int from = 0; from < images.size(); from += BATCH) {
            List<RgbImage> batch = images.subList(from, Math.min(images.size(), from + BATCH));
            float[][] a = first.apply(batch);
            float[][] b = second.apply(batch);
            for (int i = 0; i < a.length; i++) {
                if (a[i].length != b[i].length) {
                    throw new IllegalStateException(
                            "The encoders differ in dimension: " + a[i].length + " and " + b[i].length);
                }
                double ab = 0;
                double aa = 0;
                double bb = 0;
                for (int j = 0; j < a[i].length; j++) {
                    double d = Math.abs((double) a[i][j] - b[i][j]);
                    largest = Double.isNaN(d) ? d : Math.max(largest, d);
                    sum += d;
                    scale += Math.abs(a[i][j]);
                    ab += (double) a[i][j] * b[i][j];
                    aa += (double) a[i][j] * a[i][j];
                    bb += (double) b[i][j] * b[i][j];
                }
                values += a[i].length;
                double cosine = aa == 0 && bb == 0 ? 1 : ab == 0 ? 0 : ab / Math.sqrt(aa * bb);
                least = Double.isNaN(cosine) ? cosine : Math.min(least, cosine);
                cosines += cosine;
            }
        }
        return new EncoderComparison(
                images.size(), largest, sum / values, scale / values, least, cosines / images.size());
    }
}
