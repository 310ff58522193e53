// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import static io.github.simclr4j.cli.CommandLineTest.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.sun.net.httpserver.HttpServer;
import io.github.simclr4j.cli.CommandLineTest.Run;
import io.github.simclr4j.train.data.BuiltInImages;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code watch}, and what {@code pretrain} tells others while it trains. */
class WatchCommandTest {
    @TempDir
    Path dir;

    private Run pretrain(Object... more) throws IOException {
        BuiltInImages.write(dir.resolve("images"), 2, 1);
        List<Object> all = new ArrayList<>(List.of(
                "pretrain",
                "--images",
                dir.resolve("images"),
                "--out",
                dir.resolve("out/e.onnx"),
                "--epochs",
                2,
                "--width",
                0.0625,
                "--image-size",
                16,
                "--batch",
                8,
                "--device",
                "cpu",
                "--threads",
                1));
        all.addAll(List.of(more));
        return run(all.toArray());
    }

    @Test
    @Tag("slow")
    void aRunIsWatchedAndAWatchEndsWhenItIsAskedTo() throws Exception {
        assumeFalse(System.getProperty("os.name").startsWith("Windows"), "a process there has no signal to end by");
        Run run = pretrain();
        assertEquals(0, run.code(), run.err());
        ProcessBuilder command = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        Main.class.getName(),
                        "watch",
                        dir.resolve("out").toString(),
                        "--port",
                        "0")
                .redirectErrorStream(true);
        command.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        Process watch = command.start();
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(watch.getInputStream(), StandardCharsets.UTF_8))) {
            String first = lines.readLine();
            assertTrue(
                    first.matches("Watching .*out at http://127\\.0\\.0\\.1:\\d+/ \\(Ctrl-C stops watching\\)"), first);
            String page = HttpClient.newHttpClient()
                    .send(
                            HttpRequest.newBuilder(URI.create(first.replaceAll(".*(http\\S+/).*", "$1")))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString())
                    .body();
            JsonObject record = JsonParser.parseString(Files.readString(dir.resolve("out/metrics.run.json")))
                    .getAsJsonObject();
            for (String part : List.of(
                    "Pretraining of e.onnx",
                    record.get("encoderSha256").getAsString(),
                    "After epoch",
                    "--epochs 2",
                    "data:image/png;base64,")) {
                assertTrue(page.contains(part), part);
            }
            watch.toHandle().destroy();
            assertEquals(
                    "simclr: the watch of " + dir.resolve("out") + " has ended; a running training continues",
                    lines.readLine());
            assertEquals(143, watch.waitFor());
        } finally {
            watch.destroyForcibly();
        }
    }

    @Test
    void badUsageIsRefusedInOneSentence() throws IOException {
        Run missing = run("watch", dir.resolve("none"));
        assertEquals(1, missing.code());
        assertTrue(missing.err().startsWith("simclr: No folder "), missing.err());
        assertEquals(2, run("watch", dir, "--port", 70_000).code());
        assertEquals(2, run("watch", dir, "--metrics", "../m.jsonl").code());
        assertEquals(2, run("watch").code());
        assertEquals(2, run("watch", dir, "--json", dir.resolve("r.json")).code());
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            Run run = run("watch", dir, "--port", taken.getLocalPort());
            assertEquals(1, run.code());
            assertTrue(
                    run.err().startsWith("simclr: Port " + taken.getLocalPort() + " is in use by another program"),
                    run.err());
            assertEquals(1, run.err().strip().lines().count());
        }
    }

    @Test
    @Tag("slow")
    void aRunIsRecordedForTensorBoardAndOnATrackingServer() throws IOException {
        List<String> asked = Collections.synchronizedList(new ArrayList<>());
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            String what = exchange.getRequestURI().getPath().replace("/api/2.0/mlflow/", "");
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            asked.add(what + " " + exchange.getRequestURI().getQuery() + " " + body);
            byte[] answer = (what.startsWith("experiments")
                            ? "{\"experiment\":{\"experiment_id\":\"3\"}}"
                            : what.equals("runs/create") ? "{\"run\":{\"info\":{\"run_id\":\"r\"}}}" : "{}")
                    .getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        server.start();
        try {
            Run run = pretrain(
                    "--tensorboard",
                    dir.resolve("tb"),
                    "--mlflow",
                    "http://127.0.0.1:" + server.getAddress().getPort() + "/",
                    "--mlflow-experiment",
                    "mine");
            assertEquals(0, run.code(), run.err());
            assertTrue(run.err().contains("/#/experiments/3/runs/r"), run.err());
        } finally {
            server.stop(0);
        }
        assertTrue(asked.get(0).contains("experiment_name=mine"), asked.toString());
        assertTrue(
                asked.stream().anyMatch(a -> a.contains("\"train/loss\"") && a.contains("\"step\":2")),
                asked.toString());
        assertTrue(asked.get(asked.size() - 1).contains("FINISHED"), asked.toString());
        try (Stream<Path> files = Files.walk(dir.resolve("tb"))) {
            assertTrue(files.anyMatch(f -> f.getFileName().toString().startsWith("events.out.tfevents.")
                    && f.toFile().length() > 1000));
        }
    }

    @Test
    void whereARunCannotBeRecordedIsSaidBeforeItBegins() throws IOException {
        for (Object[] args : new Object[][] {
            {"--mlflow", "localhost:5000"},
            {"--mlflow", "file:///tmp"},
            {"--mlflow", "http://me:secret@localhost"},
            {"--mlflow-experiment", "x"},
            {"--mlflow", "http://localhost", "--mlflow-experiment", ""}
        }) {
            Run run = pretrain(args);
            assertEquals(2, run.code(), run.err());
            assertTrue(run.err().startsWith("simclr: --mlflow") && !run.err().contains("secret"), run.err());
        }
        Path file = Files.writeString(dir.resolve("file"), "");
        Run run = pretrain("--tensorboard", file.resolve("tb"));
        assertEquals(1, run.code());
        assertTrue(run.err().startsWith("simclr: Can't write " + file.resolve("tb")), run.err());
    }
}
