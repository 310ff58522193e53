// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDManager;
import io.github.simclr4j.onnx.network.ProjectionHead;
import io.github.simclr4j.train.loss.Anchors;
import io.github.simclr4j.train.loss.Losses;
import io.github.simclr4j.train.method.Branch;
import io.github.simclr4j.train.method.Embeddings;
import io.github.simclr4j.train.method.Method;
import io.github.simclr4j.train.method.MethodContext;
import io.github.simclr4j.train.method.MethodFactory;
import io.github.simclr4j.train.monitor.Monitor;
import io.github.simclr4j.train.monitor.Outcome;
import io.github.simclr4j.train.network.Network;
import io.github.simclr4j.train.network.Precision;
import io.github.simclr4j.train.settings.PretrainBuilder;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.train.testing.Golden;
import io.github.simclr4j.train.testing.Small;
import io.github.simclr4j.train.torch.Torch;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * One step: clipping, precision, the loss scale of float16, the views, memory. What holds for every method is in
 * {@link io.github.simclr4j.train.testing.AbstractMethodTest}.
 */
class TrainingStepTest {
    @BeforeEach
    void noGradient() {
        Torch.noGradient();
    }

    /** A step at a rate of 1 moves the weights by the gradient, turned around. */
    private static Map<String, double[]> gradient(PretrainSettings s) throws IOException {
        StepByStep.Taken taken = StepByStep.take(s, 1);
        Map<String, double[]> moved = new TreeMap<>();
        taken.before().forEach((name, w) -> {
            if (!name.contains("running_") && !name.startsWith("optimizer.") && !name.startsWith("method.")) {
                double[] to = taken.after().get(name);
                moved.put(
                        name,
                        IntStream.range(0, w.length)
                                .mapToDouble(i -> w[i] - to[i])
                                .toArray());
            }
        });
        return moved;
    }

    private static double length(Map<String, double[]> gradient) {
        return Math.sqrt(
                gradient.values().stream().mapToDouble(g -> Small.dot(g, g)).sum());
    }

    private static PretrainBuilder descent(String method, int batch) {
        return Small.settings(method, "sgd", 1, batch, 1).weightDecay(0.0).warmupEpochs(0.0);
    }

    /** Of all weights together, those of both of end-to-end's encoders too (Pascanu et al. 2013, algorithm 1). */
    @ParameterizedTest
    @ValueSource(strings = {"simclr", "end-to-end"})
    void aGradientLongerThanTheLimitIsShortenedToItAsAWhole(String method) throws IOException {
        PretrainBuilder s = descent(method, 8).imageSize(16);
        Map<String, double[]> free = gradient(Small.build(s.clip(0)));
        double length = length(free);
        Map<String, double[]> quarter = gradient(Small.build(s.clip(length / 4)));
        assertEquals(length / 4, length(quarter), 1e-4 * length);
        // A float32 weight of less than 2 moves in steps of 1e-7.
        free.forEach((name, g) ->
                assertArrayEquals(Arrays.stream(g).map(v -> v / 4).toArray(), quarter.get(name), 1e-6, name));
        Map<String, double[]> below = gradient(Small.build(s.clip(1.01 * length)));
        free.forEach((name, g) -> assertArrayEquals(g, below.get(name), name));
    }

    /** Float16's three digits change the length by little; its loss scale would make it thousands of times longer. */
    @Test
    void theLossScaleIsNoPartOfTheGradientsLength() throws IOException {
        PretrainBuilder s = descent("simclr", 8).imageSize(8);
        double exact = length(gradient(Small.build(s)));
        PretrainSettings half = Small.build(s.precision(Precision.FLOAT16).clip(2 * exact));
        assertEquals(exact, length(gradient(half)), 0.1 * exact);
    }

