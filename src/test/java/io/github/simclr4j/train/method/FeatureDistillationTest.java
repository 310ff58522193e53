// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.train.Pretraining;
import io.github.simclr4j.train.data.ImageSet;
import io.github.simclr4j.train.data.StreamedImages;
import io.github.simclr4j.train.device.Compute;
import io.github.simclr4j.train.loop.EncoderExport;
import io.github.simclr4j.train.loop.EncoderTrainer;
import io.github.simclr4j.train.loop.EpochSummary;
import io.github.simclr4j.train.loop.RepeatedStep;
import io.github.simclr4j.train.loop.RunOptions;
import io.github.simclr4j.train.loop.Runs;
import io.github.simclr4j.train.loop.StepByStep;
import io.github.simclr4j.train.loop.TrainingListener;
import io.github.simclr4j.train.loss.Rows;
import io.github.simclr4j.train.network.Precision;
import io.github.simclr4j.train.settings.PretrainBuilder;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.train.testing.Pictures;
import io.github.simclr4j.train.testing.Small;
import io.github.simclr4j.train.torch.Gradients;
import io.github.simclr4j.train.torch.Torch;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Learning from a teacher's features; that it keeps the contract of methods is tested with all methods. */
@Tag("slow")
class FeatureDistillationTest {
    @TempDir
    Path dir;

    @BeforeEach
    void noGradient() {
        Torch.noGradient();
    }

    /** Whatever the length of the vectors; any other student has more. */
    @Test
    void aStudentThatReproducesTheTeacherHasTheLeastLoss() {
        try (NDManager m = Torch.engine().newBaseManager()) {
            NDArray teacher = rows(m, 6, 5, 1);
            NDArray queue = Rows.normalise(rows(m, 20, 5, 2));
            NDArray same = teacher.mul(3);
            same.setRequiresGradient(true);
            NDArray loss = Torch.recording(() -> FeatureStudent.loss(same, teacher, queue, 0.07));
            assertEquals(0, loss.getFloat(), 1e-6);
            for (float g : Gradients.of(new NDList(loss), null, List.of(same), m)
                    .get(0)
                    .toFloatArray()) {
                assertEquals(0, g, 1e-5);
            }
            for (int seed = 3; seed < 13; seed++) {
                assertTrue(FeatureStudent.loss(teacher.add(rows(m, 6, 5, seed).mul(0.1)), teacher, queue, 0.07)
                                .getFloat()
                        > 1e-4);
            }
        }
    }

    private static NDArray rows(NDManager m, int n, int d, long seed) {
        return m.create(Small.rows(n, d, seed));
    }

    private PretrainBuilder settings() {
        return Small.settings("distill")
                .optimizer("adamw")
                .learningRate(1e-3)
                .batch(8)
                .epochs(2);
    }

    /** The student is the teacher, but for its first linear layer. */
    @Test
    void theLossFalls() throws IOException {
        try (StepByStep run = new StepByStep(
                Small.build(settings().learningRate(0.01).batch(16).option("temperature", 0.07)))) {
            double first = run.loss();
            double last = 0;
            for (int i = 1; i < 4; i++) {
                last = run.loss();
            }
            assertTrue(last < 0.7 * first, first + " to " + last);
        }
    }

    /** Images are 32x32, as the teacher takes them, so that a view that nothing is done to is the image. */
    @Test
    void aTeacherOfViewsThatAreTheImagesSaysWhatIsCached() throws IOException {
        float[][] targets = new float[2][];
        for (int k = 0; k < 2; k++) {
            try (StepByStep run =
                            new StepByStep(Small.build(settings().views("none").option("teacher-views", k == 1)));
                    NDManager m = run.network().manager().newSubManager()) {
                targets[k] = run.targets(m).toFloatArray();
            }
        }
        assertEquals(16 * Small.NET.dimension(), targets[0].length);
        assertArrayEquals(targets[0], targets[1], 1e-6f);
    }

    @Test
    void aTeacherOfViewsSeesWhatTheStudentSees() throws IOException {
        try (StepByStep run = new StepByStep(
                        Small.build(settings().views("crop:0.2,flip").option("teacher-views", true)));
                NDManager m = run.network().manager().newSubManager()) {
            float[] targets = run.targets(m).toFloatArray();
            float[][] expected = teacher(run.views(m));
            for (int i = 0; i < expected.length; i++) {
                double[] unit = Small.unit(new float[][] {expected[i]})[0];
                for (int k = 0; k < unit.length; k++) {
                    assertEquals(unit[k], targets[i * unit.length + k], 0.01, "view " + i);
                }
            }
        }
    }

