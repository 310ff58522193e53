// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.evaluation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import io.github.simclr4j.tribuo.extraction.Fixture;
import io.github.simclr4j.tribuo.extraction.PixelFeatureExtractor;
import io.github.simclr4j.tribuo.extraction.SimCLRFeatureExtractor;
import io.github.simclr4j.tribuo.source.ImageFolderDataSource;
import io.github.simclr4j.util.Option;
import io.github.simclr4j.util.OptionValues;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tribuo.MutableDataset;
import org.tribuo.classification.Label;
import org.tribuo.classification.evaluation.LabelEvaluation;

/** What holds for every protocol, and what each of this module measures. */
class ProtocolTest {
    @TempDir
    static Path dir;

    private static Path encoder;
    private static LabelledImages train;
    private static LabelledImages test;
    private static final Map<String, Double> SHARES = new LinkedHashMap<>();

    @BeforeAll
    static void draw() throws IOException {
        encoder = Fixture.encoder(dir.resolve("encoder.onnx"), 1);
        train = open(Fixture.images(dir.resolve("train"), 12, 1));
        test = open(Fixture.images(dir.resolve("test"), 6, 2));
        SHARES.put("50%", 0.5);
        SHARES.put("25%", 0.25);
    }

    @AfterAll
    static void close() throws IOException {
        train.source().close();
        test.source().close();
    }

    private static LabelledImages open(Path path) throws IOException {
        return new LabelledImages(path, ImageSource.open(path));
    }

    private static ProtocolContext.Builder builder() {
        return ProtocolContext.builder()
                .encoder(encoder)
                .runtime(RuntimeSettings.DEFAULT.withThreads(1))
                .train(train)
                .test(test)
                .shares(SHARES)
                .seeds(5, 6);
    }

    private static Accuracies run(Protocol protocol, Consumer<ProtocolContext.Builder> more) throws IOException {
        ProtocolContext.Builder builder = builder();
        more.accept(builder);
        try (ProtocolContext context = builder.build()) {
            return protocol.run(context.with(OptionValues.defaults(protocol.options())));
        }
    }

    static Stream<Protocol> protocols() {
        return Protocols.all().stream();
    }

    @ParameterizedTest
    @MethodSource("protocols")
    void aProtocolSaysWhatItIs(Protocol protocol) {
        assertTrue(protocol.name().matches("[a-z][a-z0-9-]*"), protocol.name());
        assertFalse(protocol.help().isBlank() || protocol.help().endsWith("."), protocol.help());
        assertTrue(protocol.paper().startsWith("https://"), protocol.paper());
        List<String> names = protocol.options().stream().map(Option::name).toList();
        assertEquals(names.stream().distinct().toList(), names);
        assertEquals(protocol.getClass(), Protocols.named(protocol.name()).getClass());
    }

    @ParameterizedTest
    @MethodSource("protocols")
    void aProtocolMeasuresEachShareWithEachSeedAndTheSameAgain(Protocol protocol) throws IOException {
        List<String> told = new ArrayList<>();
        Accuracies first;
        try (ProtocolContext context = builder().build()) {
            first = protocol.run(context.with(OptionValues.defaults(protocol.options()))
                    .with((share, seed, accuracy) -> told.add(share + " " + seed + " " + accuracy)));
        }
        assertEquals(List.of("50%", "25%"), List.copyOf(first.runs().keySet()));
        List<String> expected = new ArrayList<>();
        first.runs().forEach((share, runs) -> {
            assertEquals(2, runs.size());
            for (int i = 0; i < 2; i++) {
                assertTrue(runs.get(i) >= 0 && runs.get(i) <= 1, runs.toString());
                expected.add(share + " " + (5 + i) + " " + runs.get(i));
            }
        });
        assertEquals(expected, told);
        assertTrue(first.mean("50%") > 1.2 / 3, "better than chance: " + first);
        assertEquals(first.runs(), run(protocol, b -> {}).runs());
    }

