// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import com.google.gson.JsonObject;
import io.github.simclr4j.cli.report.HtmlPage;
import io.github.simclr4j.cli.report.page.ViewRow;
import io.github.simclr4j.cli.watch.RunFolder;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.train.data.TrainingImages;
import io.github.simclr4j.train.data.TrainingSets;
import io.github.simclr4j.train.device.Compute;
import io.github.simclr4j.train.loop.CheckpointFolder;
import io.github.simclr4j.train.loop.EncoderTrainer;
import io.github.simclr4j.train.loop.RunOptions;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.util.AtomicFiles;
import io.github.simclr4j.util.Destination;
import io.github.simclr4j.util.LibraryVersion;
import io.github.simclr4j.util.Sha256;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Runs {@code simclr pretrain}. */
@CommandLine.Command(
        name = "pretrain",
        description = "Trains an encoder on images without labels; only supervised training and the supcon loss"
                + " read labels. Sources: [1] Chen et al. 2020 (SimCLR), [2] He et al. 2020 (MoCo), [3]"
                + " Chen, Fan, Girshick and He 2020 (MoCo v2), [4] Chen et al. 2020b (SimCLRv2).")
final class PretrainCommand extends Command {
    /** A number of images for which every setting is valid that is valid for some number of images. */
    private static final int FEW = 2;

    @Option(
            names = "--images",
            paramLabel = "SET",
            required = true,
            description = "Image set: a folder (searched at any depth), a zip or tar archive, a table (CSV) of"
                    + " paths, the binary files of CIFAR-10, CIFAR-100 or STL-10, or IDX files (MNIST).")
    Path images;

    @Option(names = "--out", paramLabel = "FILE", required = true, description = "Encoder to write (ONNX).")
    Path out;

    @Option(
            names = "--init",
            paramLabel = "E",
            description = "Start from the weights of this encoder (ONNX): one that pretrain wrote, or a network of"
                    + " the same architecture exported from PyTorch.")
    Path init;

    @Option(
            names = "--devices",
            paramLabel = "D,D",
            description = "Devices that share each step: gpu:0,gpu:1, or cpu,cpu for two replicas on the CPU. Each"
                    + " computes an equal part of the batch norm groups (--bn-splits, by default one per"
                    + " device); the loss is computed over all embeddings (default: the one of --device).")
    String devices;

    @Mixin
    TableOptions tables;

    @Mixin
    ReadingOptions reading;

    @Mixin
    ReportOption report;

    final PretrainOptions hyper = new PretrainOptions();

    @ArgGroup(exclusive = false, validate = false, heading = "%nCheckpoints and tracking%n")
    final TrackingOptions watch = new TrackingOptions();

    private PretrainReport gathered;

    /** Adds the hyper-parameters, some of which are declared by methods and encoder families. */
    @Spec
    void declare(CommandSpec spec) {
        hyper.addTo(spec);
    }

    @Override
    boolean trains() {
        return true;
    }

    /** Returns whether {@code --devices} is absent; the environment variable SIMCLR_DEVICE is only a default. */
    @Override
    boolean usesDevice() {
        return devices == null;
    }

    @Override
    List<String> devices() {
        return devices == null ? super.devices() : List.of(devices.split(",", -1));
    }

    @Override
    Path reportFile() {
        return report.report;
    }

    @Override
    HtmlPage page(JsonObject record) {
        return gathered.page(record);
    }