    /** The teacher's file of {@link Small} on pixels in [0, 1]. */
    private static float[][] teacher(NDArray views) throws IOException {
        Path file = (Path) Small.option("teacher");
        try (OnnxEncoder encoder = OnnxEncoder.open(file, 1)) {
            return encoder.embed(Pictures.of(views));
        }
    }

    private Path photos(int n) throws IOException {
        return Pictures.write(dir.resolve("photos"), n, 48, 40);
    }

    private EncoderTrainer.Result run(PretrainSettings s, ImageSource source, boolean streamed, Path checkpoints)
            throws IOException {
        return Runs.run(
                s,
                streamed ? new StreamedImages(source, 32, 1, 8, 2, Progress.NONE) : Pictures.read(source, 32),
                RunOptions.checkpoints(checkpoints));
    }

    @Test
    void aStreamedSetGivesTheSameEncoderAndTheSameFeaturesFile() throws IOException {
        try (ImageSource source = ImageSource.open(photos(16))) {
            byte[] memory = run(Small.build(settings()), source, false, dir.resolve("a/state"))
                    .onnx();
            byte[] streamed = run(Small.build(settings()), source, true, dir.resolve("b/state"))
                    .onnx();
            assertArrayEquals(memory, streamed);
            assertEquals(files(dir.resolve("a/teacher-features")), files(dir.resolve("b/teacher-features")));
            assertEquals(1, files(dir.resolve("a/teacher-features")).size());
        }
    }

