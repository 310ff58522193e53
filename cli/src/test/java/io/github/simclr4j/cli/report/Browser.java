// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.report;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.File;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A Chromium that runs without a screen, driven through its chromedriver by the WebDriver protocol (JSON over HTTP on the loopback
 * address), which needs no library. Nothing is downloaded. Closing it ends both processes.
 */
public final class Browser implements AutoCloseable {
    private static final Gson GSON = new Gson();
    private static final Duration PATIENCE = Duration.ofSeconds(120);

    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final Process driver;
    private final String address;
    private String session = "";

    private Browser(Path chromium, Path chromedriver) throws IOException {
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        driver = new ProcessBuilder(chromedriver.toString(), "--port=" + port, "--silent")
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        address = "http://127.0.0.1:" + port;
        Map<String, Object> options = Map.of(
                "binary",
                chromium.toString(),
                "args",
                List.of(
                        "--headless=new",
                        "--no-sandbox",
                        "--disable-gpu",
                        "--disable-dev-shm-usage",
                        "--no-first-run",
                        "--disable-background-networking"));
        Map<String, Object> capabilities = Map.of(
                "browserName",
                "chrome",
                "goog:chromeOptions",
                options,
                "goog:loggingPrefs",
                Map.of("browser", "ALL", "performance", "ALL"));
        await();
        session = "/session/"
                + call("POST", "/session", Map.of("capabilities", Map.of("alwaysMatch", capabilities)))
                        .getAsJsonObject()
                        .get("sessionId")
                        .getAsString();
    }

    /** Opens a browser, or skips the test where none is installed. */
    public static Browser openOrSkip() throws IOException {
        Path chromium = find("chromium", "chromium-browser", "google-chrome");
        Path driver = find("chromedriver");
        assumeTrue(
                chromium != null && driver != null,
                "No Chromium with its chromedriver on the PATH: the pages are not looked at in" + " a browser");
        return new Browser(chromium, driver);
    }

    private static Path find(String... names) {
        return Stream.of(names)
                .flatMap(name -> Stream.of(System.getenv("PATH").split(File.pathSeparator))
                        .map(folder -> Path.of(folder, name)))
                .filter(Files::isExecutable)
                .findFirst()
                .orElse(null);
    }

    private void await() throws IOException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            try {
                if (call("GET", "/status", null).getAsJsonObject().get("ready").getAsBoolean()) {
                    return;
                }
            } catch (IOException e) {
                if (System.nanoTime() > end || !driver.isAlive()) {
                    throw e;
                }
            }
            try {
                Thread.sleep(50);
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
        }
    }

    private JsonElement call(String method, String path, Object body) throws IOException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(address + path))
                .timeout(PATIENCE)
                .header("Content-Type", "application/json");
        request.method(
                method,
                body == null
                        ? HttpRequest.BodyPublishers.noBody()
                        : HttpRequest.BodyPublishers.ofString(GSON.toJson(body)));
        try {
            HttpResponse<String> response = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
            if (response.statusCode() != 200) {
                throw new IllegalStateException(method + " " + path + ": " + response.body());
            }
            return JsonParser.parseString(response.body()).getAsJsonObject().get("value");
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    /** Runs a command of Chromium's DevTools protocol. */
    public JsonObject devTools(String command, Map<String, Object> parameters) throws IOException {
        return call("POST", session + "/goog/cdp/execute", Map.of("cmd", command, "params", parameters))
                .getAsJsonObject();
    }

    /** Gives the window a width in pixels, and the page light or dark. */
    public void look(int width, boolean dark) throws IOException {
        devTools(
                "Emulation.setDeviceMetricsOverride",
                Map.of("width", width, "height", 900, "deviceScaleFactor", 1, "mobile", width < 600));
        devTools(
                "Emulation.setEmulatedMedia",
                Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", dark ? "dark" : "light"))));
    }

    /** Opens an address. */
    public void open(URI page) throws IOException {
        call("POST", session + "/url", Map.of("url", page.toString()));
    }

    /** Runs a script in the page and returns what it returns. */
    public JsonElement script(String code) throws IOException {
        return call("POST", session + "/execute/sync", Map.of("script", code, "args", List.of()));
    }

    /** Presses a key, such as {@code Tab}, whose code is 9. */
    public void press(String key, int code) throws IOException {
        for (String type : List.of("rawKeyDown", "keyUp")) {
            devTools(
                    "Input.dispatchKeyEvent",
                    Map.of("type", type, "key", key, "code", key, "windowsVirtualKeyCode", code));
        }
    }

    /** Returns what the page has said on its console since the last call, errors of loading included. */
    public List<String> console() throws IOException {
        return messages("browser").stream()
                .map(m -> m.get("message").getAsString())
                .toList();
    }

    /** Returns the addresses that were asked for since the last call. */
    public List<String> requests() throws IOException {
        List<String> addresses = new ArrayList<>();
        for (JsonObject entry : messages("performance")) {
            JsonObject message = JsonParser.parseString(entry.get("message").getAsString())
                    .getAsJsonObject()
                    .getAsJsonObject("message");
            if (message.get("method").getAsString().equals("Network.requestWillBeSent")) {
                addresses.add(message.getAsJsonObject("params")
                        .getAsJsonObject("request")
                        .get("url")
                        .getAsString());
            }
        }
        return addresses;
    }

    private List<JsonObject> messages(String type) throws IOException {
        JsonArray all = call("POST", session + "/se/log", Map.of("type", type)).getAsJsonArray();
        return all.asList().stream().map(JsonElement::getAsJsonObject).toList();
    }

    @Override
    public void close() throws IOException {
        try {
            call("DELETE", session, null);
        } finally {
            driver.destroy();
        }
    }
}
