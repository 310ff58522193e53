// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.explore;

import io.github.simclr4j.util.Progress;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.tribuo.Dataset;
import org.tribuo.Output;
import org.tribuo.dataset.DatasetView;

/**
 * Selects diverse images to label first by greedy k-centre selection
 * (<a href="https://arxiv.org/abs/1708.00489">Sener and Savarese 2018</a>, algorithm 1). Each step selects the image that is farthest
 * from all images that are selected or labelled already. Since the farthest image is often an outlier, the images with the largest
 * {@linkplain Outliers outlier scores} are selected last.
 *
 * @since 0.1.0
 */
public final class Selection {
    /** The share of images, by outlier score, that are selected last. On CIFAR-10, 0.3 to 0.6 are better than 0. */
    private static final double ASIDE = 0.4;
    /** Number of images that a thread compares at a time. */
    private static final int PART = 512;

    private Selection() {}

    /**
     * Selects images.
     *
     * @param features features of the images to select from
     * @param count number of images to select, 1 to the number of images
     * @param labelled features of images that are labelled already, by the same encoder; null for none
     * @param seed seed of the first choice if no image is labelled
     * @param progress receives the number of images selected
     * @return indices of the selected images, the most useful first
     * @throws IllegalArgumentException if the count is out of range or the features come from another encoder
     * @throws java.util.concurrent.CancellationException if the thread is interrupted
     */
    public static int[] select(Features features, int count, Features labelled, long seed, Progress progress) {
        int n = features.size();
        if (count < 1 || count > n) {
            throw new IllegalArgumentException(
                    "The number of images to select must be from 1 to " + n + ", the number of images, found " + count);
        }
        if (labelled != null) {
            features.comparable(labelled);
        }
        boolean[] aside = aside(features, count, progress);
        double[] distances = new double[n];
        Arrays.fill(distances, labelled == null ? 2 : Double.MAX_VALUE);
        if (labelled != null) {
            for (float[] row : labelled.rows()) {
                Interruption.check();
                approach(features.rows(), row, distances);
            }
        }
        int[] chosen = new int[count];
        progress.start("selecting images", count);
        for (int c = 0; c < count; c++) {
            Interruption.check();
            int next = c == 0 && labelled == null ? first(aside, seed) : farthest(distances, aside);
            chosen[c] = next;
            approach(features.rows(), features.rows()[next], distances);
            distances[next] = Double.NEGATIVE_INFINITY;
            progress.at(c + 1L, "");
        }
        progress.end();
        return chosen;
    }

    /**
     * Returns the selected examples of a dataset, in the order of their selection.
     *
     * @param <T> the output type
     * @param dataset the dataset with the features that the selection was made from
     * @param chosen indices of the selected examples
     */
    public static <T extends Output<T>> DatasetView<T> view(Dataset<T> dataset, int[] chosen) {
        return new DatasetView<>(dataset, chosen.clone(), "greedy k-centre selection of " + chosen.length);
    }

    private static boolean[] aside(Features features, int count, Progress progress) {
        boolean[] aside = new boolean[features.size()];
        int most = Math.min((int) (ASIDE * features.size()), features.size() - count);
        if (most > 0) {
            List<Outliers.Score> ranked = Outliers.rank(NearestSearch.of(features, progress));
            ranked.subList(0, most).forEach(s -> aside[s.image()] = true);
        }
        return aside;
    }

    private static int first(boolean[] aside, long seed) {
        int[] candidates =
                IntStream.range(0, aside.length).filter(i -> !aside[i]).toArray();
        return candidates[new Random(seed).nextInt(candidates.length)];
    }

    private static int farthest(double[] distances, boolean[] aside) {
        int farthest = -1;
        for (int i = 0; i < distances.length; i++) {
            if (!aside[i] && (farthest < 0 || distances[i] > distances[farthest])) {
                farthest = i;
            }
        }
        return farthest;
    }

    /** Updates the distances to the nearest selected image after one more selection. */
    private static void approach(float[][] rows, float[] chosen, double[] distances) {
        IntStream.range(0, (rows.length + PART - 1) / PART).parallel().forEach(part -> {
            for (int i = part * PART; i < Math.min(rows.length, (part + 1) * PART); i++) {
                float dot = 0;
                float[] row = rows[i];
                for (int j = 0; j < row.length; j++) {
                    dot += row[j] * chosen[j];
                }
                distances[i] = Math.min(distances[i], 1 - dot);
            }
        });
    }
}
