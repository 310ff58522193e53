// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import com.google.gson.JsonObject;
import io.github.simclr4j.cli.report.HtmlPage;
import io.github.simclr4j.cli.report.page.StudyPage;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import io.github.simclr4j.train.study.Axis;
import io.github.simclr4j.train.study.CellResult;
import io.github.simclr4j.train.study.GridStudy;
import io.github.simclr4j.train.study.Studies;
import io.github.simclr4j.train.study.Study;
import io.github.simclr4j.train.study.StudyImages;
import io.github.simclr4j.train.study.StudyMachine;
import io.github.simclr4j.train.study.StudyResult;
import io.github.simclr4j.train.study.StudyRunner;
import io.github.simclr4j.tribuo.evaluation.LabelledImages;
import io.github.simclr4j.util.AtomicFiles;
import io.github.simclr4j.util.LibraryVersion;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.ArgGroupSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Runs {@code simclr study}. */
@CommandLine.Command(
        name = "study",
        description = "Runs a grid of short pretraining runs and evaluates each with a linear classifier."
                + " The same command resumes an interrupted study. Options of pretrain apply to every cell;"
                + " without --epochs each cell trains for " + StudyRunner.EPOCHS + " epochs.")
final class StudyCommand extends Command {
    private static final String GRID = "grid";

    @Parameters(paramLabel = "NAME")
    String name;

    @Option(
            names = "--images",
            paramLabel = "SET",
            required = true,
            description = "Image set to pretrain on, in any form that pretrain accepts; with classes if the method"
                    + " of a cell needs them.")
    Path images;

    @Option(
            names = "--train",
            paramLabel = "SET",
            required = true,
            description = "Labelled training images of the linear classifiers.")
    Path train;

