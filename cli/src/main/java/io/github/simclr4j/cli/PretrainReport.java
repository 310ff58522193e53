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

/** Collects the figures of a run by epoch, and has its report written during the training. */
final class PretrainReport implements TrainingListener {
    /** The report takes at most one part in this many of the time. */
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

    /** Sets the images and views that the report shows. */
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

    /** Reads the earlier epochs of a resumed run from the metrics file, as far as it contains them. */
    private void read(String name) {
        try {
            for (JsonObject line : Metrics.read(metrics, name)) {
                line.remove("run");
                history.add(line);
            }
        } catch (IOException e) {
            console.warn("the report lacks the epochs before this start: " + e.getMessage());
        }
    }

    /** Completes the history at the end of a run; a run whose epochs were all done before reported no start. */
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
            // A failure of the page must not stop the training.
            if (!failed) {
                console.warn("the run continues without a report for now: " + e.getMessage());
            }
            failed = true;
        }
        next = System.nanoTime() + SHARE * (System.nanoTime() - begin);
    }

    /** Adds the figures so far to a result. */
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
