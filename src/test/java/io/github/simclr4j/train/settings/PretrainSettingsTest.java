// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.settings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.onnx.network.EncoderFamilies;
import io.github.simclr4j.train.augment.AugmentationPipeline;
import io.github.simclr4j.train.method.EndToEnd;
import io.github.simclr4j.train.network.Precision;
import io.github.simclr4j.train.testing.Small;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What settings say of themselves, their ranges, and the defaults of the methods. */
class PretrainSettingsTest {
    @Test
    void whatASettingsTextSaysIsWhatIsUsed() {
        PretrainBuilder supervised =
                Small.settings("supervised", "sgd", 1e-3, 8, 1).head("deep");
        assertDescribes(
                supervised,
                "training.head",
                "linear classifier",
                "training.momentum",
                "0.9",
                "training.loss",
                null,
                "training.temperature",
                null,
                "training.margin",
                null,
                "training.class_prior",
                null);
        assertDescribes(
                simclr(),
                "training.head",
                "2 layers, hidden as the encoder, out 16, batch norm",
                "training.loss",
                "nt-xent",
                "training.temperature",
                "0.5",
                "training.margin",
                null,
                "training.class_prior",
                null,
                "training.momentum",
                null);
        assertDescribes(simclr().head("none").hidden(7), "training.head", "none");
        assertDescribes(simclr().head("linear").hidden(7).headNorm(false), "training.head", "1 layer, out 16, biases");
        assertDescribes(simclr().option("loss", "margin"), "training.margin", "0.8", "training.temperature", null);
        assertDescribes(
                simclr().option("loss", "debiased"), "training.class_prior", "0.1", "training.temperature", "0.5");
        // Its loss is its own.
        assertDescribes(
                Small.settings("mocov2").batch(8),
                "training.loss",
                null,
                "training.temperature",
                "0.5",
                "training.margin",
                null,
                "training.class_prior",
                null);
        assertDescribes(simclr().otherViews("none"), "training.views", simclrViews() + " | none");
        for (String oneView : List.of("cpc", "cmc")) {
            assertDescribes(Small.settings(oneView).batch(8).otherViews("none"), "training.views", simclrViews());
        }
        assertDescribes(simclr().precision(null), "training.precision", "auto");
        assertDescribes(simclr().precision(Precision.BFLOAT16), "training.precision", "bfloat16");
    }

    private static String simclrViews() {
        return AugmentationPipeline.of("simclr-cifar").toString();
    }

    private static PretrainBuilder simclr() {
        return Small.settings("simclr", "adamw", 1e-3, 8, 1);
    }

    private static void assertDescribes(PretrainBuilder s, String... pairs) {
        for (int i = 0; i < pairs.length; i += 2) {
            assertEquals(pairs[i + 1], Small.build(s).describe().get(pairs[i]), pairs[i]);
        }
    }

