package io.github.simclr4j.train.loop;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.train.Golden;
import io.github.simclr4j.train.PretrainSettings;
import io.github.simclr4j.train.Small;
import io.github.simclr4j.train.augment.Views;
import io.github.simclr4j.train.data.Feed;
import io.github.simclr4j.train.data.ImageSet;
import io.github.simclr4j.train.loss.Anchors;
import io.github.simclr4j.train.loss.Losses;
import io.github.simclr4j.train.method.Method;
import io.github.simclr4j.train.method.MethodSettings;
import io.github.simclr4j.train.method.MoCo;
import io.github.simclr4j.train.monitor.Monitor;
import io.github.simclr4j.train.network.Head;
import io.github.simclr4j.train.network.Network;
import io.github.simclr4j.train.optim.OptimiserSettings;
import io.github.simclr4j.train.torch.Torch;
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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** One step: micro-batches, batch norm groups, mixed precision, MoCo's queue and momentum encoder, memory. */
class StepTest {
    private static final ImageSet IMAGES = Small.labelled(64);

    @BeforeEach
    void noGradient() {
        Torch.noGradient();
    }

    /** A network that takes steps, one batch of drawn images after the other. */
    private static final class Walk implements AutoCloseable {
        final Network network;
        final Method method;
        final Step step;
        final Passes passes;
        private final PretrainSettings settings;
        private final Feed feed;
        private final Views[] views;
        private int batches;

        Walk(PretrainSettings s, DataType type) {
            settings = s;
            passes = s.passes();
            Head head = s.method().name().equals("supervised") ? Head.classifier(10) : s.head();
            network = new Network(s.encoder(), head, s.zeroGamma(), Device.cpu(), type, 1);
            method = Method.of(s, network, s.batch(), passes);
            feed = Feed.of(IMAGES, network.manager());
            step = new Step(s, network, method, passes);
            feed.begin(IntStream.range(0, IMAGES.count()).toArray(), s.batch(), 0);
            views = new Views[] {new Views(s.firstView(), s.imageSize()), new Views(s.secondView(), s.imageSize())};
        }

        /** The next batch, for one step or several. */
        Batch next() throws IOException {
            int[] which = feed.next();
            return new Batch(feed, views, which, Arrays.stream(which).map(k -> IMAGES.labels()[k]).toArray(), 7, 100 + batches++);
        }

        Step.Result take(Batch batch, NDManager m) {
            return step.take(batch, settings.optimiser().rate(), 0.5, m);
        }

        /** Mixed precision first finds its loss scale; the weights stay as they are meanwhile. */
        Step.Result takeSoundly(Batch batch, NDManager m) {
            Step.Result r = take(batch, m);
            for (int k = 0; r.skipped() && k < 16; k++) {
                r = take(batch, m);
            }
            assertFalse(r.skipped());
            return r;
        }

        /** All tensors of the run. */
        Map<String, float[]> values() {
            Map<String, float[]> all = new TreeMap<>();
            step.tensors().forEach((name, a) -> all.put(name, floats(a)));
            return all;
        }

        @Override
        public void close() {
            feed.close();
            method.close();
            network.close();
        }
    }

    /** What a network's steps came to. */
    private record Taken(Map<String, float[]> weights, double loss) {}

    private static Taken take(PretrainSettings s, DataType type, int steps) throws IOException {
        try (Walk walk = new Walk(s, type)) {
            double loss = 0;
            for (int i = 0; i < steps; i++) {
                try (NDManager m = walk.network.manager().newSubManager()) {
                    Step.Result r = walk.takeSoundly(walk.next(), m);
                    loss = r.outcome().loss().toType(DataType.FLOAT64, true).toDoubleArray()[0];
                }
            }
            return new Taken(walk.values(), loss);
        }
    }

