// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.testing;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.ndarray.NDArray;
import ai.onnx.proto.OnnxMl.ModelProto;
import io.github.simclr4j.onnx.network.Weight;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.train.data.ImageSet;
import io.github.simclr4j.train.data.TrainingImages;
import io.github.simclr4j.train.loop.Checkpoint;
import io.github.simclr4j.train.loop.CheckpointFolder;
import io.github.simclr4j.train.loop.EncoderTrainer;
import io.github.simclr4j.train.loop.RunOptions;
import io.github.simclr4j.train.loop.Runs;
import io.github.simclr4j.train.loop.StepByStep;
import io.github.simclr4j.train.method.Branch;
import io.github.simclr4j.train.method.MethodContext;
import io.github.simclr4j.train.method.MethodFactory;
import io.github.simclr4j.train.network.Network;
import io.github.simclr4j.train.network.Precision;
import io.github.simclr4j.train.settings.PretrainBuilder;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.util.Option;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What every method must keep, whoever wrote it. A test of a method extends this class and returns its factory:
 *
 * <pre>
 * class MyMethodTest extends AbstractMethodTest {
 *     {@literal @}Override
 *     protected MethodFactory method() {
 *         return new MyMethod();
 *     }
 * }
 * </pre>
 *
 * <p>The steps are those of a small ResNet-18 on drawn images with labels of ten classes, in batches of 8 to 16 images.
 */
public abstract class AbstractMethodTest {
    /** Returns the method. */
    protected abstract MethodFactory method();

    /** Returns the side of the images; small ones are quick, but must be large enough for all that the method computes. */
    protected int imageSize() {
        return 16;
    }

    /** Changes the settings that all steps are taken with, such as the method's options. */
    protected PretrainBuilder configure(PretrainBuilder small) {
        return small;
    }

    /** Returns the names of the options that the {@linkplain #configure configured} ones leave no other value; none by default. */
    protected Set<String> onlyOneValue() {
        return Set.of();
    }

    /**
     * Makes all embeddings equal, for the loss at collapse. The head is a dense layer with a bias, and by default all matrices
     * become 0, their biases 3, and a state that holds embeddings of length 1 becomes that one embedding.
     */
    protected void collapse(MethodContext context) {
        context.trained().forEach(AbstractMethodTest::collapse);
        context.followers().values().forEach(f -> collapse(f.network()));
        context.tensors().forEach((name, a) -> {
            boolean state = context.followers().keySet().stream().noneMatch(f -> name.startsWith(f + "."));
            if (state && a.getShape().dimension() == 2) {
                a.muli(0).addi(1 / Math.sqrt(a.getShape().get(1)));
            }
        });
    }

    private static void collapse(Network network) {
        network.graph().weights().forEach(w -> {
            NDArray a = network.trained().get(w.name());
            if (w.kind() == Weight.Kind.MATRIX) {
                a.muli(0);
            } else if (w.kind() == Weight.Kind.BIAS) {
                a.muli(0).addi(3);
            }
        });
    }

    /** Plain gradient descent at a rate of 1: a step moves the weights by the gradient. */
    private PretrainBuilder settings(int batch) {
        return configure(Small.settings(method())
                .optimizer("sgd")
                .momentum(0)
                .weightDecay(0.0)
                .warmupEpochs(0.0)
                .learningRate(1.0)
                .batch(batch)
                .epochs(1)
                .imageSize(imageSize()));
    }

    private boolean normalises() {
        try (StepByStep run = new StepByStep(Small.build(settings(8)))) {
            return run.network().tensors().keySet().stream().anyMatch(n -> n.endsWith("running_mean"));
        }
    }