    private static void refused(String word, Executable what) {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, what);
        assertTrue(e.getMessage().contains(word), e.getMessage());
    }

    /** What would be a number that an array can't have, or none at all. */
    @Test
    void settingsOutOfTheirRangesAreRefused() {
        refused("16777216", () -> Small.build(Small.settings("mocov2").option("queue", 2_000_000_000)));
        refused("32768", () -> Head.simclr(1_000_000_000));
        refused("32768", () -> new Head(2, 1_000_000_000, 16, true, 0));
        refused(
                "queue must hold the keys of a batch, 32",
                () -> Small.build(Small.settings("mocov2").batch(32)));
        refused(
                "queue must hold the keys of a batch, 26",
                () -> Small.build(Small.settings("mocov2").batch(13).option("symmetric", true)));
    }

    @Test
    void smallViewsNeedAnEncoderWithoutANumberOfPatches() {
        refused(
                "number of patches for one size",
                () -> Small.build(simclr().encoder(EncoderFamilies.of("resnet18-patches", Map.of()))
                        .option("multi-crop", 2)));
        refused(
                "number of patches for one size",
                () -> Small.build(simclr().encoder(EncoderFamilies.of("vit-tiny", Map.of("patch-size", "8")))
                        .option("multi-crop", 2)
                        .option("multi-crop-size", 16)));
        for (String any : List.of("resnet18", "mobilenetv3-large", "resnet18-towers")) {
            Small.build(simclr().encoder(EncoderFamilies.of(any, Map.of())).option("multi-crop", 2));
        }
    }

    @Test
    void weightsThatACheckpointCannotHoldAreRefused() {
        PretrainSettings wide = Small.build(simclr().hidden(Head.WIDEST).projection(Head.WIDEST));
        refused("head.3.weight has the shape [32768, 32768]", wide::checkNetwork);
        PretrainSettings amdim = Small.build(
                simclr().encoder(EncoderFamilies.of("amdim", Map.of("channels", "4096", "features", "16384"))));
        refused("2 GiB", amdim::checkNetwork);
        Small.build(simclr().hidden(16000).projection(Head.WIDEST)).checkNetwork();
    }

    @ParameterizedTest
    @ValueSource(doubles = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, -1})
    void whatIsNoNumberInItsRangeIsRefused(double wrong) {
        refused("finite", () -> Small.build(simclr().option("temperature", wrong)));
        refused("finite", () -> Small.build(simclr().option("loss", "margin").option("margin", wrong)));
        refused("found", () -> Small.build(simclr().option("loss", "debiased").option("class-prior", wrong)));
        refused("found", () -> Small.build(Small.settings("mocov2").option("momentum-encoder", wrong)));
        refused("found", () -> Small.build(Small.settings("mocov2").option("momentum-encoder-end", wrong)));
        refused("finite", () -> Small.build(simclr().learningRate(wrong)));
        refused("finite", () -> Small.build(simclr().weightDecay(wrong)));
        refused("finite", () -> Small.build(simclr().warmupEpochs(wrong)));
        refused("finite", () -> Small.build(simclr().clip(wrong)));
        refused("found", () -> Small.build(simclr().momentum(wrong)));
        refused("found", () -> Small.build(simclr().weightAverage(wrong)));
    }

    @Test
    void aMomentumThatFallsIsRefused() {
        refused(
                "must not fall",
                () -> Small.build(
                        Small.settings("mocov2").option("momentum-encoder", 0.9).option("momentum-encoder-end", 0.5)));
    }

    @Test
    void anOptionThatTheMethodDoesNotHaveIsRefused() {
        refused(
                "expected temperature, found queue",
                () -> Small.build(Small.settings("end-to-end").option("queue", 3)));
        refused(
                "expected none, found temperature",
                () -> Small.build(Small.settings("supervised").option("temperature", 3)));
        refused("expected simclr, mocov1", () -> Small.settings("no-such-method"));
    }

    @ParameterizedTest
    @CsvSource({
        // Groups of 16, of which six fit.
        "mocov2, 128, 0, 8, 100, 96, 0, 6",
        // Not two groups fit: two smaller ones, for keys must not tell their queries.
        "mocov2, 128, 0, 8, 31, 30, 0, 2",
        "simclr, 4096, 128, 0, 4000, 3968, 128, 0",
        "simclr, 4096, 128, 64, 300, 256, 128, 4",
        "simclr, 4096, 128, 0, 100, 100, 0, 0",
        "simclr, 128, 0, 0, 101, 101, 0, 0"
    })
    void aSmallerBatchKeepsItsGroupsAndMicroBatches(
            String method, int batch, int micro, int splits, int images, int smaller, int itsMicro, int itsSplits) {
        PretrainBuilder b =
                Small.settings(method, "sgd", 0.1, batch, 1).microBatch(micro).bnSplits(splits);
        if (method.equals("mocov2")) {
            b.option("queue", 4096);
        }
        PretrainSettings s = b.build(5000).on(images);
        assertEquals(List.of(smaller, itsMicro, itsSplits), List.of(s.batch(), s.microBatch(), s.bnSplits()));
    }

    @Test
    void microBatchesAndGroupsMustDivideTheBatch() {
        refused("must divide the batch", () -> Small.build(simclr().batch(16).microBatch(5)));
        refused("must divide the batch", () -> Small.build(simclr().batch(16).bnSplits(3)));
        refused(
                "multiple of the 4 micro-batches",
                () -> Small.build(simclr().batch(16).microBatch(4).bnSplits(2)));
        refused("Batch must be at least 2", () -> Small.build(simclr().batch(1)));
        refused("Epochs must be at least 1", () -> Small.build(simclr().epochs(0)));
        refused("Image size must be at least 8", () -> Small.build(simclr().imageSize(7)));
    }

    /** Given groups stay what they are; without any, each device and micro-batch has one, unless the method's own number will do. */
    @ParameterizedTest
    @CsvSource({
        "simclr, 128, 0, , 1, 0",
        "simclr, 128, 0, , 2, 2",
        "simclr, 128, 32, , 2, 0",
        "simclr, 128, 64, , 4, 4",
        "simclr, 96, 48, , 3, 6",
        "simclr, 128, 0, 8, 2, 8",
        "mocov2, 128, 0, , 2, 8",
        "mocov2, 96, 0, , 3, 3",
        "mocov2, 128, 0, 4, 2, 4"
    })
    void devicesHaveGroupsToShare(String method, int batch, int micro, Integer given, int devices, int splits) {
        PretrainSettings s = new PretrainBuilder()
                .method(method)
                .batch(batch)
                .microBatch(micro)
                .bnSplits(given)
                .devices(devices)
                .build(5000);
        assertEquals(splits, s.bnSplits());
        s.checkDevices(devices);
        assertEquals(
                s.describe(),
                new PretrainBuilder()
                        .method(method)
                        .batch(batch)
                        .microBatch(micro)
                        .bnSplits(splits)
                        .build(5000)
                        .describe(),
                "nothing else depends on the devices");
    }

    @Test
    void aBatchThatTheDevicesDoNotDivideIsRefused() {
        refused(
                "The batch must be a multiple of 3, for 3 devices, found 128",
                () -> new PretrainBuilder().devices(3).build(5000));
        refused(
                "The batch must be a multiple of 12, for 3 devices and 4 micro-batches, found 128",
                () -> new PretrainBuilder().microBatch(32).devices(3).build(5000));
        refused(
                "(the setting bn-splits) must be a multiple of the 2 devices, which share them: found 1 for a batch of 128",
                () -> new PretrainBuilder().bnSplits(0).devices(2).build(5000).checkDevices(2));
        refused(
                "must be a multiple of the 3 devices",
                () -> new PretrainBuilder().bnSplits(4).devices(3).build(5000).checkDevices(3));
    }

    /**
     * Published values: He et al. 2020; Chen, Fan, Girshick and He 2020. Fewer images have a smaller queue, and a faster
     * encoder.
     */
    @ParameterizedTest
    @CsvSource({
        "mocov1, 1281167, 224, 0.07, 65536, 0.999, step, 1, false",
                "mocov2, 1281167, 224, 0.2, 65536, 0.999, cosine, 2, false",
        "mocov1, 50000, 32, 0.07, 4096, 0.99, step, 1, false", "mocov2, 50000, 32, 0.2, 4096, 0.99, cosine, 2, false"
    })
    void aMethodBringsItsPublishedDefaults(
            String method,
            int images,
            int size,
            double temperature,
            int queue,
            double momentum,
            String schedule,
            int layers,
            boolean norm) {
        PretrainSettings s =
                new PretrainBuilder().method(method).imageSize(size).batch(256).build(images);
        assertEquals("" + temperature, s.options().texts().get("temperature"));
        assertEquals("" + queue, s.options().texts().get("queue"));
        assertEquals("" + momentum, s.options().texts().get("momentum-encoder"));
        assertEquals(schedule, s.optimizer().schedule());
        assertEquals(layers, s.head().layers());
        assertEquals(norm, s.head().batchNorm());
        assertEquals(8, s.bnSplits());
    }

    /** What is set wins over the method's default, which wins over the common one. */
    @Test
    void whatIsSetWinsOverTheMethodsDefault() {
        PretrainBuilder b = new PretrainBuilder().method("mocov1");
        assertEquals("step", b.build(1000).optimizer().schedule());
        assertEquals("constant", b.schedule("constant").build(1000).optimizer().schedule());
        assertEquals("cosine", new PretrainBuilder().build(1000).optimizer().schedule());
        assertEquals(
                "" + EndToEnd.TEMPERATURE.fallback(),
                new PretrainBuilder()
                        .method("end-to-end")
                        .build(1000)
                        .options()
                        .texts()
                        .get("temperature"));
        // A narrow encoder has a shorter projection.
        assertEquals(64, new PretrainBuilder().build(1000).head().out());
    }
}
