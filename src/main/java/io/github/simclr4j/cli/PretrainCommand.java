package io.github.simclr4j.cli;

import io.github.simclr4j.onnx.EncoderWriter;
import io.github.simclr4j.onnx.OnnxEncoder;
import io.github.simclr4j.onnx.ResNet;
import io.github.simclr4j.train.Checkpoint;
import io.github.simclr4j.train.ImageSet;
import io.github.simclr4j.train.PretrainSettings;
import io.github.simclr4j.train.Pretrainer;
import io.github.simclr4j.train.ViewSettings;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code simclr pretrain}. */
@Command(name = "pretrain", description = "Learns an encoder from a folder of images; labels are never read.")
final class PretrainCommand extends Work {
    @Option(names = "--images", paramLabel = "DIR", required = true,
            description = "Folder of JPEG, PNG, BMP or GIF files, at any depth.")
    Path images;

    @Option(names = "--out", paramLabel = "FILE", required = true, description = "Where the encoder goes (ONNX).")
    Path out;

    @Option(names = "--encoder", defaultValue = "resnet18",
            description = "resnet18, 34, 50, 101 or 152 (default: ${DEFAULT-VALUE}).")
    String encoder;

    @Option(names = "--width", defaultValue = "0.25",
            description = "Multiplies the channels of every layer; 1 is the published network (default: ${DEFAULT-VALUE}).")
    double width;

    @Option(names = "--stem", defaultValue = "cifar",
            description = "cifar for images of about 32 pixels, imagenet for 224 (default: ${DEFAULT-VALUE}).")
    String stem;

    @Option(names = "--image-size", defaultValue = "32",
            description = "Side of the views in pixels (default: ${DEFAULT-VALUE}).")
    int imageSize;

    @Option(names = "--batch", defaultValue = "128",
            description = "Images a step; each gives two views (default: ${DEFAULT-VALUE}).")
    int batch;

    @Option(names = "--epochs", defaultValue = "100", description = "Passes over the images (default: ${DEFAULT-VALUE}).")
    int epochs;

    @Option(names = "--temperature", defaultValue = "0.2",
            description = "Of the NT-Xent loss (default: ${DEFAULT-VALUE}).")
    double temperature;

    @Option(names = "--optimizer", defaultValue = "adam", description = "adam or lars (default: ${DEFAULT-VALUE}).")
    String optimiser;

    @Option(names = "--learning-rate", paramLabel = "R",
            description = "After the warm-up (default: adam 0.008*sqrt(batch/128), lars 0.075*sqrt(batch)).")
    Double learningRate;

    @Option(names = "--weight-decay", defaultValue = "1e-4",
            description = "Of all weights but batch norm's (default: ${DEFAULT-VALUE}).")
    double weightDecay;

    @Option(names = "--warmup", defaultValue = "0.1",
            description = "Share of the steps in which the learning rate rises; then it falls as a cosine"
                    + " (default: ${DEFAULT-VALUE}).")
    double warmup;

    @Option(names = "--projection", defaultValue = "64",
            description = "Length of a projection, which the loss is taken on (default: ${DEFAULT-VALUE}).")
    int projection;

    @Option(names = "--hidden", defaultValue = "0",
            description = "Width of the projection head's hidden layer; 0 for the encoder's dimension"
                    + " (default: ${DEFAULT-VALUE}).")
    int hidden;

    @Option(names = "--min-crop", defaultValue = "0.08",
            description = "Smallest share of the area that a crop keeps (default: ${DEFAULT-VALUE}).")
    double minCrop;

    @Option(names = "--colour", defaultValue = "0.5",
            description = "Strength of the colour jitter, 0 to 1 (default: ${DEFAULT-VALUE}).")
    double colour;

    @Option(names = "--grey", defaultValue = "0.2", description = "Probability of grey-scale (default: ${DEFAULT-VALUE}).")
    double grey;

    @Option(names = "--blur", defaultValue = "0",
            description = "Probability of a Gaussian blur; 0.5 for large images (default: ${DEFAULT-VALUE}).")
    double blur;

    @Option(names = "--limit", paramLabel = "N", defaultValue = "0",
            description = "At most N images, chosen at random by the seed; 0 for all (default: ${DEFAULT-VALUE}).")
    int limit;

    @Option(names = "--checkpoint", paramLabel = "DIR",
            description = "Folder of the state after each epoch, which a later run continues from"
                    + " (default: OUT.checkpoint, deleted when the run is complete).")
    Path checkpoint;

    @Override
    Map<String, Object> work() throws IOException {
        if (limit < 0) {
            throw new IllegalArgumentException("--limit must be at least 0, found " + limit);
        }
        ViewSettings cifar = ViewSettings.cifar();
        PretrainSettings settings = new PretrainSettings(
                ResNet.of(encoder, width, stem), imageSize,
                new ViewSettings(minCrop, cifar.flip(), colour, cifar.jitter(), grey, blur),
                batch, epochs, temperature, hidden, projection, optimiser,
                learningRate == null ? PretrainSettings.defaultRate(optimiser, batch) : learningRate,
                weightDecay, warmup, common.seed);
        writable(out);
        Path state = checkpoint != null ? checkpoint : out.resolveSibling(out.getFileName() + ".checkpoint");
        writable(state.resolve("any"));
        Console console = new Console();
        Pretrainer trainer = new Pretrainer(settings, common.device, common.threads, console);
        ImageSet set = ImageSet.read(images, imageSize, limit, common.seed, console);
        console.line(set.pixels().size() + " images of " + set.size() + "x" + set.size() + " pixels from " + images
                + (set.skipped().isEmpty() ? "" : ", " + set.skipped().size() + " skipped"));
        Pretrainer.Result result = trainer.run(set, state);
        EncoderWriter.write(out, result.onnx());
        if (checkpoint == null) {
            Checkpoint.delete(state);
        }
        System.out.printf(Locale.ROOT, "%s: %d epochs, final loss %.4f, %.0f views/s, %.0f s%n",
                out, result.epochs(), result.finalLoss(), result.viewsPerSecond(), seconds());
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("encoder", out.toString());
        json.put("encoderSha256", OnnxEncoder.sha256(result.onnx()));
        json.put("epochs", result.epochs());
        json.put("steps", result.steps());
        json.put("finalLoss", result.finalLoss());
        json.put("viewsPerSecond", result.viewsPerSecond());
        json.put("images", set.pixels().size());
        json.put("skipped", set.skipped().stream().map(Path::toString).toList());
        json.put("resumedAfterEpoch", result.resumedAt());
        json.put("seconds", seconds());
        return json;
    }
}
