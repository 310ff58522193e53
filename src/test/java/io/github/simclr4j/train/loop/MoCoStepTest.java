// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.github.simclr4j.onnx.network.ProjectionHead;
import io.github.simclr4j.train.method.Branch;
import io.github.simclr4j.train.method.Embeddings;
import io.github.simclr4j.train.network.Network;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.train.testing.Small;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** MoCo's queue, and the momentum encoders of MoCo and BYOL, in the steps of a run. */
class MoCoStepTest {
    private static Network keyEncoder(StepByStep run) {
        return run.context().followers().get("key").network();
    }

    private static NDArray queue(StepByStep run) {
        return run.context().tensors().get("queue");
    }

    /** Projections of some rows that go through a network together, each of length 1. */
    private static double[][] unit(Network network, BatchViews batch, NDManager m, IntStream rows) {
        Network.Pass pass = new Network.Pass(true, 1, false, null);
        return Small.unit(Small.wide(network.run(batch.rows(m, rows.toArray()), pass, ProjectionHead.PROJECTION)
                .get(0)));
    }

    private static void same(double[][] expected, double[][] actual, String what) {
        assertEquals(expected.length, actual.length, what);
        for (int i = 0; i < expected.length; i++) {
            assertArrayEquals(expected[i], actual[i], 1e-4, what + " " + i);
        }
    }

    /**
     * He et al. 2020, algorithm 1: the loss pairs a query with the other view of its image, and the queue takes the keys in
     * order.
     */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aQuerysKeyIsTheOtherViewOfItsImageAndGoesToTheQueue(boolean symmetric) throws IOException {
        int n = 6;
        double t = 0.5;
        PretrainSettings s = Small.build(Small.settings("mocov2", "sgd", 0.1, n, 1)
                .views("none")
                .otherViews("rotate@1,grey@1")
                .option("symmetric", symmetric));
        try (StepByStep run = new StepByStep(s);
                NDManager m = run.network().manager().newSubManager()) {
            int queries = symmetric ? 2 * n : n;
            for (int i = 0; i < 2; i++) {
                BatchViews batch = run.next();
                double[][] first = unit(run.network(), batch, m, IntStream.range(0, queries));
                double[][] second = unit(keyEncoder(run), batch, m, IntStream.range(symmetric ? 0 : n, 2 * n));
                // View 0 of an image is row i and view 1 row i + N, as queries and as keys.
                double[][] keys = IntStream.range(0, queries)
                        .mapToObj(k -> second[symmetric ? (k + n) % (2 * n) : k])
                        .toArray(double[][]::new);
                double[][] before = Small.wide(queue(run));
                double loss = IntStream.range(0, queries)
                        .mapToDouble(k -> Math.log(Math.exp(Small.dot(first[k], keys[k]) / t)
                                        + Arrays.stream(before)
                                                .mapToDouble(q -> Math.exp(Small.dot(first[k], q) / t))
                                                .sum())
                                - Small.dot(first[k], keys[k]) / t)
                        .average()
                        .orElseThrow();

                TrainingStep.Result r = run.take(batch, m);
                same(first, Small.unit(Small.wide(r.outcome().anchors())), "queries");
                same(keys, Small.wide(r.outcome().positives()), "keys");
                assertEquals(loss, r.outcome().loss().getFloat(), 1e-4);
                double[][] queue = Small.wide(queue(run));
                for (int k = 0; k < 24; k++) {
                    boolean arrived = k / queries == i;
                    assertArrayEquals(arrived ? keys[k % queries] : before[k], queue[k], 1e-4, "place " + k);
                }
            }
        }
    }

