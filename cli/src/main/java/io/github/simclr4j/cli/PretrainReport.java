// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import com.google.gson.JsonObject;
import io.github.simclr4j.cli.report.HtmlPage;
import io.github.simclr4j.cli.report.page.PretrainPage;
import io.github.simclr4j.cli.report.page.ViewRow;
import io.github.simclr4j.train.loop.EpochSummary;
import io.github.simclr4j.train.loop.StartedRun;
import io.github.simclr4j.train.loop.TrainingListener;
import io.github.simclr4j.train.monitor.Metrics;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Gathers the figures of a run by epoch, and has its report written while it goes on. */
final class PretrainReport implements TrainingListener {
    /** The report takes at most one part in so many of the time. */
    private static final int SHARE = 200;

    private final PretrainCommand command;
    private final Path metrics;
    private final Console console;
    private final List<Object> history = new ArrayList<>();
    private List<ViewRow> views = List.of();
    private StartedRun run;
    private long next = System.nanoTime();
    private boolean failed;

    PretrainReport(PretrainCommand command, Path metrics, Console console) {
        this.command = command;
        this.metrics = metrics;
        this.console = console;
    }

    /** Shows images beside their views. */
    void views(List<ViewRow> rows) {
        views = rows;
    }

    @Override
    public void runStarted(StartedRun started) {
        run = started;
        if (started.doneEpochs() > 0) {
            read(started.name());
        }
    }

    /** Takes the epochs that a run has done before from the file of metrics, as far as they are there. */
    private void read(String name) {
        try {
            for (JsonObject line : Metrics.read(metrics, name)) {
                line.remove("run");
                history.add(line);
            }
        } catch (IOException e) {
            console.warn("the epochs before are missing in the report: " + e.getMessage());
        }
    }

    /** The run is over; where all of its epochs had been done before, nobody was told of a start. */
    void ended(String name) {
        if (run == null) {
            read(name);
        }
    }

    @Override
    public void epochFinished(EpochSummary epoch) {
        history.add(epoch.toMap());
        if (command.reportFile() == null || System.nanoTime() < next || epoch.epoch() == epoch.epochs()) {
            return;
        }
        long begin = System.nanoTime();
        try {
            Map<String, Object> soFar = new LinkedHashMap<>();
            addTo(soFar);
            soFar.put("settings", run.settings());
            command.writeReport(ResultJson.tree(soFar));
        } catch (IOException | RuntimeException e) {
            // Whatever is wrong with a page, the training is worth more.
            if (!failed) {
                console.warn("the run goes on without a report for now: " + e.getMessage());
            }
            failed = true;
        }
        next = System.nanoTime() + SHARE * (System.nanoTime() - begin);
    }

    /** Adds what is known by now to a result. */
    void addTo(Map<String, Object> result) {
        if (run != null) {
            result.put("epochsPlanned", run.epochs());
        }
        result.put("history", history);
        result.put("command", command.commandLine());
    }

    HtmlPage page(JsonObject record) {
        return PretrainPage.of(record, views);
    }
}