    @Test
    void linearEvaluationHasTheNumbersThatItHasOfAFolder() throws IOException {
        Accuracies found = run(new LinearProtocol(), b -> {});
        try (SimCLRFeatureExtractor<Label> extractor = new SimCLRFeatureExtractor<>(Fixture.LABELS, encoder, 1)) {
            MutableDataset<Label> trainSet = new MutableDataset<>(new ImageFolderDataSource<>(train.path(), extractor));
            MutableDataset<Label> testSet = new MutableDataset<>(new ImageFolderDataSource<>(test.path(), extractor));
            for (Map.Entry<String, Double> share : SHARES.entrySet()) {
                for (int i = 0; i < 2; i++) {
                    LabelEvaluation expected = LinearEvaluation.evaluate(trainSet, testSet, share.getValue(), 5 + i);
                    assertEquals(
                            expected.accuracy(),
                            found.runs().get(share.getKey()).get(i));
                    if (i == 0 && share.getKey().equals("50%")) {
                        assertEquals(
                                expected.getConfusionMatrix().toString(),
                                found.best().orElseThrow().getConfusionMatrix().toString(),
                                "most labels, first seed");
                    }
                }
            }
        }
    }

    @Test
    void withAllLabelsSelfTrainingIsLinearEvaluation() throws IOException {
        Map<String, Double> all = Map.of("all", 1.0);
        assertEquals(
                run(new LinearProtocol(), b -> b.shares(all)).runs(),
                run(new SelfTrainingProtocol(), b -> b.shares(all)).runs());
    }

    @Test
    void selfTrainingSeesSomeImagesWithoutTheirLabels() throws IOException {
        try (ProtocolContext context = builder().build()) {
            MutableDataset<Label> data = context.features().train();
            for (int unlabelled : new int[] {0, 10}) {
                MutableDataset<Label> seen = SelfTrainingProtocol.hide(data, 0.25, 3, unlabelled);
                Label unknown = Fixture.LABELS.getUnknownOutput();
                long labelled = seen.getData().stream()
                        .filter(e -> !e.getOutput().equals(unknown))
                        .count();
                assertEquals(9, labelled);
                assertTrue(
                        unlabelled == 0 ? seen.size() == 36 : seen.size() >= 10 && seen.size() <= 19, seen.size() + "");
            }
        }
    }

    /** An image is its own nearest neighbour, if its label is among those that are known. */
    @Test
    void neighboursAreThoseOfTheShare() throws IOException {
        KnnProtocol knn = new KnnProtocol();
        OptionValues one = OptionValues.of(knn.options(), Map.of("neighbours", "1", "knn-temperature", "0.5"));
        try (ProtocolContext context = builder()
                        .test(train)
                        .shares(Map.of("all", 1.0, "few", 0.1))
                        .seeds(1)
                        .build();
                PixelFeatureExtractor<Label> pixels = new PixelFeatureExtractor<>(Fixture.LABELS, 8)) {
            Accuracies nearest = knn.run(context.with(one));
            assertEquals(1, nearest.mean("all"));
            assertTrue(nearest.mean("few") < 1, nearest.toString());
            // Where all vote with nearly the same weight, each class has as many votes.
            OptionValues flat = OptionValues.of(knn.options(), Map.of("knn-temperature", "1e9"));
            assertTrue(knn.run(context.with(flat)).mean("all") < 0.7);
            assertTrue(knn.run(context.with("pixels", pixels).with(OptionValues.defaults(knn.options())))
                            .mean("all")
                    > 0.8);
        }
        assertEquals(200, OptionValues.defaults(knn.options()).get(KnnProtocol.NEIGHBOURS));
        assertEquals(0.1, OptionValues.defaults(knn.options()).get(KnnProtocol.TEMPERATURE));
    }

    @Test
    void featuresAreReadOnceForAllProtocolsAndOthersCanBeCompared() throws IOException {
        List<String> tasks = new ArrayList<>();
        Progress progress = new Progress() {
            @Override
            public void start(String task, long total) {
                tasks.add(task + " " + total);
            }
        };
        try (ProtocolContext context = builder().progress(progress).build();
                PixelFeatureExtractor<Label> pixels = new PixelFeatureExtractor<>(Fixture.LABELS, 8)) {
            for (Protocol protocol : Protocols.all()) {
                protocol.run(context.with(OptionValues.defaults(protocol.options())));
            }
            assertEquals(List.of("blue", "green", "red"), context.features().classes());
            assertEquals(
                    3 * 8 * 8,
                    context.with("pixels", pixels)
                            .features()
                            .train()
                            .getFeatureMap()
                            .size());
            assertEquals(
                    Fixture.DIMENSION,
                    context.features().train().getFeatureMap().size());
        }
        assertEquals(
                List.of(
                        "features of encoder, training images 36",
                        "features of encoder, test images 18",
                        "features of pixels, training images 36",
                        "features of pixels, test images 18"),
                tasks);
    }

