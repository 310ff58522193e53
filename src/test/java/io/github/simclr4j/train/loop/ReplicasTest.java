// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import io.github.simclr4j.train.data.TrainingImages;
import io.github.simclr4j.train.device.Compute;
import io.github.simclr4j.train.method.Method;
import io.github.simclr4j.train.network.Precision;
import io.github.simclr4j.train.settings.PretrainBuilder;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.train.testing.Golden;
import io.github.simclr4j.train.testing.Interrupt;
import io.github.simclr4j.train.testing.Small;
import io.github.simclr4j.train.torch.Torch;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.reflect.Proxy;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Several devices, of which there are none but replicas on the CPU here: threads, memory, errors, and checkpoints that go on with
 * another number of devices. That their steps are those of one device is in
 * {@link io.github.simclr4j.train.testing.AbstractMethodTest}, for every method.
 */
class ReplicasTest {
    private static Compute replicas(int devices, Precision precision) {
        return Compute.choose(Collections.nCopies(devices, "cpu"), precision, 1, Progress.NONE);
    }

    private static EncoderTrainer trainer(PretrainSettings s, int devices, Progress progress) {
        return new EncoderTrainer(s, replicas(devices, s.precision()), progress);
    }

    private static PretrainBuilder twoEpochs(String method) {
        return Small.settings(method, "adamw", 1e-3, 8, 2).imageSize(16).bnSplits(2);
    }

    /** Batches whose views are made only if some threads want them at the same time. */
    private static final class Together extends BatchViews {
        private final BatchViews made;
        private final CyclicBarrier barrier;
        private final Set<Thread> threads = ConcurrentHashMap.newKeySet();

        Together(BatchViews made, int devices) {
            super(null, List.of(), 0, made.images(), made.labels(), 7, 100, null);
            this.made = made;
            barrier = new CyclicBarrier(devices);
        }

        @Override
        boolean isSmall(int view) {
            // Asked for outside of the lock under which views are made.
            threads.add(Thread.currentThread());
            try {
                barrier.await(30, TimeUnit.SECONDS);
            } catch (Exception e) {
                throw new IllegalStateException("the other devices were not at work", e);
            }
            return made.isSmall(view);
        }

        @Override
        public NDArray rows(NDManager manager, int[] rows) {
            return made.rows(manager, rows);
        }
    }

    @Test
    void devicesWorkAtTheSameTimeInThreadsOfTheirOwn() throws IOException {
        PretrainSettings s = Small.build(twoEpochs("simclr").bnSplits(4));
        try (StepByStep run = new StepByStep(s, 4);
                NDManager m = run.network().manager().newSubManager()) {
            Together batch = new Together(run.next(), 4);
            run.take(batch, m);
            assertEquals(4, batch.threads.size());
            assertTrue(batch.threads.contains(Thread.currentThread()));
        }
    }

    /** Views whose making fails on every thread but the test's own. */
    @Test
    void whatGoesWrongOnAnotherDeviceIsToldAndTheNextStepIsSound() throws IOException {
        PretrainSettings s = Small.build(twoEpochs("mocov2").bnSplits(4));
        Thread own = Thread.currentThread();
        IllegalStateException why = new IllegalStateException("out of something");
        try (StepByStep run = new StepByStep(s, 2);
                StepByStep undisturbed = new StepByStep(s, 2)) {
            try (NDManager m = run.network().manager().newSubManager()) {
                BatchViews sound = run.next();
                BatchViews failing = new BatchViews(null, List.of(), 0, sound.images(), sound.labels(), 7, 100, null) {
                    @Override
                    boolean isSmall(int view) {
                        return false;
                    }

                    @Override
                    public NDArray rows(NDManager manager, int[] rows) {
                        if (Thread.currentThread() != own) {
                            throw why;
                        }
                        return sound.rows(manager, rows);
                    }
                };
                assertSame(why, assertThrows(IllegalStateException.class, () -> run.take(failing, m)));
                run.take(sound, m);
            }
            undisturbed.loss();
            undisturbed
                    .values()
                    .forEach((name, w) -> assertArrayEquals(w, run.values().get(name), name));
        }
    }

    /** A step ends even where its thread is interrupted, which the run then sees. */
    @Test
    void anInterruptedStepEndsAndTheThreadStaysMarked() throws IOException {
        PretrainSettings s = Small.build(twoEpochs("simclr"));
        try (StepByStep run = new StepByStep(s, 2)) {
            Thread.currentThread().interrupt();
            double loss = run.loss();
            assertTrue(Thread.interrupted());
            assertTrue(Double.isFinite(loss));
        }
    }

