// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.images.load.ResidentImages;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.onnx.file.ModelInspector;
import io.github.simclr4j.onnx.runtime.EncoderPipeline;
import io.github.simclr4j.onnx.runtime.EncoderSettings;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import io.github.simclr4j.train.bench.Benchmarks;
import io.github.simclr4j.train.bench.PeakMemory;
import io.github.simclr4j.train.bench.RandomImages;
import io.github.simclr4j.train.bench.Rate;
import io.github.simclr4j.train.bench.Repetitions;
import io.github.simclr4j.train.bench.TimedTraining;
import io.github.simclr4j.train.bench.Trial;
import io.github.simclr4j.train.data.ImageSet;
import io.github.simclr4j.train.data.TrainingSets;
import io.github.simclr4j.train.device.Compute;
import io.github.simclr4j.train.loop.EncoderExport;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.util.AtomicFiles;
import io.github.simclr4j.util.OwnedFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Runs {@code simclr bench}. */
@CommandLine.Command(
        name = "bench",
        description = "Measures speed and memory: the median and the quartiles of a rate, and the peak resident"
                + " memory of the process.")
final class BenchCommand extends Command {
    /** Ratio of the sides of random images and of their views: most images are larger than their views. */
    private static final double LARGER = 8 / 7.0;

    /** Lists what can be measured. */
    enum What {
        STEP,
        VIEWS,
        INPUT,
        TRAIN,
        EMBED
    }

    @Parameters(
            paramLabel = "WHAT",
            description = "step: training steps on views that were made before; views: random views alone; input:"
                    + " decoding and batching; embed: an encoder, from the image file to the features; train:"
                    + " finds the largest batch that fits, compares precisions and memory layouts, and trains"
                    + " for the remaining minutes.")
    What what;

    @Option(
            names = "--images",
            paramLabel = "SET",
            description = "Image set, in any form that pretrain accepts (default: random images).")
    Path images;

    @Option(
            names = "--count",
            paramLabel = "N",
            defaultValue = "4096",
            description = "Number of random images (default: ${DEFAULT-VALUE}).")
    int count;

