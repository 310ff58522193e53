// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.explore;

import io.github.simclr4j.util.Progress;
import java.util.Arrays;
import java.util.stream.IntStream;

/** Finds nearest neighbours by comparing with every image. */
final class ExactSearch implements NearestSearch {
    /** Number of images of the set per block; a block fits into the processor's caches. */
    private static final int BLOCK = 512;
    /** Number of query images that a thread handles at a time. */
    private static final int ASKED = 64;

    private final Features set;
    private final Progress progress;

    ExactSearch(Features set, Progress progress) {
        this.set = set;
        this.progress = progress;
    }

    @Override
    public Nearest nearest(Features asked, int k) {
        set.comparable(asked);
        return search(asked.rows(), Math.min(k, set.size()), false);
    }

    @Override
    public Nearest ofEach(int k) {
        return search(set.rows(), Math.min(k, set.size() - 1), true);
    }

    private Nearest search(float[][] asked, int k, boolean themselves) {
        Nearest.Heap[] heaps = new Nearest.Heap[asked.length];
        Arrays.setAll(heaps, i -> new Nearest.Heap(k));
        float[][] columns = new float[set.dimension()][BLOCK];
        progress.start("comparing features", set.size());
        for (int from = 0; from < set.size(); from += BLOCK) {
            Interruption.check();
            int first = from;
            int count = Math.min(BLOCK, set.size() - from);
            transpose(from, count, columns);
            IntStream.range(0, (asked.length + ASKED - 1) / ASKED).parallel().forEach(part -> {
                float[] cosines = new float[BLOCK];
                for (int i = part * ASKED; i < Math.min(asked.length, (part + 1) * ASKED); i++) {
                    cosines(asked[i], columns, cosines);
                    heaps[i].offer(cosines, count, first, themselves ? i : -1);
                }
            });
            progress.at(from + count, "");
        }
        progress.end();
        int[][] images = new int[asked.length][];
        float[][] similarities = new float[asked.length][];
        for (int i = 0; i < heaps.length; i++) {
            heaps[i].sorted(images, similarities, i);
        }
        return new Nearest(images, similarities);
    }

    private void transpose(int from, int count, float[][] columns) {
        for (int i = 0; i < count; i++) {
            float[] row = set.rows()[from + i];
            for (int j = 0; j < row.length; j++) {
                columns[j][i] = row[j];
            }
        }
    }

    /** Computes cosines; the inner loop is over images, for four features at once, so that the JIT compiler vectorises it. */
    private static void cosines(float[] row, float[][] columns, float[] into) {
        Arrays.fill(into, 0);
        int j = 0;
        for (; j + 3 < row.length; j += 4) {
            float p = row[j];
            float q = row[j + 1];
            float r = row[j + 2];
            float s = row[j + 3];
            float[] a = columns[j];
            float[] b = columns[j + 1];
            float[] c = columns[j + 2];
            float[] d = columns[j + 3];
            for (int i = 0; i < BLOCK; i++) {
                into[i] += p * a[i] + q * b[i] + r * c[i] + s * d[i];
            }
        }
        for (; j < row.length; j++) {
            float p = row[j];
            float[] a = columns[j];
            for (int i = 0; i < BLOCK; i++) {
                into[i] += p * a[i];
            }
        }
    }
}
