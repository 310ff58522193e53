// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.settings;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.train.augment.AugmentationPipeline;
import io.github.simclr4j.train.method.Byol;
import io.github.simclr4j.train.method.MethodFactory;
import io.github.simclr4j.train.method.Methods;
import io.github.simclr4j.train.method.SimClr;
import io.github.simclr4j.train.optim.OptimizerSettings;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What presets set, and what wins over them. */
class PresetsTest {
    private static final int IMAGES = 50_000;

    private static PretrainBuilder with(String preset) {
        return new PretrainBuilder().preset(preset);
    }

    private static PretrainSettings photos(UnaryOperator<PretrainBuilder> more) {
        return more.apply(with("photos")).build(IMAGES);
    }

    @Test
    void thePresetsOfThisLibraryAreKnownByName() {
        assertEquals(
                List.of("small", "photos", "serving"),
                Presets.all().stream().map(Preset::name).toList());
        Presets.all()
                .forEach(p -> assertEquals(p.name(), Presets.named(p.name()).name()));
        String message = assertThrows(IllegalArgumentException.class, () -> with("large"))
                .getMessage();
        assertEquals("Unknown preset, expected small, photos, serving, found large", message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"simclr", "mocov2", "byol"})
    void smallIsWhatHoldsWithoutAPreset(String method) {
        Map<String, String> none =
                new PretrainBuilder().method(method).build(IMAGES).describe();
        assertFalse(none.containsKey(PretrainSettings.PRESET), none.toString());
        Map<String, String> small = with("small").method(method).build(IMAGES).describe();
        assertEquals("small", small.remove("training.preset"));
        assertEquals(none, small);
    }

    /** Chen et al. 2020, table B.1: LARS at 0.075 * sqrt(256) = 1.2; appendix A: views; table 5: temperature; appendix B.6: the head. */
    @Test
    void photosBySimClrAreThePapersRunAtABatchOf256() {
        PretrainSettings s = photos(b -> b);
        assertEquals("resnet50 width 1.0 stem IMAGENET", s.encoder().describe());
        assertEquals(List.of(224, 256, 32, 100), List.of(s.imageSize(), s.batch(), s.microBatch(), s.epochs()));
        assertEquals(new OptimizerSettings("lars", 1.2, 1e-4, 0.9, 10, "cosine", 0, 0), s.optimizer());
        assertTrue(s.zeroGamma());
        assertEquals(0.1, s.options().get(SimClr.TEMPERATURE));
        assertEquals(new Head(2, 0, 128, true, 0), s.head());
        assertEquals(AugmentationPipeline.of("simclr"), s.firstView());
        assertTrue(
                s.firstView().toString().contains("blur")
                        && s.firstView().toString().startsWith("crop:"),
                "bicubic, with blur");
        assertEquals("photos", s.describe().get("training.preset"));
    }

    /** Chen, Fan, Girshick and He 2020, and MoCo's code: SGD at 0.03, decay 1e-4, no warm-up, eight groups of 32, temperature 0.2. */
    @Test
    void photosByMoCoV2AreThePapersRun() {
        PretrainSettings s = photos(b -> b.method("mocov2"));
        assertEquals(new OptimizerSettings("sgd", 0.03, 1e-4, 0.9, 0, "cosine", 0, 0), s.optimizer());
        assertEquals(8, s.bnSplits());
        assertEquals("0.2", s.options().texts().get("temperature"));
        assertEquals(AugmentationPipeline.of("mocov2"), s.firstView());
    }

    /** Grill et al. 2020, appendix B: two kinds of views; implementation details: LARS at 0.2 * 256 / 256, decay 1.5e-6. */
    @Test
    void photosByByolHaveItsTwoKindsOfViews() {
        PretrainSettings s = photos(b -> b.method("byol").epochs(1000));
        assertEquals(new OptimizerSettings("lars", 0.2, 1.5e-6, 0.9, 10, "cosine", 0, 0), s.optimizer());
        assertEquals(AugmentationPipeline.of("byol"), s.firstView());
        assertEquals(AugmentationPipeline.of("byol2"), s.otherViews());
        assertEquals(4096, s.head().hidden());
    }

