// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.simclr4j.onnx.network.ProjectionHead;
import io.github.simclr4j.train.loss.Anchors;
import io.github.simclr4j.train.loss.Losses;
import io.github.simclr4j.train.loss.SmallAnchors;
import io.github.simclr4j.train.settings.PretrainBuilder;
import io.github.simclr4j.train.testing.Small;
import io.github.simclr4j.train.torch.Gradients;
import io.github.simclr4j.train.torch.Torch;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which results of its branches a method compares, where no reference values tell it; those are in {@link GoldenMethodsTest}. */
class MethodLossTest {
    private static final String PROJECTION = ProjectionHead.PROJECTION;
    private static final String PREDICTION = Predictor.PREDICTION;
    private static final int N = 5;
    private static final int D = 7;
    private static final int CLASSES = 10;

    @BeforeEach
    void noGradient() {
        Torch.noGradient();
    }

    private static PretrainBuilder settings(String method, int smallViews) {
        PretrainBuilder b = Small.settings(method).projection(D);
        return smallViews == 0 ? b : b.option("multi-crop", smallViews);
    }

    /** Random rows of each view. */
    private static List<float[][]> views(int count, int d, long seed) {
        return IntStream.range(0, count)
                .mapToObj(v -> Small.rows(N, d, seed + v))
                .toList();
    }

    private static List<NDArray> tensors(NDManager m, List<float[][]> views) {
        return views.stream().map(m::create).toList();
    }

    private static double dot(float[][] a, float[][] b, int i, int j) {
        return Small.dot(Small.unit(a)[i], Small.unit(b)[j]);
    }

    /** Chen and He 2021, section 4.1: without the stop-gradient SimSiam collapses. NNCLR's queue gives its neighbours no gradient. */
    @ParameterizedTest
    @CsvSource({"simsiam, 0", "simsiam, 3", "nnclr, 0"})
    void theProjectionsThatPredictionsAreMatchedWithGetNoGradient(String method, int smallViews) {
        try (NDManager m = Torch.engine().newBaseManager();
                MethodOnRows on = new MethodOnRows(settings(method, smallViews), N)) {
            List<NDArray> predictions = tensors(m, views(2 + smallViews, D, 1));
            List<NDArray> projections = tensors(m, views(2, D, 100));
            List<NDArray> all = new ArrayList<>(predictions);
            all.addAll(projections);
            all.forEach(a -> a.setRequiresGradient(true));
            NDArray loss = Torch.recording(() -> on.method()
                    .loss(on.embeddings(Map.of(PREDICTION, predictions, PROJECTION, projections)))
                    .value());
            List<NDArray> gradients = Gradients.of(new NDList(loss), null, all, m);
            for (int i = 0; i < all.size(); i++) {
                double largest = 0;
                for (float g : gradients.get(i).toFloatArray()) {
                    largest = Math.max(largest, Math.abs(g));
                }
                if (i < predictions.size()) {
                    assertTrue(largest > 1e-3, "prediction from view " + i + " " + largest);
                } else {
                    assertEquals(0, largest, "projection of view " + (i - predictions.size()));
                }
            }
        }
    }

    /** The queue keeps the first views' projections, normalised, and the newest of them replace the oldest. */
    @Test
    void nnclrsQueueTakesTheFirstViewsProjections() {
        int size = 12;
        try (NDManager m = Torch.engine().newBaseManager();
                MethodOnRows on = new MethodOnRows(settings("nnclr", 0).option("queue", size), N)) {
            double[][] expected = Small.wide(on.state("queue"));
            for (int step = 0; step < 3; step++) {
                List<float[][]> projections = views(2, D, 10 * step);
                on.method()
                        .afterStep(on.embeddings(
                                Map.of(PREDICTION, tensors(m, views(2, D, 100)), PROJECTION, tensors(m, projections))));
                double[][] first = Small.unit(projections.get(0));
                for (int i = 0; i < N; i++) {
                    expected[(step * N + i) % size] = first[i];
                }
                double[][] queue = Small.wide(on.state("queue"));
                for (int k = 0; k < size; k++) {
                    assertArrayEquals(expected[k], queue[k], 1e-6, "step " + step + " place " + k);
                }
            }
        }
    }

    /** The queue takes one row of each image: with a teacher of views that of the first view. */
    @Test
    void distillationsQueueTakesTheTeachersFeaturesOfTheFirstViews() {
        try (NDManager m = Torch.engine().newBaseManager()) {
            Branch both = new Branch(null, List.of(0, 1), List.of(PROJECTION), true);
            NDArray queue = m.create(Small.rows(2 * N, D, 1));
            double[][] before = Small.wide(queue);
            float[][] said = Small.rows(2 * N, D, 2);
            Method student = new FeatureStudent(both, new KeyQueue(queue, m.zeros(new Shape(1))), 0.07, 1, null);
            student.afterStep(
                    new Embeddings(Map.of(both, new NDList(queue)), new int[N], null, m.create(said), 0, 2 * N));
            double[][] after = Small.wide(queue);
            for (int k = 0; k < 2 * N; k++) {
                assertArrayEquals(k < N ? Small.wide(said)[k] : before[k], after[k], "place " + k);
            }
        }
    }