    /** The scale, its halving and the 2,000 good steps that double it are those of PyTorch's GradScaler. */
    @ParameterizedTest
    @ValueSource(strings = {"simclr", "mocov2"})
    void aStepThatOverflowsChangesNothingButTheLossScale(String method) throws IOException {
        PretrainSettings s = Small.build(
                Small.settings(method, "sgd", 0.1, 8, 1).imageSize(8).precision(Precision.FLOAT16));
        Map<String, double[]> undisturbed;
        try (StepByStep run = new StepByStep(s);
                NDManager m = run.network().manager().newSubManager()) {
            assertArrayEquals(new double[] {65536, 0}, run.step().scaling());
            run.step().scaling(1024, 0);
            run.takeSoundly(run.next(), m);
            run.takeSoundly(run.next(), m);
            undisturbed = run.values();
        }
        try (StepByStep run = new StepByStep(s);
                NDManager m = run.network().manager().newSubManager()) {
            run.step().scaling(1024, 0);
            run.takeSoundly(run.next(), m);
            Map<String, double[]> before = run.values();
            assertTrue(
                    before.keySet().containsAll(Set.of("conv1.weight", "bn1.running_mean")),
                    before.keySet().toString());
            assertTrue(
                    method.equals("simclr")
                            || before.keySet()
                                    .containsAll(Set.of(
                                            "method.queue",
                                            "method.queue.position",
                                            "method.key.conv1.weight",
                                            "method.key.bn1.running_mean")),
                    before.keySet().toString());
            BatchViews second = run.next();
            // Beyond float16's 65,504 whatever the gradient.
            run.step().scaling(0x1p60, 1234);
            assertTrue(run.take(second, m).skipped());
            run.values().forEach((name, w) -> assertArrayEquals(before.get(name), w, name));
            assertArrayEquals(new double[] {0x1p59, 0}, run.step().scaling());
            // Nothing of the gradient stays either.
            run.step().scaling(1024, 0);
            assertFalse(run.take(second, m).skipped());
            run.values().forEach((name, w) -> assertArrayEquals(undisturbed.get(name), w, name));
        }
    }

    @Test
    void twoThousandGoodStepsDoubleTheLossScale() throws IOException {
        PretrainSettings s = Small.build(
                Small.settings("simclr", "sgd", 1e-6, 8, 1).imageSize(8).precision(Precision.FLOAT16));
        try (StepByStep run = new StepByStep(s);
                NDManager m = run.network().manager().newSubManager()) {
            run.step().scaling(256, 1998);
            assertFalse(run.take(run.next(), m).skipped());
            assertArrayEquals(new double[] {256, 1999}, run.step().scaling());
            assertFalse(run.take(run.next(), m).skipped());
            assertArrayEquals(new double[] {512, 0}, run.step().scaling());
            // Weights that are no numbers overflow at any scale: that is said, and not tried for ever.
            run.network().trained().get("conv1.weight").muli(Float.NaN);
            run.step().scaling(0x1p-16, 0);
            BatchViews batch = run.next();
            String why = assertThrows(IllegalStateException.class, () -> run.take(batch, m))
                    .getMessage();
            assertTrue(why.contains("learning rate"), why);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"FLOAT32", "BFLOAT16"})
    void onlyFloat16HasALossScale(Precision precision) {
        try (StepByStep run =
                new StepByStep(Small.build(Small.settings("simclr").precision(precision)))) {
            assertArrayEquals(new double[] {1, 0}, run.step().scaling());
        }
    }

    /**
     * A gradient in float16, of eleven bits, is close and not equal; one in bfloat16 has eight, and is eight times as far.
     * Above all, no weight's is lost.
     */
    @ParameterizedTest
    @CsvSource({"FLOAT16, 0.1, 0.04, 5e-3", "BFLOAT16, 0.8, 0.32, 4e-2"})
    void sixteenBitsGiveEveryWeightNearlyItsGradient(Precision precision, double ofEach, double ofAll, double ofLoss)
            throws IOException {
        PretrainBuilder s = descent("simclr", 16).seed(2);
        StepByStep.Taken exact = StepByStep.take(Small.build(s), 1);
        StepByStep.Taken half = StepByStep.take(Small.build(s.precision(precision)), 1);
        assertEquals(exact.loss(), half.loss(), ofLoss);
        double allMoved = 0;
        double allApart = 0;
        for (String name : exact.after().keySet()) {
            if (name.endsWith(".weight") || name.endsWith(".bias")) {
                double moved = 0;
                double apart = 0;
                for (int i = 0; i < exact.after().get(name).length; i++) {
                    moved +=
                            Math.pow(exact.after().get(name)[i] - exact.before().get(name)[i], 2);
                    apart += Math.pow(exact.after().get(name)[i] - half.after().get(name)[i], 2);
                }
                assertTrue(
                        Math.sqrt(apart) < ofEach * Math.sqrt(moved) + 1e-7,
                        name + " " + Math.sqrt(moved) + " " + Math.sqrt(apart));
                allMoved += moved;
                allApart += apart;
            }
        }
        assertEquals(0, Math.sqrt(allApart / allMoved), ofAll, "of all weights together");
    }

