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
 * Diverse images to label first, by greedy k-centre selection (Sener and Savarese, 2018, "Active learning for convolutional neural
 * networks: a core-set approach", algorithm 1): each image that is chosen is the one farthest from all that are chosen or labelled
 * already. Since what is farthest is often an oddity, the images with the largest {@linkplain Outliers outlier score} are chosen
 * last.
 */
public final class Selection {
    /** The share of the images that are chosen only when all others are; on CIFAR-10, 0.3 to 0.6 do better than none. */
    private static final double ASIDE = 0.4;
    /** Images that one thread compares at a time. */
    private static final int PART = 512;

    private Selection() {}

    /**
     * Chooses images.
     *
     * @param features of the images to choose from
     * @param count how many, 1 to the number of images
     * @param labelled features of the images that are labelled already, by the same encoder; null for none
     * @param seed of the first choice where nothing is labelled
     * @param progress told how many are chosen
     * @return their numbers, the most useful first
     * @throws IllegalArgumentException if the count is out of its range or the features are of another encoder
     * @throws java.util.concurrent.CancellationException if the thread is interrupted
     */
    public static int[] select(Features features, int count, Features labelled, long seed, Progress progress) {
        int n = features.size();
        if (count < 1 || count > n) {
            throw new IllegalArgumentException("The number of images to select must be from 1 to " + n
                    + ", as many as there are, found " + count);
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
        progress.start("select", count);
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
     * Returns the chosen examples of a dataset, in the order of their choice.
     *
     * @param dataset whose features the choice was made on
     * @param chosen numbers of its examples
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
        int[] candidates = IntStream.range(0, aside.length).filter(i -> !aside[i]).toArray();
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

    /** Distances to the nearest of what is chosen, after one more choice. */
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
