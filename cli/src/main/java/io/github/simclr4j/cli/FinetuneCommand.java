package io.github.simclr4j.cli;

import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.train.augment.AugmentationPipeline;
import io.github.simclr4j.train.data.TrainingImages;
import io.github.simclr4j.train.loop.Checkpoint;
import io.github.simclr4j.train.loop.EncoderTrainer;
import io.github.simclr4j.train.loop.RunOptions;
import io.github.simclr4j.train.tribuo.FineTuneTrainer;
import io.github.simclr4j.tribuo.model.EncodedModel;
import io.github.simclr4j.tribuo.model.OnnxStitcher;
import io.github.simclr4j.util.AtomicFiles;
import io.github.simclr4j.util.Sha256;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.tribuo.classification.Label;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** {@code simclr finetune}. */
@CommandLine.Command(name = "finetune", description = "Trains an encoder further, with a linear classifier on it, on labelled images: one file"
        + " that takes an image and gives the probabilities of the classes. Source: [1] Chen et al. 2020 (SimCLR).")
final class FinetuneCommand extends Command {
    @Option(names = "--encoder", paramLabel = "E", required = true,
            description = "The encoder to start from: one of ours, or a ResNet exported by PyTorch (ONNX).")
    Path encoder;

    @Option(names = "--train", paramLabel = "SET", required = true,
            description = "Labelled images: a folder with a sub-folder a class, or whatever else pretrain takes.")
    Path train;

    @Option(names = "--labels", paramLabel = "SHARE", defaultValue = "100%",
            description = "Share of the labelled images to train on, drawn alike from each class (default: ${DEFAULT-VALUE}).")
    String labels;

    @Option(names = "--limit", paramLabel = "N", defaultValue = "0",
            description = "Draw the share from at most N images, chosen at random by the seed; 0 for all"
                    + " (default: ${DEFAULT-VALUE}).")
    int limit;

    @Option(names = "--out", paramLabel = "FILE", required = true, description = "Where the model goes (ONNX).")
    Path out;

    @Option(names = "--image-size", paramLabel = "N", defaultValue = "0",
            description = "Side in pixels of the images of an encoder whose file leaves it open; 0 for what the file says"
                    + " (default: ${DEFAULT-VALUE}).")
    int imageSize;

    @ArgGroup(exclusive = false, validate = false, heading = "%nHyper-parameters%n")
    final Tuning tuning = new Tuning();

    @Option(names = "--memory", paramLabel = "MB", defaultValue = "0", description = "As pretrain's (default: ${DEFAULT-VALUE}).")
    int megabytes;

    @Option(names = "--checkpoint", paramLabel = "DIR", description = "Folder of the run's state, which a later run continues from"
            + " (default: OUT.checkpoint, deleted when the run is complete).")
    Path checkpoint;

    /** What decides the weights. */
    static final class Tuning {
        @Option(names = "--epochs", paramLabel = "N", defaultValue = "60",
                description = "Passes over the images (default: ${DEFAULT-VALUE}, with 1%% of the labels in [1]; 30 with 10%%).")
        int epochs;

        @Option(names = "--batch", paramLabel = "N", defaultValue = "64",
                description = "Images a step; each gives two views (default: ${DEFAULT-VALUE}; [1] has 4096).")
        int batch;

        @Option(names = "--learning-rate", paramLabel = "R", defaultValue = "0", description = "Of SGD with Nesterov's momentum,"
                + " then half a cosine to 0; 0 for 0.05*B/256 [1] (default: ${DEFAULT-VALUE}).")
        double rate;

        @Option(names = "--views", paramLabel = "V", defaultValue = "supervised",
                description = "As pretrain's (default: ${DEFAULT-VALUE}: crop and flip [1]).")
        String views;

        FineTuneTrainer trainer(Path encoder, GlobalOptions common, long seed) {
            if (epochs < 1 || batch < 2 || !(rate >= 0)) {
                throw new IllegalArgumentException("--epochs must be at least 1, --batch at least 2 and --learning-rate at least 0,"
                        + " found " + epochs + ", " + batch + " and " + rate);
            }
            AugmentationPipeline.of(views);
            return FineTuneTrainer.builder(encoder).epochs(epochs).batchSize(batch).learningRate(rate).views(views)
                    .device(common.device).threads(common.threads).seed(seed).build();
        }
    }

    @Override
    boolean trains() {
        return true;
    }

    @Override
    Map<String, Object> work() throws IOException {
        double share = Evaluation.share(labels);
        if (limit < 0 || megabytes < 0) {
            throw new IllegalArgumentException("--limit and --memory must be at least 0, found " + limit + " and " + megabytes);
        }
        FineTuneTrainer trainer = tuning.trainer(encoder, common, common.seed).withImageSize(imageSize);
        writable(out);
        Path state = checkpoint != null ? checkpoint : out.resolveSibling(out.getFileName() + ".checkpoint");
        writableFolder(state);
        Console console = new Console();
        int size = trainer.imageSize();
        TrainingImages set;
        FineTuneTrainer.Tuned tuned;
        try (ImageSource all = ImageSource.open(train, console).sample(limit, common.seed);
                ImageSource source = LabelledImages.share(all, train, share, common.seed, console)) {
            set = TrainingImages.of(source, size, megabytes, tuning.batch, common.threads, console);
            console.line(set.count() + " labelled images of " + set.classes().size() + " classes from " + train
                    + (set.skipped().isEmpty() ? "" : ", " + set.skipped().size() + " skipped"));
            ShutdownGuard guard = interruptible();
            tuned = trainer.train(set, labels.strip() + " of the labels of " + train + ", images " + set.fingerprint(),
                    RunOptions.checkpoints(state), console);
            guard.finishing();
        }
        byte[] file;
        // Of the images that were drawn, which may lack some of the set's.
        List<String> classes;
        try (EncodedModel<Label> model = tuned.model()) {
            classes = model.getOutputIDInfo().getDomain().stream().map(Label::getLabel).sorted().toList();
            file = model.exportONNXModel("io.github.simclr4j", 1, OnnxStitcher.Input.IMAGE).toByteArray();
        }
        AtomicFiles.write(out, file);
        if (checkpoint == null) {
            Checkpoint.delete(state);
        }
        EncoderTrainer.Result run = tuned.run();
        System.out.printf(Locale.ROOT, "%s: %d classes, %d epochs, final loss %.4f, %.0f views/s, %.0f s%n",
                out, classes.size(), run.epochs(), run.finalLoss(), run.viewsPerSecond(), seconds());
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("model", out.toString());
        json.put("modelSha256", Sha256.hex(file));
        json.put("classes", classes);
        json.put("images", set.count());
        json.put("skipped", set.skipped());
        json.put("epochs", run.epochs());
        json.put("steps", run.steps());
        json.put("finalLoss", run.finalLoss());
        json.put("viewsPerSecond", run.viewsPerSecond());
        json.put("resumedAfterEpoch", run.resumedAt());
        json.put("seconds", seconds());
        return json;
    }
}
