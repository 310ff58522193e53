// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.train.network.Precision;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.train.testing.Small;
import io.github.simclr4j.train.torch.Torch;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How rows are dealt to micro-batches and groups, and the statistics of the groups. */
class MicroBatchesTest {
    /** A batch without images. */
    private static BatchViews batch(int images) {
        return new BatchViews(null, List.of(), 0, new int[images], null, 1, 2, null);
    }

    @Test
    void theTwoViewsOfAnImageAreDealtToGroupsAtRandom() {
        BatchViews batch = batch(32);
        MicroBatches groups = new MicroBatches(1, 8);
        groups.begin(null);
        int[] first = groups.deal(batch, 64);
        int[] second = groups.deal(batch, 64);
        assertFalse(Arrays.equals(first, second), "queries and keys are dealt differently");
        groups.begin(null);
        assertArrayEquals(first, groups.deal(batch, 64), "the same in each run");
        int together = 0;
        int[] group = new int[64];
        for (int i = 0; i < 64; i++) {
            // Rows of a group stand together.
            group[first[i]] = i / 8;
        }
        for (int i = 0; i < 32; i++) {
            together += group[i] == group[i + 32] ? 1 : 0;
        }
        // 32 pairs, each with a chance of about an eighth.
        assertTrue(together < 14, "" + together);
        assertEquals(64, Arrays.stream(first).distinct().count());
    }

    @Test
    void oneGroupKeepsTheOrder() {
        MicroBatches whole = new MicroBatches(1, 1);
        whole.begin(null);
        assertArrayEquals(IntStream.range(0, 16).toArray(), whole.deal(batch(8), 16));
    }

    @Test
    void whatGroupsDoNotDivideIsRefused() {
        String why = assertThrows(IllegalArgumentException.class, () -> new MicroBatches(3, 4))
                .getMessage();
        assertTrue(why.contains("found 4 and 3"), why);
        MicroBatches groups = new MicroBatches(1, 3);
        groups.begin(null);
        assertThrows(IllegalArgumentException.class, () -> groups.deal(batch(8), 16));
    }

    /** Whatever the groups and micro-batches, a projection comes back to the place of its row. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4})
    void whatIsDealtToGroupsIsGatheredInTheOrderOfTheRows(int micro) {
        BatchViews batch = batch(8);
        try (NDManager m = Torch.engine().newBaseManager()) {
            MicroBatches groups = new MicroBatches(micro, 4);
            groups.begin(m);
            int[] dealt = groups.deal(batch, 16);
            NDList parts = new NDList();
            for (int k = 0; k < micro; k++) {
                // A network that gives each row's number.
                parts.add(m.create(groups.part(dealt, k)));
            }
            NDList gathered = MicroBatches.gather(new NDList(NDArrays.concat(parts)), dealt);
            assertArrayEquals(IntStream.range(0, 16).toArray(), gathered.get(0).toIntArray());
        }
    }

    /**
     * From 0 and 1 to 0.9 * 0 + 0.1 * mean and 0.9 * 1 + 0.1 * variance of the first convolution's output: the means over the
     * groups, and the variance that is divided by n - 1, as PyTorch has it.
     */
    @ParameterizedTest
    @CsvSource({"0, 1", "0, 4", "4, 4", "8, 4"})
    void theRunningStatisticsMoveOnceAStep(int micro, int groups) throws IOException {
        PretrainSettings s = Small.build(Small.settings("simclr", "sgd", 1e-9, 16, 1)
                .microBatch(micro)
                .bnSplits(groups)
                .precision(Precision.FLOAT64));
        try (StepByStep run = new StepByStep(s);
                NDManager m = run.network().manager().newSubManager()) {
            BatchViews batch = run.next();
            double[][][] out = firstConvolution(
                    batch.rows(m, IntStream.range(0, 32).toArray()).toFloatArray(),
                    run.network().trained().get("conv1.weight").toDoubleArray());
            MicroBatches same = new MicroBatches(s.microBatches(), s.groups());
            same.begin(m);
            int[] dealt = same.deal(batch, 32);
            run.take(batch, m);
            double[] means = run.network().tensors().get("bn1.running_mean").toDoubleArray();
            double[] variances = run.network().tensors().get("bn1.running_var").toDoubleArray();
            for (int c = 0; c < 4; c++) {
                double mean = 0;
                double variance = 0;
                for (int g = 0; g < groups; g++) {
                    int channel = c;
                    int per = 32 / groups;
                    double[] v = IntStream.range(g * per, (g + 1) * per)
                            .mapToObj(r -> out[dealt[r]][channel])
                            .flatMapToDouble(Arrays::stream)
                            .toArray();
                    double own = Arrays.stream(v).average().orElseThrow();
                    mean += own / groups;
                    variance += Arrays.stream(v).map(x -> (x - own) * (x - own)).sum() / (v.length - 1) / groups;
                }
                assertEquals(0.1 * mean, means[c], 1e-6, "mean " + c);
                assertEquals(0.9 + 0.1 * variance, variances[c], 1e-6, "variance " + c);
            }
        }
    }

    /** Images [n, 3, 32, 32] through a 3x3 convolution [4, 3, 3, 3] with a border of zeros, [n][4][32 * 32]. */
    private static double[][][] firstConvolution(float[] x, double[] w) {
        int n = x.length / (3 * 1024);
        double[][][] out = new double[n][4][1024];
        for (int i = 0; i < n; i++) {
            for (int c = 0; c < 4; c++) {
                for (int p = 0; p < 1024; p++) {
                    for (int k = 0; k < 27; k++) {
                        int row = p / 32 + k % 9 / 3 - 1;
                        int column = p % 32 + k % 3 - 1;
                        if (row >= 0 && row < 32 && column >= 0 && column < 32) {
                            double pixel = x[(3 * i + k / 9) * 1024 + 32 * row + column];
                            out[i][c][p] += w[27 * c + k] * (pixel - Preprocessing.MEAN) / Preprocessing.DEVIATION;
                        }
                    }
                }
            }
        }
        return out;
    }
}