    /** The loss is then taken on the encoder's 32 features: on one and the same batch gradient descent lowers it. */
    @ParameterizedTest
    @ValueSource(strings = {"simclr", "end-to-end"})
    void anEncoderWithoutAHeadLearns(String method) throws IOException {
        PretrainBuilder s = Small.settings(method, "sgd", 0.02, 8, 1)
                .imageSize(16)
                .zeroGamma(false)
                .head("none")
                .seed(1);
        try (StepByStep run = new StepByStep(Small.build(s));
                NDManager m = run.network().manager().newSubManager()) {
            BatchViews batch = run.next();
            double before = Double.POSITIVE_INFINITY;
            for (int i = 0; i < 4; i++) {
                Outcome o = run.take(batch, m).outcome();
                assertEquals(32, o.anchors().getShape().get(1));
                assertTrue(
                        o.loss().getFloat() < before - 1e-3,
                        before + " to " + o.loss().getFloat());
                before = o.loss().getFloat();
            }
        }
    }

    /** He et al. 2020, figure 2a: both encoders are updated by back-propagation. */
    @Test
    void bothEncodersOfEndToEndGetAGradientOfTheirOwn() throws IOException {
        Map<String, double[]> gradient =
                gradient(Small.build(descent("end-to-end", 8).zeroGamma(false)));
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
        // 20 convolutions and their batch norms' scales and shifts; a dense layer, scale and shift, and a last one
        // without shift.
        assertEquals(65, pairs);
    }

    @Test
    void eachViewIsMadeByItsOwnRule() throws IOException {
        PretrainSettings s = Small.build(
                Small.settings("simclr", "sgd", 1, 4, 1).views("none").otherViews("grey@1"));
        try (StepByStep run = new StepByStep(s);
                NDManager m = run.network().manager().newSubManager()) {
            run.next();
            BatchViews batch = run.next();
            assertArrayEquals(new int[] {4, 5, 6, 7}, batch.images());
            // Rows 4 to 7 are the second views of images 4 to 7, rows 0 to 3 the first ones.
            int[] rows = {7, 0, 4, 3};
            int[] images = {7, 4, 4, 7};
            float[] actual = batch.rows(m, rows).toFloatArray();
            for (int r = 0; r < 4; r++) {
                byte[] rgb = StepByStep.IMAGES.pixels().get(images[r]);
                for (int p = 0; p < 32 * 32; p++) {
                    float[] colour = {
                        (rgb[3 * p] & 255) / 255f, (rgb[3 * p + 1] & 255) / 255f, (rgb[3 * p + 2] & 255) / 255f
                    };
                    // ITU-R 601-2, as torchvision has it.
                    float grey = 0.2989f * colour[0] + 0.587f * colour[1] + 0.114f * colour[2];
                    for (int c = 0; c < 3; c++) {
                        assertEquals(
                                rows[r] < 4 ? colour[c] : grey, actual[(3 * r + c) * 1024 + p], 1e-5, "row " + rows[r]);
                    }
                }
            }
        }
    }

    /** A network that answers every view alike: all cosines are 1, all logits equal, and each candidate is as likely. */
    @ParameterizedTest
    @CsvSource({
        // Of 8 images: the 15 other views, or the 14 of other images; the key and a queue of 24; 8 keys; ten classes.
        "simclr, nt-xent, 15",
        "simclr, supcon, 15",
        "simclr, debiased, 15",
        "simclr, decoupled, 14",
        "mocov1, , 25",
        "mocov2, , 25",
        "end-to-end, , 8",
        "supervised, , 10"
    })
    void theLossAtCollapseIsTheLogOfTheCandidates(String method, String loss, int candidates) throws IOException {
        PretrainBuilder b = Small.settings(method, "sgd", 0.1, 8, 1)
                .imageSize(8)
                .head("linear")
                .headNorm(false);
        if (loss != null) {
            b.option("loss", loss);
        }
        try (StepByStep run = new StepByStep(Small.build(b))) {
            run.context().trained().forEach(TrainingStepTest::collapse);
            run.context().followers().values().forEach(f -> collapse(f.network()));
            if (run.context().tensors().containsKey("queue")) {
                run.context().tensors().get("queue").muli(0).addi(0.25);
            }
            assertEquals(Math.log(candidates), run.loss(), 1e-5);
            assertEquals(Math.log(candidates), run.method().lossAtCollapse(), 1e-9);
        }
    }