    /** In float64, so that nothing but the order of additions is left. */
    @ParameterizedTest
    @CsvSource({"16, 4, 4", "16, 8, 4", "12, 4, 3", "12, 6, 4"})
    void microBatchesGiveTheGradientOfTheWholeBatch(int batch, int micro, int groups) throws IOException {
        PretrainBuilder s = settings(batch).precision(Precision.FLOAT64).bnSplits(groups);
        StepByStep.Taken whole = StepByStep.take(Small.build(s), 1);
        StepByStep.Taken parts = StepByStep.take(Small.build(s.microBatch(micro)), 1);
        assertTrue(Double.isFinite(whole.loss()), "" + whole.loss());
        assertEquals(whole.loss(), parts.loss(), 1e-9);
        assertEquals(whole.after().keySet(), parts.after().keySet());
        whole.after().forEach((name, w) -> Golden.same(w, parts.after().get(name), 1e-9, 1e-9, name));
    }

    /**
     * In float64. A step at a rate of 1 without momentum moves each weight by its gradient; with the weights the running statistics,
     * momentum encoders, predictors and queues are compared.
     */
    @ParameterizedTest
    @CsvSource({"16, 0, 2, 2", "16, 0, 4, 2", "16, 4, 4, 2", "12, 0, 3, 3", "12, 4, 6, 2"})
    void severalDevicesTakeTheStepOfOneWithTheSameGroups(int batch, int micro, int groups, int devices)
            throws IOException {
        // A batch norm that starts at 0 would hide the gradients of what comes before it.
        PretrainSettings s = Small.build(settings(batch)
                .zeroGamma(false)
                .precision(Precision.FLOAT64)
                .bnSplits(groups)
                .microBatch(micro));
        StepByStep.Taken one = StepByStep.take(s, 1);
        StepByStep.Taken several = StepByStep.onReplicas(s, 1, devices);
        assertEquals(one.loss(), several.loss(), 1e-10 * Math.max(1, Math.abs(one.loss())));
        assertEquals(one.after().keySet(), several.after().keySet());
        one.after().forEach((name, w) -> Golden.same(w, several.after().get(name), 1e-10, 1e-10, name));
    }

    @Test
    void whatIsWatchedIsTheSameOnSeveralDevices() throws IOException {
        PretrainSettings s =
                Small.build(settings(16).precision(Precision.FLOAT64).bnSplits(4));
        try (StepByStep one = new StepByStep(s);
                StepByStep two = new StepByStep(s, 2)) {
            StepByStep.Watched a = one.watch();
            StepByStep.Watched b = two.watch();
            assertArrayEquals(a.rank(), b.rank());
            a.figures()
                    .forEach((name, f) ->
                            assertEquals(f, b.figures().get(name), 1e-10 * Math.max(1, Math.abs(f)), name));
            assertArrayEquals(a.anchors(), b.anchors());
            assertArrayEquals(a.positives(), b.positives());
        }
    }

    @Test
    void otherGroupsGiveAnotherGradient() throws IOException {
        assumeTrue(normalises(), "without batch norm the groups have no effect");
        PretrainBuilder s = settings(16).precision(Precision.FLOAT64);
        Map<String, double[]> four =
                StepByStep.take(Small.build(s.bnSplits(4)), 1).after();
        Map<String, double[]> one =
                StepByStep.take(Small.build(s.bnSplits(1)), 1).after();
        double largest = 0;
        for (String name : four.keySet()) {
            for (int i = 0; i < four.get(name).length; i++) {
                largest = Math.max(largest, Math.abs(four.get(name)[i] - one.get(name)[i]));
            }
        }
        assertTrue(largest > 1e-4, "" + largest);
    }

