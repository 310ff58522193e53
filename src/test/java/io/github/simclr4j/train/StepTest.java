package io.github.simclr4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import io.github.simclr4j.onnx.ResNet;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** One step: micro-batches, batch norm groups, mixed precision, MoCo's queue and momentum encoder, memory. */
class StepTest {
    @BeforeEach
    void noGradient() {
        Torch.noGradient();
    }

    /** A network that has taken some steps, and what they came to. */
    private record Taken(Map<String, float[]> weights, double loss) {}

    private static Taken take(PretrainSettings s, DataType type, int steps) throws IOException {
        ImageSet set = Small.labelled(64);
        Passes passes = s.passes();
        Head head = s.method().name().equals("supervised") ? Head.classifier(10) : s.head();
        try (Network network = new Network(s.encoder(), head, s.zeroGamma(), Device.cpu(), type, 1);
                Method method = Method.of(s, network, s.batch(), passes);
                Feed feed = Feed.of(set, network.manager())) {
            Step step = new Step(s, network, method, passes);
            int[] order = IntStream.range(0, set.count()).toArray();
            feed.begin(order, s.batch(), 0);
            Views[] views = {new Views(s.firstView(), 32), new Views(s.secondView(), 32)};
            double loss = 0;
            for (int i = 0; i < steps; i++) {
                feed.next();
                int[] which = Arrays.copyOfRange(order, i * s.batch(), (i + 1) * s.batch());
                int[] labels = Arrays.stream(which).map(k -> set.labels()[k]).toArray();
                try (NDManager m = network.manager().newSubManager()) {
                    Batch batch = new Batch(feed, views, which, labels, 7, 100 + i);
                    Step.Result r = step.take(batch, s.optimiser().rate(), 0.5, m);
                    // Mixed precision first finds its loss scale; the weights stay as they are meanwhile.
                    for (int k = 0; r.skipped() && k < 16; k++) {
                        r = step.take(batch, s.optimiser().rate(), 0.5, m);
                    }
                    assertFalse(r.skipped());
                    loss = r.outcome().loss().toType(DataType.FLOAT64, true).toDoubleArray()[0];
                }
            }
            Map<String, float[]> weights = new TreeMap<>();
            step.tensors().forEach((name, a) -> weights.put(name, doubles(a)));
            return new Taken(weights, loss);
        }
    }

    private static float[] doubles(NDArray a) {
        try (NDArray f = a.toType(DataType.FLOAT32, true)) {
            return f.toFloatArray();
        }
    }

    /**
     * With plain gradient descent and a rate of 1 the difference of the weights is the gradient. In float64, so that nothing but
     * the order of additions is left.
     */
    @Test
    void microBatchesGiveTheGradientOfTheWholeBatch() throws IOException {
        for (String method : new String[] {"simclr", "mocov2", "end-to-end", "supervised"}) {
            Taken whole = take(Small.settings(method, "sgd", 1, 16, 1, 0, 4), DataType.FLOAT64, 1);
            Taken parts = take(Small.settings(method, "sgd", 1, 16, 1, 4, 4), DataType.FLOAT64, 1);
            Taken half = take(Small.settings(method, "sgd", 1, 16, 1, 8, 4), DataType.FLOAT64, 1);
            Taken other = take(Small.settings(method, "sgd", 1, 16, 1, 0, 1), DataType.FLOAT64, 1);
            assertEquals(whole.loss(), parts.loss(), 1e-9, method);
            assertEquals(whole.weights().keySet(), parts.weights().keySet());
            double largest = 0;
            for (String name : whole.weights().keySet()) {
                Golden.same(whole.weights().get(name), parts.weights().get(name), 1e-5, 1e-9, method + " " + name);
                Golden.same(whole.weights().get(name), half.weights().get(name), 1e-5, 1e-9, method + " " + name);
                for (int i = 0; i < whole.weights().get(name).length; i++) {
                    largest = Math.max(largest, Math.abs(whole.weights().get(name)[i] - other.weights().get(name)[i]));
                }
            }
            assertTrue(largest > 1e-4, method + ": other groups must give another gradient");
        }
    }

    /** Each loss in parts: of some anchors at a time where that is the same, else of all. */
    @Test
    void microBatchesGiveTheGradientOfEveryLoss() throws IOException {
        for (String loss : new String[] {"nt-logistic", "nt-logistic-semihard", "margin", "margin-semihard", "debiased",
                "decoupled", "supcon"}) {
            Taken whole = take(Small.loss(loss, 0), DataType.FLOAT64, 1);
            Taken parts = take(Small.loss(loss, 4), DataType.FLOAT64, 1);
            assertEquals(whole.loss(), parts.loss(), 1e-9, loss);
            whole.weights().forEach((name, w) -> Golden.same(w, parts.weights().get(name), 1e-5, 1e-9, loss + " " + name));
        }
    }

