// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.train.augment.AugmentationPipeline;
import io.github.simclr4j.train.method.MoCo;
import io.github.simclr4j.train.method.SimClr;
import io.github.simclr4j.train.optim.OptimizerSettings;
import io.github.simclr4j.train.settings.Head;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.util.OptionValues;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/** The hyper-parameters that the command line chooses where nothing is said, and what its help says of them. */
class PretrainOptionsTest {
    /** A set as large as ImageNet. */
    private static final int IMAGENET = 1_281_167;

    private static PretrainSettings settings(int images, String... options) {
        List<String> all = new ArrayList<>(List.of("--images", "x", "--out", "y"));
        all.addAll(List.of(options));
        PretrainCommand command = new PretrainCommand();
        new CommandLine(command).parseArgs(all.toArray(String[]::new));
        return command.hyper.settings(1, images);
    }

    /** The options of a method, with those of the losses as they are by default. */
    private static Map<String, String> options(
            String method, double temperature, int queue, double momentum, double end) {
        Map<String, String> all =
                new TreeMap<>(method.equals("supervised") ? Map.of() : Map.of("temperature", "" + temperature));
        if (method.equals("simclr")) {
            all.putAll(Map.of(
                    "loss",
                    "nt-xent",
                    "margin",
                    "0.8",
                    "class-prior",
                    "0.1",
                    "multi-crop",
                    "0",
                    "multi-crop-size",
                    "0",
                    "multi-crop-least",
                    "0.05",
                    "multi-crop-most",
                    "0.4",
                    "dot-product",
                    "false"));
        } else if (method.startsWith("moco")) {
            all.putAll(Map.of(
                    "queue",
                    "" + queue,
                    "momentum-encoder",
                    "" + momentum,
                    "momentum-encoder-end",
                    end == 0 ? "0.0" : "" + end,
                    "symmetric",
                    "false"));
        }
        return all;
    }

    /**
     * SimCLR: a non-linear head with batch norm and a cosine (Chen et al. 2020); of the temperatures 0.1 to 1 in table 5, ours is 0.2.
     * MoCo v1: 0.07, one linear layer, steps (He et al. 2020, sections 3.3 and 4.1). MoCo v2: 0.2, two layers, a cosine (Chen,
     * Fan, Girshick and He 2020, section 3). Neither has batch norm in its head.
     */
    @ParameterizedTest
    @CsvSource({
        "simclr, 0.2, 2, true, cosine, 0, simclr-cifar", "mocov1, 0.07, 1, false, step, 8, mocov1",
        "mocov2, 0.2, 2, false, cosine, 8, mocov2-cifar", "end-to-end, 0.2, 2, true, cosine, 0, simclr-cifar",
        "supervised, 0.2, 2, true, cosine, 0, simclr-cifar"
    })
    void aMethodHasItsPapersHyperParameters(
            String method, double temperature, int layers, boolean norm, String schedule, int splits, String views) {
        PretrainSettings s = settings(50_000, "--method", method);
        assertEquals(method, s.method().name());
        if (s.options().has("temperature")) {
            assertEquals(temperature, s.options().get(SimClr.TEMPERATURE));
        } else {
            assertEquals("supervised", method);
        }
        assertEquals(new Head(layers, 0, 64, norm, 0), s.head());
        assertEquals(schedule, s.optimizer().schedule());
        assertEquals(splits, s.bnSplits());
        assertEquals(AugmentationPipeline.of(views), s.firstView());
        assertEquals(s.firstView(), s.otherViews());
        assertEquals(options(method, temperature, 4096, 0.99, 0), s.options().texts());
    }

    /** 65,536 keys and 0.999 are ImageNet's (He et al. 2020, section 4.1); MoCo's own notebook has 4,096 and 0.99 for CIFAR-10. */
    @ParameterizedTest
    @CsvSource({"199999, 4096, 0.99", "200000, 65536, 0.999", "1281167, 65536, 0.999", "50000, 4096, 0.99"})
    void theQueueIsShortForFewImages(int images, int queue, double momentum) {
        for (String method : List.of("mocov1", "mocov2")) {
            OptionValues m = settings(images, "--method", method).options();
            assertEquals(queue, m.get(MoCo.QUEUE));
            assertEquals(momentum, m.get(MoCo.MOMENTUM));
            assertEquals(0, m.get(MoCo.MOMENTUM_END), "it stays");
        }
        OptionValues chosen = settings(
                        images,
                        "--method",
                        "mocov2",
                        "--queue",
                        "1024",
                        "--momentum-encoder",
                        "0.9",
                        "--momentum-encoder-end",
                        "0.95",
                        "--symmetric")
                .options();
        Map<String, String> expected = options("mocov2", 0.2, 1024, 0.9, 0.95);
        expected.put("symmetric", "true");
        assertEquals(expected, chosen.texts());
    }

