// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.study;

import io.github.simclr4j.util.OptionValues;
import io.github.simclr4j.util.OutputLock;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Runs a study: pretrains the encoder of each cell and measures it by linear evaluation with all labels
 * (<a href="https://arxiv.org/abs/2002.05709">Chen et al. 2020</a>, section 2.3).
 *
 * <pre>{@code
 * StudyResult result = new StudyRunner(new TemperatureStudy(), Map.of(), Map.of("epochs", "10"), images, Path.of("study"))
 *         .run();
 * }</pre>
 *
 * <p>All results are saved in the folder. After an interruption or a crash, the next run with the same study, settings and images
 * continues within the cell that was interrupted. A cell that fails is reported, and the study continues; the next run tries the cell
 * again. Not thread-safe.
 *
 * @since 0.1.0
 */
public final class StudyRunner {
    /** Epochs of a cell if neither the study nor the given settings set them. */
    public static final int EPOCHS = 10;

    private final Study study;
    private final OptionValues options;
    private final StudyPlan plan;
    private final Map<String, String> given;
    private final StudyImages images;
    private final StudyFolder folder;
    private final SettingFiles files;
    private StudyMachine machine = StudyMachine.DEFAULT;
    private StudyListener listener = soFar -> {};
    private Progress progress = Progress.NONE;

    /**
     * Prepares a study.
     *
     * @param study the study
     * @param options values of the study's own options by name
     * @param given settings of all cells by the names of {@link CellSettings}; a cell ignores settings that its method or encoder lacks.
     *     The default number of epochs is {@link #EPOCHS}
     * @param images images for training and testing
     * @param folder folder of the results
     * @throws IllegalArgumentException if an option is out of range, or a given setting is one that the cells set
     */
    public StudyRunner(
            Study study, Map<String, String> options, Map<String, String> given, StudyImages images, Path folder) {
        this.study = study;
        this.options = OptionValues.of(study.options(), options);
        this.plan = study.plan(this.options);
        this.given = new TreeMap<>(given);
        this.images = images;
        this.folder = new StudyFolder(folder);
        this.files = new SettingFiles(study.options());
        for (Cell cell : plan.cells()) {
            for (String name : cell.settings().keySet()) {
                if (given.containsKey(name)) {
                    throw new IllegalArgumentException(
                            "The study " + study.name() + " sets the setting " + name + " itself: leave it out");
                }
            }
        }
        if (plan.cells().stream().noneMatch(c -> c.settings().containsKey("epochs"))) {
            this.given.putIfAbsent("epochs", "" + EPOCHS);
        }
    }

    /** Sets the resources of the study. */
    public StudyRunner machine(StudyMachine where) {
        machine = where;
        return this;
    }

    /** Sets the listener that observes the results. */
    public StudyRunner listener(StudyListener told) {
        listener = told;
        return this;
    }

    /** Sets the receiver of progress and warnings. */
    public StudyRunner progress(Progress told) {
        progress = told;
        return this;
    }

    /** Returns the given settings, which apply to every cell that has them. */
    public Map<String, String> given() {
        return Map.copyOf(given);
    }

    /** Returns the cells. */
    public StudyPlan plan() {
        return plan;
    }

    /**
     * Runs the cells that are not done.
     *
     * @return the results of all cells
     * @throws IllegalArgumentException if no cell can be run with these settings, or one of them has no effect in any cell
     * @throws IllegalStateException if the images of the evaluation have different classes, or if a GPU is requested and there is none
     * @throws IOException if the folder holds another study or other settings, if another process runs a study in it, if it cannot be
     *     written, or if images cannot be read
     * @throws InterruptedIOException if the thread was interrupted; the state is saved first
     */
    public StudyResult run() throws IOException {
        // The device, and warnings that apply to every cell, are reported once.
        Progress once = new WithoutRepetition(progress);
        List<CellRun> runs = plan.cells().stream()
                .map(c -> new CellRun(c, given, images, folder, files, machine, once))
                .toList();
        Map<CellRun, String> impossible = check(runs);
        images.train().sameClasses(images.test());
        Files.createDirectories(folder.path());
        OutputLock lock = OutputLock.of(folder.path());
        try {
            return run(runs, impossible);
        } finally {
            lock.close();
        }
    }