    @Option(
            names = "--repetitions",
            paramLabel = "N",
            defaultValue = "9",
            description = "Number of measurements (default: ${DEFAULT-VALUE}).")
    int repetitions;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            defaultValue = "1",
            description = "Minimum duration of each measurement in seconds (default: ${DEFAULT-VALUE}).")
    double seconds;

    @Option(
            names = "--minutes",
            paramLabel = "N",
            defaultValue = "10",
            description = "Minutes that bench train may take in all (default: ${DEFAULT-VALUE}).")
    double minutes;

    @Option(
            names = "--checkpoint",
            paramLabel = "DIR",
            defaultValue = "target/bench",
            description = "Folder for the plan and the checkpoints of bench train, from which the same command"
                    + " resumes (default: ${DEFAULT-VALUE}).")
    Path checkpoint;

    @Option(
            names = "--out",
            paramLabel = "FILE",
            description = "Encoder that bench train writes if all epochs are done (ONNX) (default: none).")
    Path out;

    @Mixin
    TableOptions tables;

    @Mixin
    ReadingOptions reading;

    final PretrainOptions hyper = new PretrainOptions();

    private final Console console = new Console();

    /** Adds the hyper-parameters, some of which are declared by methods and encoder families. */
    @Spec
    void declare(CommandSpec spec) {
        hyper.addTo(spec);
    }

    @Override
    boolean trains() {
        return what == What.STEP || what == What.TRAIN;
    }

    @Override
    Map<String, Object> work() throws IOException {
        reading.check();
        if (count < 2 || !(minutes > 0)) {
            throw new IllegalArgumentException(
                    "--count must be at least 2 and --minutes above 0, found " + count + " and " + minutes);
        }
        Repetitions times = new Repetitions(repetitions, seconds);
        boolean file = what == What.EMBED && hyper.encoder != null && hyper.encoder.endsWith(".onnx");
        only(what == What.TRAIN, "with bench train", "--minutes", "--checkpoint", "--out");
        only(what != What.TRAIN, "without bench train", "--repetitions", "--seconds");
        only(images == null, "without --images", "--count");
        only(
                what != What.STEP,
                "without bench step, which takes random views",
                "--images",
                "--count",
                "--views",
                "--views2",
                "--multi-crop-least",
                "--multi-crop-most");
        only(
                what != What.STEP,
                "without bench step, which takes the same step again and again",
                "--epochs",
                "--learning-rate",
                "--lr-scaling",
                "--warmup-epochs",
                "--schedule",
                "--weight-average",
                "--keep-head");
        only(images != null, "with --images", "--limit");
        only(images != null, "with --images", TableOptions.NAMES);
        only(what == What.INPUT || what == What.TRAIN, "with bench input and train", "--memory", "--decoders");
        hyperParameters(file);
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("bench", what.name().toLowerCase(Locale.ROOT));
        if (file) {
            embed(Path.of(hyper.encoder), times, json);
        } else {
            PretrainSettings settings = hyper.settings(common.seed, count);
            hyper.check(this, settings);
            switch (what) {
                case STEP -> step(settings, times, json);
                case VIEWS -> views(settings, times, json);
                case INPUT -> input(settings, times, json);
                case TRAIN -> train(settings, json);
                case EMBED -> embed(settings, times, json);
            }
        }
        double peak = PeakMemory.mebibytes();
        json.put("peakMemoryMiB", Double.isNaN(peak) ? peak : Math.round(peak));
        json.put("seconds", seconds());
        if (!Double.isNaN(peak)) {
            System.out.printf(Locale.ROOT, "peak memory %.0f MiB%n", peak);
        }
        return json;
    }

    /** Refuses hyper-parameters that have no effect on what is measured. */
    private void hyperParameters(boolean file) {
        String when = "with bench step and train";
        switch (what) {
            case VIEWS ->
                hyper.only(
                        this,
                        when,
                        Set.of("--preset", "--method", "--views", "--views2", "--encoder", "--image-size", "--batch"),
                        false);
            case INPUT -> hyper.only(this, when, Set.of("--preset", "--image-size", "--batch"), false);
            case EMBED ->
                hyper.only(
                        this,
                        file ? "without an encoder file" : when,
                        file ? Set.of("--encoder") : Set.of("--preset", "--method", "--encoder", "--image-size"),
                        !file);
            default -> {
                // All of them are used, except those that were refused before.
            }
        }
    }

    private void put(Map<String, Object> json, String unit, Rate rate, String precision, String device) {
        json.put(unit + "PerSecond", rate.median());
        json.put("quartiles", rate.quartiles());
        json.put("precision", precision);
        json.put("device", device);
        System.out.printf(
                Locale.ROOT,
                "%s: %.1f %s/s (quartiles %.1f and %.1f), %s on %s%n",
                what.name().toLowerCase(Locale.ROOT),
                rate.median(),
                unit,
                rate.quartiles().get(0),
                rate.quartiles().get(1),
                precision,
                device);
    }

    private ImageSource open(int imageSize) throws IOException {
        return images == null
                ? new RandomImages(count, imageSize < 64 ? imageSize : (int) (LARGER * imageSize), common.seed)
                : open(images, tables, console).sample(reading.limit, common.seed);
    }

    private int threads() {
        return common.threads == 0 ? Runtime.getRuntime().availableProcessors() : common.threads;
    }

    private void step(PretrainSettings settings, Repetitions times, Map<String, Object> json) throws IOException {
        Compute compute = Compute.choose(common.device, settings.precision(), common.threads, console);
        Rate rate = Benchmarks.step(settings, compute, times);
        put(json, "views", rate, compute.precision().text(), compute.device());
        json.put("settings", settings.withPrecision(compute.precision()).describe());
    }

    private void views(PretrainSettings settings, Repetitions times, Map<String, Object> json) throws IOException {
        ImageSet set;
        try (ImageSource source = open(settings.imageSize())) {
            set = ImageSet.of(ResidentImages.read(source, settings.imageSize(), console));
        }
        put(json, "views", Benchmarks.views(settings, set, threads(), times), "float32", "cpu");
        json.put("threads", threads());
        json.put("views", settings.firstView().toString());
    }

    private void input(PretrainSettings settings, Repetitions times, Map<String, Object> json) throws IOException {
        int decoders = reading.decoders == 0 ? Runtime.getRuntime().availableProcessors() : reading.decoders;
        int ahead = reading.megabytes == 0 ? (int) (Runtime.getRuntime().maxMemory() / 8 >> 20) : reading.megabytes;
        try (ImageSource source = open(settings.imageSize())) {
            put(json, "images", Benchmarks.input(settings, source, ahead, decoders, times), "uint8", "cpu");
        }
        json.put("threads", decoders);
    }

    private void embed(PretrainSettings settings, Repetitions times, Map<String, Object> json) throws IOException {
        try (OwnedFolder folder = OwnedFolder.create("untrained")) {
            Path file = folder.write(
                    "untrained.onnx", EncoderExport.untrained(settings.encoder(), settings.imageSize(), common.seed));
            embed(file, times, json);
            json.put("encoder", settings.encoder().describe());
        }
    }

    private void embed(Path file, Repetitions times, Map<String, Object> json) throws IOException {
        boolean cpu = !common.device.startsWith("gpu");
        // On the CPU the pipeline's workers are the threads, so ONNX Runtime gets one.
        RuntimeSettings runtime = cpu
                ? RuntimeSettings.DEFAULT.withThreads(1)
                : new RuntimeSettings(
                        common.threads, "cuda" + common.device.substring("gpu".length()), 0, true, Map.of(), null);
        try (OnnxEncoder model = OnnxEncoder.open(file, EncoderSettings.none(), runtime);
                ImageSource source = open(model.preprocessing().size())) {
            EncoderPipeline.Settings shared = EmbedCommand.shareOut(model, cpu, common.threads);
            Rate rate = Benchmarks.embed(model, source, shared, times);
            put(json, "images", rate, ModelInspector.check(file).precision(), cpu ? "cpu" : common.device);
            json.put("encoder", file.toString());
            json.put("encoderSha256", model.sha256());
            json.put("workers", shared.workers());
        }
    }

    private void train(PretrainSettings settings, Map<String, Object> json) throws IOException {
        if (out != null) {
            writable(out);
        }
        writableFolder(checkpoint);
        Compute auto = Compute.choose(common.device, settings.precision(), common.threads, console);
        int only = isGiven("--batch") || auto.device().equals("cpu") ? settings.batch() : 0;
        try (ImageSource source = open(settings.imageSize())) {
            TimedTraining training =
                    new TimedTraining(batch -> hyper.settings(common.seed, source.size(), batch), checkpoint, console);
            ShutdownGuard guard = interruptible();
            TimedTraining.Outcome o = training.run(
                    auto,
                    batch -> TrainingSets.of(
                            source, settings.imageSize(), reading.megabytes, batch, reading.decoders, console),
                    source.size(),
                    only,
                    minutes);
            guard.finishing();
            report(o, auto, json);
        }
    }

    private void report(TimedTraining.Outcome o, Compute auto, Map<String, Object> json) throws IOException {
        Trial chosen = o.chosen();
        if (o.rate() == null) {
            json.put("viewsPerSecond", Double.NaN);
            json.put("precision", chosen.precision().text());
            json.put("device", auto.device());
        } else {
            put(json, "views", o.rate(), chosen.precision().text(), auto.device());
        }
        json.put("batch", chosen.batch());
        json.put("memoryLayout", chosen.layoutText());
        json.put(
                "trials",
                o.trials().stream()
                        .map(t -> {
                            Map<String, Object> trial = new LinkedHashMap<>();
                            trial.put("batch", t.batch());
                            trial.put("precision", t.precision().text());
                            trial.put("memoryLayout", t.layoutText());
                            trial.put("viewsPerSecond", t.viewsPerSecond());
                            return trial;
                        })
                        .toList());
        json.put("steps", o.steps());
        json.put("allSteps", o.allSteps());
        List<Map<String, Object>> epochs = new ArrayList<>();
        o.epochs().forEach(e -> {
            Map<String, Object> epoch = new LinkedHashMap<>();
            epoch.put("epoch", e.epoch());
            epoch.put("loss", e.figures().loss());
            epoch.put("viewsPerSecond", e.viewsPerSecond());
            epochs.add(epoch);
        });
        json.put("epochs", epochs);
        json.put("complete", o.onnx() != null);
        if (o.onnx() != null && out != null) {
            AtomicFiles.write(out, o.onnx());
            json.put("encoder", out.toString());
        }
        System.out.println(
                o.onnx() != null
                        ? "all epochs are done"
                        : o.steps() + " of " + o.allSteps() + " steps are done; the same command continues from "
                                + checkpoint);
    }
}