    /** Batch norm statistics of at least eight images each, in at most eight groups as on the papers' eight GPUs. */
    @ParameterizedTest
    @CsvSource({
        // batch, micro-batch, groups: the most of 8 to 2 that divide the batch into parts of 8 at least.
        "256, 0, 8",
        "128, 0, 8",
        "64, 0, 8",
        "32, 0, 4",
        "40, 0, 5",
        "30, 0, 3",
        "16, 0, 2",
        "8, 0, 0",
        "14, 0, 0",
        // They are a multiple of the micro-batches too: 2 of 64, 4 of 32; of 3 of 32 it is 6 of 16; 16 of 8 are beyond
        // eight.
        "128, 64, 8",
        "128, 32, 8",
        "96, 32, 6",
        "128, 8, 0"
    })
    void mocoSplitsTheBatchForItsStatistics(String batch, String micro, int groups) {
        assertEquals(
                groups,
                settings(50_000, "--method", "mocov2", "--batch", batch, "--micro-batch", micro)
                        .bnSplits());
        assertEquals(
                0,
                settings(50_000, "--method", "simclr", "--batch", batch, "--micro-batch", micro)
                        .bnSplits());
    }

    /** He et al. 2020, section 3.3: SGD at 0.03 for a batch of 256, without warm-up, decay 1e-4, a tenth at 120 and 160 of 200 epochs. */
    @Test
    void mocoV1OnImageNetIsThePublishedRun() {
        PretrainSettings s = settings(
                IMAGENET,
                "--method",
                "mocov1",
                "--optimizer",
                "sgd",
                "--batch",
                "256",
                "--epochs",
                "200",
                "--encoder",
                "resnet50",
                "--stem",
                "imagenet",
                "--width",
                "1",
                "--image-size",
                "224");
        assertEquals(new OptimizerSettings("sgd", 0.03, 1e-4, 0.9, 0, "step", 0, 0), s.optimizer());
        assertEquals(new Head(1, 0, 128, false, 0), s.head());
        assertEquals(options("mocov1", 0.07, 65_536, 0.999, 0), s.options().texts());
        assertEquals(8, s.bnSplits());
    }

    /** Chen et al. 2020, section 2.2 and appendix B.1: LARS at 0.3 * 4096 / 256 = 4.8 or 0.075 * 64 = 4.8, ten epochs of warm-up. */
    @Test
    void simClrOnImageNetIsThePublishedRun() {
        for (String scaling : List.of("sqrt", "linear")) {
            PretrainSettings s = settings(
                    IMAGENET,
                    "--optimizer",
                    "lars",
                    "--batch",
                    "4096",
                    "--lr-scaling",
                    scaling,
                    "--encoder",
                    "resnet50",
                    "--stem",
                    "imagenet",
                    "--width",
                    "1",
                    "--image-size",
                    "224",
                    "--weight-decay",
                    "1e-6",
                    "--temperature",
                    "0.1");
            assertEquals(4.8, s.optimizer().rate(), 1e-9);
            assertEquals(
                    new OptimizerSettings("lars", s.optimizer().rate(), 1e-6, 0.9, 10, "cosine", 0, 0), s.optimizer());
            assertEquals(new Head(2, 0, 128, true, 0), s.head());
            assertEquals(AugmentationPipeline.of("simclr"), s.firstView());
            assertEquals(0.1, s.options().get(SimClr.TEMPERATURE));
            assertTrue(s.zeroGamma());
        }
    }

    /** The whole of what three presets come to is a test of the library; here is what becomes of options beside one. */
    @Test
    void anOptionWinsOverThePreset() {
        PretrainSettings photos = settings(50_000, "--preset", "photos", "--method", "mocov2");
        assertEquals("resnet50 width 1.0 stem IMAGENET", photos.encoder().describe());
        assertEquals(List.of(224, 256, 32), List.of(photos.imageSize(), photos.batch(), photos.microBatch()));
        assertEquals(new OptimizerSettings("sgd", 0.03, 1e-4, 0.9, 0, "cosine", 0, 0), photos.optimizer());
        assertEquals("photos", photos.preset());
        PretrainSettings mine = settings(
                50_000,
                "--width",
                "0.5",
                "--batch",
                "64",
                "--image-size",
                "32",
                "--micro-batch",
                "0",
                "--optimizer",
                "adamw",
                "--epochs",
                "3",
                "--temperature",
                "0.5",
                "--preset",
                "photos",
                "--stem",
                "cifar");
        assertEquals("resnet50 width 0.5 stem CIFAR", mine.encoder().describe());
        assertEquals(List.of(32, 64, 0, 3), List.of(mine.imageSize(), mine.batch(), mine.microBatch(), mine.epochs()));
        assertEquals("adamw", mine.optimizer().name());
        assertEquals(0.5, mine.options().get(SimClr.TEMPERATURE));
        assertEquals(AugmentationPipeline.of("simclr-cifar"), mine.firstView());
        Map<String, String> small = settings(50_000, "--preset", "small").describe();
        small.remove("training.preset");
        assertEquals(settings(50_000).describe(), small);
    }