    /**
     * The authors' published settings of ResNet-50 on ImageNet, for a batch of 256: of BYOL in deepmind-research, byol/configs/byol.py, of MoCo
     * v3 in CONFIG.md and main_moco.py; both have 1 as the momentum at the end, and 10 epochs of warm-up.
     */
    @ParameterizedTest
    @CsvSource({
        "byol, 100, 0.45, 1e-6, 0.99",
        "byol, 300, 0.3, 1e-6, 0.99",
        "byol, 1000, 0.2, 1.5e-6, 0.996",
        "mocov3, 100, 0.6, 1e-6, 0.99",
        "mocov3, 300, 0.3, 1e-6, 0.99",
        "mocov3, 1000, 0.3, 1.5e-6, 0.996"
    })
    void photosByAMomentumEncoderAreThePapersRun(
            String method, int epochs, double rate, double decay, double momentum) {
        PretrainSettings s = photos(b -> b.method(method).epochs(epochs));
        assertEquals(new OptimizerSettings("lars", rate, decay, 0.9, 10, "cosine", 0, 0), s.optimizer());
        assertEquals("" + momentum, s.options().texts().get("momentum-encoder"));
        assertEquals("1.0", s.options().texts().get("momentum-encoder-end"));
        assertEquals("4096", s.options().texts().get("predictor-hidden"));
        assertEquals(new Head(2, 4096, 256, true, method.equals("mocov3"), 0), s.head());
    }

    /** MoCo v3's code: temperature 1 and crops of a fifth at least for ResNet-50, and for vision transformers 0.2 and 0.08. */
    @Test
    void photosByMoCoV3DependOnTheEncoder() {
        PretrainSettings net = photos(b -> b.method("mocov3"));
        assertEquals("1.0", net.options().texts().get("temperature"));
        assertEquals(
                AugmentationPipeline.of("byol").toString().replace("crop:0.08@", "crop:0.2@"),
                net.firstView().toString());
        assertEquals(
                AugmentationPipeline.of("byol2").toString().replace("crop:0.08@", "crop:0.2@"),
                net.otherViews().toString());
        PretrainSettings vit = photos(b -> b.method("mocov3").encoder("vit-small", Map.of()));
        assertEquals("0.2", vit.options().texts().get("temperature"));
        assertEquals("0.99", vit.options().texts().get("momentum-encoder"));
        assertEquals(AugmentationPipeline.of("byol"), vit.firstView());
    }

    /**
     * Zbontar et al. 2021, section 2.2: 8192 three times, lambda 0.005, and 0.024 of the authors' code, whose rate of biases is this share of
     * that of weights. Bardes et al. 2022, section 4.2: 8192 three times; the rates are those of the README of the authors' code.
     */
    @ParameterizedTest
    @CsvSource({
        "barlow, 1000, 0.2, 1.5e-6, loss-scale, 0.024",
        "vicreg, 1000, 0.2, 1e-6, similarity, 25.0",
        "vicreg, 100, 0.3, 1e-6, similarity, 25.0"
    })
    void photosWithoutNegativesHaveThePapersHead(
            String method, int epochs, double rate, double decay, String option, String value) {
        PretrainSettings s = photos(b -> b.method(method).epochs(epochs));
        assertEquals(new OptimizerSettings("lars", rate, decay, 0.9, 10, "cosine", 0, 0), s.optimizer());
        assertEquals(new Head(3, 8192, 8192, true, false, 0), s.head());
        assertEquals(value, s.options().texts().get(option));
        PretrainSettings small = photos(b -> b.method(method).imageSize(32));
        assertEquals(2048, small.head().hidden(), "solo-learn's for CIFAR");
    }

    /** Dwibedi et al. 2021, section 4.1. The queue is that of a set as large as ImageNet. */
    @Test
    void photosByNnclrAreThePapersRun() {
        PretrainSettings s = photos(b -> b.method("nnclr"));
        assertEquals(new OptimizerSettings("lars", 0.3, 1e-6, 0.9, 10, "cosine", 0, 0), s.optimizer());
        assertEquals("0.1", s.options().texts().get("temperature"));
        assertEquals("4096", s.options().texts().get("queue"));
        assertEquals(new Head(3, 2048, 256, true, 0), s.head());
        PretrainSettings large = with("photos").method("nnclr").build(1_281_167);
        assertEquals("98304", large.options().texts().get("queue"));
    }

