// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.evaluation;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Weighted k-nearest-neighbour classification (<a href="https://arxiv.org/abs/1805.01978">Wu et al. 2018</a>, section 3.4). The k
 * labelled images with the largest cosine similarity {@code s} to an image vote for their classes with weight {@code exp(s / t)}. The
 * class with the most votes wins; of several, the first.
 */
final class Neighbours {
    /** Number of labelled images per block; a block fits into the processor's caches. */
    private static final int BLOCK = 1024;
    /** Number of images that a thread classifies at a time. */
    private static final int ASKED = 32;

    private Neighbours() {}

    /**
     * Classifies images.
     *
     * @param bank features of the labelled images, [n, d]
     * @param labels their classes, [n], from 0
     * @param classes number of classes
     * @param asked features of the images to classify, [m, d]
     * @param k number of neighbours that vote; all n if it is larger
     * @param t the temperature, above 0
     * @return the predicted classes, [m]
     */
    static int[] classify(float[][] bank, int[] labels, int classes, float[][] asked, int k, double t) {
        int most = Math.min(k, bank.length);
        Nearest[] nearest = new Nearest[asked.length];
        Arrays.setAll(nearest, i -> new Nearest(most));
        float[][] unit = new float[asked.length][];
        Arrays.setAll(unit, i -> normalised(asked[i]));
        for (int from = 0; from < bank.length; from += BLOCK) {
            int first = from;
            float[][] columns = columns(bank, from, Math.min(bank.length, from + BLOCK));
            IntStream.range(0, (asked.length + ASKED - 1) / ASKED).parallel().forEach(part -> {
                float[] cosines = new float[columns[0].length];
                for (int i = part * ASKED; i < Math.min(asked.length, (part + 1) * ASKED); i++) {
                    cosines(unit[i], columns, cosines);
                    for (int j = 0; j < cosines.length; j++) {
                        nearest[i].offer(cosines[j], labels[first + j]);
                    }
                }
            });
        }
        return Arrays.stream(nearest).mapToInt(n -> n.vote(classes, t)).toArray();
    }

    /** Divides a row by its Euclidean length, unless it is 0. */
    private static float[] normalised(float[] row) {
        double squares = 0;
        for (float x : row) {
            squares += (double) x * x;
        }
        float[] unit = new float[row.length];
        for (int j = 0; j < row.length; j++) {
            unit[j] = squares == 0 ? 0 : (float) (row[j] / Math.sqrt(squares));
        }
        return unit;
    }

    /** Returns the normalised rows as columns, [d, to - from]. */
    private static float[][] columns(float[][] rows, int from, int to) {
        float[][] columns = new float[rows[0].length][to - from];
        for (int i = from; i < to; i++) {
            float[] unit = normalised(rows[i]);
            for (int j = 0; j < unit.length; j++) {
                columns[j][i - from] = unit[j];
            }
        }
        return columns;
    }

    /** Computes cosines; the inner loop is over images, so that the JIT compiler vectorises it. */
    private static void cosines(float[] unit, float[][] columns, float[] into) {
        Arrays.fill(into, 0);
        for (int j = 0; j < unit.length; j++) {
            float x = unit[j];
            float[] column = columns[j];
            for (int i = 0; i < into.length; i++) {
                into[i] += x * column[i];
            }
        }
    }

    /** A min-heap of the largest cosines so far. */
    private static final class Nearest {
        private final float[] cosines;
        private final int[] labels;
        private int size;

        Nearest(int most) {
            cosines = new float[most];
            labels = new int[most];
        }

        void offer(float cosine, int label) {
            if (size < cosines.length) {
                int i = size++;
                while (i > 0 && cosines[(i - 1) / 2] > cosine) {
                    copy((i - 1) / 2, i);
                    i = (i - 1) / 2;
                }
                set(i, cosine, label);
            } else if (cosine > cosines[0]) {
                int i = 0;
                for (int child = 1; child < size; child = 2 * i + 1) {
                    if (child + 1 < size && cosines[child + 1] < cosines[child]) {
                        child++;
                    }
                    if (cosines[child] >= cosine) {
                        break;
                    }
                    copy(child, i);
                    i = child;
                }
                set(i, cosine, label);
            }
        }

        private void copy(int from, int to) {
            set(to, cosines[from], labels[from]);
        }

        private void set(int i, float cosine, int label) {
            cosines[i] = cosine;
            labels[i] = label;
        }

        int vote(int classes, double t) {
            double[] votes = new double[classes];
            for (int i = 0; i < size; i++) {
                votes[labels[i]] += Math.exp(cosines[i] / t);
            }
            int best = 0;
            for (int c = 1; c < classes; c++) {
                best = votes[c] > votes[best] ? c : best;
            }
            return best;
        }
    }
}