    @Test
    void whatIsWatchedIsTheSameByMicroBatches() throws IOException {
        PretrainBuilder s = settings(16).precision(Precision.FLOAT64).bnSplits(4);
        try (StepByStep whole = new StepByStep(Small.build(s));
                StepByStep parts = new StepByStep(Small.build(s.microBatch(4)))) {
            StepByStep.Watched a = whole.watch();
            StepByStep.Watched b = parts.watch();
            int anchors = whole.method().anchors(16);
            assertTrue(
                    a.rank() == null || anchors == 0 || a.rank().length == anchors, "a rank for each of the anchors");
            assertArrayEquals(a.rank(), b.rank());
            assertEquals(Set.copyOf(whole.method().figures()), a.figures().keySet());
            assertEquals(a.figures().keySet(), b.figures().keySet());
            a.figures()
                    .forEach(
                            (name, f) -> assertEquals(f, b.figures().get(name), 1e-9 * Math.max(1, Math.abs(f)), name));
            assertArrayEquals(a.anchors(), a.positives(), "each embedding has its positive");
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"FLOAT32", "BFLOAT16"})
    void everyTrainedWeightGetsAGradientAndNoOther(Precision precision) throws IOException {
        PretrainBuilder s = settings(16).zeroGamma(false).precision(precision);
        try (StepByStep run = new StepByStep(Small.build(s))) {
            MethodContext context = run.context();
            List<Map<String, float[]>> before =
                    context.trained().stream().map(AbstractMethodTest::values).toList();
            assertTrue(Double.isFinite(run.loss()));
            for (int i = 0; i < before.size(); i++) {
                for (Map.Entry<String, NDArray> e :
                        context.trained().get(i).trained().entrySet()) {
                    String name = "network " + i + " " + e.getKey();
                    float[] now = e.getValue().toFloatArray();
                    assertFalse(Arrays.equals(before.get(i).get(e.getKey()), now), name + " has moved");
                    for (float v : now) {
                        assertTrue(Float.isFinite(v), name);
                    }
                }
            }
            context.followers()
                    .forEach((name, f) -> f.network()
                            .trained()
                            .forEach((w, a) ->
                                    assertFalse(a.hasGradient(), name + "." + w + " follows, and gets no gradient")));
        }
    }

    private static Map<String, float[]> values(Network network) {
        return network.trained().entrySet().stream()
                .collect(Collectors.toMap(Map.Entry::getKey, e -> e.getValue().toFloatArray()));
    }

    private PretrainSettings twoEpochs() {
        return Small.build(configure(Small.settings(method())
                .optimizer("adamw")
                .learningRate(1e-3)
                .batch(8)
                .epochs(2)
                .imageSize(imageSize())
                .bnSplits(2)));
    }

    /** After the first of two epochs of two steps, and within the second. */
    @ParameterizedTest
    @CsvSource({"2", "3"})
    void aRunThatIsCutAndContinuedEndsAsAWholeOneToTheBit(int steps, @TempDir Path dir) throws IOException {
        TrainingImages images = Small.labelled(16);
        EncoderTrainer.Result whole = Runs.run(twoEpochs(), images, RunOptions.checkpoints(dir.resolve("whole")));
        EncoderTrainer.Result rest = Runs.cut(twoEpochs(), images, steps, dir.resolve("parts"));
        assertEquals(1, rest.resumedAt());
        assertArrayEquals(whole.onnx(), rest.onnx());
        same(
                Checkpoint.tensors(new CheckpointFolder(dir.resolve("whole")).newest()),
                Checkpoint.tensors(new CheckpointFolder(dir.resolve("parts")).newest()));
    }

    private static void same(Map<String, float[]> expected, Map<String, float[]> actual) {
        assertEquals(expected.keySet(), actual.keySet());
        expected.forEach((name, w) -> assertArrayEquals(w, actual.get(name), name));
    }

    @Test
    void theSameSeedGivesTheSameBitsByAnyNumberOfViewThreads(@TempDir Path dir) throws IOException {
        TrainingImages images = Small.labelled(16);
        byte[] first = null;
        for (int threads : new int[] {1, 1, 3}) {
            Path folder = dir.resolve("run" + threads + (first == null ? "first" : ""));
            EncoderTrainer.Result r = Runs.onViewThreads(twoEpochs(), images, RunOptions.checkpoints(folder), threads);
            if (first == null) {
                first = r.onnx();
            }
            assertArrayEquals(first, r.onnx());
            same(
                    Checkpoint.tensors(new CheckpointFolder(dir.resolve("run1first")).newest()),
                    Checkpoint.tensors(new CheckpointFolder(folder).newest()));
        }
    }

