// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.tracking;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A client of the <a href="https://mlflow.org/docs/latest/rest-api.html">REST API</a> 2.0 of an MLflow tracking server. Requests have a
 * timeout and a limit on the length of the response. Redirects are not followed, because they could send credentials elsewhere.
 */
final class MlflowServer {
    private static final Duration CONNECT = Duration.ofSeconds(5);
    private static final long LONGEST_ANSWER = 4L << 20;
    private static final int LONGEST_MESSAGE = 300;

    private final URI uri;
    private final String base;
    private final String authorization;
    private final Duration timeout;
    private final HttpClient client;

    /**
     * Creates a client; nothing is sent yet.
     *
     * @param uri {@code http} or {@code https} URL, optionally with a path that the API is below
     * @param environment environment variables with MLflow's credentials: {@code MLFLOW_TRACKING_USERNAME} and
     *     {@code MLFLOW_TRACKING_PASSWORD}, or {@code MLFLOW_TRACKING_TOKEN}
     * @param timeout timeout of a request, including the response
     * @throws IllegalArgumentException if the URL is not valid
     */
    MlflowServer(URI uri, Map<String, String> environment, Duration timeout) {
        String scheme = uri.getScheme() == null ? "" : uri.getScheme().toLowerCase(Locale.ROOT);
        if (uri.getRawUserInfo() != null) {
            throw new IllegalArgumentException(
                    "The address of an MLflow server must not contain a user and password: set"
                            + " MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD in the environment");
        }
        if (!scheme.equals("http") && !scheme.equals("https")
                || uri.getHost() == null
                || uri.getRawQuery() != null
                || uri.getRawFragment() != null) {
            throw new IllegalArgumentException(
                    "Expected the address of an MLflow server, such as http://localhost:5000, found " + uri);
        }
        this.uri = uri;
        this.timeout = timeout;
        base = uri.toString().replaceAll("/+$", "") + "/api/2.0/mlflow/";
        authorization = authorization(environment);
        client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(timeout.compareTo(CONNECT) < 0 ? timeout : CONNECT)
                .build();
    }

    /** Returns the authorization header, in MLflow's order of precedence; null without credentials. */
    private static String authorization(Map<String, String> environment) {
        String user = environment.getOrDefault("MLFLOW_TRACKING_USERNAME", "");
        String password = environment.getOrDefault("MLFLOW_TRACKING_PASSWORD", "");
        String token = environment.getOrDefault("MLFLOW_TRACKING_TOKEN", "");
        if (!user.isEmpty() && !password.isEmpty()) {
            return "Basic "
                    + Base64.getEncoder().encodeToString((user + ":" + password).getBytes(StandardCharsets.UTF_8));
        }
        if (token.isEmpty()) {
            return null;
        }
        if (!token.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
            // The token stays out of the message.
            throw new IllegalArgumentException(
                    "MLFLOW_TRACKING_TOKEN in the environment has a character that is not allowed in a token,"
                            + " such as a line break");
        }
        return "Bearer " + token;
    }

    URI uri() {
        return uri;
    }

    /** Sends a GET request with query parameters. */
    JsonObject get(String what, Map<String, String> parameters) throws MlflowFailure, InterruptedException {
        StringBuilder query = new StringBuilder();
        parameters.forEach((name, value) -> query.append(query.isEmpty() ? '?' : '&')
                .append(name)
                .append('=')
                .append(URLEncoder.encode(value, StandardCharsets.UTF_8)));
        return ask(what, HttpRequest.newBuilder(URI.create(base + what + query)).GET());
    }

    /** Sends a POST request with a JSON object. */
    JsonObject post(String what, JsonObject body) throws MlflowFailure, InterruptedException {
        return ask(
                what,
                HttpRequest.newBuilder(URI.create(base + what))
                        .header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(body.toString())));
    }

    private JsonObject ask(String what, HttpRequest.Builder question) throws MlflowFailure, InterruptedException {
        if (authorization != null) {
            question.header("Authorization", authorization);
        }
        CompletableFuture<HttpResponse<String>> answer =
                client.sendAsync(question.timeout(timeout).build(), info -> new LimitedBody(LONGEST_ANSWER));
        try {
            return read(what, answer.get(timeout.toMillis(), TimeUnit.MILLISECONDS));
        } catch (TimeoutException e) {
            throw new MlflowFailure("it does not answer within " + timeout.toMillis() / 1000.0 + " s", false, "");
        } catch (ExecutionException e) {
            throw new MlflowFailure(reason(e.getCause()), false, "");
        } finally {
            // Cancels a request that is still in progress.
            answer.cancel(true);
        }
    }

    private static String reason(Throwable e) {
        if (e instanceof java.net.http.HttpTimeoutException) {
            return "it does not answer in time";
        }
        String text = e.getMessage();
        for (Throwable cause = e; cause != null && text == null; cause = cause.getCause()) {
            text = cause.getMessage();
        }
        return e instanceof java.net.ConnectException
                ? "it can't be reached" + (text == null ? "" : " (" + oneLine(text) + ")")
                : "the connection failed: " + oneLine(text == null ? e.toString() : text);
    }

    private static JsonObject read(String what, HttpResponse<String> answer) throws MlflowFailure {
        int status = answer.statusCode();
        JsonObject object = parse(answer.body());
        if (status == 200) {
            if (object == null) {
                throw new MlflowFailure(
                        "its response to " + what + " is not MLflow's: is the address correct?", true, "");
            }
            return object;
        }
        String code = text(object, "error_code");
        String message = oneLine(text(object, "message"));
        String said = "it answers " + what + " with HTTP " + status + (code.isEmpty() ? "" : " " + oneLine(code))
                + (message.isEmpty() ? "" : ": " + message);
        if (status == 401 || status == 403) {
            said +=
                    "; set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, in the environment";
        }
        boolean busy = status >= 500 || status == 429 || status == 408;
        throw new MlflowFailure(said, !busy, code);
    }

    private static JsonObject parse(String text) {
        try {
            JsonElement read = JsonParser.parseString(text);
            return read.isJsonObject() ? read.getAsJsonObject() : null;
        } catch (JsonParseException e) {
            return null;
        }
    }

    private static String text(JsonObject object, String name) {
        JsonElement value = object == null ? null : object.get(name);
        return value != null && value.isJsonPrimitive() ? value.getAsString() : "";
    }

    /** Removes control characters from a server's text, which could affect the terminal, and limits its length. */
    private static String oneLine(String text) {
        String line = text.replaceAll("[\\p{Cntrl}\\s]+", " ").strip();
        return line.length() <= LONGEST_MESSAGE ? line : line.substring(0, LONGEST_MESSAGE) + "...";
    }
}