    @Test
    void theTwoViewsOfAnImageAreDealtToGroupsAtRandom() throws IOException {
        Batch batch = new Batch(null, null, new int[32], null, 1, 2);
        Passes passes = new Passes(1, 8, false);
        passes.begin(null);
        int[] first = passes.deal(batch, 64);
        int[] second = passes.deal(batch, 64);
        assertFalse(Arrays.equals(first, second), "queries and keys are dealt differently");
        passes.begin(null);
        assertArrayEquals(first, passes.deal(batch, 64), "the same in each run");
        int together = 0;
        int[] group = new int[64];
        for (int i = 0; i < 64; i++) {
            group[first[i]] = i % 8;
        }
        for (int i = 0; i < 32; i++) {
            together += group[i] == group[i + 32] ? 1 : 0;
        }
        // 32 pairs, each with a chance of about an eighth.
        assertTrue(together < 14, "" + together);
        assertEquals(64, Arrays.stream(first).distinct().count());
    }

    @Test
    void theRunningStatisticsMoveOnceAStep() throws IOException {
        PretrainSettings s = Small.settings("simclr", "sgd", 1e-9, 16, 1, 4, 4);
        Taken t = take(s, DataType.FLOAT64, 1);
        // The first convolution's output has a variance well below 1 at the start: 0.9 * 1 + 0.1 * v.
        for (float v : t.weights().get("bn1.running_var")) {
            assertTrue(v > 0.9 && v < 1.2, "moved once: " + v);
        }
    }

    /** FLOAT16 has about three decimal digits, so the gradient is close and not equal; above all, none is lost. */
    @Test
    void mixedPrecisionGivesEveryWeightItsGradient() throws IOException {
        PretrainSettings s = Small.settings("simclr", "sgd", 1, 16, 1, 0, 0);
        Taken exact = take(s, DataType.FLOAT32, 1);
        Taken half = take(Small.mixed(s), DataType.FLOAT32, 1);
        Taken start = take(Small.settings("simclr", "sgd", 1e-12, 16, 1, 0, 0), DataType.FLOAT32, 1);
        assertEquals(exact.loss(), half.loss(), 5e-3);
        for (String name : exact.weights().keySet()) {
            if (name.endsWith(".weight") || name.endsWith(".bias")) {
                double moved = 0;
                double apart = 0;
                for (int i = 0; i < exact.weights().get(name).length; i++) {
                    double d = exact.weights().get(name)[i] - start.weights().get(name)[i];
                    moved += d * d;
                    apart += Math.pow(exact.weights().get(name)[i] - half.weights().get(name)[i], 2);
                }
                assertTrue(Math.sqrt(apart) < 0.1 * Math.sqrt(moved) + 1e-7, name + " " + moved + " " + apart);
            }
        }
    }

    @Test
    void whatMemoryHeldBeforeDoesNotReachTheGradient() throws IOException {
        for (double width : new double[] {1.0 / 16, 0.3}) {
            ResNet net = new ResNet(18, width, ResNet.Stem.CIFAR);
            for (int i = 0; i < 4; i++) {
                try (Network network = new Network(net, Head.simclr(16), false, Device.cpu(), DataType.FLOAT32, 1);
                        NDManager m = network.manager().newSubManager()) {
                    try (NDManager freed = network.manager().newSubManager()) {
                        for (int size = 1 << 10; size <= 1 << 21; size *= 2) {
                            for (int k = 0; k < 8; k++) {
                                freed.full(new Shape(size), Float.NaN);
                            }
                        }
                    }
                    NDArray x = Small.pixels(m, Small.drawings(16));
                    Network.Pass pass = new Network.Pass(true, 1, null, null);
                    try (GradientCollector c = Torch.engine().newGradientCollector()) {
                        c.backward(Losses.ntXent(Anchors.all(network.project(network.encode(x, pass), pass)), 0.5));
                    }
                    network.trained().forEach((name, w) -> {
                        try (NDArray g = w.getGradient()) {
                            assertTrue(Float.isFinite(g.abs().sum().getFloat()), name + " at width " + width);
                        }
                    });
                }
            }
        }
    }

    /** libtorch's 1x1 convolutions with a stride kill the process at these numbers of channels. */
    @Test
    void aFullResNet50Learns() {
        try (Network network = new Network(new ResNet(50, 1, ResNet.Stem.CIFAR), Head.simclr(16), true, Device.cpu(),
                        DataType.FLOAT32, 1);
                NDManager m = network.manager().newSubManager()) {
            NDArray x = Small.pixels(m, Small.drawings(2)).get(":, :, ::2, ::2");
            Network.Pass pass = new Network.Pass(true, 1, null, null);
            try (GradientCollector c = Torch.engine().newGradientCollector()) {
                c.backward(network.project(network.encode(x, pass), pass).square().sum());
            }
            network.trained().forEach((name, w) -> {
                try (NDArray g = w.getGradient()) {
                    assertTrue(Float.isFinite(g.abs().sum().getFloat()), name);
                }
            });
        }
    }