    private StudyResult run(List<CellRun> runs, Map<CellRun, String> impossible) throws IOException {
        folder.begin(study.name(), common());
        Map<Cell, CellResult> results = new LinkedHashMap<>();
        for (CellRun run : runs) {
            results.put(run.cell(), new CellResult(run.cell(), impossible.containsKey(run) ? null : run.done(), null));
        }
        impossible.forEach((run, why) -> results.put(run.cell(), failed(run.cell(), why)));
        tell(results);
        List<CellRun> open =
                runs.stream().filter(r -> results.get(r.cell()).isOpen()).toList();
        int before = plan.cells().size() - open.size();
        if (before > impossible.size()) {
            progress.line(before - impossible.size() + " of " + plan.cells().size() + " cells were already done");
        }
        long start = System.nanoTime();
        for (int i = 0; i < open.size(); i++) {
            Cell cell = open.get(i).cell();
            String which = "cell " + (before + i + 1) + " of " + plan.cells().size() + " (" + cell.title() + ")";
            progress.line(which);
            CellResult result = run(open.get(i), which);
            results.put(cell, result);
            tell(results);
            double each = (System.nanoTime() - start) / 1e9 / (i + 1);
            progress.line(which + ": " + outcome(result) + left(each * (open.size() - i - 1)));
        }
        return result(results);
    }

    private CellResult run(CellRun run, String which) throws IOException {
        try {
            if (Thread.interrupted()) {
                throw new InterruptedIOException("interrupted");
            }
            return new CellResult(run.cell(), run.run(), null);
        } catch (IOException | RuntimeException e) {
            // Code that reads or writes files may throw another exception after an interrupt.
            if (e instanceof InterruptedIOException || Thread.interrupted()) {
                InterruptedIOException interrupted = new InterruptedIOException(
                        "interrupted in " + which + "; train again with the same settings to continue from there");
                interrupted.initCause(e);
                throw interrupted;
            }
            String why = e.getMessage() == null ? e.toString() : e.getMessage();
            progress.warn(which + " failed: " + why);
            return failed(run.cell(), why);
        }
    }

    private static CellResult failed(Cell cell, String why) {
        return new CellResult(cell, null, why.replaceAll("\\s*\\R\\s*", " "));
    }

    /** Returns the cells that cannot be run with these settings, with the reasons. */
    private Map<CellRun, String> check(List<CellRun> runs) throws IOException {
        Map<CellRun, String> impossible = new LinkedHashMap<>();
        TreeSet<String> unused = new TreeSet<>(given.keySet());
        runs.forEach(run -> unused.addAll(run.cell().settings().keySet()));
        Map<String, String> conditions = new HashMap<>();
        for (CellRun run : runs) {
            try {
                Map<String, String> here = run.check();
                unused.removeIf(name -> run.settings().containsKey(name) && !here.containsKey(name));
                here.forEach((name, when) -> conditions.merge(name, when, (a, b) -> a.isEmpty() ? b : a));
            } catch (IllegalArgumentException | IOException e) {
                impossible.put(run, String.valueOf(e.getMessage()));
                // What varies between the cells may have an effect in this one.
                unused.removeAll(run.cell().settings().keySet());
            }
        }
        if (impossible.size() == runs.size()) {
            throw new IllegalArgumentException(impossible.values().iterator().next());
        }
        if (!unused.isEmpty()) {
            String name = unused.first();
            String when = conditions.getOrDefault(name, "");
            throw new IllegalArgumentException(
                    when.isEmpty()
                            ? "No cell of the study " + study.name() + " has the setting " + name + ": leave it out"
                            : "In the study " + study.name() + " the setting " + name + " has an effect only " + when
                                    + ": leave it out");
        }
        impossible.forEach((run, why) -> progress.warn("the cell " + run.cell().title() + " cannot be run: " + why));
        return impossible;
    }

    /** Returns what must be equal to continue a study. */
    private Map<String, String> common() throws IOException {
        Map<String, String> common = new LinkedHashMap<>(files.hashed(given));
        common.putAll(files.hashed(options.texts()));
        common.put("images", images.images().fingerprint());
        common.put("train images", images.train().source().fingerprint());
        common.put("test images", images.test().source().fingerprint());
        return common;
    }

    private void tell(Map<Cell, CellResult> results) throws IOException {
        StudyResult soFar = result(results);
        folder.writeResult(soFar);
        listener.changed(soFar);
    }

    private StudyResult result(Map<Cell, CellResult> results) {
        Map<String, Integer> counts = Map.of(
                "images",
                images.images().size(),
                "train",
                images.train().source().size(),
                "test",
                images.test().source().size());
        return new StudyResult(
                study.name(),
                study.summary(),
                study.source(),
                plan.chart(),
                plan.axes(),
                given,
                counts,
                new ArrayList<>(results.values()));
    }

    private static String outcome(CellResult result) {
        return result.measured() == null
                ? "failed"
                : String.format(
                        Locale.ROOT,
                        "%.2f%%, %.0f s",
                        100 * result.measured().accuracy(),
                        result.measured().seconds());
    }

    private static String left(double seconds) {
        return seconds < 1
                ? ""
                : seconds < 120
                        ? String.format(Locale.ROOT, "; about %.0f s left", seconds)
                        : String.format(Locale.ROOT, "; about %.0f min left", seconds / 60);
    }
}