    @Override
    Map<String, Object> work() throws IOException {
        only(devices == null, "without --devices", "--device");
        hyper.devices = devices().size();
        reading.check();
        watch.check(this);
        // Settings are checked before an archive is opened, which may take a while. The number of images is not known
        // yet: what is valid for few images passes.
        PretrainSettings few = hyper.settings(common.seed, FEW);
        few.checkDevices(hyper.devices);
        few.checkNetwork();
        hyper.check(this, few);
        writable(out);
        Path state =
                watch.checkpoint != null ? watch.checkpoint : out.resolveSibling(out.getFileName() + ".checkpoint");
        writableFolder(state);
        Path metrics = watch.metrics != null ? watch.metrics : out.resolveSibling("metrics.jsonl");
        appendable(metrics);
        if (Destination.of(metrics).replaced()) {
            appendable(RunFolder.recordOf(metrics));
        }
        if (watch.tensorboard != null) {
            writableFolder(watch.tensorboard);
        }
        Console console = new Console();
        gathered = new PretrainReport(this, metrics, console);
        PretrainSettings settings;
        TrainingImages set;
        RunRecord record = null;
        EncoderTrainer.Result result;
        Compute compute;
        // The sources stay open as long as images are read from them.
        try (ImageSource source = open(images, tables, console).sample(reading.limit, common.seed);
                ImageSource known = watch.knn == null ? null : open(watch.knn, tables, console);
                ImageSource asked = watch.knnTest == null ? null : open(watch.knnTest, tables, console)) {
            settings = hyper.settings(common.seed, source.size());
            if (settings.needsLabels()) {
                TrainingSets.requireLabels(source, "--images for these settings");
            }
            if (known != null) {
                TrainingSets.requireLabels(known, "--knn");
            }
            if (asked != null) {
                TrainingSets.requireLabels(asked, "--knn-test");
                if (!known.classes().containsAll(asked.classes())) {
                    throw new IOException("--knn-test has classes that --knn lacks: expected only classes of "
                            + known.classes() + ", found " + asked.classes());
                }
            }
            EncoderTrainer trainer = new EncoderTrainer(
                    settings, Compute.choose(devices(), settings.precision(), common.threads, console), console);
            compute = trainer.compute();
            if (init != null) {
                trainer.startFrom(init);
            }
            if (!isGiven("--image-size") && !isGiven("--preset")) {
                PresetSuggestion.of(source, settings).ifPresent(console::warn);
            }
            set = read(source, settings, console);
            console.line(set.count() + " images of " + set.side() + "x" + set.side() + " pixels from " + images
                    + (set.skipped().isEmpty() ? "" : ", " + set.skipped().size() + " skipped"));
            if (init == null && settings.needsMoreThan(set.count())) {
                console.warn(fewImages(set.count()));
            }
            RunOptions options = RunOptions.checkpoints(state)
                    .withCheckpointsKept(watch.checkpointMinutes, watch.keep)
                    .withMetrics(metrics)
                    .withNeighbours(
                            known == null ? null : read(known, settings, console),
                            asked == null ? null : read(asked, settings, console),
                            watch.knnEvery)
                    .withListener(gathered);
            List<ViewRow> views = ViewRows.of(set, settings);
            gathered.views(views);
            if (Destination.of(metrics).replaced()) {
                record = new RunRecord(RunFolder.recordOf(metrics), out, commandLine(), views);
                options = options.withListener(record);
            }
            ShutdownGuard guard = interruptible();
            result = trainer.run(set, watch.tracked(options, console));
            guard.finishing();
        }
        AtomicFiles.write(out, result.onnx());
        if (watch.checkpoint == null) {
            new CheckpointFolder(state).delete();
        }
        System.out.printf(
                Locale.ROOT,
                "%s: %d epochs, final loss %.4f, %.0f views/s, %.0f s%n",
                out,
                result.epochs(),
                result.finalLoss(),
                result.viewsPerSecond(),
                seconds());
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("encoder", out.toString());
        json.put("encoderSha256", Sha256.hex(result.onnx()));
        json.put("epochs", result.epochs());
        json.put("steps", result.steps());
        json.put("finalLoss", result.finalLoss());
        if (!Double.isNaN(result.knn())) {
            json.put("knn", result.knn());
        }
        json.put("viewsPerSecond", result.viewsPerSecond());
        json.put("precision", compute.precision().text());
        json.put("device", compute.device());
        json.put("images", set.count());
        json.put("skipped", set.skipped());
        json.put("resumedAfterEpoch", result.resumedAt());
        json.put("settings", result.settings());
        gathered.ended(result.run());
        gathered.addTo(json);
        json.put("seconds", seconds());
        json.put("version", LibraryVersion.current());
        if (record != null) {
            keep(record, json, console);
        }
        return json;
    }

    /**
     * Records the end of the run for {@code watch}; a failure is only a warning, because the encoder is already
     * written.
     */
    private static void keep(RunRecord record, Map<String, Object> json, Console console) {
        try {
            record.finished(json);
        } catch (IOException e) {
            console.warn("simclr watch can't show the end of the run: " + e.getMessage());
        }
    }

    /** Returns the warning about a set of few images, with alternatives. */
    private String fewImages(int images) {
        return "only " + images + " images: an encoder whose weights start at random learns little from fewer than "
                + PretrainSettings.FEW_IMAGES + "; start from a trained encoder of the same architecture with --init"
                + hyper.withTeacher()
                        .map(options -> ", or learn from any trained encoder with " + options)
                        .orElse("");
    }

    private TrainingImages read(ImageSource source, PretrainSettings settings, Console console) throws IOException {
        return TrainingSets.of(
                source, settings.imageSize(), reading.megabytes, settings.batch(), reading.decoders, console);
    }
}
