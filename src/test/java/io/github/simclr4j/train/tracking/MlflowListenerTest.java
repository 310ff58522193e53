// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.tracking;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.train.data.ImageSet;
import io.github.simclr4j.train.loop.EncoderTrainer;
import io.github.simclr4j.train.loop.RunOptions;
import io.github.simclr4j.train.loop.Runs;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.train.testing.Interrupt;
import io.github.simclr4j.train.testing.Small;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a tracking server gets, and what happens when it is slow, away or faulty. */
class MlflowListenerTest {
    private static final Duration LONG = Duration.ofSeconds(20);
    private static final MlflowDelivery.Limits PATIENT =
            new MlflowDelivery.Limits(Duration.ofMillis(20), Duration.ofMillis(200), LONG);
    private static final MlflowDelivery.Limits HASTY =
            new MlflowDelivery.Limits(Duration.ofMillis(20), Duration.ofMillis(200), Duration.ofMillis(300));

    private final List<String> warnings = new ArrayList<>();
    private final List<String> lines = new ArrayList<>();
    private final Progress told = new Progress() {
        @Override
        public void warn(String text) {
            warnings.add(text);
        }

        @Override
        public void line(String text) {
            lines.add(text);
        }
    };

    private MlflowListener listener(URI uri, MlflowDelivery.Limits limits, Duration timeout) {
        return new MlflowListener(new MlflowServer(uri, Map.of(), timeout), "views & co", limits, told);
    }

    private MlflowListener listener(FakeMlflow server) {
        return listener(server.uri(), PATIENT, LONG);
    }

    private static void until(BooleanSupplier what) {
        long end = System.nanoTime() + LONG.toNanos();
        while (!what.getAsBoolean()) {
            assertTrue(System.nanoTime() < end, "waited in vain");
            Thread.onSpinWait();
        }
    }

    @Test
    void aRunHasItsSettingsItsFiguresAndItsEnd() throws IOException {
        try (FakeMlflow server = new FakeMlflow()) {
            MlflowListener listener = listener(server);
            listener.runStarted(Told.run(0));
            for (int epoch = 1; epoch <= 3; epoch++) {
                listener.epochFinished(Told.epoch(epoch));
            }
            listener.runEnded(null);
            assertEquals(List.of("views & co"), List.copyOf(server.experiments.keySet()));
            FakeMlflow.Run run = server.runs.get(0);
            assertEquals(Map.of("training.method", "mocov2", "training.temperature", "0.2"), run.params);
            assertEquals(Told.NAME, run.tags.get("simclr4j.run"));
            assertEquals("FINISHED", run.status);
            assertTrue(run.ended);
            assertEquals(
                    List.of("train/loss 1 4.0", "train/loss 2 2.0", "train/loss 3 " + 4.0 / 3),
                    run.metrics.stream().filter(m -> m.startsWith("train/loss")).toList());
            assertEquals(
                    List.of("eval/knn 2 0.02"),
                    run.metrics.stream().filter(m -> m.startsWith("eval")).toList());
            assertEquals(List.of(), warnings);
            assertEquals(List.of("MLflow: " + server.uri() + "/#/experiments/7/runs/run0"), lines);
        }
    }

    @Test
    void aRunThatContinuesGoesOnWithItsOwn() throws IOException {
        try (FakeMlflow server = new FakeMlflow()) {
            MlflowListener first = listener(server);
            first.runStarted(Told.run(0));
            first.epochFinished(Told.epoch(1));
            first.runEnded(new InterruptedIOException("interrupted"));
            assertEquals("KILLED", server.runs.get(0).status);
            MlflowListener second = listener(server);
            second.runStarted(Told.run(
                    1, Map.of("training.method", "mocov2", "training.temperature", "0.3", "training.new", "x")));
            second.epochFinished(Told.epoch(2));
            second.runEnded(new IllegalStateException("diverged"));
            assertEquals(1, server.runs.size());
            FakeMlflow.Run run = server.runs.get(0);
            assertEquals("FAILED", run.status);
            // A parameter can't change on the server, and what changed is not lost.
            assertEquals("0.2", run.params.get("training.temperature"));
            assertEquals("x", run.params.get("training.new"));
            assertEquals("0.3", run.tags.get("simclr4j.changed.training.temperature"));
            assertEquals(
                    2,
                    run.metrics.stream().filter(m -> m.startsWith("train/loss")).count());
            assertEquals(List.of(), warnings);
        }
    }

