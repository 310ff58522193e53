// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.tracking;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.github.simclr4j.train.loop.StartedRun;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A run on a tracking server, with requests that respect the server's limits. All requests are idempotent. */
final class MlflowRun {
    /** Largest number of entries per request, from the documentation of {@code runs/log-batch}. */
    static final int MOST_METRICS = 1000;

    static final int MOST_PARAMS = 100;
    static final int MOST_TAGS = 100;
    /** Largest length of a parameter's value since MLflow 1.28; older servers accept half of it. */
    static final int LONGEST_PARAM = 500;

    static final int LONGEST_NAME = 250;
    /** Tag with the name of the run, by which a continued run finds its MLflow run. */
    static final String NAME = "simclr4j.run";

    private static final String CHANGED = "simclr4j.changed.";

    private final MlflowServer server;
    private final String experiment;
    private final String id;

    private MlflowRun(MlflowServer server, String experiment, String id) {
        this.server = server;
        this.experiment = experiment;
        this.id = id;
    }

    /**
     * Metrics of an epoch.
     *
     * @param step the epoch, from 1
     * @param milliseconds time in milliseconds since 1970
     * @param values values by name
     */
    record Figures(int step, long milliseconds, Map<String, Double> values) {}

    /**
     * Finds or creates the run and its experiment, and records the settings.
     *
     * @param server the server
     * @param experiment name of the experiment
     * @param run the run
     * @param began start time in milliseconds since 1970
     */
    static MlflowRun open(MlflowServer server, String experiment, StartedRun run, long began)
            throws MlflowFailure, InterruptedException {
        String experimentId = experiment(server, experiment);
        JsonObject search = new JsonObject();
        search.add("experiment_ids", array(List.of(experimentId)));
        search.addProperty("filter", "tags.`" + NAME + "` = '" + run.name() + "'");
        search.addProperty("max_results", 1);
        JsonElement found = server.post("runs/search", search).get("runs");
        Map<String, String> settings = new TreeMap<>();
        run.settings().forEach((name, value) -> settings.put(name(name), value(value)));
        JsonObject entry;
        Map<String, String> changed = new TreeMap<>();
        if (found != null && !found.getAsJsonArray().isEmpty()) {
            entry = found.getAsJsonArray().get(0).getAsJsonObject();
            // MLflow parameters are immutable, so settings that a continued run has changed become tags.
            params(entry).forEach((name, old) -> {
                String now = settings.remove(name);
                if (now != null && !now.equals(old)) {
                    changed.put(CHANGED + name, now);
                }
            });
        } else {
            JsonObject make = new JsonObject();
            make.addProperty("experiment_id", experimentId);
            make.addProperty("run_name", run.settings().getOrDefault("training.method", "run") + " " + run.name());
            make.addProperty("start_time", began);
            make.add("tags", pairs(Map.of(NAME, run.name(), "mlflow.source.name", "simclr4j")));
            entry = server.post("runs/create", make).getAsJsonObject("run");
        }
        MlflowRun opened = new MlflowRun(
                server,
                experimentId,
                entry.getAsJsonObject("info").get("run_id").getAsString());
        opened.status("RUNNING", 0);
        for (Map<String, String> part : parts(settings, MOST_PARAMS)) {
            opened.log("params", pairs(part));
        }
        for (Map<String, String> part : parts(changed, MOST_TAGS)) {
            opened.log("tags", pairs(part));
        }
        return opened;
    }

    private static String experiment(MlflowServer server, String name) throws MlflowFailure, InterruptedException {
        try {
            return existing(server, name);
        } catch (MlflowFailure e) {
            if (!e.code().equals("RESOURCE_DOES_NOT_EXIST")) {
                throw e;
            }
        }
        JsonObject make = new JsonObject();
        make.addProperty("name", name);
        try {
            return server.post("experiments/create", make).get("experiment_id").getAsString();
        } catch (MlflowFailure e) {
            // Another run has created it in the meantime.
            if (!e.code().equals("RESOURCE_ALREADY_EXISTS")) {
                throw e;
            }
            return existing(server, name);
        }
    }