    private static float[] floats(NDArray a) {
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

    /** What the weights move by with plain gradient descent and a rate of 1: the gradient, turned around. */
    private static Map<String, double[]> gradient(PretrainSettings s, DataType type) throws IOException {
        Map<String, float[]> from = take(s, type, 0).weights();
        Map<String, float[]> to = take(s, type, 1).weights();
        Map<String, double[]> moved = new TreeMap<>();
        from.forEach((name, w) -> {
            if (!name.contains("running_") && !name.startsWith("optimiser.") && !name.startsWith("method.")) {
                moved.put(name, IntStream.range(0, w.length).mapToDouble(i -> (double) w[i] - to.get(name)[i]).toArray());
            }
        });
        return moved;
    }

    private static double length(Map<String, double[]> gradient) {
        return Math.sqrt(gradient.values().stream().mapToDouble(g -> Small.dot(g, g)).sum());
    }

    private static PretrainSettings clipped(PretrainSettings s, double most) {
        return Small.optimiser(s, new OptimiserSettings("sgd", 1, 0, 0.9, 0, "cosine", most, 0));
    }

    /** Of all weights together, those of both of end-to-end's encoders too (Pascanu et al. 2013, algorithm 1). */
    @Test
    void aGradientLongerThanTheLimitIsShortenedToItAsAWhole() throws IOException {
        for (String method : new String[] {"simclr", "end-to-end"}) {
            PretrainSettings s = Small.imageSize(Small.settings(method, "sgd", 1, 8, 1, 0, 0), 16);
            Map<String, double[]> free = gradient(clipped(s, 0), DataType.FLOAT32);
            double length = length(free);
            Map<String, double[]> quarter = gradient(clipped(s, length / 4), DataType.FLOAT32);
            assertEquals(length / 4, length(quarter), 1e-4 * length, method);
            // A float32 weight of less than 2 moves in steps of 1e-7.
            free.forEach((name, g) -> assertArrayEquals(
                    Arrays.stream(g).map(v -> v / 4).toArray(), quarter.get(name), 1e-6, method + " " + name));
            Map<String, double[]> below = gradient(clipped(s, 1.01 * length), DataType.FLOAT32);
            free.forEach((name, g) -> assertArrayEquals(g, below.get(name), method + " " + name));
        }
    }

    /** FLOAT16's three digits change the length by little; its loss scale would make it thousands of times longer. */
    @Test
    void theLossScaleIsNoPartOfTheGradientsLength() throws IOException {
        PretrainSettings s = Small.imageSize(Small.settings("simclr", "sgd", 1, 8, 1, 0, 0), 8);
        double exact = length(gradient(clipped(s, 0), DataType.FLOAT32));
        assertEquals(exact, length(gradient(clipped(Small.mixed(s), 2 * exact), DataType.FLOAT32)), 0.1 * exact);
    }

    /** The scale, its halving and the 2,000 good steps that double it are those of PyTorch's GradScaler. */
    @Test
    void aStepThatOverflowsChangesNothingButTheLossScale() throws IOException {
        for (String method : new String[] {"simclr", "mocov2"}) {
            PretrainSettings s = Small.mixed(Small.imageSize(Small.settings(method, "sgd", 0.1, 8, 1, 0, 0), 8));
            Map<String, float[]> undisturbed;
            try (Walk walk = new Walk(s, DataType.FLOAT32); NDManager m = walk.network.manager().newSubManager()) {
                assertArrayEquals(new double[] {65536, 0}, walk.step.scaling());
                walk.step.scaling(1024, 0);
                walk.takeSoundly(walk.next(), m);
                walk.takeSoundly(walk.next(), m);
                undisturbed = walk.values();
            }
            try (Walk walk = new Walk(s, DataType.FLOAT32); NDManager m = walk.network.manager().newSubManager()) {
                walk.step.scaling(1024, 0);
                walk.takeSoundly(walk.next(), m);
                Map<String, float[]> before = walk.values();
                assertTrue(before.keySet().containsAll(Set.of("conv1.weight", "bn1.running_mean")), before.keySet().toString());
                assertTrue(method.equals("simclr") || before.keySet().containsAll(Set.of("method.queue",
                        "method.queue.position", "method.key.conv1.weight", "method.key.bn1.running_mean")));
                Batch second = walk.next();
                // Beyond FLOAT16's 65,504 whatever the gradient.
                walk.step.scaling(0x1p60, 1234);
                assertTrue(walk.take(second, m).skipped());
                walk.values().forEach((name, w) -> assertArrayEquals(before.get(name), w, method + " " + name));
                assertArrayEquals(new double[] {0x1p59, 0}, walk.step.scaling());
                // Nothing of the gradient stays either.
                walk.step.scaling(1024, 0);
                assertFalse(walk.take(second, m).skipped());
                walk.values().forEach((name, w) -> assertArrayEquals(undisturbed.get(name), w, method + " " + name));
            }
        }
    }

    @Test
    void twoThousandGoodStepsDoubleTheLossScale() throws IOException {
        PretrainSettings s = Small.mixed(Small.imageSize(Small.settings("simclr", "sgd", 1e-6, 8, 1, 0, 0), 8));
        try (Walk walk = new Walk(s, DataType.FLOAT32); NDManager m = walk.network.manager().newSubManager()) {
            walk.step.scaling(256, 1998);
            assertFalse(walk.take(walk.next(), m).skipped());
            assertArrayEquals(new double[] {256, 1999}, walk.step.scaling());
            assertFalse(walk.take(walk.next(), m).skipped());
            assertArrayEquals(new double[] {512, 0}, walk.step.scaling());
            // Weights that are no numbers overflow at any scale: that is said, and not tried for ever.
            walk.network.trained().get("conv1.weight").muli(Float.NaN);
            walk.step.scaling(0x1p-16, 0);
            Batch batch = walk.next();
            assertTrue(assertThrows(IllegalStateException.class, () -> walk.take(batch, m)).getMessage().contains("learning rate"));
        }
    }

    /** The loss is then taken on the encoder's 32 features: on one and the same batch gradient descent lowers it. */
    @Test
    void anEncoderWithoutAHeadLearns() throws IOException {
        for (String method : new String[] {"simclr", "end-to-end"}) {
            PretrainSettings s = Small.oneGamma(Small.imageSize(Small.settings(method, "sgd", 0.02, 8, 1, 0, 0), 16));
            try (Walk walk = new Walk(Small.head(s, new Head(0, 0, 16, true, 0)), DataType.FLOAT32);
                    NDManager m = walk.network.manager().newSubManager()) {
                Batch batch = walk.next();
                double before = Double.POSITIVE_INFINITY;
                for (int i = 0; i < 4; i++) {
                    Method.Outcome o = walk.take(batch, m).outcome();
                    assertEquals(32, o.anchors().getShape().get(1));
                    assertTrue(o.loss().getFloat() < before - 1e-3, method + ": " + before + " to " + o.loss().getFloat());
                    before = o.loss().getFloat();
                }
            }
        }
    }

    /** He et al. 2020, figure 2a: both encoders are updated by back-propagation. */
    @Test
    void bothEncodersOfEndToEndGetAGradientOfTheirOwn() throws IOException {
        PretrainSettings s = Small.oneGamma(clipped(Small.settings("end-to-end", "sgd", 1, 8, 1, 0, 0), 0));
        Map<String, double[]> gradient = gradient(s, DataType.FLOAT32);
        int pairs = 0;
        for (String name : gradient.keySet()) {
            if (!name.startsWith("branch1.") && !name.equals("head.4.bias")) {
                double[] query = gradient.get(name);
                double[] key = gradient.get("branch1." + name);
                assertTrue(Small.dot(query, query) > 0, name);
                assertTrue(Small.dot(key, key) > 0, "branch1." + name);
                assertFalse(Arrays.equals(query, key), name);
                pairs++;
            }
        }
        // 20 convolutions and their batch norms' scales and shifts; a dense layer, scale and shift, and a last one without shift.
        assertEquals(65, pairs);
    }

    @Test
    void eachViewIsMadeByItsOwnRule() throws IOException {
        PretrainSettings s = Small.views(Small.settings("simclr", "sgd", 1, 4, 1, 0, 0), "none", "grey@1");
        try (Walk walk = new Walk(s, DataType.FLOAT32); NDManager m = walk.network.manager().newSubManager()) {
            walk.next();
            Batch batch = walk.next();
            assertArrayEquals(new int[] {4, 5, 6, 7}, batch.images());
            // Rows 4 to 7 are the second views of images 4 to 7, rows 0 to 3 the first ones.
            int[] rows = {7, 0, 4, 3};
            int[] images = {7, 4, 4, 7};
            float[] actual = batch.rows(m, rows).toFloatArray();
            for (int r = 0; r < 4; r++) {
                byte[] rgb = IMAGES.pixels().get(images[r]);
                for (int p = 0; p < 32 * 32; p++) {
                    float[] colour = {(rgb[3 * p] & 255) / 255f, (rgb[3 * p + 1] & 255) / 255f, (rgb[3 * p + 2] & 255) / 255f};
                    // ITU-R 601-2, as torchvision has it.
                    float grey = 0.2989f * colour[0] + 0.587f * colour[1] + 0.114f * colour[2];
                    for (int c = 0; c < 3; c++) {
                        assertEquals(rows[r] < 4 ? colour[c] : grey, actual[(3 * r + c) * 1024 + p], 1e-5, "row " + rows[r]);
                    }
                }
            }
        }
    }

    /** Projections of some rows that go through a network together, each of length 1. */
    private static double[][] unit(Network network, Batch batch, NDManager m, IntStream rows) {
        Network.Pass pass = new Network.Pass(true, 1, null, null);
        return Small.unit(Small.wide(network.project(network.encode(batch.rows(m, rows.toArray()), pass), pass)));
    }

    private static void same(double[][] expected, double[][] actual, String what) {
        assertEquals(expected.length, actual.length, what);
        for (int i = 0; i < expected.length; i++) {
            assertArrayEquals(expected[i], actual[i], 1e-4, what + " " + i);
        }
    }

    /** He et al. 2020, algorithm 1: the loss pairs a query with the other view of its image, and the queue takes the keys in order. */
    @Test
    void aQuerysKeyIsTheOtherViewOfItsImageAndGoesToTheQueue() throws IOException {
        int n = 6;
        double t = 0.5;
        for (boolean symmetric : new boolean[] {false, true}) {
            PretrainSettings s = Small.method(
                    Small.views(Small.settings("mocov2", "sgd", 0.1, n, 1, 0, 0), "none", "rotate@1,grey@1"),
                    new MethodSettings("mocov2", "nt-xent", t, 0.8, 0.1, 24, 0.9, 0.9, symmetric));
            try (Walk walk = new Walk(s, DataType.FLOAT32); NDManager m = walk.network.manager().newSubManager()) {
                MoCo moco = (MoCo) walk.method;
                int queries = symmetric ? 2 * n : n;
                for (int i = 0; i < 2; i++) {
                    Batch batch = walk.next();
                    double[][] first = unit(walk.network, batch, m, IntStream.range(0, queries));
                    double[][] second = unit(moco.momentumEncoder(), batch, m, IntStream.range(symmetric ? 0 : n, 2 * n));
                    // View 0 of an image is row i and view 1 row i + N, as queries and as keys.
                    double[][] keys = IntStream.range(0, queries)
                            .mapToObj(k -> second[symmetric ? (k + n) % (2 * n) : k]).toArray(double[][]::new);
                    double[][] before = Small.wide(moco.queue());
                    double loss = IntStream.range(0, queries).mapToDouble(k -> Math.log(Math.exp(Small.dot(first[k], keys[k]) / t)
                            + Arrays.stream(before).mapToDouble(q -> Math.exp(Small.dot(first[k], q) / t)).sum())
                            - Small.dot(first[k], keys[k]) / t).average().orElseThrow();

                    Step.Result r = walk.take(batch, m);
                    same(first, Small.unit(Small.wide(r.outcome().anchors())), "queries");
                    same(keys, Small.wide(r.outcome().positives()), "keys");
                    assertEquals(loss, r.outcome().loss().getFloat(), 1e-4);
                    double[][] queue = Small.wide(moco.queue());
                    for (int k = 0; k < 24; k++) {
                        boolean arrived = k / queries == i;
                        assertArrayEquals(arrived ? keys[k % queries] : before[k], queue[k], 1e-4, "place " + k);
                    }
                }
            }
        }
    }

    /** Half a cosine from the first value to the last, as BYOL's and solo-learn's: end - (end - start) * (cos(pi * done) + 1) / 2. */
    @Test
    void theMomentumEncodersMomentumRisesAlongACosine() throws IOException {
        PretrainSettings s = Small.method(Small.settings("mocov2", "sgd", 0.1, 8, 1, 0, 0),
                new MethodSettings("mocov2", "nt-xent", 0.5, 0.8, 0.1, 24, 0.5, 0.9, false));
        // cos(pi / 3) = 1/2, so a third of the way the momentum is 0.9 - 0.4 * 3/4.
        double[][] expected = {{0, 0.5}, {1.0 / 3, 0.6}, {0.5, 0.7}, {1, 0.9}};
        try (Walk walk = new Walk(s, DataType.FLOAT32); NDManager m = walk.network.manager().newSubManager()) {
            MoCo moco = (MoCo) walk.method;
            walk.passes.begin(m);
            moco.prepare(walk.next(), m);
            NDArray query = walk.network.trained().get("conv1.weight");
            NDArray key = moco.momentumEncoder().trained().get("conv1.weight");
            for (double[] e : expected) {
                query.muli(0).addi(1);
                key.muli(0);
                moco.finish(e[0]);
                // m * 0 + (1 - m) * 1.
                assertEquals(1 - e[1], key.toFloatArray()[0], 1e-6);
            }
        }
    }

    /** Whatever the groups and micro-batches, a projection comes back to the place of its row. */
    @Test
    void whatIsDealtToGroupsIsGatheredInTheOrderOfTheRows() {
        Batch batch = new Batch(null, null, new int[8], null, 1, 2);
        try (NDManager m = Torch.engine().newBaseManager()) {
            for (int micro : new int[] {1, 2, 4}) {
                Passes passes = new Passes(micro, 4, false);
                passes.begin(m);
                int[] dealt = passes.deal(batch, 16);
                NDList parts = new NDList();
                for (int k = 0; k < micro; k++) {
                    // A network that gives each row's number.
                    parts.add(m.create(passes.part(dealt, k)));
                }
                assertArrayEquals(IntStream.range(0, 16).toArray(), passes.gather(NDArrays.concat(parts), dealt).toIntArray());
            }
        }
    }

    /** A network that answers every view alike: all cosines are 1, all logits equal, and each candidate is as likely. */
    @ParameterizedTest
    @CsvSource({
        // Of 8 images: the 15 other views, or the 14 of other images; the key and a queue of 24; 8 keys; ten classes.
        "nt-xent, 15", "supcon, 15", "debiased, 15", "decoupled, 14", "mocov1, 25", "mocov2, 25", "end-to-end, 8",
        "supervised, 10"})
    void chanceIsTheLossOfACollapsedNetwork(String what, int candidates) throws IOException {
        boolean loss = MethodSettings.LOSSES.contains(what);
        PretrainSettings s = Small.imageSize(Small.settings(loss ? "simclr" : what, "sgd", 0.1, 8, 1, 0, 0), 8);
        s = Small.head(loss ? Small.method(s, MethodSettings.of("simclr", what, 0.5)) : s, new Head(1, 0, 16, false, 0));
        try (Walk walk = new Walk(s, DataType.FLOAT32); NDManager m = walk.network.manager().newSubManager()) {
            for (Method.Branch b : walk.method.branches()) {
                collapse(b.network());
            }
            if (walk.method instanceof MoCo moco) {
                collapse(moco.momentumEncoder());
                moco.queue().muli(0).addi(0.25);
            }
            assertEquals(Math.log(candidates), walk.take(walk.next(), m).outcome().loss().getFloat(), 1e-5);
            assertEquals(Math.log(candidates), walk.method.chance(), 1e-9);
        }
    }

    /** Sixteen times the same number, which is 1/4 when it is normalised. */
    private static void collapse(Network network) {
        network.trained().get(Head.dense(0) + ".weight").muli(0);
        network.trained().get(Head.dense(0) + ".bias").muli(0).addi(3);
    }

    /**
     * From 0 and 1 to 0.9 * 0 + 0.1 * mean and 0.9 * 1 + 0.1 * variance of the first convolution's output: the means over the groups,
     * and the variance that is divided by n - 1, as PyTorch has it.
     */
    @ParameterizedTest
    @CsvSource({"0, 1", "0, 4", "4, 4"})
    void theRunningStatisticsMoveOnceAStep(int micro, int groups) throws IOException {
        PretrainSettings s = Small.settings("simclr", "sgd", 1e-9, 16, 1, micro, groups);
        try (Walk walk = new Walk(s, DataType.FLOAT64); NDManager m = walk.network.manager().newSubManager()) {
            Batch batch = walk.next();
            double[][][] out = firstConvolution(batch.rows(m, IntStream.range(0, 32).toArray()).toFloatArray(),
                    walk.network.trained().get("conv1.weight").toDoubleArray());
            walk.passes.begin(m);
            int[] dealt = walk.passes.deal(batch, 32);
            walk.take(batch, m);
            double[] means = walk.network.tensors().get("bn1.running_mean").toDoubleArray();
            double[] variances = walk.network.tensors().get("bn1.running_var").toDoubleArray();
            for (int c = 0; c < 4; c++) {
                double mean = 0;
                double variance = 0;
                for (int g = 0; g < groups; g++) {
                    int channel = c;
                    int group = g;
                    double[] v = IntStream.range(0, 32).filter(r -> r % groups == group).mapToObj(r -> out[dealt[r]][channel])
                            .flatMapToDouble(Arrays::stream).toArray();
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
            // The published 23,508,032, of which the first convolution has 7 * 7 * 3 * 64 and not 3 * 3 * 3 * 64.
            assertEquals(23_508_032 - 9_408 + 1_728, network.trained().entrySet().stream()
                    .filter(e -> !e.getKey().startsWith(Network.HEAD)).mapToLong(e -> e.getValue().getShape().size()).sum());
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
        try (Walk walk = new Walk(s, DataType.FLOAT32); NDManager m = walk.network.manager().newSubManager()) {
            Network network = walk.network;
            MoCo moco = (MoCo) walk.method;
            Map<String, float[]> before = new HashMap<>();
            moco.momentumEncoder().trained().forEach((name, w) -> {
                assertArrayEquals(network.values(name), w.toFloatArray(), name);
                before.put(name, w.toFloatArray());
            });
            walk.take(walk.next(), m);
            moco.momentumEncoder().trained().forEach((name, w) -> {
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
