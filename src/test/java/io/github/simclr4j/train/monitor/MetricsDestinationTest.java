// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.monitor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Where the lines of metrics go: through links, to pipes, and from several runs into one file. */
@Timeout(60)
class MetricsDestinationTest {
    @TempDir
    private Path dir;

    private static void lines(Path file, String run, int count) {
        try (Metrics metrics = new Metrics(file, run, 0)) {
            for (int i = 1; i <= count; i++) {
                metrics.add(Map.of("epoch", i));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void aPipeGetsAllLinesInOneGo() throws Exception {
        Path fifo = dir.resolve("pipe");
        assumeTrue(
                File.separatorChar == '/'
                        && new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor() == 0,
                "skipped: this system has no mkfifo");
        CompletableFuture<List<String>> read = CompletableFuture.supplyAsync(() -> {
            try {
                return Files.readAllLines(fifo);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        lines(fifo, "a", 3);
        assertEquals(
                List.of("{\"run\":\"a\",\"epoch\":1}", "{\"run\":\"a\",\"epoch\":2}", "{\"run\":\"a\",\"epoch\":3}"),
                read.get(30, TimeUnit.SECONDS));
        assertFalse(Files.isRegularFile(fifo));
    }

    @Test
    void aLinkStaysWhenLinesAreTakenOut() throws IOException {
        Path link = Files.createSymbolicLink(dir.resolve("link"), Path.of("file"));
        lines(link, "a", 3);
        new Metrics(link, "a", 1).close();
        assertTrue(Files.isSymbolicLink(link));
        assertEquals(List.of("{\"run\":\"a\",\"epoch\":1}"), Files.readAllLines(dir.resolve("file")));
    }

    @Test
    void severalRunsAtOnceLoseNoLine() throws IOException {
        Path file = dir.resolve("metrics.jsonl");
        IntStream.range(0, 4)
                .mapToObj(r -> CompletableFuture.runAsync(() -> {
                    for (int i = 0; i < 5; i++) {
                        lines(file, "run" + r, 5);
                    }
                }))
                .toList()
                .forEach(CompletableFuture::join);
        List<String> all = Files.readAllLines(file);
        assertEquals(20, all.size(), "each run takes out its own lines and writes them again");
        assertEquals(20, all.stream().distinct().count());
        try (var files = Files.list(dir)) {
            assertEquals(List.of(file), files.toList());
        }
    }
}