    /**
     * Half a cosine from the first value to the last, as BYOL's and solo-learn's: end - (end - start) * (cos(pi * done) + 1) /
     * 2. As cos(pi / 3) = 1/2, the momentum is 0.9 - 0.4 * 3/4 a third of the way.
     */
    @ParameterizedTest
    @CsvSource({
        "mocov2, 0, 0.5",
        "mocov2, 0.333333333333, 0.6",
        "mocov2, 0.5, 0.7",
        "mocov2, 1, 0.9",
        "mocov3, 0.333333333333, 0.6",
        "mocov3, 1, 0.9",
        "byol, 0.333333333333, 0.6",
        "byol, 1, 0.9"
    })
    void theMomentumEncodersMomentumRisesAlongACosine(String method, double done, double momentum) throws IOException {
        PretrainSettings s = Small.build(Small.settings(method, "sgd", 1e-12, 8, 1)
                .option("momentum-encoder", 0.5)
                .option("momentum-encoder-end", 0.9));
        try (StepByStep run = new StepByStep(s);
                NDManager m = run.network().manager().newSubManager()) {
            NDArray key = run.context()
                    .followers()
                    .get(method.equals("byol") ? "target" : "key")
                    .network()
                    .trained()
                    .get("conv1.weight");
            run.network().trained().get("conv1.weight").muli(0).addi(1);
            key.muli(0);
            run.step().take(run.next(), 1e-12, done, m);
            // m * 0 + (1 - m) * 1.
            assertEquals(1 - momentum, key.toFloatArray()[0], 1e-6);
        }
    }

    @Test
    void theQueueHoldsTheNewestKeysOldestReplacedFirst() {
        PretrainSettings s = Small.build(Small.settings("mocov2", "sgd", 0.1, 10, 1));
        try (StepByStep run = new StepByStep(s);
                NDManager m = run.network().manager().newSubManager()) {
            float[] noise = queue(run).toFloatArray();
            for (int i = 0; i < 24; i++) {
                double length = 0;
                for (int k = 0; k < 16; k++) {
                    length += noise[16 * i + k] * noise[16 * i + k];
                }
                assertEquals(1, length, 1e-5, "starts with noise of length 1");
            }
            Branch query = run.method().branches().get(0);
            Branch key = run.method().branches().get(1);
            // A queue of 24 and five arrivals of 10: it holds those of the second to the fifth, but for six of the
            // second.
            for (int from = 0; from < 50; from += 10) {
                float[] keys = new float[160];
                for (int i = 0; i < 160; i++) {
                    // The number of a key is its first coordinate over its second, whatever its length.
                    keys[i] = i % 16 == 0 ? from + i / 16 : i % 16 == 1 ? 1 : 0;
                }
                NDArray arrived = m.create(keys, new Shape(10, 16)).toType(DataType.FLOAT32, false);
                run.method()
                        .afterStep(new Embeddings(
                                Map.of(
                                        query,
                                        new ai.djl.ndarray.NDList(arrived),
                                        key,
                                        new ai.djl.ndarray.NDList(arrived)),
                                new int[10],
                                null,
                                0,
                                10));
            }
            Set<Integer> held = new HashSet<>();
            float[] values = queue(run).toFloatArray();
            for (int i = 0; i < 24; i++) {
                held.add(Math.round(values[16 * i] / values[16 * i + 1]));
            }
            assertEquals(IntStream.range(26, 50).boxed().collect(HashSet::new, Set::add, Set::addAll), held);
        }
    }

    @Test
    void theMomentumEncoderStartsEqualFollowsAndGetsNoGradient() throws IOException {
        PretrainSettings s = Small.build(Small.settings("mocov2", "sgd", 0.5, 16, 1));
        try (StepByStep run = new StepByStep(s);
                NDManager m = run.network().manager().newSubManager()) {
            Network network = run.network();
            Map<String, float[]> before = new HashMap<>();
            keyEncoder(run).trained().forEach((name, w) -> {
                assertArrayEquals(network.values(name), w.toFloatArray(), name);
                before.put(name, w.toFloatArray());
            });
            run.take(run.next(), m);
            keyEncoder(run).trained().forEach((name, w) -> {
                float[] query = network.values(name);
                float[] old = before.get(name);
                float[] now = w.toFloatArray();
                for (int i = 0; i < now.length; i++) {
                    assertEquals(0.9 * old[i] + 0.1 * query[i], now[i], 1e-6 * Math.max(1, Math.abs(query[i])), name);
                }
                assertFalse(w.hasGradient(), name);
                assertTrue(network.trained().get(name).hasGradient(), name);
            });
            // Its statistics are those of the keys, not those of the queries.
            assertNotEquals(
                    network.values("bn1.running_mean")[0], keyEncoder(run).values("bn1.running_mean")[0]);
        }
    }
}