    @Option(
            names = "--test",
            paramLabel = "SET",
            required = true,
            description = "Labelled test images of the linear classifiers.")
    Path test;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            required = true,
            description = "Folder for the results: NAME.csv, NAME.png, NAME.json, NAME.html, and one folder per"
                    + " cell with its encoder and its checkpoints.")
    Path out;

    @Option(
            names = "--axis",
            paramLabel = "OPTION=V,...",
            description = "For the study grid: an option of pretrain and its values, such as temperature=0.1,0.5,"
                    + " with semicolons between values that contain commas; may be repeated.")
    List<String> axes = new ArrayList<>();

    @Option(
            names = "--init",
            paramLabel = "E",
            description = "Start every cell from the weights of this encoder (ONNX).")
    Path init;

    @Option(
            names = "--report",
            paramLabel = "FILE",
            description = "HTML report of the study, FILE.html (default: NAME.html in DIR).")
    Path report;

    @Mixin
    TableOptions tables;

    @Mixin
    ReadingOptions reading;

    final PretrainOptions hyper = new PretrainOptions();

    private final Map<String, Study> known = new LinkedHashMap<>();
    private DeclaredOptions ofStudies;

    /** Adds the studies, their options and the hyper-parameters, which other jars may extend. */
    @Spec
    void declare(CommandSpec spec) {
        Studies.all().forEach(s -> known.putIfAbsent(s.name(), s));
        String names = known.values().stream()
                .map(s -> s.name() + ": " + s.summary() + (s.source().isEmpty() ? "" : " [" + s.source() + "]"))
                .collect(Collectors.joining("; "));
        PositionalParamSpec parameter = spec.positionalParameters().get(0);
        spec.remove(parameter);
        spec.addPositional(PositionalParamSpec.builder(parameter)
                .description(
                        names.replace("%", "%%") + "; or " + GRID + ": every combination of the values of each --axis.")
                .build());
        Map<String, List<io.github.simclr4j.util.Option<?>>> all = new LinkedHashMap<>();
        known.forEach((study, s) -> all.put(study, s.options()));
        ofStudies = new DeclaredOptions(
                "study", all, new HashSet<>(spec.optionsMap().keySet()));
        ArgGroupSpec.Builder group =
                ArgGroupSpec.builder().exclusive(false).validate(false).heading("%nOptions of studies%n");
        ofStudies.specs(spec).forEach(group::addArg);
        spec.addArgGroup(group.build());
        hyper.addTo(spec);
    }

    @Override
    boolean trains() {
        return true;
    }

    private Study study() {
        only(name.equals(GRID), "with study " + GRID, "--axis");
        ofStudies.check(this, List.of(name), Map.of());
        only(!seedVaries() || reading.limit > 0, "without --axis seed, except with --limit", "--seed");
        if (name.equals(GRID)) {
            if (axes.isEmpty()) {
                throw new IllegalArgumentException(
                        "The study " + GRID + " needs an --axis, such as --axis temperature=0.1,0.5");
            }
            return new GridStudy(axes.stream().map(Axis::parse).toList());
        }
        Study study = known.get(name);
        if (study == null) {
            List<String> names = new ArrayList<>(known.keySet());
            names.add(GRID);
            throw new IllegalArgumentException(
                    "Unknown study, expected " + DeclaredOptions.either(names) + ", found " + name);
        }
        return study;
    }

    /** Returns whether the seed is an axis, so that the common one only chooses images. */
    private boolean seedVaries() {
        return axes.stream().anyMatch(a -> a.strip().matches("seed\\s*=.*"));
    }

    /** Returns the settings of every cell. */
    private Map<String, String> given() {
        Map<String, String> given = hyper.given(this);
        if (!seedVaries()) {
            given.put("seed", "" + common.seed);
        }
        if (init != null) {
            given.put("init", init.toString());
        }
        return given;
    }

    @Override
    Path reportFile() {
        return report != null
                ? report
                : known.containsKey(name) || name.equals(GRID) ? out.resolve(name + ".html") : null;
    }

    @Override
    HtmlPage page(JsonObject record) {
        return StudyPage.of(record);
    }

    @Override
    Map<String, Object> work() throws IOException {
        reading.check();
        Study study = study();
        writableFolder(out);
        Console console = new Console();
        StudyResult result;
        try (ImageSource unlabelled = open(images, tables, console).sample(reading.limit, common.seed);
                ImageSource training = open(train, tables, console);
                ImageSource testing = open(test, tables, console)) {
            String provider =
                    common.device.startsWith("gpu") ? "cuda" + common.device.substring("gpu".length()) : "cpu";
            RuntimeSettings runtime = new RuntimeSettings(common.threads, provider, 0, true, Map.of(), null);
            StudyRunner runner = new StudyRunner(
                            study,
                            ofStudies.given(name),
                            given(),
                            new StudyImages(
                                    unlabelled, new LabelledImages(train, training), new LabelledImages(test, testing)),
                            out)
                    .machine(new StudyMachine(
                            common.device, common.threads, reading.megabytes, reading.decoders, runtime))
                    .progress(console)
                    .listener(soFar -> changed(soFar, console));
            ShutdownGuard guard = interruptible();
            result = runner.run();
            guard.finishing();
        }
        print(result);
        Map<String, Object> json = described(result);
        json.put("seconds", seconds());
        if (!result.failed().isEmpty()) {
            throw new CheckFailed(
                    result.failed().size() + " of " + result.cells().size() + " cells failed, the first with: "
                            + result.failed().get(0).failure() + "; run the same command again to retry them",
                    json);
        }
        return json;
    }

    private Map<String, Object> described(StudyResult result) {
        Map<String, Object> json = result.toMap();
        json.put("command", commandLine());
        json.put("version", LibraryVersion.current());
        return json;
    }

    private void changed(StudyResult soFar, Console console) throws IOException {
        if (soFar.done() > 0) {
            Path picture = out.resolve(soFar.name() + ".png");
            byte[] png = null;
            try {
                png = StudyChart.png(soFar);
            } catch (RuntimeException | LinkageError | InternalError e) {
                // Java cannot draw text on a machine without fonts.
                console.warn("can't draw " + picture + ": " + e);
            }
            if (png != null) {
                AtomicFiles.write(picture, png);
            }
        }
        try {
            writeReport(ResultJson.tree(described(soFar)));
        } catch (IOException | RuntimeException e) {
            console.warn("the study continues without its report for now: " + e.getMessage());
        }
        if (ShutdownGuard.requested()) {
            throw new InterruptedIOException("interrupted after " + soFar.done() + " of "
                    + soFar.cells().size() + " cells; train again with the same settings to continue from there");
        }
    }

    private void print(StudyResult result) {
        for (CellResult cell : result.cells()) {
            System.out.printf(
                    Locale.ROOT,
                    "%8s  %s%n",
                    cell.measured() == null
                            ? cell.state()
                            : String.format(
                                    Locale.ROOT, "%.2f%%", 100 * cell.measured().accuracy()),
                    cell.cell().title());
        }
        result.best()
                .ifPresent(b -> System.out.printf(
                        Locale.ROOT,
                        "%nbest: %s; the table is %s, the picture %s%n",
                        b.cell().title(),
                        out.resolve(result.name() + ".csv"),
                        out.resolve(result.name() + ".png")));
    }
}
