// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.tracking;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Predicate;

/**
 * As much of an MLflow tracking server as a run asks for, by the documentation of its REST API 2.0, with its limits. It keeps all
 * that it gets, and fails or hangs at will.
 */
final class FakeMlflow implements AutoCloseable {
    /** Names of what was asked for, in order, failures included. */
    final List<String> asked = new ArrayList<>();

    final Map<String, String> experiments = new LinkedHashMap<>();
    final List<Run> runs = new ArrayList<>();
    final List<String> authorizations = new ArrayList<>();
    /** What is answered with a status other than 200; 0 for what is answered as it should be. */
    volatile int status;

    volatile Predicate<String> failing = what -> true;
    /** What an answer other than MLflow's is; null for MLflow's. */
    volatile String nonsense;
    /** Whether nothing is answered until it is closed. */
    volatile boolean hanging;

    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final CountDownLatch closed = new CountDownLatch(1);

    /** A run as the server has it. */
    static final class Run {
        final String id;
        final String experiment;
        final Map<String, String> tags = new LinkedHashMap<>();
        final Map<String, String> params = new LinkedHashMap<>();
        /** As {@code name step value}, each once. */
        final Set<String> metrics = new LinkedHashSet<>();

        final List<Integer> batches = new ArrayList<>();
        String status = "RUNNING";
        boolean ended;

        Run(String id, String experiment) {
            this.id = id;
            this.experiment = experiment;
        }
    }