    /** Chen, Xie and He 2021: AdamW at 1.5e-4 * B / 256, decay 0.1. With another optimizer neither holds. */
    @Test
    void aVisionTransformerHasMoCoV3sOptimizer() {
        PretrainSettings s = photos(b -> b.encoder("vit-small", Map.of()));
        assertEquals("vit-small patch size 16", s.encoder().describe());
        assertEquals(new OptimizerSettings("adamw", 1.5e-4, 0.1, 0.9, 10, "cosine", 0, 0), s.optimizer());
        PretrainSettings larger =
                photos(b -> b.encoder("VIT-SMALL", Map.of()).batch(1024).rateScaling("linear"));
        assertEquals(6e-4, larger.optimizer().rate(), 1e-12);
        PretrainSettings sgd = photos(b -> b.encoder("vit-small", Map.of()).optimizer("sgd"));
        assertEquals(new OptimizerSettings("sgd", 0.03, 1e-4, 0.9, 10, "cosine", 0, 0), sgd.optimizer());
    }

    @Test
    void servingIsPhotosWithASmallEncoder() {
        Map<String, String> serving = with("serving").build(IMAGES).describe();
        assertEquals("mobilenetv3-large width 1.0 stem IMAGENET", serving.get("training.encoder"));
        Map<String, String> photos = photos(b -> b).describe();
        for (Map<String, String> each : List.of(serving, photos)) {
            each.keySet().removeAll(List.of("training.encoder", "training.preset"));
        }
        assertEquals(photos, serving);
    }

    /** The stem and the width go with whatever encoder has them. */
    @ParameterizedTest
    @CsvSource({
        "resnet18, resnet18 width 1.0 stem IMAGENET",
        "vit-tiny, vit-tiny patch size 16",
        "mobilenetv3-large, mobilenetv3-large width 1.0 stem IMAGENET"
    })
    void anotherEncoderKeepsWhatItHasOfThePresetsOptions(String name, String described) {
        assertEquals(described, photos(b -> b.encoder(name, Map.of())).encoder().describe());
    }

    @Test
    void optionsOfTheEncoderThatAreGivenWin() {
        assertEquals(
                "resnet50 width 0.5 stem IMAGENET",
                photos(b -> b.encoder(null, Map.of("width", "0.5"))).encoder().describe());
        assertEquals(
                "resnet18 width 1.0 stem CIFAR",
                photos(b -> b.encoder("resnet18", Map.of("stem", "cifar")))
                        .encoder()
                        .describe());
        ResNet net = new ResNet(18, 0.25, ResNet.Stem.CIFAR);
        assertEquals(net, photos(b -> b.encoder(net)).encoder());
    }

    static List<Consumer<PretrainBuilder>> given() {
        return List.of(
                b -> b.imageSize(96),
                b -> b.batch(64),
                b -> b.microBatch(64),
                b -> b.epochs(7),
                b -> b.optimizer("nesterov"),
                b -> b.learningRate(0.5),
                b -> b.weightDecay(0.25),
                b -> b.option("temperature", 0.7),
                b -> b.views("crop,flip"),
                b -> b.otherViews("flip"),
                b -> b.encoder("resnet34", Map.of("width", "0.5", "stem", "cifar")));
    }

    /** Each setting that is given is the same with a preset and without. */
    @ParameterizedTest
    @MethodSource("given")
    void whatIsGivenWins(Consumer<PretrainBuilder> setting) {
        Map<String, String> plain = new PretrainBuilder().build(IMAGES).describe();
        PretrainBuilder without = new PretrainBuilder();
        setting.accept(without);
        Map<String, String> changed = without.build(IMAGES).describe();
        // Whether it is given before or after the preset.
        for (boolean first : new boolean[] {true, false}) {
            PretrainBuilder b = first ? new PretrainBuilder() : with("photos");
            setting.accept(b);
            Map<String, String> both = b.preset("photos").build(IMAGES).describe();
            changed.forEach((key, value) -> {
                if (!value.equals(plain.get(key))
                        && !List.of("training.views", "training.learning_rate").contains(key)) {
                    assertEquals(value, both.get(key), key);
                }
            });
        }
    }

    @Test
    void ratesAndViewsThatAreGivenWin() {
        assertEquals(0.5, photos(b -> b.learningRate(0.5)).optimizer().rate());
        assertEquals(
                0.5,
                photos(b -> b.learningRate(0.5).encoder("vit-small", Map.of()))
                        .optimizer()
                        .rate());
        PretrainSettings views = photos(b -> b.views("crop,flip"));
        assertEquals(AugmentationPipeline.of("crop,flip"), views.firstView());
        assertEquals(views.firstView(), views.otherViews());
        assertEquals(
                AugmentationPipeline.of("simclr-cifar"),
                photos(b -> b.imageSize(64)).firstView(),
                "no blur on small views");
    }

