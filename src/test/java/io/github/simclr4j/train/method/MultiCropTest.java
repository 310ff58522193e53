// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.github.simclr4j.onnx.network.EncoderFamilies;
import io.github.simclr4j.train.loop.StepByStep;
import io.github.simclr4j.train.loss.Rows;
import io.github.simclr4j.train.loss.SmallAnchors;
import io.github.simclr4j.train.settings.PretrainBuilder;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.train.testing.Small;
import io.github.simclr4j.train.torch.Torch;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Small views; that methods with them keep the contract is tested with all methods. */
class MultiCropTest {
    private static final int N = 5;
    private static final int SMALL = 3;
    private static final int D = 7;

    private static PretrainBuilder settings(String method, int crops) {
        return Small.settings(method)
                .option("multi-crop", crops)
                .optimizer("sgd")
                .learningRate(0.1)
                .batch(8)
                .epochs(1);
    }

    /** Caron et al. 2020, main_swav.py: the mean over all pairs of a full-size view and another view, here of the cosine. */
    @Test
    void allPairsOfAFullSizeViewAndAnotherCountAlike() {
        double[][] full = Small.unit(Small.rows(2 * N, D, 1));
        double[][] small = Small.unit(Small.rows(SMALL * N, D, 2));
        double sum = 0;
        for (int i = 0; i < N; i++) {
            for (int target = 0; target < 2; target++) {
                sum += Small.dot(full[target * N + i], full[(1 - target) * N + i]);
                for (int v = 0; v < SMALL; v++) {
                    sum += Small.dot(full[target * N + i], small[v * N + i]);
                }
            }
        }
        double expected = sum / (N * 2 * (1 + SMALL));
        Branch of = new Branch(null, List.of(2, 3, 4), List.of("projection"), true);
        int anchors = MultiCrop.anchors(N, of);
        assertEquals((2 + SMALL) * N, anchors);
        int[][] divisions = {{0, anchors}, {0, 3, 2 * N - 1, 2 * N + 2, anchors}, {0, 2 * N, anchors}};
        for (int[] bounds : divisions) {
            double total = 0;
            for (int k = 0; k + 1 < bounds.length; k++) {
                total += loss(of, bounds[k], bounds[k + 1]) * (bounds[k + 1] - bounds[k]) / anchors;
            }
            assertEquals(expected, total, 1e-6, Arrays.toString(bounds));
        }
    }

    private static double loss(Branch small, int from, int to) {
        Torch.noGradient();
        try (NDManager m = Torch.engine().newBaseManager()) {
            NDArray full = m.create(Small.rows(2 * N, D, 1));
            NDArray others = m.create(Small.rows(SMALL * N, D, 2));
            Embeddings z = new Embeddings(Map.of(small, new NDList(others)), new int[N], null, from, to);
            NDArray partners = Rows.normalise(full.get(N + ":").concat(full.get(":" + N)));
            return MultiCrop.loss(
                            z,
                            small,
                            (a, b) -> Rows.normalise(full.get(a + ":" + b))
                                    .mul(partners.get(a + ":" + b))
                                    .sum(new int[] {1})
                                    .mean(),
                            (a, b) -> MultiCrop.cosine(others.get(a + ":" + b), a, full))
                    .getFloat();
        }
    }

    @Test
    void aSmallViewsPositivesAreItsImagesTwoViewsAndItsNegativesThoseOfOtherImages() {
        double t = 0.3;
        double[][] full = Small.unit(Small.rows(2 * N, D, 1));
        double[][] small = Small.unit(Small.rows(SMALL * N, D, 2));
        int from = 3;
        int to = 11;
        double sum = 0;
        for (int r = from; r < to; r++) {
            for (int view = 0; view < 2; view++) {
                double all = 0;
                for (int c = 0; c < 2 * N; c++) {
                    all += c % N == r % N && c != view * N + r % N ? 0 : Math.exp(Small.dot(small[r], full[c]) / t);
                }
                sum += Math.log(all) - Small.dot(small[r], full[view * N + r % N]) / t;
            }
        }
        Torch.noGradient();
        try (NDManager m = Torch.engine().newBaseManager()) {
            NDArray rows = m.create(Small.rows(SMALL * N, D, 2)).get(from + ":" + to);
            SmallAnchors anchors = new SmallAnchors(rows, m.create(Small.rows(2 * N, D, 1)), from);
            assertEquals(sum / 2 / (to - from), anchors.crossEntropy(t).getFloat(), 1e-5);
            float[] ranks = anchors.rank().toFloatArray();
            for (int r = from; r < to; r++) {
                int nearer = 0;
                for (int c = 0; c < 2 * N; c++) {
                    nearer +=
                            c % N != r % N && Small.dot(small[r], full[c]) >= Small.dot(small[r], full[r % N]) ? 1 : 0;
                }
                assertEquals(nearer, ranks[r - from], "row " + r);
            }
        }
    }

    /** The exported encoder sees images of full size, of which alone the running statistics are; these views stay the same. */
    @ParameterizedTest
    @ValueSource(strings = {"simclr", "simsiam", "byol"})
    void smallViewsMoveTheWeightsButNotTheRunningStatistics(String method) throws IOException {
        Map<String, double[]> without =
                StepByStep.take(Small.build(settings(method, 0)), 1).after();
        Map<String, double[]> with = StepByStep.take(
                        Small.build(settings(method, 2).option("multi-crop-size", 12)), 1)
                .after();
        assertEquals(without.keySet(), with.keySet());
        int statistics = 0;
        for (String name : without.keySet()) {
            if (name.contains("running_")) {
                statistics++;
                assertArrayEquals(without.get(name), with.get(name), 1e-9, name);
            }
        }
        assertTrue(statistics > 0);
        assertFalse(Arrays.equals(without.get("conv1.weight"), with.get("conv1.weight")), "" + without.keySet());
    }

    @Test
    void theSizeFollowsTheImageSizeWhereNoneIsGiven() {
        PretrainSettings small = settings("simclr", 6).build(1000);
        assertEquals(new SmallViews(6, 20, 0.05, 0.4), small.smallViews());
        assertEquals(8, small.views());
        assertEquals("6", small.describe().get("training.multi_crop"));
        PretrainSettings large = settings("simclr", 6)
                .imageSize(224)
                .option("multi-crop-most", 0.14)
                .build(1000);
        assertEquals(new SmallViews(6, 96, 0.05, 0.14), large.smallViews());
        assertTrue(
                large.smallView().toString().startsWith("crop:0.05/0.14@1.0,"),
                large.smallView().toString());
        assertEquals(2, settings("simclr", 0).build(1000).views());
    }

    @Test
    void whatDoesNotFitIsRefused() {
        refused("vit-tiny", settings("simclr", 2).encoder(EncoderFamilies.of("vit-tiny", Map.of("patch-size", "4"))));
        refused("crop", settings("simclr", 2).views("flip"));
        refused("nt-xent", settings("simclr", 2).option("loss", "decoupled"));
        refused("multi-crop-size", settings("simclr", 2).option("multi-crop-size", 64));
        refused("least", settings("simclr", 2).option("multi-crop-least", 0.5));
    }

    private static void refused(String word, PretrainBuilder b) {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> b.build(1000));
        assertTrue(e.getMessage().contains(word), e.getMessage());
    }
}