    @Test
    void whatIsSharedIsMadeOnceAndClosedTheLastFirst() throws IOException {
        List<String> closed = new ArrayList<>();
        ProtocolContext context = builder().build();
        AutoCloseable first = context.shared("first", () -> () -> closed.add("first"));
        context.with(OptionValues.defaults(List.of()))
                .shared("second", () -> (AutoCloseable) () -> closed.add("second"));
        assertSame(first, context.with((share, seed, accuracy) -> {}).shared("first", () -> {
            throw new AssertionError("made twice");
        }));
        context.close();
        context.close();
        assertEquals(List.of("second", "first"), closed);
    }

    @Test
    void imagesThatDoNotFitAreRefused() throws IOException {
        Path one = Fixture.images(dir.resolve("one"), 1, 3);
        try (Stream<Path> files = Files.walk(one)) {
            for (Path file : files.filter(
                            f -> f.toString().endsWith(".png") && !f.toString().contains("red"))
                    .toList()) {
                Files.delete(file);
            }
        }
        assertEquals(
                one + " has one class, [red]: expected at least two classes, such as one sub-folder per class",
                refused(open(one), test));
        Path more = Fixture.images(dir.resolve("more"), 1, 3);
        Files.move(more.resolve("red"), more.resolve("yellow"));
        assertEquals(
                "Test images of classes that " + train.path() + " lacks: [yellow]; add them there or remove them from "
                        + more,
                refused(train, open(more)));
        Path broken = Fixture.images(dir.resolve("broken"), 1, 3);
        Files.write(broken.resolve("red/0.png"), new byte[] {1});
        assertEquals(
                "No readable image in " + broken + " of the classes [(red,NaN)]",
                refused(open(broken), test).replaceAll("\\[.*", "[(red,NaN)]"));
        List<String> warned = new ArrayList<>();
        Progress progress = new Progress() {
            @Override
            public void warn(String text) {
                warned.add(text);
            }
        };
        Files.copy(train.path().resolve("red/1.png"), broken.resolve("red/1.png"));
        assertEquals(
                1,
                fresh(open(broken), test).progress(progress).build().features().skipped());
        assertEquals(List.of("Left out unreadable images: 1"), warned);
    }

    private static ProtocolContext.Builder fresh(LabelledImages some, LabelledImages others) {
        return builder().train(some).test(others);
    }

    private static String refused(LabelledImages some, LabelledImages others) throws IOException {
        try (ProtocolContext context = fresh(some, others).build()) {
            return assertThrows(IllegalStateException.class, () -> new LinearProtocol().run(context))
                    .getMessage();
        }
    }

    @Test
    void aContextIsCompleteAndItsSharesAreInRange() {
        assertEquals(
                "An evaluation needs an encoder, training images and test images",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> ProtocolContext.builder().encoder(encoder).build())
                        .getMessage());
        assertEquals(
                "A share of the labels must be above 0 and at most 1, found 200%",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> builder().shares(Map.of("200%", 2.0)).build())
                        .getMessage());
        assertThrows(IllegalArgumentException.class, () -> builder().seeds().build());
        String message = assertThrows(IllegalArgumentException.class, () -> Protocols.named("finetuning"))
                .getMessage();
        assertTrue(message.startsWith("Unknown protocol, expected linear, knn, self-training"), message);
        assertTrue(message.endsWith(", found finetuning"), message);
        String gone = assertThrows(
                        IllegalStateException.class,
                        () -> builder()
                                .encoder(dir.resolve("gone.onnx"))
                                .build()
                                .extractor())
                .getMessage();
        assertTrue(gone.contains("gone.onnx"), gone);
    }

    @Test
    void theDeviationIsThatOfASample() {
        Accuracies a = new Accuracies(Map.of("10%", List.of(0.5, 0.6, 0.7), "100%", List.of(0.9)), Optional.empty());
        assertEquals(0.6, a.mean("10%"), 1e-12);
        assertEquals(0.1, a.deviation("10%"), 1e-12);
        assertEquals(0, a.deviation("100%"));
    }
}