    /** Sixteen times the same number, which is 1/4 when it is normalised. */
    private static void collapse(Network network) {
        network.trained().get("head.0.weight").muli(0);
        network.trained().get("head.0.bias").muli(0).addi(3);
    }

    /** SimCLR on all views but the first three, so that the number of anchors is odd. */
    private static final class OddAnchors implements MethodFactory {
        @Override
        public String name() {
            return "odd-anchors";
        }

        @Override
        public String summary() {
            return "Some views are anchors";
        }

        @Override
        public String paper() {
            return "https://arxiv.org/abs/2002.05709";
        }

        @Override
        public Method create(MethodContext context) {
            Branch both = Branch.trained(context.train(context.encoder()), ProjectionHead.PROJECTION, 0, 1);
            return new Method() {
                @Override
                public List<Branch> branches() {
                    return List.of(both);
                }

                @Override
                public int anchors(int images) {
                    return 2 * images - 3;
                }

                @Override
                public Loss loss(Embeddings z) {
                    Anchors some = new Anchors(z.of(both), z.from() + 3, z.to() + 3);
                    return new Loss(
                            Losses.ntXent(some, 0.5),
                            Losses.rankAmongViews(some),
                            Map.of(
                                    "first",
                                    z.of(both).stopGradient().get(z.from() + 3).sum()));
                }

                @Override
                public List<String> figures() {
                    return List.of("first");
                }
            };
        }
    }

    /** The last parts have an anchor more, each part counts by its anchors, and none is left out. */
    @ParameterizedTest
    @CsvSource({"16, 4, 4", "16, 8, 4", "12, 4, 3"})
    void partsThatDoNotDivideTheAnchorsGiveTheGradientOfTheWholeBatch(int batch, int micro, int groups)
            throws IOException {
        PretrainBuilder s = Small.settings(new OddAnchors())
                .imageSize(16)
                .optimizer("sgd")
                .learningRate(1.0)
                .batch(batch)
                .epochs(1)
                .precision(Precision.FLOAT64)
                .bnSplits(groups);
        StepByStep.Taken whole = StepByStep.take(Small.build(s.microBatch(0)), 1);
        StepByStep.Taken parts = StepByStep.take(Small.build(s.microBatch(micro)), 1);
        assertEquals(whole.loss(), parts.loss(), 1e-9);
        whole.after().forEach((name, w) -> Golden.same(w, parts.after().get(name), 1e-9, 1e-9, name));
        try (StepByStep run = new StepByStep(Small.build(s.microBatch(micro)));
                NDManager m = run.network().manager().newSubManager()) {
            assertEquals(
                    2 * batch - 3,
                    run.take(run.next(), m).outcome().rank().getShape().get(0),
                    "every anchor has a rank");
        }
    }

    @ParameterizedTest
    @CsvSource({"simclr, 0", "simclr, 4", "mocov2, 0", "mocov2, 4", "end-to-end, 0", "end-to-end, 4", "supervised, 0"})
    void aStepLeavesNoTensorBehind(String method, int micro) throws IOException {
        PretrainSettings s = Small.build(Small.settings(method, "adamw", 1e-3, 16, 1)
                .microBatch(micro)
                .bnSplits(4)
                .clip(1));
        try (StepByStep run = new StepByStep(s)) {
            Monitor monitor = new Monitor(run.network().manager(), run.method().figures());
            int[] left = new int[3];
            for (int i = 0; i < 3; i++) {
                try (NDManager m = run.network().manager().newSubManager()) {
                    monitor.add(run.take(run.next(), m).outcome());
                }
                for (Branch b : run.method().branches()) {
                    left[i] += b.network().manager().getManagedArrays().size();
                }
            }
            assertEquals(left[0], left[2]);
        }
    }
}