    @Test
    void theLossAtCollapseIsTheOneThatIsSaid() throws IOException {
        PretrainSettings s = Small.build(settings(8).head("linear").headNorm(false));
        try (StepByStep run = new StepByStep(s)) {
            double expected = run.method().lossAtCollapse();
            assumeFalse(Double.isNaN(expected), "it is not known");
            collapse(run.context());
            assertEquals(expected, run.loss(), 1e-5);
        }
    }

    @Test
    void theMethodPresentsItself() {
        MethodFactory f = method();
        assertTrue(f.name().matches("[a-z][a-z0-9]*(-[a-z0-9]+)*"), f.name());
        assertFalse(f.summary().isBlank(), "a summary");
        assertFalse(f.summary().endsWith("."), f.summary());
        assertTrue(f.paper().startsWith("https://"), f.paper());
        assertTrue(f.views() >= 1, "views");
        assertFalse((f.summary() + f.options()).contains("--"), "a library's user has no command line");
    }

    @Test
    void everyOptionIsDocumented() {
        List<Option<?>> options = method().options();
        assertEquals(
                options.size(), options.stream().map(Option::name).distinct().count(), "each name once");
        for (Option<?> o : options) {
            assertFalse(
                    o.help().isBlank() || o.help().endsWith("."),
                    o.name() + ": a sentence without its full stop, found " + o.help());
            assertFalse(o.range().isBlank(), o.name());
            assertNotNull(o.source(), o.name());
            assertFalse((o.help() + o.range() + o.source()).contains("--"), o.name());
            assertDefaultIsValid(o);
        }
    }

    private static <T> void assertDefaultIsValid(Option<T> o) {
        assertEquals(o.fallback(), o.parse(o.fallback().toString()), o.name());
        if (!o.choices().isEmpty()) {
            assertThrows(IllegalArgumentException.class, () -> o.parse("no such choice"), o.name());
        }
    }

    /**
     * A checkpoint is not continued with another value of an option that has an effect, so the metadata must have it; of a file they
     * have what the method says of its content.
     */
    @Test
    void theMetadataHaveTheOptionsThatHaveAnEffect() {
        PretrainSettings s = Small.build(settings(8));
        Set<String> unused = unused(s);
        for (Option<?> o : method().options()) {
            String expected = o.type() == Path.class || unused.contains(o.name())
                    ? null
                    : "" + s.options().get(o);
            assertEquals(expected, s.describe().get("training." + o.key()), o.name());
        }
        assertEquals(method().name(), s.describe().get("training.method"));
    }

    private Set<String> unused(PretrainSettings s) {
        return method().withoutEffect(s.options()).keySet().stream()
                .map(Option::name)
                .collect(Collectors.toSet());
    }

    /**
     * Two steps in the middle of a run: what has an effect shows in them, and what has none does not. Of twelve images of ten
     * classes some have the same one.
     */
    @Test
    void anOptionHasAnEffectUnlessTheMethodSaysThatItHasNone() throws IOException {
        PretrainSettings s = Small.build(settings(12));
        StepByStep.Taken as = StepByStep.take(s, 2, 0.5);
        for (Option<?> o : method().options()) {
            if (o.type() == Path.class
                    || o.type() == String.class && o.choices().isEmpty()) {
                // Nothing tells another file or text that makes sense.
                continue;
            }
            PretrainSettings other = withAnother(o, s.options().get(o));
            assertEquals(
                    onlyOneValue().contains(o.name()),
                    other == null,
                    () -> o.name() + " other than " + s.options().get(o) + " is refused");
            if (other == null) {
                continue;
            }
            StepByStep.Taken now = StepByStep.take(other, 2, 0.5);
            boolean equal = as.loss() == now.loss()
                    && as.after().keySet().equals(now.after().keySet())
                    && as.after().entrySet().stream()
                            .allMatch(
                                    e -> Arrays.equals(e.getValue(), now.after().get(e.getKey())));
            assertEquals(
                    unused(s).contains(o.name()) && unused(other).contains(o.name()),
                    equal,
                    o.name() + " from " + s.options().get(o) + " to "
                            + other.options().get(o));
        }
    }