    @Test
    void theServersLimitsAreKept() throws IOException {
        Map<String, String> settings = new TreeMap<>();
        for (int i = 0; i < 250; i++) {
            settings.put("setting." + i, "v".repeat(i == 0 ? 7000 : 1));
        }
        settings.put("k".repeat(300) + ":", "long");
        settings.put("a//b/../c", "path");
        try (FakeMlflow server = new FakeMlflow()) {
            server.status = 503;
            MlflowListener listener = listener(server);
            listener.runStarted(Told.run(0, settings));
            // All these wait until the server answers, and go in few calls.
            for (int epoch = 1; epoch <= 300; epoch++) {
                listener.epochFinished(Told.epoch(epoch));
            }
            server.status = 0;
            listener.runEnded(null);
            FakeMlflow.Run run = server.runs.get(0);
            assertEquals(252, run.params.size());
            assertTrue(run.params.get("setting.0").endsWith("v..."));
            assertEquals(
                    300,
                    run.metrics.stream().filter(m -> m.startsWith("train/loss")).count());
            assertTrue(
                    run.batches.size() <= 8 && run.batches.stream().allMatch(n -> n <= 1000), run.batches.toString());
            assertEquals("FINISHED", run.status);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {500, 503, 429})
    void aServerThatFailsForAWhileGetsEverythingLater(int status) throws IOException {
        try (FakeMlflow server = new FakeMlflow()) {
            MlflowListener listener = listener(server);
            listener.runStarted(Told.run(0));
            listener.epochFinished(Told.epoch(1));
            until(() -> server.asked().contains("runs/log-batch") && !lines.isEmpty() | tick(listener));
            server.status = status;
            listener.epochFinished(Told.epoch(2));
            until(() -> !warnings.isEmpty() | tick(listener));
            listener.epochFinished(Told.epoch(3));
            server.status = 0;
            listener.runEnded(null);
            assertEquals(
                    3,
                    server.runs.get(0).metrics.stream()
                            .filter(m -> m.startsWith("train/loss"))
                            .count());
            assertEquals(1, warnings.size(), warnings.toString());
            assertEquals(
                    "MLflow at " + server.uri() + ": it answers runs/log-batch with HTTP " + status
                            + " INTERNAL_ERROR: broken [31m"
                            + " by will; the training continues, and missing epochs are sent when the server answers again",
                    warnings.get(0));
        }
    }

    private static boolean tick(MlflowListener listener) {
        listener.stepFinished(1, 2);
        return false;
    }

    @Test
    void aServerThatHangsSlowsNothingDown() throws IOException {
        try (FakeMlflow server = new FakeMlflow()) {
            server.hanging = true;
            MlflowListener listener = listener(server.uri(), HASTY, LONG);
            long start = System.nanoTime();
            listener.runStarted(Told.run(0));
            for (int epoch = 1; epoch <= 50; epoch++) {
                listener.stepFinished(epoch, 50);
                listener.epochFinished(Told.epoch(epoch));
            }
            listener.runEnded(null);
            long all = System.nanoTime() - start;
            assertTrue(all < LONG.toNanos() / 2, all / 1e6 + " ms");
            assertEquals(1, warnings.size(), warnings.toString());
            assertTrue(
                    warnings.get(0)
                            .contains(
                                    "not sent: 50 of 50 epochs and the final status of the run; it has not answered so far"),
                    warnings.get(0));
        }
    }

    @Test
    void anAnswerThatDoesNotComeIsWaitedForALimitedTime() throws IOException {
        try (FakeMlflow server = new FakeMlflow()) {
            server.hanging = true;
            MlflowListener listener = listener(server.uri(), HASTY, Duration.ofMillis(100));
            listener.runStarted(Told.run(0));
            until(() -> !warnings.isEmpty() | tick(listener));
            listener.runEnded(null);
            assertTrue(warnings.get(0).contains("it does not answer"), warnings.get(0));
        }
    }

    @Test
    void aServerThatIsAwayIsOneWarningAndAFinalWord() throws IOException {
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        MlflowListener listener = listener(URI.create("http://127.0.0.1:" + port), HASTY, LONG);
        listener.runStarted(Told.run(0));
        until(() -> !warnings.isEmpty() | tick(listener));
        for (int epoch = 1; epoch <= 5; epoch++) {
            listener.epochFinished(Told.epoch(epoch));
        }
        listener.runEnded(null);
        assertEquals(2, warnings.size(), warnings.toString());
        assertTrue(
                warnings.get(0)
                        .matches("MLflow at http://127\\.0\\.0\\.1:" + port
                                + ": it can't be reached.*; the training continues, and"
                                + " missing epochs are sent when the server answers again"),
                warnings.get(0));
        assertTrue(
                warnings.get(1)
                        .startsWith("MLflow at http://127.0.0.1:" + port
                                + ": not sent: 5 of 5 epochs and the final status of the run; it can't be reached"),
                warnings.get(1));
    }

    @Test
    void aServerThatComesLateGetsEverything() throws IOException {
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        MlflowListener listener = listener(URI.create("http://127.0.0.1:" + port), PATIENT, LONG);
        listener.runStarted(Told.run(0));
        listener.epochFinished(Told.epoch(1));
        until(() -> !warnings.isEmpty() | tick(listener));
        try (FakeMlflow server = new FakeMlflow(port)) {
            listener.epochFinished(Told.epoch(2));
            listener.runEnded(null);
            assertEquals(
                    2,
                    server.runs.get(0).metrics.stream()
                            .filter(m -> m.startsWith("train/loss"))
                            .count());
            assertEquals(1, warnings.size(), warnings.toString());
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {"401|set MLFLOW_TRACKING_TOKEN", "403|set MLFLOW_TRACKING_TOKEN", "400|HTTP 400", "302|HTTP 302"})
    void aServerThatRefusesIsLeftAlone(int status, String part) throws IOException {
        try (FakeMlflow server = new FakeMlflow()) {
            server.status = status;
            MlflowListener listener = listener(server);
            listener.runStarted(Told.run(0));
            until(() -> !warnings.isEmpty() | tick(listener));
            listener.epochFinished(Told.epoch(1));
            listener.runEnded(null);
            assertEquals(1, server.asked().size());
            assertTrue(
                    warnings.get(0).contains("it answers experiments/get-by-name with HTTP " + status)
                            && warnings.get(0).endsWith("; the training continues, and nothing more is sent"),
                    warnings.get(0));
            assertTrue(warnings.get(0).contains(part), warnings.get(0));
            assertTrue(warnings.get(1).contains("1 of 1 epochs"), warnings.get(1));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "<html>a page</html>",
                "{}",
                "[]",
                "{\"experiment\": 3}",
                "{\"experiment\": {\"experiment_id\": []}}"
            })
    void whatIsNoMlflowIsToldByItsAnswers(String answer) throws IOException {
        try (FakeMlflow server = new FakeMlflow()) {
            server.nonsense = answer;
            MlflowListener listener = listener(server);
            listener.runStarted(Told.run(0));
            listener.runEnded(null);
            assertEquals(1, warnings.size(), warnings.toString());
            assertTrue(warnings.get(0).contains("is the address correct?"), warnings.get(0));
        }
    }

    @Test
    void theOldestEpochsGiveWayWhenTooManyWait() throws IOException {
        try (FakeMlflow server = new FakeMlflow()) {
            server.status = 503;
            MlflowListener listener = listener(server);
            listener.runStarted(Told.run(0));
            for (int epoch = 1; epoch <= MlflowDelivery.MOST_EPOCHS + 7; epoch++) {
                listener.epochFinished(Told.epoch(epoch));
            }
            server.status = 0;
            listener.runEnded(null);
            List<String> losses = server.runs.get(0).metrics.stream()
                    .filter(m -> m.startsWith("train/loss"))
                    .toList();
            assertEquals(MlflowDelivery.MOST_EPOCHS, losses.size());
            assertTrue(losses.get(0).startsWith("train/loss 8 "), losses.get(0));
            assertTrue(
                    warnings.get(warnings.size() - 1)
                            .endsWith("not sent: the oldest 7 of 2007 epochs, because at most 2000 are kept"),
                    warnings.toString());
        }
    }

    @Test
    void anEndlessAnswerIsCutOff() throws IOException {
        try (FakeMlflow server = new FakeMlflow()) {
            server.nonsense = "{\"a\": \"" + "x".repeat(5 << 20) + "\"}";
            MlflowListener listener = listener(server.uri(), HASTY, LONG);
            listener.runStarted(Told.run(0));
            until(() -> !warnings.isEmpty() | tick(listener));
            listener.runEnded(null);
            assertTrue(warnings.get(0).contains("the answer is longer than 4194304 bytes"), warnings.get(0));
        }
    }

    @Test
    void accessIsByMlflowsOwnVariables() throws Exception {
        try (FakeMlflow server = new FakeMlflow()) {
            for (Map<String, String> environment : List.of(
                    Map.<String, String>of(),
                    Map.of("MLFLOW_TRACKING_TOKEN", "t0k3n"),
                    Map.of(
                            "MLFLOW_TRACKING_USERNAME",
                            "me",
                            "MLFLOW_TRACKING_PASSWORD",
                            "secret",
                            "MLFLOW_TRACKING_TOKEN",
                            "t"))) {
                assertThrows(
                        MlflowFailure.class,
                        () -> new MlflowServer(server.uri(), environment, LONG)
                                .get("experiments/get-by-name", Map.of("experiment_name", "a")));
            }
            assertNull(server.authorizations.get(0));
            assertEquals("Bearer t0k3n", server.authorizations.get(1));
            assertEquals("Basic bWU6c2VjcmV0", server.authorizations.get(2));
        }
        String message = assertThrows(
                        IllegalArgumentException.class,
                        () -> new MlflowServer(
                                URI.create("http://localhost"), Map.of("MLFLOW_TRACKING_TOKEN", "secret\n"), LONG))
                .getMessage();
        assertFalse(message.contains("secret"), message);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "localhost:5000",
                "file:///tmp/mlruns",
                "databricks",
                "http://",
                "http://me:pw@localhost",
                "http://h/?a=b"
            })
    void otherAddressesAreRefused(String address) {
        String message = assertThrows(
                        IllegalArgumentException.class,
                        () -> new MlflowListener(
                                URI.create(address.equals("http://") ? "http:/" : address),
                                "e",
                                Map.of(),
                                Progress.NONE))
                .getMessage();
        assertFalse(message.contains("pw"), message);
    }

    @Test
    @Tag("slow")
    void aTrainingIsRecorded(@TempDir Path dir) throws IOException {
        try (FakeMlflow server = new FakeMlflow()) {
            ImageSet images = Small.labelled(32);
            PretrainSettings settings = Small.build(Small.settings("simclr", "sgd", 0.05, 8, 3));
            RunOptions options = RunOptions.checkpoints(dir.resolve("state")).withListener(listener(server));
            assertThrows(
                    InterruptedIOException.class,
                    () -> new EncoderTrainer(settings, "cpu", 1, Interrupt.after(6)).run(images, options));
            assertEquals("KILLED", server.runs.get(0).status);
            EncoderTrainer.Result result = Runs.run(settings, images, options);
            assertEquals(1, server.runs.size());
            FakeMlflow.Run run = server.runs.get(0);
            assertEquals("FINISHED", run.status);
            assertEquals("simclr", run.params.get("training.method"));
            List<String> losses =
                    run.metrics.stream().filter(m -> m.startsWith("train/loss")).toList();
            assertEquals(3, losses.size());
            assertTrue(losses.get(2).startsWith("train/loss 3 "), losses.toString());
            assertEquals(result.finalLoss(), Double.parseDouble(losses.get(2).substring(13)), 1e-6);
            assertEquals(List.of(), warnings);
        }
    }
}