    /** A default that does not fit what was given is none. */
    @ParameterizedTest
    @CsvSource({"256, 32", "64, 32", "32, 0", "100, 0", "16, 0", "4096, 32"})
    void micro32IsOfBatchesThatItDivides(int batch, int micro) {
        assertEquals(micro, photos(b -> b.batch(batch)).microBatch());
        assertEquals(
                batch / 2, photos(b -> b.batch(batch).microBatch(batch / 2)).microBatch());
        assertEquals(0, photos(b -> b.batch(batch).microBatch(0)).microBatch());
    }

    /** Sets what BYOL has defaults for, too. */
    private static final class Own implements Preset {
        @Override
        public String name() {
            return "own";
        }

        @Override
        public String summary() {
            return "for a test";
        }

        @Override
        public String source() {
            return "";
        }

        @Override
        public String encoder() {
            return "resnet18";
        }

        @Override
        public void defaults(PresetDefaults run) {
            assertEquals("byol resnet18", run.method().name() + " " + run.encoder());
            run.optimizer("lars")
                    .weightDecay(0.01)
                    .baseLearningRate(0.4)
                    .views("crop,flip")
                    .epochs(5)
                    .option(Byol.MOMENTUM, 0.5)
                    .encoderOption("no-such-option", 3)
                    .encoderOption("stem", "no-such-stem");
        }
    }

    @Test
    void aPresetWinsOverTheMethodAndTheMethodOverTheCommonDefault() {
        PretrainSettings s = new PretrainBuilder()
                .method("byol")
                .preset(new Own())
                .batch(256)
                .build(IMAGES);
        assertEquals(new OptimizerSettings("lars", 0.4, 0.01, 0.9, 0.5, "cosine", 0, 0), s.optimizer());
        assertEquals(AugmentationPipeline.of("crop,flip"), s.firstView());
        assertEquals(s.firstView(), s.otherViews());
        assertEquals(0.5, s.options().get(Byol.MOMENTUM));
        assertEquals("resnet18 width 0.25 stem CIFAR", s.encoder().describe());
        assertEquals(256, s.head().out(), "the method's");
        assertEquals("own", s.describe().get("training.preset"));
        PretrainSettings own = new PretrainBuilder()
                .method("byol")
                .preset(new Own())
                .option("momentum-encoder", 0.75)
                .build(IMAGES);
        assertEquals(0.75, own.options().get(Byol.MOMENTUM));
    }

    static Stream<MethodFactory> methods() {
        return Methods.all().stream();
    }

    /** CMC and CPC divide a ResNet. A method with an encoder of its own, such as AMDIM, says which ones it trains. */
    @ParameterizedTest
    @MethodSource("methods")
    void photosGoWithEveryMethodThatTakesItsEncoder(MethodFactory method) {
        assertDoesNotThrow(() -> OptimizerSettings.rate(method.publishedOptimizer(), "sqrt", 256), method.name());
        PretrainBuilder b = with("photos").method(method);
        method.teacher().ifPresent(o -> b.option(o.name(), "test/resources/earlier/simclr.onnx"));
        PretrainSettings s;
        try {
            s = b.build(IMAGES);
        } catch (IllegalArgumentException e) {
            assertTrue(e.getMessage().contains("expected architecture "), e.getMessage());
            assertTrue(e.getMessage().endsWith("found resnet50"), e.getMessage());
            return;
        }
        assertEquals(224, s.imageSize());
        assertEquals(method.publishedOptimizer(), s.optimizer().name());
        s.network(10);
    }

    @Test
    void viewsAreFarSmallerFromThreeTimesTheirSide() {
        PretrainSettings s = new PretrainBuilder().build(IMAGES);
        assertFalse(s.isFarSmallerThan(95));
        assertTrue(s.isFarSmallerThan(96));
        assertFalse(photos(b -> b).isFarSmallerThan(640));
        assertFalse(new PretrainBuilder().isImageSizeChosen());
        assertTrue(with("small").isImageSizeChosen()
                && new PretrainBuilder().imageSize(32).isImageSizeChosen());
    }
}