    FakeMlflow(int port) throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
        server.createContext("/", this::answer);
        server.setExecutor(threads);
        server.start();
    }

    FakeMlflow() throws IOException {
        this(0);
    }

    int port() {
        return server.getAddress().getPort();
    }

    URI uri() {
        return URI.create("http://127.0.0.1:" + port());
    }

    private void answer(HttpExchange exchange) throws IOException {
        String what = exchange.getRequestURI().getPath().replaceFirst("^/api/2\\.0/mlflow/", "");
        JsonObject body = exchange.getRequestMethod().equals("POST")
                ? JsonParser.parseString(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8))
                        .getAsJsonObject()
                : new JsonObject();
        int code;
        String text;
        if (hanging) {
            try {
                closed.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        synchronized (this) {
            asked.add(what);
            authorizations.add(exchange.getRequestHeaders().getFirst("Authorization"));
            if (status != 0 && failing.test(what)) {
                code = status;
                text = "{\"error_code\":\"INTERNAL_ERROR\",\"message\":\"broken\\u001b[31m\\nby will\"}";
            } else if (nonsense != null) {
                code = 200;
                text = nonsense;
            } else {
                try {
                    code = 200;
                    text = handle(what, exchange.getRequestURI(), body).toString();
                } catch (Refused e) {
                    code = e.status;
                    text = "{\"error_code\":\"" + e.getMessage() + "\",\"message\":\"no\"}";
                }
            }
        }
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(code, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    private static final class Refused extends RuntimeException {
        private static final long serialVersionUID = 1;
        private final int status;

        Refused(int status, String code) {
            super(code);
            this.status = status;
        }
    }

    private JsonObject handle(String what, URI uri, JsonObject body) {
        JsonObject answer = new JsonObject();
        switch (what) {
            case "experiments/get-by-name" -> {
                String name = URLDecoder.decode(
                        uri.getRawQuery().replaceFirst("^experiment_name=", ""), StandardCharsets.UTF_8);
                if (!experiments.containsKey(name)) {
                    throw new Refused(404, "RESOURCE_DOES_NOT_EXIST");
                }
                JsonObject experiment = new JsonObject();
                experiment.addProperty("experiment_id", experiments.get(name));
                experiment.addProperty("lifecycle_stage", "active");
                answer.add("experiment", experiment);
            }
            case "experiments/create" -> {
                if (experiments.putIfAbsent(body.get("name").getAsString(), "" + (7 + experiments.size())) != null) {
                    throw new Refused(400, "RESOURCE_ALREADY_EXISTS");
                }
                answer.addProperty(
                        "experiment_id", experiments.get(body.get("name").getAsString()));
            }
            case "runs/search" -> {
                String filter = body.get("filter").getAsString();
                if (!filter.matches("tags\\.`simclr4j\\.run` = '[^']+'")) {
                    throw new Refused(400, "INVALID_PARAMETER_VALUE");
                }
                String name = filter.replaceAll(".*'([^']+)'", "$1");
                String experiment = body.getAsJsonArray("experiment_ids").get(0).getAsString();
                JsonArray found = new JsonArray();
                runs.stream()
                        .filter(r -> r.experiment.equals(experiment) && name.equals(r.tags.get("simclr4j.run")))
                        .forEach(r -> found.add(json(r)));
                if (!found.isEmpty()) {
                    answer.add("runs", found);
                }
            }
            case "runs/create" -> {
                Run run = new Run("run" + runs.size(), body.get("experiment_id").getAsString());
                tags(run, body);
                runs.add(run);
                answer.add("run", json(run));
            }
            case "runs/log-batch" -> log(run(body), body);
            case "runs/update" -> {
                Run run = run(body);
                run.status = body.get("status").getAsString();
                run.ended = body.has("end_time");
            }
            default -> throw new Refused(404, "ENDPOINT_NOT_FOUND");
        }
        return answer;
    }

    private Run run(JsonObject body) {
        return runs.stream()
                .filter(r -> r.id.equals(body.get("run_id").getAsString()))
                .findFirst()
                .orElseThrow(() -> new Refused(404, "RESOURCE_DOES_NOT_EXIST"));
    }

    private static void tags(Run run, JsonObject body) {
        for (JsonElement tag : list(body, "tags")) {
            run.tags.put(
                    tag.getAsJsonObject().get("key").getAsString(),
                    tag.getAsJsonObject().get("value").getAsString());
        }
    }

    private static void log(Run run, JsonObject body) {
        JsonArray metrics = list(body, "metrics");
        JsonArray params = list(body, "params");
        if (metrics.size() > 1000 || params.size() > 100 || list(body, "tags").size() > 100) {
            throw new Refused(400, "INVALID_PARAMETER_VALUE");
        }
        tags(run, body);
        for (JsonElement p : params) {
            String key = p.getAsJsonObject().get("key").getAsString();
            String value = p.getAsJsonObject().get("value").getAsString();
            if (value.length() > 500
                    || key.length() > 250
                    || !key.matches("[\\w./ -]+")
                    || key.contains("//")
                    || key.contains("/../")
                    || !run.params.getOrDefault(key, value).equals(value)) {
                throw new Refused(400, "INVALID_PARAMETER_VALUE");
            }
            run.params.put(key, value);
        }
        for (JsonElement m : metrics) {
            JsonObject metric = m.getAsJsonObject();
            metric.get("timestamp").getAsLong();
            run.metrics.add(metric.get("key").getAsString() + " " + metric.get("step") + " "
                    + metric.get("value").getAsDouble());
        }
        if (!metrics.isEmpty()) {
            run.batches.add(metrics.size());
        }
    }

    private static JsonArray list(JsonObject body, String name) {
        return body.has(name) ? body.getAsJsonArray(name) : new JsonArray();
    }

    private static JsonObject json(Run run) {
        JsonObject info = new JsonObject();
        info.addProperty("run_id", run.id);
        info.addProperty("experiment_id", run.experiment);
        JsonArray params = new JsonArray();
        run.params.forEach((key, value) -> {
            JsonObject param = new JsonObject();
            param.addProperty("key", key);
            param.addProperty("value", value);
            params.add(param);
        });
        JsonObject data = new JsonObject();
        data.add("params", params);
        JsonObject json = new JsonObject();
        json.add("info", info);
        json.add("data", data);
        return json;
    }

    /** Returns the names asked for so far. */
    synchronized List<String> asked() {
        return List.copyOf(asked);
    }

    @Override
    public void close() {
        closed.countDown();
        server.stop(0);
        threads.shutdownNow();
    }
}