    /** Those of the preset's encoder are known, those of others are refused. */
    @Test
    void optionsOfThePresetsEncoderCount() {
        String err = CommandLineTest.run(
                        "pretrain", "--images", "x", "--out", "y", "--preset", "photos", "--patch-size", "8")
                .err();
        assertTrue(err.contains("--patch-size has an effect only with --encoder"), err);
        String unknown = CommandLineTest.run("pretrain", "--images", "x", "--out", "y", "--preset", "large")
                .err();
        assertTrue(unknown.contains("Unknown --preset, expected small, photos, serving, found large"), unknown);
    }

    @Test
    void theHelpSaysWhatEachPresetIs() {
        String help = CommandLineTest.run("pretrain", "--help").out().replaceAll("\\s+", " ");
        for (String part : List.of(
                "small for images of 32 to 64 pixels",
                "photos for photographs: views of 224 pixels, resnet50",
                "serving as photos with mobilenetv3-large",
                "(default: 32, or the preset's; [1] has 224)",
                "He et al. 2020")) {
            assertTrue(help.contains(part), part + " in " + help);
        }
        for (String command : List.of("study", "bench")) {
            assertTrue(CommandLineTest.run(command, "--help").out().contains("--preset=P"), command);
        }
    }

    /** A batch is no larger than the set, and the rate goes with what is there: 0.075 * sqrt(64). */
    @Test
    void theRateGoesWithTheImagesThatThereAre() {
        assertEquals(
                0.6,
                settings(64, "--optimizer", "lars", "--batch", "4096")
                        .optimizer()
                        .rate(),
                1e-12);
        assertEquals(
                0.5,
                settings(64, "--optimizer", "lars", "--learning-rate", "0.5")
                        .optimizer()
                        .rate());
    }

    @ParameterizedTest
    @CsvSource({"lars, true", "sgd, true", "nesterov, true", "adam, false", "adamw, false"})
    void theLastGammaStartsAtZeroButForAdam(String optimiser, boolean zero) {
        assertEquals(zero, settings(64, "--optimizer", optimiser).zeroGamma());
        assertEquals(
                !zero,
                settings(64, "--optimizer", optimiser, "--zero-gamma", "" + !zero)
                        .zeroGamma());
    }

    @Test
    void theSecondViewMayHaveARuleOfItsOwn() {
        PretrainSettings s = settings(64, "--views", "crop", "--views2", "grey@1");
        assertEquals(AugmentationPipeline.of("crop"), s.firstView());
        assertEquals(AugmentationPipeline.of("grey@1"), s.otherViews());
        assertEquals(
                AugmentationPipeline.of("crop"), settings(64, "--views", "crop").otherViews());
    }

    /** What takes a value says what it is without one, unless it is a file that then is not read or written. */
    @Test
    void everyOptionsHelpNamesItsDefault() {
        Set<String> without = new TreeSet<>();
        for (OptionSpec o :
                new CommandLine(new PretrainCommand()).getCommandSpec().options()) {
            if (!o.required()
                    && o.arity().max() > 0
                    && !String.join(" ", o.description()).contains("(default: ")) {
                without.add(o.longestName());
            }
        }
        assertEquals(
                Set.of("--init", "--json", "--knn", "--knn-test", "--mlflow", "--report", "--tensorboard"), without);
    }