    @ParameterizedTest
    @CsvSource({"simclr, 0, 2", "mocov2, 4, 2", "end-to-end, 0, 4", "byol, 8, 2", "nnclr, 0, 2"})
    void aStepLeavesNoTensorBehindOnAnyDevice(String method, int micro, int devices) throws IOException {
        PretrainSettings s = Small.build(Small.settings(method, "adamw", 1e-3, 16, 1)
                .imageSize(16)
                .microBatch(micro)
                .bnSplits(4)
                .clip(1));
        NDManager all = Torch.engine().newBaseManager().getParentManager();
        int before = all.getManagedArrays().size();
        try (StepByStep run = new StepByStep(s, devices)) {
            int[] left = new int[3];
            for (int i = 0; i < 3; i++) {
                run.loss();
                left[i] = all.getManagedArrays().size();
            }
            assertTrue(left[0] > before, "copies of the networks are among those that are counted");
            assertEquals(left[0], left[2]);
        }
        assertEquals(before, all.getManagedArrays().size(), "copies are freed");
    }

    /** The second of three devices has its copies when the third, which does not exist, fails. */
    @Test
    void copiesAreFreedIfOneOfThemCannotBeMade() {
        PretrainSettings s = Small.build(twoEpochs("mocov2"));
        NDManager all = Torch.engine().newBaseManager().getParentManager();
        try (StepByStep run = new StepByStep(s)) {
            int before = all.getManagedArrays().size();
            assertThrows(
                    EngineException.class,
                    () -> new Replicas(run.context(), List.of(Device.cpu(), Device.gpu(99)), 1, 3));
            assertEquals(before, all.getManagedArrays().size());
        }
    }

    @Test
    void copiesAreFreedIfTheOptimizerCannotBeMade() {
        PretrainSettings s = Small.build(twoEpochs("simclr"));
        Method broken = (Method)
                Proxy.newProxyInstance(Method.class.getClassLoader(), new Class<?>[] {Method.class}, (p, m, a) -> {
                    throw new IllegalStateException("broken");
                });
        NDManager all = Torch.engine().newBaseManager().getParentManager();
        try (StepByStep run = new StepByStep(s)) {
            int before = run.network().manager().getManagedArrays().size();
            int copies = all.getManagedArrays().size() - before;
            assertThrows(
                    IllegalStateException.class,
                    () -> new TrainingStep(s, run.context(), broken, List.of(Device.cpu())));
            // The state that the optimizer has made so far is freed with the weights.
            assertEquals(
                    copies,
                    all.getManagedArrays().size()
                            - run.network().manager().getManagedArrays().size());
        }
    }

    /** All replicas of a run have the weights that the run has, whoever changed them between two steps. */
    @Test
    void replicasTakeOverTheWeightsBeforeEachStep() throws IOException {
        PretrainSettings s = Small.build(twoEpochs("simclr").precision(Precision.FLOAT64));
        try (StepByStep one = new StepByStep(s);
                StepByStep two = new StepByStep(s, 2)) {
            assertEquals(one.loss(), two.loss(), 1e-10);
            for (StepByStep run : new StepByStep[] {one, two}) {
                run.network().trained().values().forEach(w -> w.muli(1.5));
            }
            assertEquals(one.loss(), two.loss(), 1e-10);
        }
    }

    @Test
    void stepsThatAreMeasuredAreShared() {
        PretrainSettings s = Small.build(twoEpochs("simclr"));
        try (RepeatedStep one = new RepeatedStep(s, replicas(1, s.precision()));
                RepeatedStep two = new RepeatedStep(s, replicas(2, s.precision()))) {
            for (int i = 0; i < 2; i++) {
                one.take();
                two.take();
                assertEquals(one.await(), two.await(), 1e-5);
            }
        }
        assertThrows(IllegalArgumentException.class, () -> new RepeatedStep(s, replicas(3, s.precision())));
    }

    /** Whatever the order in which the devices end, also where each has two micro-batches. */
    @ParameterizedTest
    @ValueSource(ints = {0, 2})
    void theSameDevicesGiveTheSameBits(int microBatch, @TempDir Path dir) throws IOException {
        PretrainSettings s = Small.build(twoEpochs("mocov2").bnSplits(4).microBatch(microBatch));
        TrainingImages images = Small.labelled(16);
        byte[] first = trainer(s, 2, Progress.NONE)
                .run(images, RunOptions.checkpoints(dir.resolve("first")))
                .onnx();
        assertArrayEquals(
                first, trainer(s, 2, Progress.NONE).run(images, Runs.NOTHING).onnx());
        assertArrayEquals(first, cut(s, images, 3, 2, 2, dir.resolve("second")).onnx());
        same(dir.resolve("first"), dir.resolve("second"));
    }

    /** The same passes and sums in the same order: with as many micro-batches as devices not even rounding differs. */
    @Tag("slow")
    @ParameterizedTest
    @ValueSource(strings = {"simclr", "mocov2", "end-to-end", "byol", "nnclr"})
    void asManyMicroBatchesAsDevicesGiveTheBitsOfOneDevice(String method, @TempDir Path dir) throws IOException {
        PretrainSettings s = Small.build(twoEpochs(method).microBatch(4));
        TrainingImages images = Small.labelled(16);
        EncoderTrainer.Result one =
                trainer(s, 1, Progress.NONE).run(images, RunOptions.checkpoints(dir.resolve("one")));
        EncoderTrainer.Result two =
                trainer(s, 2, Progress.NONE).run(images, RunOptions.checkpoints(dir.resolve("two")));
        assertArrayEquals(one.onnx(), two.onnx());
        same(dir.resolve("one"), dir.resolve("two"));
    }

