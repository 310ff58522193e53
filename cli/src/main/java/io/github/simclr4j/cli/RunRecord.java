// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.github.simclr4j.cli.report.page.ViewRow;
import io.github.simclr4j.train.loop.EpochSummary;
import io.github.simclr4j.train.loop.StartedRun;
import io.github.simclr4j.train.loop.TrainingListener;
import io.github.simclr4j.util.AtomicFiles;
import io.github.simclr4j.util.LibraryVersion;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Writes a file beside the metrics for {@code watch}: all that its page shows of the newest run besides the epochs. */
final class RunRecord implements TrainingListener {
    private final Path file;
    private final String encoder;
    private final String command;
    private final List<ViewRow> views;
    private String run;

    /**
     * Creates the record of a run.
     *
     * @param file file of the record
     * @param encoder file that the run will write
     * @param command shell command that repeats the run
     * @param views images and their views
     */
    RunRecord(Path file, Path encoder, String command, List<ViewRow> views) {
        this.file = file;
        this.encoder = encoder.toString();
        this.command = command;
        this.views = views;
    }

    @Override
    public void runStarted(StartedRun started) throws IOException {
        run = started.name();
        JsonObject record = new JsonObject();
        record.addProperty("encoder", encoder);
        record.addProperty("epochsPlanned", started.epochs());
        record.addProperty("resumedAfterEpoch", started.doneEpochs());
        record.add("settings", ResultJson.tree(new TreeMap<>(started.settings())));
        record.addProperty("command", command);
        record.addProperty("version", LibraryVersion.current());
        write(record);
    }

    @Override
    public void epochFinished(EpochSummary summary) {
        // The metrics file contains the epochs.
    }

    /** Writes the complete result. */
    void finished(Map<String, Object> result) throws IOException {
        if (run != null) {
            JsonObject record = ResultJson.tree(result);
            record.remove("history");
            write(record);
        }
    }

    private void write(JsonObject record) throws IOException {
        record.addProperty("run", run);
        JsonArray rows = new JsonArray();
        for (ViewRow row : views) {
            JsonObject entry = new JsonObject();
            entry.addProperty("name", row.name());
            entry.addProperty("original", row.original());
            JsonArray ways = new JsonArray();
            for (List<String> way : row.views()) {
                JsonArray some = new JsonArray();
                way.forEach(some::add);
                ways.add(some);
            }
            entry.add("views", ways);
            rows.add(entry);
        }
        record.add("views", rows);
        AtomicFiles.write(file, (record + "\n").getBytes(StandardCharsets.UTF_8));
    }
}