    /**
     * Grill et al. 2020, implementation details: 0.2 * B / 256, decay 1.5e-6; Chen, Xie and He 2021, code: 0.3, 1.5e-6; Zbontar et al.
     * 2021, section 2.2: 0.2, 1.5e-6; Bardes et al. 2022, section 4.2: 0.2, 1e-6; Dwibedi et al. 2021, section 4.1: 0.3, 1e-6; Chen and
     * He 2021, appendix D for CIFAR: SGD, 0.03 * B / 256, 5e-4. Of Adam's rate each has the share that docs/methods.md measured.
     */
    @ParameterizedTest
    @CsvSource({
        "byol, lars, 0.2, 1.5e-6, 4096, 256, byol-cifar, byol2-cifar, 0.25",
        "mocov3, lars, 0.3, 1.5e-6, 4096, 256, byol-cifar, byol2-cifar, 0.5",
        "barlow, lars, 0.2, 1.5e-6, 2048, 2048, byol-cifar, byol2-cifar, 0.5",
        "vicreg, lars, 0.2, 1e-6, 2048, 2048, vicreg-cifar, vicreg-cifar, 0.5",
        "nnclr, lars, 0.3, 1e-6, 2048, 256, byol-cifar, byol2-cifar, 1",
        "simsiam, sgd, 0.03, 5e-4, 2048, 2048, mocov2-cifar, mocov2-cifar, 0.25"
    })
    void theRateOfAPaperIsThatOfItsOptimizer(
            String method,
            String optimizer,
            double rate,
            double decay,
            int hidden,
            int projection,
            String views,
            String others,
            double adam) {
        PretrainSettings s = settings(
                50_000,
                "--method",
                method,
                "--optimizer",
                optimizer,
                "--batch",
                "512",
                "--lr-scaling",
                "linear",
                "--width",
                "1");
        assertEquals(2 * rate, s.optimizer().rate(), 1e-12);
        assertEquals(decay, s.optimizer().weightDecay());
        assertEquals(hidden, s.head().hidden());
        assertEquals(projection, s.head().out());
        assertEquals(AugmentationPipeline.of(views), s.firstView());
        assertEquals(AugmentationPipeline.of(others), s.otherViews());
        PretrainSettings square = settings(50_000, "--method", method, "--optimizer", optimizer, "--batch", "1024");
        assertEquals(2 * rate, square.optimizer().rate(), 1e-12, "by the square root");
        PretrainSettings common = settings(50_000, "--method", method);
        assertEquals(
                adam * OptimizerSettings.rate("adamw", "sqrt", 128),
                common.optimizer().rate(),
                "docs/methods.md");
        assertEquals(1024, common.head().hidden(), "8 times 128, of a ResNet-18 of a quarter of the width");
    }

    /** What a method's factory says of the settings that all methods have. */
    @Test
    void theHelpNamesTheMethodsThatHaveOtherDefaults() {
        String help = CommandLineTest.run("pretrain", "--help").out().replaceAll("\\s+", " ");
        for (String part : List.of(
                "(default: nonlinear; mocov1 and cmc linear; ",
                "(default: true [1]; mocov1, mocov2 and cmc false)",
                "(default: cosine; mocov1 step)",
                "byol, barlow and vicreg false)",
                // Grill et al. 2020, Chen, Xie and He 2021, Zbontar et al. 2021, Bardes et al. 2022, Dwibedi et al.
                // 2021.
                "with lars: byol, mocov3 and barlow 1.5e-6; vicreg and nnclr 1e-6",
                // Chen and He 2021, appendix D for CIFAR and section 3 for ImageNet.
                "with sgd: simsiam 5e-4",
                "with sgd above 64 pixels: simsiam 1e-4",
                "; with sgd: mocov1, mocov2 and simsiam 0)",
                "without --views those of the method; byol, mocov3, barlow and nnclr byol2-cifar; above 64 pixels: byol, mocov3,"
                        + " barlow, vicreg and nnclr byol2",
                "mocov1, mocov2, end-to-end, mocov3, barlow and vicreg 0.5; byol, cpc and simsiam 0.25; amdim 0.0625",
                "with lars: byol, barlow and vicreg 0.2; mocov3 and nnclr 0.3; with sgd: simsiam 0.03",
                "mocov1 and mocov2 8, or fewer for small batches",
                "a tenth after 60%, a hundredth after 80%")) {
            assertTrue(help.contains(part), part + " in " + help);
        }
    }

    /** A number of the list of sources, or author and year. Those that name none are ours, or another option names their paper. */
    @Test
    void theHelpOfAPapersHyperParameterNamesThePaper() {
        Set<String> named = new TreeSet<>();
        for (OptionSpec o :
                new CommandLine(new PretrainCommand()).getCommandSpec().options()) {
            if (String.join(" ", o.description())
                    .matches("(?s).*(\\[[1-4][],]|\\b[A-Z][a-z]+( et al\\.)? 20\\d\\d\\b|arXiv:).*")) {
                named.add(o.longestName());
            }
        }
        Set<String> missing = new TreeSet<>(Set.of(
                "--method",
                "--loss",
                "--temperature",
                "--queue",
                "--momentum-encoder",
                "--views",
                "--encoder",
                "--stem",
                "--image-size",
                "--zero-gamma",
                "--head",
                "--head-norm",
                "--projection",
                "--keep-head",
                "--batch",
                "--micro-batch",
                "--epochs",
                "--optimizer",
                "--learning-rate",
                "--lr-scaling",
                "--momentum",
                "--weight-decay",
                "--warmup-epochs",
                "--schedule"));
        missing.removeAll(named);
        assertEquals(Set.of(), missing);
    }
}
