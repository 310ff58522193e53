package io.github.simclr4j.tribuo.evaluation;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Weighted k-nearest-neighbour classification (Wu et al. 2018, section 3.4): of the images that vote, the k with the largest
 * cosines {@code s} to an image vote for their classes with weight {@code exp(s / t)}. The most votes win; of classes with as
 * many, the first.
 */
final class Neighbours {
    /** Images that vote are compared in blocks that fit the processor's caches. */
    private static final int BLOCK = 1024;
    /** Images that are asked together, by one thread. */
    private static final int ASKED = 32;

    private Neighbours() {}

    /**
     * Classifies.
     *
     * @param bank features of the images that vote, [n, d]
     * @param labels their classes
     * @param classes how many there are
     * @param asked features of the images to be classified, [m, d]
     * @param k how many vote, at most n
     * @param t the temperature, above 0
     * @return a class each
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

    /** Divides by the length, if there is any. */
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

    /** Rows of length 1, [d, to - from]. */
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

    /** The inner loop is over images, so that the compiler makes vector instructions of it. */
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

    /** The largest cosines so far, as a heap with the smallest of them first. */
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