    private static String existing(MlflowServer server, String name) throws MlflowFailure, InterruptedException {
        JsonObject found = server.get("experiments/get-by-name", Map.of("experiment_name", name))
                .getAsJsonObject("experiment");
        if (found.has("lifecycle_stage")
                && found.get("lifecycle_stage").getAsString().equals("deleted")) {
            throw new MlflowFailure(
                    "the experiment " + name + " is deleted there: restore it, or choose another", true, "");
        }
        return found.get("experiment_id").getAsString();
    }

    private static Map<String, String> params(JsonObject run) {
        Map<String, String> all = new HashMap<>();
        JsonObject data = run.getAsJsonObject("data");
        if (data != null && data.has("params")) {
            data.getAsJsonArray("params")
                    .forEach(p -> all.put(
                            p.getAsJsonObject().get("key").getAsString(),
                            p.getAsJsonObject().get("value").getAsString()));
        }
        return all;
    }

    /** Returns the URL of the run in a browser. */
    String address() {
        return server.uri().toString().replaceAll("/+$", "") + "/#/experiments/" + experiment + "/runs/" + id;
    }

    /** Records at least one epoch. */
    void log(List<Figures> epochs) throws MlflowFailure, InterruptedException {
        JsonArray metrics = new JsonArray();
        for (Figures epoch : epochs) {
            for (Map.Entry<String, Double> value : epoch.values().entrySet()) {
                if (metrics.size() == MOST_METRICS) {
                    log("metrics", metrics);
                    metrics = new JsonArray();
                }
                JsonObject metric = new JsonObject();
                metric.addProperty("key", value.getKey());
                metric.addProperty("value", value.getValue());
                metric.addProperty("timestamp", epoch.milliseconds());
                metric.addProperty("step", epoch.step());
                metrics.add(metric);
            }
        }
        log("metrics", metrics);
    }

    private void log(String kind, JsonArray entries) throws MlflowFailure, InterruptedException {
        JsonObject batch = new JsonObject();
        batch.addProperty("run_id", id);
        batch.add(kind, entries);
        server.post("runs/log-batch", batch);
    }

    /**
     * Sets the status of the run.
     *
     * @param status {@code RUNNING}, {@code FINISHED}, {@code FAILED} or {@code KILLED}
     * @param ended end time in milliseconds since 1970, or 0 while it is running
     */
    void status(String status, long ended) throws MlflowFailure, InterruptedException {
        JsonObject update = new JsonObject();
        update.addProperty("run_id", id);
        update.addProperty("status", status);
        if (ended > 0) {
            update.addProperty("end_time", ended);
        }
        server.post("runs/update", update);
    }

    /** Replaces characters that MLflow rejects. Slashes are replaced, too, because some paths with them are not allowed. */
    private static String name(String text) {
        String allowed = text.replaceAll("[^A-Za-z0-9_. -]", "_");
        return allowed.substring(0, Math.min(LONGEST_NAME, allowed.length()));
    }

    /** Shortens a long value, with an ellipsis at its end. */
    private static String value(String text) {
        return text.length() <= LONGEST_PARAM ? text : text.substring(0, LONGEST_PARAM - 3) + "...";
    }

    private static JsonArray array(List<String> texts) {
        JsonArray all = new JsonArray();
        texts.forEach(all::add);
        return all;
    }

    private static JsonArray pairs(Map<String, String> values) {
        JsonArray all = new JsonArray();
        values.forEach((key, value) -> {
            JsonObject pair = new JsonObject();
            pair.addProperty("key", key);
            pair.addProperty("value", value);
            all.add(pair);
        });
        return all;
    }

    private static List<Map<String, String>> parts(Map<String, String> all, int most) {
        List<Map<String, String>> parts = new ArrayList<>();
        for (Map.Entry<String, String> e : all.entrySet()) {
            if (parts.isEmpty() || parts.get(parts.size() - 1).size() == most) {
                parts.add(new TreeMap<>());
            }
            parts.get(parts.size() - 1).put(e.getKey(), e.getValue());
        }
        return parts;
    }
}