    /** Returns settings with another value of an option, or null if all that are tried are refused. */
    private PretrainSettings withAnother(Option<?> o, Object value) {
        List<?> candidates = !o.choices().isEmpty()
                ? o.choices()
                : value instanceof Boolean b
                        ? List.of(!b)
                        : value instanceof Integer i
                                ? List.of(i + 1, i - 1, i + 8)
                                : value instanceof Double d
                                        ? List.of(d / 2 + 0.49, d / 2, (d + 19) / 20, d + 1)
                                        : List.of();
        for (Object c : candidates) {
            try {
                PretrainSettings other = Small.build(settings(12).option(o.name(), c));
                if (!other.options().get(o).equals(value)) {
                    return other;
                }
            } catch (IllegalArgumentException e) {
                // The next one.
            }
        }
        return null;
    }

    @Test
    void imagesWithoutLabelsDoUnlessTheMethodSaysThatItReadsThem() throws IOException {
        assumeFalse(method().headUse() == MethodFactory.HeadUse.CLASSIFIER, "a classifier has classes");
        TrainingImages bare = ImageSet.of(Small.drawings(16), 32);
        PretrainSettings s = Small.build(settings(8).learningRate(0.01));
        if (s.needsLabels()) {
            IOException e = assertThrows(IOException.class, () -> Runs.run(s, bare, Runs.NOTHING));
            assertTrue(e.getMessage().contains("labels"), e.getMessage());
        } else {
            assertExportsTheEncoderAlone(Runs.run(s, bare, Runs.NOTHING).onnx(), s);
        }
    }

    /** The file gives features of the encoder's length, and has no more weights than the encoder. */
    private static void assertExportsTheEncoderAlone(byte[] onnx, PretrainSettings s) throws IOException {
        try (OnnxEncoder encoder = OnnxEncoder.open(onnx, "exported", 1)) {
            assertEquals(s.encoder().dimension(), encoder.dimension());
            for (float[] features : encoder.embed(Small.drawings(2))) {
                for (float f : features) {
                    assertTrue(Float.isFinite(f));
                }
            }
        }
        long weights = ModelProto.parseFrom(onnx).getGraph().getInitializerList().stream()
                .filter(i -> i.getName().endsWith(".weight"))
                .mapToLong(i -> i.getDimsList().stream().reduce(1L, (a, b) -> a * b))
                .sum();
        long expected = s.encoder().graph(s.imageSize()).weights().stream()
                .filter(w -> w.kind() == Weight.Kind.MATRIX)
                .mapToLong(Weight::size)
                .sum();
        // A norm that is not folded has its scales beside them.
        long scales = s.encoder().graph(s.imageSize()).weights().stream()
                .filter(w -> w.kind() == Weight.Kind.SCALE)
                .mapToLong(Weight::size)
                .sum();
        assertTrue(
                weights >= expected && weights <= expected + scales, weights + " weights, the encoder has " + expected);
    }

    @Test
    void someBranchHoldsTheEncoderAndGetsAGradient() {
        PretrainSettings s = Small.build(settings(8));
        try (StepByStep run = new StepByStep(s)) {
            List<Branch> branches = run.method().branches();
            assertTrue(branches.stream().anyMatch(b -> b.gradient() && b.network() == run.network()));
            for (Branch b : branches) {
                assertFalse(b.views().isEmpty() || b.results().isEmpty(), b.toString());
                assertTrue(b.views().stream().allMatch(v -> v >= 0 && v < s.views()), "views " + b.views());
                assertEquals(
                        b.gradient(),
                        run.context().trained().contains(b.network()),
                        "the context has made its network");
            }
        }
    }
}