    private static List<String> files(Path folder) throws IOException {
        try (Stream<Path> all = Files.list(folder)) {
            return all.map(f -> f.getFileName().toString()).toList();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theEncoderRecordsTheTeacherAndHasNoLinearLayer(boolean views) throws IOException {
        PretrainSettings s = Small.build(settings().option("teacher-views", views));
        EncoderTrainer.Result r = Runs.run(s, Small.labelled(16), Runs.NOTHING);
        try (OnnxEncoder encoder = OnnxEncoder.open(r.onnx(), "student", 1)) {
            assertEquals(Small.NET.dimension(), encoder.dimension());
            Map<String, String> metadata = encoder.metadata();
            assertEquals(OnnxEncoder.sha256((Path) Small.option("teacher")), metadata.get("training.teacher_sha256"));
            assertTrue(metadata.get("training.teacher_settings").contains("image-size 32"), metadata.toString());
            assertEquals("" + views, metadata.get("training.teacher_views"));
            assertFalse(metadata.containsKey("training.teacher"), "where the teacher was is of no interest");
        }
    }

    @Test
    void aRunIsNotContinuedWithAnotherTeacherWhoseFeaturesAreNotComputed() throws IOException {
        ImageSet images = Small.labelled(16);
        Path state = dir.resolve("state");
        Runs.run(Small.build(settings()), images, RunOptions.checkpoints(state));
        Path other = Files.write(dir.resolve("other.onnx"), EncoderExport.untrained(Small.NET, 32, 10));
        PretrainSettings s = Small.build(settings().option("teacher", other).epochs(3));
        String message = assertThrows(IOException.class, () -> Runs.run(s, images, RunOptions.checkpoints(state)))
                .getMessage();
        assertTrue(message.contains("training.teacher_sha256"), message);
        assertEquals(1, files(dir.resolve("teacher-features")).size());
        // The same one at another place is the same.
        Path moved = Files.copy((Path) Small.option("teacher"), dir.resolve("moved.onnx"));
        assertEquals(
                2,
                Runs.run(
                                Small.build(settings().option("teacher", moved).epochs(3)),
                                images,
                                RunOptions.checkpoints(state))
                        .resumedAt());
    }

    @Test
    void aTeacherThatIsNotThereIsSaidAtOnce() {
        for (Map.Entry<String, Object> wrong : Map.<String, Object>of(
                        "teacher", "", "teacher-config", dir.resolve("none.json"), "teacher-provider", "abacus")
                .entrySet()) {
            PretrainBuilder b = settings().option(wrong.getKey(), wrong.getValue());
            String message = assertThrows(IllegalArgumentException.class, () -> Small.build(b))
                    .getMessage();
            assertTrue(message.startsWith(wrong.getKey() + " must"), message);
        }
        PretrainBuilder gone = settings().option("teacher", dir.resolve("gone.onnx"));
        String message = assertThrows(IllegalArgumentException.class, () -> Small.build(gone))
                .getMessage();
        assertTrue(message.contains("gone.onnx"), message);
    }

    @Test
    void aQueueThatDoesNotHoldABatchIsRefused() {
        String message = assertThrows(
                        IllegalArgumentException.class,
                        () -> Small.build(settings().batch(32).option("queue", 24)))
                .getMessage();
        assertTrue(message.startsWith("queue must"), message);
    }

    @Test
    void theQueueIsAsLongAsAFewImagesAre() {
        Object none = null;
        assertEquals(300, settings().option("queue", none).build(300).options().get(FeatureDistillation.QUEUE));
        assertEquals(
                4096, settings().option("queue", none).build(50_000).options().get(FeatureDistillation.QUEUE));
    }

    @Test
    void theFirstFeaturesInAQueueThatTheyDoNotFillAreTheLastToBeReplaced() throws IOException {
        try (StepByStep run = new StepByStep(Small.build(settings().option("queue", 100)))) {
            int images = StepByStep.IMAGES.count();
            assertEquals(images, run.values().get("method.queue.position")[0]);
            double[] before = run.values().get("method.queue");
            run.loss();
            double[] after = run.values().get("method.queue");
            int d = Small.NET.dimension();
            assertArrayEquals(Arrays.copyOf(before, images * d), Arrays.copyOf(after, images * d));
            assertEquals(images + 8, run.values().get("method.queue.position")[0]);
        }
    }

    @Test
    void aResumedRunWithAQueueThatIsNotFullGivesTheSameBytes() throws IOException {
        PretrainSettings s = Small.build(settings().option("queue", 30));
        ImageSet images = Small.labelled(16);
        Path state = dir.resolve("cut/state");
        byte[] whole = Runs.run(s, images, RunOptions.checkpoints(dir.resolve("whole/state")))
                .onnx();
        assertArrayEquals(whole, Runs.cut(s, images, 1, state).onnx());
    }

    @Test
    void aFileThatIsNoEncoderIsNamed() throws IOException {
        Path text = Files.writeString(dir.resolve("notes.onnx"), "no encoder");
        PretrainSettings s = Small.build(settings().option("teacher", text));
        String message = assertThrows(IOException.class, () -> Runs.run(s, Small.labelled(16), Runs.NOTHING))
                .getMessage();
        assertTrue(message.contains("notes.onnx"), message);
    }

    @Test
    void itIsCancelledWhileTheTeacherLooksAtTheImages() throws IOException {
        Path state = dir.resolve("state");
        AtomicReference<Pretraining> self = new AtomicReference<>();
        TrainingListener stop = new TrainingListener() {
            @Override
            public void preparing(long done) {
                if (done == 3) {
                    self.get().cancel();
                }
            }

            @Override
            public void epochFinished(EpochSummary summary) {
                throw new AssertionError("nothing is trained");
            }
        };
        try (Pretraining run = Pretraining.builder()
                .images(photos(40))
                .method("distill")
                .option("teacher", Small.option("teacher"))
                .encoder(Small.NET)
                .batch(8)
                .epochs(1)
                .device("cpu")
                .precision("float32")
                .checkpoint(state)
                .listener(stop)
                .build()) {
            self.set(run);
            assertThrows(CancellationException.class, run::run);
            assertFalse(Thread.interrupted());
        }
        assertEquals(1, files(dir.resolve("teacher-features")).size());
    }

    /** Steps that are measured outside of a run have a teacher, too. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aStepCanBeMeasured(boolean views) {
        Compute compute = Compute.choose("cpu", Precision.FLOAT32, 1, Progress.NONE);
        try (RepeatedStep step = new RepeatedStep(Small.build(settings().option("teacher-views", views)), compute)) {
            step.take();
            assertTrue(step.await() > 0);
        }
    }

    /** The configuration changes what the teacher sees. */
    @Test
    void aConfigurationIsWhatThePreprocessingIs() throws IOException {
        Path config = Files.writeString(dir.resolve("teacher.json"), "{\"resize\": \"stretch\"}");
        try (ImageSource source = ImageSource.open(photos(16))) {
            String[] used = new String[2];
            for (int k = 0; k < 2; k++) {
                EncoderTrainer.Result r = run(
                        Small.build(settings().option("teacher-config", k == 0 ? null : config)),
                        source,
                        false,
                        dir.resolve("run" + k + "/state"));
                used[k] = r.settings().get("training.teacher_settings");
            }
            assertNotEquals(used[0], used[1]);
            assertTrue(used[1].contains("resize stretch"), used[1]);
            assertNotEquals(
                    Arrays.toString(files(dir.resolve("run0/teacher-features")).toArray()),
                    Arrays.toString(files(dir.resolve("run1/teacher-features")).toArray()));
        }
    }
}
