// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.train.data.TrainingImages;
import io.github.simclr4j.train.data.TrainingSets;
import io.github.simclr4j.train.loop.CheckpointFolder;
import io.github.simclr4j.train.loop.EncoderTrainer;
import io.github.simclr4j.train.loop.RunOptions;
import io.github.simclr4j.train.tribuo.FineTuneProtocol;
import io.github.simclr4j.train.tribuo.FineTuneTrainer;
import io.github.simclr4j.tribuo.model.EncodedModel;
import io.github.simclr4j.tribuo.model.OnnxStitcher;
import io.github.simclr4j.util.AtomicFiles;
import io.github.simclr4j.util.OptionValues;
import io.github.simclr4j.util.Sha256;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.tribuo.classification.Label;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.ArgGroupSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Runs {@code simclr finetune}. */
@CommandLine.Command(
        name = "finetune",
        description = "Fine-tunes an encoder together with a linear classifier on labelled images, and writes"
                + " one file that takes an image and returns the probabilities of the classes.")
final class FinetuneCommand extends Command {
    private static final FineTuneProtocol PROTOCOL = new FineTuneProtocol();

    @Option(
            names = "--encoder",
            paramLabel = "E",
            required = true,
            description = "Encoder to start from (ONNX): one that pretrain wrote, or a network of a known"
                    + " architecture exported from PyTorch.")
    Path encoder;

    @Option(
            names = "--train",
            paramLabel = "SET",
            required = true,
            description = "Labelled training images: a folder with one sub-folder per class, or any other labelled"
                    + " image set that pretrain accepts.")
    Path train;

    @Mixin
    TableOptions tables;

    @Option(
            names = "--labels",
            paramLabel = "SHARE",
            defaultValue = "100%",
            description = "Share of the training labels to use, drawn evenly from each class (default:"
                    + " ${DEFAULT-VALUE}).")
    String labels;

    @Option(
            names = "--limit",
            paramLabel = "N",
            defaultValue = "0",
            description = "Draw the share from at most N images, chosen at random by the seed; 0 for all (default:"
                    + " ${DEFAULT-VALUE}).")
    int limit;

    @Option(names = "--out", paramLabel = "FILE", required = true, description = "Model to write (ONNX).")
    Path out;

    @Option(
            names = "--image-size",
            paramLabel = "N",
            defaultValue = "0",
            description = "Side of the input images in pixels, for an encoder whose file leaves it open; 0 for the"
                    + " size in the file (default: ${DEFAULT-VALUE}).")
    int imageSize;

    @Option(
            names = "--memory",
            paramLabel = "MB",
            defaultValue = "0",
            description = "Memory for decoded images in megabytes. A set that does not fit is decoded again in"
                    + " every epoch, with at most this much decoded ahead of the training. 0 uses the free part"
                    + " of the Java heap, or half of that for decoding ahead (default: ${DEFAULT-VALUE}).")
    int megabytes;

    @Option(
            names = "--checkpoint",
            paramLabel = "DIR",
            description = "Folder for the run's checkpoints, from which the same command resumes (default:"
                    + " OUT.checkpoint, deleted when the run is complete).")
    Path checkpoint;

    private DeclaredOptions tuning;

    /** Adds the hyper-parameters, which are those of the protocol of {@code evaluate}. */
    @Spec
    void declare(CommandSpec spec) {
        tuning = new DeclaredOptions(
                "finetune",
                Map.of(PROTOCOL.name(), PROTOCOL.options()),
                new HashSet<>(spec.optionsMap().keySet()));
        ArgGroupSpec.Builder group =
                ArgGroupSpec.builder().exclusive(false).validate(false).heading("%nHyper-parameters%n");
        tuning.specs(spec).forEach(group::addArg);
        spec.addArgGroup(group.build());
    }

    private OptionValues tuned() {
        try {
            return OptionValues.of(PROTOCOL.options(), tuning.given(PROTOCOL.name()));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(tuning.inTermsOfOptions(PROTOCOL.name(), e.getMessage()), e);
        }
    }

    private FineTuneTrainer trainer(OptionValues values) {
        return FineTuneTrainer.builder(encoder)
                .epochs(values.get(FineTuneProtocol.EPOCHS))
                .batchSize(values.get(FineTuneProtocol.BATCH))
                .learningRate(values.get(FineTuneProtocol.LEARNING_RATE))
                .views(values.get(FineTuneProtocol.VIEWS))
                .imageSize(imageSize)
                .device(common.device)
                .threads(common.threads)
                .seed(common.seed)
                .build();
    }

    @Override
    boolean trains() {
        return true;
    }

    @Override
    Map<String, Object> work() throws IOException {
        double share = LabelShares.parse(labels);
        if (limit < 0 || megabytes < 0) {
            throw new IllegalArgumentException(
                    "--limit and --memory must be at least 0, found " + limit + " and " + megabytes);
        }
        OptionValues values = tuned();
        FineTuneTrainer trainer = trainer(values);
        writable(out);
        Path state = checkpoint != null ? checkpoint : out.resolveSibling(out.getFileName() + ".checkpoint");
        writableFolder(state);
        Console console = new Console();
        int size = trainer.imageSize();
        TrainingImages set;
        FineTuneTrainer.Tuned tuned;
        try (ImageSource all = open(train, tables, console).sample(limit, common.seed);
                ImageSource source = LabelShares.draw(all, train, share, common.seed, console)) {
            set = TrainingSets.of(source, size, megabytes, values.get(FineTuneProtocol.BATCH), common.threads, console);
            console.line(set.count() + " labelled images of " + set.classes().size() + " classes from " + train
                    + (set.skipped().isEmpty() ? "" : ", " + set.skipped().size() + " skipped"));
            ShutdownGuard guard = interruptible();
            tuned = trainer.train(
                    set,
                    labels.strip() + " of the labels of " + train + ", images " + set.fingerprint(),
                    RunOptions.checkpoints(state),
                    console);
            guard.finishing();
        }
        byte[] file;
        // The classes of the drawn images, which may not be all of the set.
        List<String> classes;
        try (EncodedModel<Label> model = tuned.model()) {
            classes = model.getOutputIDInfo().getDomain().stream()
                    .map(Label::getLabel)
                    .sorted()
                    .toList();
            file = model.exportONNXModel("io.github.simclr4j", 1, OnnxStitcher.Input.IMAGE)
                    .toByteArray();
        }
        AtomicFiles.write(out, file);
        if (checkpoint == null) {
            new CheckpointFolder(state).delete();
        }
        EncoderTrainer.Result run = tuned.run();
        System.out.printf(
                Locale.ROOT,
                "%s: %d classes, %d epochs, final loss %.4f, %.0f views/s, %.0f s%n",
                out,
                classes.size(),
                run.epochs(),
                run.finalLoss(),
                run.viewsPerSecond(),
                seconds());
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
