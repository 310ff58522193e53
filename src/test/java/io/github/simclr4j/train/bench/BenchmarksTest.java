// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.bench;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.train.device.Compute;
import io.github.simclr4j.train.loop.RepeatedStep;
import io.github.simclr4j.train.network.MemoryLayout;
import io.github.simclr4j.train.network.Precision;
import io.github.simclr4j.train.settings.PretrainBuilder;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is measured and how it is summed up; rates themselves are the machine's. */
@Tag("slow")
class BenchmarksTest {
    private static PretrainSettings settings(String method, int batch) {
        return new PretrainBuilder()
                .method(method)
                .encoder("resnet18", Map.of("width", "0.0625"))
                .batch(batch)
                .precision(Precision.FLOAT32)
                .build(64);
    }

    /** NumPy: np.percentile([1, 2, 4, 8], [25, 50, 75]) is 1.75, 3 and 5. */
    @Test
    void quartilesAreInterpolated() {
        Rate rate = new Rate(List.of(8.0, 1.0, 4.0, 2.0));
        assertEquals(3, rate.median());
        assertEquals(List.of(1.75, 5.0), rate.quartiles());
        assertEquals(List.of(7.0, 7.0), new Rate(List.of(7.0)).quartiles());
        assertThrows(IllegalArgumentException.class, () -> new Rate(List.of()));
        assertThrows(IllegalArgumentException.class, () -> new Repetitions(0, 1));
        assertThrows(IllegalArgumentException.class, () -> new Repetitions(1, 0));
    }

    /** 20 items in a call that takes 5 ms at least are 4000 a second at most; each of 3 rates is of 10 ms at least. */
    @Test
    void aRateCountsItems() throws IOException {
        int[] calls = new int[1];
        Rate rate = new Repetitions(3, 0.01).measure(20, () -> {
            calls[0]++;
            long until = System.nanoTime() + 5_000_000;
            while (System.nanoTime() < until) {
                Thread.onSpinWait();
            }
        });
        assertEquals(3, rate.perSecond().size());
        assertTrue(rate.perSecond().stream().allMatch(r -> r > 0 && r <= 4000), rate.toString());
        assertTrue(calls[0] >= 3 + 1 + 3, "three to warm up, one to know how long, and three rates");
    }

    /**
     * The same step from the same weights has the same loss, micro-batches or not, and it is of a real step: the weights move.
     */
    @ParameterizedTest
    @ValueSource(strings = {"simclr", "mocov2", "end-to-end", "supervised"})
    void aRepeatedStepIsATrainingStep(String method) {
        Compute compute = Compute.choose("cpu", Precision.FLOAT32, 1, Progress.NONE);
        PretrainSettings s = settings(method, 8);
        double first;
        try (RepeatedStep step = new RepeatedStep(s, compute)) {
            assertEquals(16, step.views());
            step.take();
            first = step.await();
            for (int i = 0; i < 20; i++) {
                step.take();
            }
            assertTrue(Double.isFinite(step.await()));
            assertNotEquals(first, step.await());
        }
        try (RepeatedStep again = new RepeatedStep(s, compute)) {
            again.take();
            assertEquals(first, again.await());
        }
    }

    @Test
    void randomImagesAreDecodedAndRepeat() throws IOException {
        try (RandomImages images = new RandomImages(100, 40, 1);
                RandomImages same = new RandomImages(70, 40, 1)) {
            assertEquals(100, images.size());
            assertEquals(40, images.read(99).width());
            assertArrayEquals(images.read(3).rgb(), images.read(67).rgb());
            assertArrayEquals(images.read(3).rgb(), same.read(3).rgb());
            assertFalse(Arrays.equals(images.read(3).rgb(), images.read(4).rgb()));
            assertEquals(9, images.label(99).getAsInt());
            assertEquals(10, images.classes().size());
        }
    }

    @Test
    void aPlanIsKept(@TempDir Path dir) throws IOException {
        assertNull(TrainingPlan.read(dir));
        Trial fits = new Trial(128, Precision.BFLOAT16, MemoryLayout.CHANNELS_LAST, 1234.5);
        Trial not = new Trial(256, Precision.FLOAT32, MemoryLayout.CHANNELS_FIRST, Double.NaN);
        TrainingPlan plan = new TrainingPlan(fits, List.of(fits, not));
        plan.write(dir.resolve("sub"));
        assertEquals(plan, TrainingPlan.read(dir.resolve("sub")));
        assertEquals(64, plan.halved().chosen().batch());
        assertEquals("batch 256, float32, channels-first: does not fit into memory", not.toString());
        Files.writeString(dir.resolve("sub/plan.properties"), "chosen=nothing");
        IOException e = assertThrows(IOException.class, () -> TrainingPlan.read(dir.resolve("sub")));
        assertTrue(e.getMessage().contains("plan.properties"), e.getMessage());
    }

    @Test
    void memoryThatIsNotThereIsTold() {
        assertTrue(TrainingPlan.isOutOfMemory(
                new IllegalStateException("CUDA out of memory. Tried to allocate 2.00 MiB")));
        assertTrue(TrainingPlan.isOutOfMemory(new IllegalStateException("DefaultCPUAllocator: can't allocate memory")));
        assertTrue(TrainingPlan.isOutOfMemory(new OutOfMemoryError("Java heap space")));
        assertFalse(TrainingPlan.isOutOfMemory(new IllegalStateException()));
    }

    /**
     * Without a batch of its own it doubles from 64 up to the images there are; the views of more would not fit into a buffer.
     */
    @Test
    void batchesDoubleUpToTheImages() throws IOException {
        Compute compute = Compute.choose("cpu", Precision.FLOAT32, 1, Progress.NONE);
        TrainingPlan plan = TrainingPlan.make(
                b -> new PretrainBuilder()
                        .method("simclr")
                        .encoder("resnet18", Map.of("width", "0.0625"))
                        .imageSize(8)
                        .batch(b)
                        .precision(Precision.FLOAT32)
                        .build(200),
                compute,
                0,
                200,
                Long.MAX_VALUE,
                Progress.NONE);
        assertEquals(
                List.of(64, 128),
                plan.trials().stream().limit(2).map(Trial::batch).toList());
        assertEquals(3, plan.trials().size());
        assertEquals(MemoryLayout.CHANNELS_FIRST, plan.trials().get(2).layout());
        assertTrue(plan.trials().contains(plan.chosen()));
    }
}
