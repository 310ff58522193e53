// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import com.google.gson.JsonObject;
import io.github.simclr4j.cli.report.HtmlPage;
import io.github.simclr4j.cli.report.page.EvaluationPictures;
import io.github.simclr4j.cli.report.page.QuickstartPage;
import io.github.simclr4j.cli.report.page.ViewRow;
import io.github.simclr4j.images.load.ResidentImages;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import io.github.simclr4j.train.data.BuiltInImages;
import io.github.simclr4j.train.data.ImageSet;
import io.github.simclr4j.train.loop.EncoderTrainer;
import io.github.simclr4j.train.loop.RunOptions;
import io.github.simclr4j.train.settings.PretrainBuilder;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.tribuo.evaluation.Confusions;
import io.github.simclr4j.tribuo.evaluation.LabelledImages;
import io.github.simclr4j.tribuo.evaluation.ProtocolContext;
import io.github.simclr4j.util.AtomicFiles;
import io.github.simclr4j.util.LibraryVersion;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** Runs {@code simclr quickstart}. */
@CommandLine.Command(
        name = "quickstart",
        description = "Runs the whole workflow on built-in images: draws them, trains an encoder without their"
                + " labels, and evaluates it.")
final class QuickstartCommand extends Command {
    private static final int BATCH = 64;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            defaultValue = "target/quickstart",
            description = "Folder for the images and the encoder (default: ${DEFAULT-VALUE}).")
    Path out;

    @Option(
            names = "--images",
            paramLabel = "N",
            defaultValue = "400",
            description = "Number of training images of each of the ten classes (default: ${DEFAULT-VALUE}).")
    int perClass;

    @Option(
            names = "--epochs",
            paramLabel = "N",
            defaultValue = "14",
            description = "Passes over the images (default: ${DEFAULT-VALUE}).")
    int epochs;

    @Option(
            names = "--report",
            paramLabel = "FILE",
            description = "HTML report to write, FILE.html (default: report.html in DIR).")
    Path report;

    @Override
    boolean trains() {
        return true;
    }

    private List<ViewRow> views = List.of();
    private EvaluationPictures pictures;

    @Override
    Path reportFile() {
        return report != null ? report : out.resolve("report.html");
    }

    @Override
    HtmlPage page(JsonObject record) {
        return QuickstartPage.of(record, views, pictures);
    }

    @Override
    Map<String, Object> work() throws IOException {
        Console console = new Console();
        if (perClass < 1) {
            throw new IllegalArgumentException("--images must be at least 1, found " + perClass);
        }
        Path encoder = out.resolve("encoder.onnx");
        PretrainSettings settings = new PretrainBuilder()
                .encoder(new ResNet(18, 0.125, ResNet.Stem.CIFAR))
                .imageSize(BuiltInImages.SIZE)
                .views("crop:0.3,flip,jitter:1,grey")
                .batch(BATCH)
                .epochs(epochs)
                .seed(common.seed)
                .build(BuiltInImages.classNames().size() * perClass);
        writable(encoder);
        EncoderTrainer trainer = new EncoderTrainer(settings, common.device, common.threads, console);
        Path train = out.resolve("train");
        Path test = out.resolve("test");
        BuiltInImages.write(train, perClass, common.seed);
        BuiltInImages.write(test, 100, common.seed + 1_000_000);
        console.line("drew the built-in images into " + out);
        ImageSet set;
        try (ImageSource source = ImageSource.open(train)) {
            set = ImageSet.of(ResidentImages.read(source, BuiltInImages.SIZE, console));
        }
        views = ViewRows.of(set, settings);
        List<Object> history = new ArrayList<>();
        EncoderTrainer.Result trained =
                trainer.run(set, RunOptions.checkpoints(null).withListener(e -> history.add(e.toMap())));
        AtomicFiles.write(encoder, trained.onnx());
        Map<String, Object> json;
        LinearComparison result;
        try (ImageSource training = ImageSource.open(train);
                ImageSource testing = ImageSource.open(test);
                ProtocolContext context = ProtocolContext.builder()
                        .encoder(encoder)
                        .runtime(RuntimeSettings.DEFAULT.withThreads(common.threads))
                        .train(new LabelledImages(train, training))
                        .test(new LabelledImages(test, testing))
                        .shares(LabelShares.parse(List.of("1%", "10%", "100%")))
                        .seeds(common.seed)
                        .progress(console)
                        .build()) {
            result = LinearComparison.of(context, common.seed);
            result.print();
            json = result.json(encoder, seconds());
            json.put("data", EvaluationData.of(context));
            pictures = new ReportImages(context.train(), context.test(), 1, common.seed, console)
                    .of(
                            context.features(),
                            result.encoderSha256(),
                            Confusions.of(result.classes(), result.best().getPredictions()),
                            json);
        }
        json.put("history", history);
        json.put("trainingSettings", trained.settings());
        json.put("command", commandLine());
        json.put("version", LibraryVersion.current());
        json.put("seconds", seconds());
        System.out.println("The encoder is " + encoder + "; to inspect it: ./simclr inspect " + encoder);
        return json;
    }
}