    @Test
    void theQueueHoldsTheNewestKeysOldestReplacedFirst() throws IOException {
        PretrainSettings s = Small.settings("mocov2", "sgd", 0.1, 10, 1, 0, 0);
        try (Network network = new Network(Small.NET, s.head(), true, Device.cpu(), DataType.FLOAT32, 1);
                MoCo moco = (MoCo) Method.of(s, network, 10, s.passes());
                NDManager m = network.manager().newSubManager()) {
            float[] noise = moco.queue().toFloatArray();
            for (int i = 0; i < 24; i++) {
                double length = 0;
                for (int k = 0; k < 16; k++) {
                    length += noise[16 * i + k] * noise[16 * i + k];
                }
                assertEquals(1, length, 1e-5, "starts with noise of length 1");
            }
            // A queue of 24 and five arrivals of 10: it holds the numbers 26 to 49.
            for (int from = 0; from < 50; from += 10) {
                moco.enqueue(m.arange(from, from + 10).toType(DataType.FLOAT32, false).reshape(10, 1)
                        .repeat(1, 16).reshape(new Shape(10, 16)));
            }
            Set<Integer> held = new HashSet<>();
            float[] values = moco.queue().toFloatArray();
            for (int i = 0; i < 24; i++) {
                held.add((int) values[16 * i]);
            }
            assertEquals(IntStream.range(26, 50).boxed().collect(HashSet::new, Set::add, Set::addAll), held);
        }
    }

    @Test
    void theMomentumEncoderStartsEqualFollowsAndGetsNoGradient() throws IOException {
        PretrainSettings s = Small.settings("mocov2", "sgd", 0.5, 16, 1, 0, 0);
        ImageSet set = Small.labelled(16);
        Passes passes = s.passes();
        try (Network network = new Network(Small.NET, s.head(), false, Device.cpu(), DataType.FLOAT32, 1);
                MoCo moco = (MoCo) Method.of(s, network, 16, passes);
                Feed feed = Feed.of(set, network.manager())) {
            Map<String, float[]> before = new HashMap<>();
            moco.momentumEncoder().trained().forEach((name, w) -> {
                assertArrayEquals(network.values(name), w.toFloatArray(), name);
                before.put(name, w.toFloatArray());
            });
            Step step = new Step(s, network, moco, passes);
            int[] order = IntStream.range(0, 16).toArray();
            feed.begin(order, 16, 0);
            feed.next();
            Views[] views = {new Views(s.firstView(), 32), new Views(s.secondView(), 32)};
            try (NDManager m = network.manager().newSubManager()) {
                step.take(new Batch(feed, views, order, null, 1, 2), 0.5, 0, m);
            }
            moco.momentumEncoder().trained().forEach((name, w) -> {
                float[] query = network.values(name);
                float[] old = before.get(name);
                float[] now = w.toFloatArray();
                for (int i = 0; i < now.length; i++) {
                    assertEquals(0.9 * old[i] + 0.1 * query[i], now[i], 1e-6 * Math.max(1, Math.abs(query[i])), name);
                }
                try (NDArray g = w.getGradient()) {
                    assertEquals(0, g.abs().sum().getFloat(), name);
                } catch (IllegalStateException | NullPointerException e) {
                    // No gradient was ever made, which is what is meant.
                    assertTrue(true);
                }
            });
            // Its statistics are those of the keys, not those of the queries.
            assertNotEquals(network.values("bn1.running_mean")[0], moco.momentumEncoder().values("bn1.running_mean")[0]);
        }
    }

    @Test
    void aStepLeavesNoTensorBehind() throws IOException {
        for (String method : new String[] {"simclr", "mocov2", "end-to-end"}) {
            for (int micro : new int[] {0, 4}) {
                PretrainSettings s = Small.settings(method, "adamw", 1e-3, 16, 1, micro, 4);
                ImageSet set = Small.labelled(16);
                Passes passes = s.passes();
                try (Network network = new Network(Small.NET, s.head(), true, Device.cpu(), DataType.FLOAT32, 1);
                        Method how = Method.of(s, network, 16, passes);
                        Feed feed = Feed.of(set, network.manager())) {
                    Step step = new Step(s, network, how, passes);
                    Monitor monitor = new Monitor(network.manager());
                    Views[] views = {new Views(s.firstView(), 32), new Views(s.secondView(), 32)};
                    int[] order = IntStream.range(0, 16).toArray();
                    int[] left = new int[3];
                    for (int i = 0; i < 3; i++) {
                        feed.begin(order, 16, 0);
                        feed.next();
                        try (NDManager m = network.manager().newSubManager()) {
                            monitor.add(step.take(new Batch(feed, views, order, null, 1, i), 1e-3, 0, m).outcome());
                        }
                        left[i] = network.manager().getManagedArrays().size();
                        for (Method.Branch b : how.branches()) {
                            left[i] += b.network().manager().getManagedArrays().size();
                        }
                        if (how instanceof MoCo moco) {
                            left[i] += moco.momentumEncoder().manager().getManagedArrays().size();
                        }
                    }
                    assertEquals(left[0], left[2], method + " micro " + micro);
                }
            }
        }
    }
}