    /** He et al. 2020, section 3.2: a query's candidates are the keys of the batch. */
    @Test
    void endToEndsCandidatesAreTheKeysOfTheBatch() {
        double t = 0.5;
        List<float[][]> z = views(2, D, 1);
        double expected = 0;
        for (int i = 0; i < N; i++) {
            double sum = 0;
            for (int k = 0; k < N; k++) {
                sum += Math.exp(dot(z.get(0), z.get(1), i, k) / t);
            }
            expected += (Math.log(sum) - dot(z.get(0), z.get(1), i, i) / t) / N;
        }
        try (NDManager m = Torch.engine().newBaseManager();
                MethodOnRows on = new MethodOnRows(settings("end-to-end", 0), N)) {
            Embeddings rows = on.embeddings(Map.of(PROJECTION, tensors(m, z)));
            assertEquals(expected, on.method().loss(rows).value().getFloat(), 1e-5);
        }
    }

    /** Both views of an image have its class, or what the teacher said of this image of the training set. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aClassifiersTargetsAreThoseOfTheImages(boolean soft) {
        int[] which = {3, 0, 6, 2, 5};
        int[] labels = {1, 9, 0, 4, 4};
        float[][] said = new float[8][];
        for (int i = 0; i < said.length; i++) {
            said[i] = SoftLabels.at(1, new Random(i).doubles(CLASSES, 0.01, 1).toArray());
        }
        List<float[][]> logits = views(2, CLASSES, 1);
        double expected = 0;
        for (float[][] view : logits) {
            for (int i = 0; i < N; i++) {
                double sum = 0;
                for (float y : view[i]) {
                    sum += Math.exp(y);
                }
                for (int c = 0; c < CLASSES; c++) {
                    double target = soft ? said[which[i]][c] : c == labels[i] ? 1 : 0;
                    expected += target * (Math.log(sum) - view[i][c]) / (2 * N);
                }
            }
        }
        MethodFactory factory = soft ? new Distillation(new SoftLabels(said)) : new Supervised();
        PretrainBuilder b = Small.settings(factory);
        try (NDManager m = Torch.engine().newBaseManager();
                MethodOnRows on = new MethodOnRows(soft ? b.option("temperature", 1) : b, N)) {
            Embeddings rows = on.embeddings(Map.of(PROJECTION, tensors(m, logits)), which, labels, null);
            assertEquals(expected, on.method().loss(rows).value().getFloat(), 1e-5 * expected);
        }
    }

    /**
     * Caron et al. 2020: the loss is a mean over all pairs of a full-size view, which is the target, and another view. BYOL's is
     * 4 - 4 cos of it and SimSiam's -cos.
     */
    @ParameterizedTest
    @CsvSource({"byol, 4, -4", "simsiam, 0, -1"})
    void smallViewsPredictTheTargetsOfBothFullSizeViews(String method, double offset, double factor) {
        int small = 3;
        List<float[][]> predictions = views(2 + small, D, 1);
        List<float[][]> targets = views(2, D, 100);
        double sum = 0;
        for (int i = 0; i < N; i++) {
            for (int v = 0; v < predictions.size(); v++) {
                for (int target = 0; target < 2; target++) {
                    sum += v == target ? 0 : dot(predictions.get(v), targets.get(target), i, i);
                }
            }
        }
        try (NDManager m = Torch.engine().newBaseManager();
                MethodOnRows on = new MethodOnRows(settings(method, small), N)) {
            Embeddings rows =
                    on.embeddings(Map.of(PREDICTION, tensors(m, predictions), PROJECTION, tensors(m, targets)));
            assertEquals(
                    offset + factor * sum / (N * 2 * (1 + small)),
                    on.method().loss(rows).value().getFloat(),
                    1e-5);
        }
    }

    @Test
    void smallViewsOfSimClrAreComparedWithTheFullSizeOnes() {
        int small = 3;
        double t = 0.5;
        try (NDManager m = Torch.engine().newBaseManager();
                MethodOnRows on = new MethodOnRows(settings("simclr", small), N)) {
            List<NDArray> z = tensors(m, views(2 + small, D, 1));
            NDArray full = z.get(0).concat(z.get(1));
            NDArray others = z.get(2).concat(z.get(3)).concat(z.get(4));
            double expected = (Losses.ntXent(Anchors.all(full), t).getFloat()
                            + small
                                    * new SmallAnchors(others, full, 0)
                                            .crossEntropy(t)
                                            .getFloat())
                    / (1 + small);
            Embeddings rows = on.embeddings(Map.of(PROJECTION, z));
            assertEquals(expected, on.method().loss(rows).value().getFloat(), 1e-5);
        }
    }
}
