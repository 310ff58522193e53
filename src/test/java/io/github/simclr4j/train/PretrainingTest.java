// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.SizeCheck;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.onnx.network.EncoderLayout;
import io.github.simclr4j.onnx.network.EncoderWriter;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.onnx.network.Weight;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import io.github.simclr4j.train.data.BuiltInImages;
import io.github.simclr4j.train.data.ImageSet;
import io.github.simclr4j.train.loop.EpochSummary;
import io.github.simclr4j.train.loop.TrainingListener;
import io.github.simclr4j.train.settings.PretrainBuilder;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Pretraining as a program does it. */
@Tag("slow")
class PretrainingTest {
    @TempDir
    Path dir;

    /** 16 drawings, two epochs of two steps. */
    private static Pretraining.Builder small() {
        return Pretraining.builder()
                .images(drawings(16))
                .width(1.0 / 16)
                .batch(8)
                .epochs(2)
                .projection(16)
                .precision("float32")
                .device("cpu")
                .threads(1)
                .progress(Progress.NONE);
    }

    private static List<RgbImage> drawings(int count) {
        Random random = new Random(3);
        List<RgbImage> images = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            images.add(BuiltInImages.draw(i % 10, random));
        }
        return images;
    }

    /** Random weights learn little from few images; a classifier and trained weights are another matter. */
    @Test
    void fewImagesAreAWarningThatSaysWhatToDo() throws IOException {
        assertEquals(
                1,
                warnings(small().epochs(1)).stream()
                        .filter(w -> w.contains("teacher") && w.contains("16 images"))
                        .count());
        Path encoder = dir.resolve("encoder.onnx");
        run(small().epochs(1)).writeEncoder(encoder);
        assertEquals(List.of(), warnings(small().epochs(1).init(encoder)));
        PretrainSettings settings = small().build().settings();
        assertFalse(settings.needsMoreThan(PretrainSettings.FEW_IMAGES));
        assertFalse(new PretrainBuilder().method("supervised").build(16).needsMoreThan(16));
    }

    /** Each pixel of a drawing of 32 pixels becomes nine. */
    @Test
    void imagesThatAreFarLargerThanTheDefaultViewsAreAWarning() throws IOException {
        List<RgbImage> large = drawings(16).stream()
                .map(i -> new RgbImage(i.width() * 3, i.height() * 3, repeated(i, 3)))
                .toList();
        assertEquals(
                List.of(
                        "at least half of the images have a short side of 96 pixels or more, and views have 32: choose the image"
                                + " size, or a preset for such images"),
                far(warnings(small().epochs(1).images(large))));
        assertEquals(List.of(), far(warnings(small().epochs(1).images(large).imageSize(32))), "the size was chosen");
        assertEquals(
                List.of(), far(warnings(small().epochs(1).images(large).preset("small"))), "the preset was chosen");
        assertEquals(List.of(), far(warnings(small().epochs(1))), "they are no larger");
    }

    private static List<String> far(List<String> warnings) {
        return warnings.stream().filter(w -> w.contains("half of the images")).toList();
    }

    private static byte[] repeated(RgbImage image, int times) {
        int width = image.width() * times;
        byte[] rgb = new byte[3 * width * image.height() * times];
        for (int i = 0; i < rgb.length; i++) {
            int pixel = i / 3;
            rgb[i] = image.rgb()[3 * (pixel / width / times * image.width() + pixel % width / times) + i % 3];
        }
        return rgb;
    }

    /** Tiny networks and views, with what else a preset has. */
    @ParameterizedTest
    @CsvSource({
        "small, resnet18 width 0.0625 stem CIFAR, adamw",
        "photos, resnet50 width 0.0625 stem IMAGENET, lars",
        "serving, mobilenetv3-large width 0.0625 stem IMAGENET, lars"
    })
    void aPresetIsTrainedWith(String preset, String encoder, String optimizer) throws IOException {
        PretrainingResult result = run(small().preset(preset).imageSize(32).epochs(1));
        assertEquals(1, result.epochs());
        assertTrue(Double.isFinite(result.finalLoss()));
        assertEquals(
                List.of(preset, encoder, optimizer, "8", "32"),
                Stream.of("preset", "encoder", "optimizer", "batch", "image_size")
                        .map(key -> result.settings().get("training." + key))
                        .toList());
        Path file = dir.resolve("encoder.onnx");
        result.writeEncoder(file);
        try (OnnxEncoder opened = OnnxEncoder.open(file)) {
            assertEquals(preset, opened.metadata().get("training.preset"));
        }
        assertTrue(matches(small().preset(preset).imageSize(32).epochs(1), file));
    }

    /** What the preset sets is compared; its name is not. */
    @Test
    void aRunContinuesWithThePresetAndWithWhatItSets() throws IOException {
        Path checkpoints = dir.resolve("checkpoints");
        run(small().preset("small").epochs(1).checkpoint(checkpoints));
        assertEquals(1, run(small().preset("small").checkpoint(checkpoints)).resumedAt());
        PretrainingResult spelt = run(small().epochs(3).checkpoint(checkpoints));
        assertEquals(2, spelt.resumedAt());
        assertFalse(spelt.settings().containsKey("training.preset"));
        Path file = dir.resolve("encoder.onnx");
        run(small().epochs(1)).writeEncoder(file);
        assertTrue(matches(small().preset("small").epochs(1), file));
        String message = assertThrows(
                        IOException.class,
                        () -> run(
                                small().preset("photos").imageSize(32).epochs(4).checkpoint(checkpoints)))
                .getMessage();
        assertTrue(message.contains("belongs to another run: training.encoder was resnet18"), message);
    }

    private static List<String> warnings(Pretraining.Builder builder) throws IOException {
        List<String> all = new ArrayList<>();
        run(builder.progress(new Progress() {
            @Override
            public void warn(String text) {
                all.add(text);
            }
        }));
        return all;
    }

    private static PretrainingResult run(Pretraining.Builder builder) throws IOException {
        try (Pretraining pretraining = builder.build()) {
            return pretraining.run();
        }
    }

    /** Counts what it is told, and does something after a step. */
    private static final class Recorder implements TrainingListener {
        final List<Long> steps = new ArrayList<>();
        final List<Integer> epochs = new ArrayList<>();
        private final long at;
        private final Runnable then;

        Recorder(long at, Runnable then) {
            this.at = at;
            this.then = then;
        }

        @Override
        public void stepFinished(long step, long all) {
            assertEquals(4, all);
            steps.add(step);
            if (step == at) {
                then.run();
            }
        }

        @Override
        public void epochFinished(EpochSummary summary) {
            assertFalse(Thread.currentThread().isInterrupted());
            epochs.add(summary.epoch());
        }
    }

    @Test
    void whatIsNotSetHasTheMethodsDefaults() throws IOException {
        try (Pretraining bare = Pretraining.builder().images(drawings(2)).build();
                Pretraining moco = Pretraining.builder()
                        .images(drawings(300))
                        .method("mocov1")
                        .option("queue", 512)
                        .build()) {
            assertEquals(
                    new PretrainBuilder().build(2).describe(), bare.settings().describe());
            assertEquals(
                    new PretrainBuilder()
                            .method("mocov1")
                            .option("queue", 512)
                            .build(300)
                            .describe(),
                    moco.settings().describe());
            assertEquals("step", moco.settings().optimizer().schedule());
            assertEquals("512", moco.settings().describe().get("training.queue"));
        }
    }

    @Test
    void everySettingArrives() throws IOException {
        try (Pretraining p = small().method("mocov2")
                .option("temperature", 0.3)
                .option("symmetric", true)
                .encoder("resnet34")
                .stem("imagenet")
                .imageSize(40)
                .head("deep")
                .headNorm(true)
                .hidden(24)
                .projection(12)
                .keepHead(1)
                .views("crop,flip")
                .otherViews("flip")
                .batch(16)
                .microBatch(8)
                .batchNormSplits(4)
                .epochs(7)
                .optimizer("sgd")
                .learningRate(0.25)
                .momentum(0.8)
                .weightDecay(0.01)
                .warmupEpochs(1.5)
                .schedule("constant")
                .clip(3)
                .weightAverage(0.9)
                .zeroGamma(false)
                .precision("bfloat16")
                .seed(11)
                .build()) {
            Map<String, String> d = p.settings().describe();
            Map.ofEntries(
                            Map.entry("method", "mocov2"),
                            Map.entry("temperature", "0.3"),
                            Map.entry("symmetric", "true"),
                            Map.entry("encoder", "resnet34 width 0.0625 stem IMAGENET"),
                            Map.entry("image_size", "40"),
                            Map.entry("head", "3 layers, hidden 24, out 12, batch norm, 1 kept"),
                            Map.entry("views", "crop:0.08@1.0,flip@0.5 | flip@0.5"),
                            Map.entry("batch", "16"),
                            Map.entry("micro_batch", "8"),
                            Map.entry("bn_splits", "4"),
                            Map.entry("epochs", "7"),
                            Map.entry("optimizer", "sgd"),
                            Map.entry("learning_rate", "0.25"),
                            Map.entry("momentum", "0.8"),
                            Map.entry("weight_decay", "0.01"),
                            Map.entry("warmup_epochs", "1.5"),
                            Map.entry("schedule", "constant"),
                            Map.entry("gradient_clip", "3.0"),
                            Map.entry("weight_average", "0.9"),
                            Map.entry("zero_gamma", "false"),
                            Map.entry("precision", "bfloat16"),
                            Map.entry("seed", "11"))
                    .forEach((key, value) -> {
                        assertEquals(value, d.get("training." + key), key);
                    });
        }
        try (Pretraining p = small().encoder("vit-tiny")
                .encoderOption("width", null)
                .encoderOption("patch-size", 8)
                .build()) {
            assertEquals("vit-tiny patch size 8", p.settings().encoder().describe());
        }
        ResNet net = new ResNet(18, 0.125, ResNet.Stem.CIFAR);
        try (Pretraining p = Pretraining.builder()
                .images(drawings(2))
                .encoder(net)
                .rateScaling("linear")
                .build()) {
            assertEquals(net, p.settings().encoder());
            assertEquals(0.008 * 2 / 128, p.settings().optimizer().rate(), 1e-12);
        }
    }

    @Test
    void theResultIsAnEncoderThatSaysHowItWasLearnt() throws IOException {
        Recorder recorder = new Recorder(0, () -> {});
        Path file = dir.resolve("sub").resolve("encoder.onnx");
        Path metrics = dir.resolve("metrics.jsonl");
        Pretraining.Builder builder = small().listener(recorder).metrics(metrics);
        PretrainingResult result = run(builder);
        assertEquals(List.of(1L, 2L, 3L, 4L), recorder.steps);
        assertEquals(List.of(1, 2), recorder.epochs);
        assertEquals(2, Files.readAllLines(metrics).size());
        assertEquals(2, result.epochs());
        assertEquals(4, result.steps());
        assertEquals(0, result.resumedAt());
        assertTrue(result.finalLoss() > 0 && result.viewsPerSecond() > 0, result.toString());
        assertTrue(result.neighboursAccuracy().isEmpty()
                && result.classifier().isEmpty()
                && result.skipped().isEmpty());
        assertEquals("simclr", result.settings().get("training.method"));
        result.writeEncoder(file);
        assertArrayEquals(result.encoder(), Files.readAllBytes(file));
        try (OnnxEncoder opened = OnnxEncoder.open(file);
                OnnxEncoder same = result.openEncoder(RuntimeSettings.DEFAULT)) {
            assertEquals(
                    result.settings().get("data.fingerprint"), opened.metadata().get("data.fingerprint"));
            assertArrayEquals(opened.embed(drawings(1))[0], same.embed(drawings(1))[0]);
        }
        assertArrayEquals(result.encoder(), run(small()).encoder(), "the same once more");
        result.encoder()[0]++;
        assertArrayEquals(result.encoder(), Files.readAllBytes(file), "a copy");
    }

    @Test
    void aFileIsKnownAsTheResultOfTheSameSettingsAndImages() throws IOException {
        Path file = dir.resolve("encoder.onnx");
        run(small().epochs(1)).writeEncoder(file);
        assertTrue(matches(small().epochs(1), file));
        assertTrue(matches(small().epochs(1).precision("auto"), file), "any precision");
        assertTrue(matches(small().epochs(1).images(new Unreadable(drawings(17))), file), "one of them can't be read");
        assertFalse(matches(small().epochs(1).precision("bfloat16"), file));
        assertFalse(matches(small().epochs(1), dir.resolve("none.onnx")));
        assertFalse(matches(small(), file));
        assertFalse(matches(small().epochs(1).option("temperature", 0.1), file));
        assertFalse(matches(small().epochs(1).images(drawings(12)), file));
        assertFalse(matches(small().epochs(1).init(file), file));
        Path text = Files.writeString(dir.resolve("text.onnx"), "text");
        assertThrows(IOException.class, () -> matches(small(), text));
    }

    /** Versions without small views and without dot products wrote nothing about them. */
    @Test
    void aFileOfAVersionWithoutAnOptionIsTheResultOfSettingsInWhichItIsOff() throws IOException {
        ModelProto.Builder model = ModelProto.parseFrom(run(small().epochs(1)).encoder()).toBuilder();
        // The hash of the content may be absent.
        Set<String> unknown = Set.of("training.multi_crop", "training.dot_product", "content.sha256");
        List<StringStringEntryProto> known = model.getMetadataPropsList().stream()
                .filter(e -> !unknown.contains(e.getKey()))
                .toList();
        assertEquals(model.getMetadataPropsCount() - 3, known.size());
        Path file = Files.write(
                dir.resolve("earlier.onnx"),
                model.clearMetadataProps().addAllMetadataProps(known).build().toByteArray());
        assertTrue(matches(small().epochs(1), file));
        assertFalse(matches(small().epochs(1).option("dot-product", true), file));
    }

    @Test
    void aResultIsKnownEvenIfItStartedFromAnEncoderWithExternalData() throws IOException {
        ResNet net = new ResNet(18, 1.0 / 16, ResNet.Stem.CIFAR);
        Path start = dir.resolve("start.onnx");
        EncoderWriter.write(
                start,
                net,
                new Preprocessing(32),
                net.graph(32).weights().stream()
                        .collect(Collectors.toMap(Weight::name, w -> w.init().values(w.size(), new Random(5))))::get,
                Map.of(),
                EncoderLayout.DEFAULT,
                1000);
        Path file = dir.resolve("encoder.onnx");
        run(small().epochs(1).init(start)).writeEncoder(file);
        assertTrue(matches(small().epochs(1).init(start), file));
    }

    private static boolean matches(Pretraining.Builder builder, Path file) throws IOException {
        try (Pretraining pretraining = builder.build()) {
            return pretraining.matches(file);
        }
    }

    /** All but the last can be read, and it names itself as these do without the last. */
    private record Unreadable(List<RgbImage> images) implements ImageSource {
        @Override
        public int size() {
            return images.size();
        }

        @Override
        public String name(int i) {
            return "image " + i;
        }

        @Override
        public RgbImage read(int i, SizeCheck size) throws IOException {
            if (i == images.size() - 1) {
                throw new IOException("image " + i + " is damaged");
            }
            size.check(images.get(i).width(), images.get(i).height());
            return images.get(i);
        }

        @Override
        public String fingerprint() {
            return new DecodedImages(images.subList(0, images.size() - 1)).fingerprint();
        }

        @Override
        public void close() {
            throw new AssertionError("it is the caller's to close");
        }
    }

    @Test
    void aCancelledRunIsContinuedByTheNext() throws Exception {
        byte[] whole = run(small()).encoder();
        for (int step = 1; step <= 3; step++) {
            Path state = dir.resolve("state" + step);
            AtomicReference<Pretraining> self = new AtomicReference<>();
            Recorder recorder =
                    new Recorder(step, () -> inAnotherThread(() -> self.get().cancel()));
            try (Pretraining pretraining =
                    small().checkpoint(state).listener(recorder).build()) {
                self.set(pretraining);
                CancellationException e = assertThrows(CancellationException.class, pretraining::run);
                assertEquals(
                        "The pretraining was cancelled; a pretraining with the same settings continues from " + state,
                        e.getMessage());
                assertFalse(Thread.currentThread().isInterrupted());
                assertEquals(step, recorder.steps.size(), "it ends after the step");
                assertEquals(step / 2, recorder.epochs.size());
                assertThrows(CancellationException.class, pretraining::run, "it runs no more");
            }
            PretrainingResult rest = run(small().checkpoint(state));
            assertEquals(step / 2, rest.resumedAt());
            assertArrayEquals(whole, rest.encoder());
        }
    }

    @Test
    void aRunWhoseLastStepIsTakenEndsAsUsual() throws IOException {
        AtomicReference<Pretraining> self = new AtomicReference<>();
        try (Pretraining pretraining =
                small().listener(new Recorder(4, () -> self.get().cancel())).build()) {
            self.set(pretraining);
            assertEquals(2, pretraining.run().epochs());
            assertFalse(Thread.currentThread().isInterrupted());
        }
    }

    @Test
    void anInterruptAfterTheLastStepLeavesAResultThatCanBeWritten() throws IOException {
        byte[] whole = run(small()).encoder();
        Path encoder = dir.resolve("interrupted/encoder.onnx");
        try (Pretraining pretraining = small().listener(
                        new Recorder(4, () -> Thread.currentThread().interrupt()))
                .build()) {
            pretraining.run().writeEncoder(encoder);
            assertTrue(Thread.interrupted(), "it is left to the caller");
        }
        assertArrayEquals(whole, Files.readAllBytes(encoder));
    }

    @Test
    void readingImagesIsCancelledToo() throws IOException {
        AtomicReference<Pretraining> self = new AtomicReference<>();
        Progress progress = new Progress() {
            @Override
            public void start(String task, long total) {
                self.get().cancel();
            }
        };
        try (Pretraining pretraining = small().progress(progress).build()) {
            self.set(pretraining);
            assertEquals(
                    "The pretraining was cancelled",
                    assertThrows(CancellationException.class, pretraining::run).getMessage());
        }
    }

    private static void inAnotherThread(Runnable what) {
        CountDownLatch done = new CountDownLatch(1);
        new Thread(() -> {
                    what.run();
                    done.countDown();
                })
                .start();
        try {
            done.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void oneRunGoesOnAtATime() throws IOException {
        AtomicReference<Pretraining> self = new AtomicReference<>();
        AtomicReference<Exception> second = new AtomicReference<>();
        Recorder recorder = new Recorder(
                1,
                () -> inAnotherThread(() -> {
                    try {
                        self.get().run();
                    } catch (IOException | IllegalStateException e) {
                        second.set(e);
                    }
                }));
        Pretraining pretraining = small().listener(recorder).build();
        self.set(pretraining);
        pretraining.run();
        assertInstanceOf(IllegalStateException.class, second.get());
        pretraining.close();
        pretraining.close();
        assertThrows(IllegalStateException.class, pretraining::run);
    }

    @Test
    void aBuildersLaterChangesDoNotReachWhatItBuilt() throws IOException {
        Pretraining.Builder builder = small();
        try (Pretraining pretraining = builder.build()) {
            builder.epochs(9).checkpoint(dir.resolve("later")).listener(new Recorder(1, () -> {
                throw new AssertionError("a later listener");
            }));
            assertEquals(2, pretraining.run().epochs());
            assertFalse(Files.exists(dir.resolve("later")));
        }
    }

    /** Two replicas give the bits of one device with two micro-batches, one device by either name the same. */
    @Test
    void severalDevicesShareTheStepsOfAPretraining() throws IOException {
        assertArrayEquals(
                encoder(run(small().microBatch(4).batchNormSplits(2))),
                encoder(run(small().microBatch(4).batchNormSplits(2).devices("cpu", "cpu"))));
        assertArrayEquals(encoder(run(small())), encoder(run(small().devices("cpu"))));
        assertEquals(
                "2", run(small().devices("cpu", "cpu").epochs(1)).settings().get("training.bn_splits"));
    }

    private byte[] encoder(PretrainingResult result) throws IOException {
        Path file = dir.resolve("some.onnx");
        result.writeEncoder(file);
        return Files.readAllBytes(file);
    }

    @Test
    void imagesFromAFolderWithNeighboursAndALimit() throws IOException {
        Path folder = dir.resolve("images");
        BuiltInImages.write(folder, 2, 1);
        Pretraining.Builder builder = small().images(folder).limit(16).neighbours(folder);
        PretrainingResult result = run(builder);
        assertEquals("16", result.settings().get("data.images"));
        assertTrue(result.neighboursAccuracy().isPresent());
        PretrainingResult labelled =
                run(small().images(folder).method("supervised").epochs(1));
        assertEquals(10, labelled.classifier().orElseThrow().labels().size());
        try (ImageSource source = ImageSource.open(folder)) {
            assertEquals("20", run(small().images(source).epochs(1)).settings().get("data.images"));
            assertEquals(20, source.size());
            source.read(0);
        }
        ImageSet set = ImageSet.of(drawings(16), 32);
        assertEquals(
                set.fingerprint(), run(small().images(set).epochs(1)).settings().get("data.fingerprint"));
    }

    /** Each is one sentence, said before anything is decoded, in the words of the builder rather than of a command line. */
    @Test
    void whatIsWrongIsSaidByBuild() throws IOException {
        refused("No images", () -> Pretraining.builder().build());
        refused("Unknown method, expected simclr", () -> small().method("simclear"));
        refused(
                "Unknown setting, expected loss",
                () -> small().option("queue", 8).build());
        refused(
                "temperature must be above 0",
                () -> small().option("temperature", 0).build());
        refused("Unknown encoder", () -> small().encoder("resnet19").build());
        refused(
                "cannot be combined with encoder options",
                () -> small().encoder(new ResNet(18, 1, ResNet.Stem.CIFAR)).build());
        refused(
                "multiple of the patch size",
                () -> Pretraining.builder()
                        .images(drawings(2))
                        .encoder("vit-tiny")
                        .imageSize(40)
                        .build());
        refused("Unknown device", () -> small().device("tpu").build());
        refused(
                "A GPU and the CPU can't share",
                () -> small().devices("gpu:0", "cpu").build());
        refused("gpu:1 is named twice", () -> small().devices("gpu:1", "gpu:1").build());
        refused(
                "must be a multiple of the 2 devices",
                () -> small().devices("cpu", "cpu").batchNormSplits(3).batch(9).build());
        refused(
                "The batch must be a multiple of 3",
                () -> small().devices("cpu", "cpu", "cpu").batch(8).build());
        refused("No devices", () -> small().devices().build());
        refused("Unknown precision", () -> small().precision("int8"));
        refused("must be at least 0", () -> small().limit(-1).build());
        refused(
                "Minutes between checkpoints",
                () -> small().checkpointMinutes(0).build());
        refused("Epochs must be at least 1", () -> small().epochs(0).build());
        refused("Expected at least one image", () -> small().images(List.of()));
        IOException e = assertThrows(
                IOException.class, () -> small().method("supervised").build());
        assertEquals(
                "Training by supervised with these settings needs a label for each image, expected one sub-folder per class: image 0"
                        + " has none",
                e.getMessage());
        assertThrows(
                IOException.class, () -> small().images(dir.resolve("missing")).build());
        Path state = dir.resolve("state");
        run(small().epochs(1).checkpoint(state));
        e = assertThrows(IOException.class, () -> run(small().checkpoint(state).option("temperature", 0.7)));
        assertTrue(
                e.getMessage().contains("belongs to another run")
                        && !e.getMessage().contains("--"),
                e.getMessage());
    }

    private static void refused(String part, Executable what) {
        String message = assertThrows(IllegalArgumentException.class, what).getMessage();
        assertTrue(message.contains(part) && !message.contains("--") && !message.contains("\n"), message);
    }
}