    private static void same(Path one, Path two) throws IOException {
        Map<String, float[]> expected = Checkpoint.tensors(new CheckpointFolder(one).newest());
        Map<String, float[]> actual = Checkpoint.tensors(new CheckpointFolder(two).newest());
        assertEquals(expected.keySet(), actual.keySet());
        expected.forEach((name, w) -> assertArrayEquals(w, actual.get(name), name));
    }

    /**
     * Cut after an epoch or within one, and continued by another number of devices: equal to the undisturbed run within rounding, in
     * float64, so that rounding does not grow in the steps; with as many micro-batches as devices to the bit, in float32.
     */
    @Tag("slow")
    @ParameterizedTest
    @CsvSource({"simclr, 2, 2, 1", "simclr, 3, 1, 2", "mocov2, 3, 2, 1", "byol, 3, 1, 2"})
    void aCheckpointGoesOnWithAnotherNumberOfDevices(String method, int steps, int before, int after, @TempDir Path dir)
            throws IOException {
        TrainingImages images = Small.labelled(16);
        PretrainSettings exact = Small.build(twoEpochs(method).precision(Precision.FLOAT64));
        EncoderTrainer.Result whole = trainer(exact, 1, Progress.NONE).run(images, Runs.NOTHING);
        EncoderTrainer.Result parts = cut(exact, images, steps, before, after, dir.resolve("exact"));
        assertEquals(whole.settings(), parts.settings(), "nothing that is recorded tells the devices");
        Map<String, float[]> weights = weights(whole.onnx());
        Map<String, float[]> continued = weights(parts.onnx());
        assertFalse(weights.isEmpty());
        weights.forEach((name, w) -> Golden.same(w, continued.get(name), 1e-6, 1e-7, name));

        PretrainSettings micro = Small.build(twoEpochs(method).microBatch(4));
        byte[] bits = trainer(micro, 1, Progress.NONE)
                .run(images, RunOptions.checkpoints(dir.resolve("bits")))
                .onnx();
        assertArrayEquals(
                bits,
                cut(micro, images, steps, before, after, dir.resolve("parts")).onnx());
        same(dir.resolve("bits"), dir.resolve("parts"));
    }

    private static EncoderTrainer.Result cut(
            PretrainSettings s, TrainingImages images, int steps, int before, int after, Path folder)
            throws IOException {
        assertThrows(
                InterruptedIOException.class,
                () -> trainer(s, before, Interrupt.after(steps)).run(images, RunOptions.checkpoints(folder)));
        EncoderTrainer.Result rest = trainer(s, after, Progress.NONE).run(images, RunOptions.checkpoints(folder));
        assertEquals(1, rest.resumedAt());
        return rest;
    }

    private static Map<String, float[]> weights(byte[] onnx) throws IOException {
        Map<String, float[]> all = new TreeMap<>();
        for (TensorProto t : ModelProto.parseFrom(onnx).getGraph().getInitializerList()) {
            if (t.getDataType() == TensorProto.DataType.FLOAT.getNumber()) {
                float[] values = new float[t.getRawData().size() / Float.BYTES];
                t.getRawData()
                        .asReadOnlyByteBuffer()
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .asFloatBuffer()
                        .get(values);
                all.put(t.getName(), values);
            }
        }
        return all;
    }

    /** 0 groups are one for each micro-batch, which is what the metadata say where the devices can share these. */
    @ParameterizedTest
    @CsvSource({"4, 1, 0, 2", "4, 2, 0, 2", "0, 2, 2, 2", "8, 2, 2, 2", "4, 4, 4, 4", "0, 1, 0, 1"})
    void withoutANumberOfGroupsTheDevicesAndMicroBatchesDecide(int micro, int devices, int splits, int groups) {
        PretrainSettings s =
                Small.build(twoEpochs("simclr").bnSplits(null).microBatch(micro).devices(devices));
        assertEquals(splits, s.bnSplits());
        assertEquals(String.valueOf(splits), s.describe().get("training.bn_splits"));
        assertEquals(groups, s.groups());
    }

    @Test
    void groupsThatTheDevicesCannotShareAreRefused() {
        String why = assertThrows(
                        IllegalArgumentException.class,
                        () -> trainer(Small.build(twoEpochs("simclr")), 3, Progress.NONE)
                                .run(Small.labelled(16), Runs.NOTHING))
                .getMessage();
        assertEquals(
                "The number of batch norm groups (the setting bn-splits) must be a multiple of the 3 devices, which share them: found"
                        + " 2 for a batch of 8",
                why);
    }

    @ParameterizedTest
    @CsvSource({"1, 1, 1", "2, 3, 6", "4, 2, 4", "4, 6, 12", "3, 3, 3"})
    void aBatchIsDividedAmongDevicesAndMicroBatchesAlike(int micro, int devices, int parts) {
        assertEquals(parts, Replicas.leastCommonMultiple(micro, devices));
    }
}
