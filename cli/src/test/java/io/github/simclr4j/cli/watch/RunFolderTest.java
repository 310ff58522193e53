// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.watch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is read from a run's folder. */
class RunFolderTest {
    @TempDir
    Path dir;

    /** A line of metrics. */
    static String line(String run, int epoch, double loss) {
        return "{\"run\":\"" + run + "\",\"epoch\":" + epoch + ",\"loss\":" + loss
                + ",\"learningRate\":0.1,\"viewsPerSecond\":9,"
                + "\"alignment\":1,\"uniformity\":-2,\"spread\":1,\"effectiveRank\":7,\"verdict\":\"learning\"}\n";
    }

    private Path metrics() {
        return dir.resolve("metrics.jsonl");
    }

    private String page() throws IOException {
        return new RunFolder(dir, "metrics.jsonl").page();
    }

    @Test
    void theNewestRunsEpochsAreShown() throws IOException {
        assertTrue(page().contains("Nothing to see yet"));
        // The last line is half written.
        Files.writeString(
                metrics(), line("a", 1, 5.5) + line("a", 2, 4.25) + line("b", 1, 3.125) + "{\"run\":\"b\",\"epo");
        String page = page();
        assertTrue(page.contains("3.125") && !page.contains("4.25"), page);
        assertTrue(page.contains("connect-src 'self'") && page.contains("<noscript><meta http-equiv=\"refresh\""));
        Files.writeString(
                RunFolder.recordOf(metrics()),
                "{\"run\":\"a\",\"epochsPlanned\":20,\"settings\":{\"training.method\":\"byol\"},"
                        + "\"encoder\":\"out/<b>.onnx\",\"views\":[{\"name\":\"one\",\"original\":\"data:,x\",\"views\":[[\"data:,y\"]]}]}");
        page = page();
        assertTrue(page.contains("4.25") && !page.contains("3.125"), page);
        assertTrue(
                page.contains("byol") && page.contains("data:,y") && page.contains("Pretraining of &lt;b&gt;.onnx"),
                page);
    }

    @Test
    void aRunThatHasJustBegunIsShown() throws IOException {
        Files.writeString(metrics(), line("a", 1, 5.5));
        Files.writeString(RunFolder.recordOf(metrics()), "{\"run\":\"b\",\"encoder\":\"e.onnx\"}");
        assertTrue(page().contains("The first epoch is not complete yet."));
    }

    @Test
    void thePageIsMadeAgainWhenAFileHasChanged() throws IOException {
        RunFolder folder = new RunFolder(dir, "metrics.jsonl");
        Files.writeString(metrics(), line("a", 1, 5.5));
        String first = folder.page();
        assertSame(first, folder.page());
        Files.writeString(metrics(), line("a", 1, 5.5) + line("a", 2, 4.25));
        assertTrue(folder.page().contains("4.25"));
    }

    @Test
    void linksOutOfTheFolderAreNotFollowed() throws IOException {
        Path run = Files.createDirectory(dir.resolve("run"));
        Path secret = Files.writeString(dir.resolve("secret"), line("a", 1, 5.5));
        try {
            Files.createSymbolicLink(run.resolve("metrics.jsonl"), secret);
        } catch (IOException | UnsupportedOperationException e) {
            assumeTrue(false, "no symbolic links here: " + e);
        }
        IOException e = assertThrows(IOException.class, () -> new RunFolder(run, "metrics.jsonl").page());
        assertTrue(
                e.getMessage().endsWith("metrics.jsonl is not a regular file, and links are not followed"),
                e.getMessage());
        // A link to the folder itself is the user's own way of naming it.
        Path link = Files.createSymbolicLink(dir.resolve("link"), Files.createDirectory(dir.resolve("other")));
        Files.writeString(link.resolve("metrics.jsonl"), line("a", 1, 5.5));
        assertTrue(new RunFolder(link, "metrics.jsonl").page().contains("5.5"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"../metrics.jsonl", "..", ".", "a/b", "/etc/passwd", ""})
    void aNameThatLeadsOutIsRefused(String name) {
        assertThrows(IllegalArgumentException.class, () -> new RunFolder(dir, name));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"run\":[]}",
                "{\"run\":\"a\",\"views\":3}",
                "{\"run\":\"a\",\"views\":[1]}",
                "{\"run\":{\"a\":1}}",
                "{\"run\":null}"
            })
    void aRecordOfSomethingElseIsSaid(String record) throws IOException {
        Files.writeString(metrics(), line("a", 1, 5.5));
        Files.writeString(RunFolder.recordOf(metrics()), record);
        IOException e = assertThrows(IOException.class, this::page);
        assertTrue(e.getMessage().contains("metrics.run.json"), e.getMessage());
    }

    @Test
    void otherLinesAreNoEpochs() throws IOException {
        Files.writeString(metrics(), "hello\n[]\n\n{\"run\":3}\n" + line("a", 1, 5.5) + "\u0000\n");
        String page = page();
        assertTrue(page.contains("5.5"), page);
        assertFalse(page.contains("hello"));
    }

    @Test
    void aFolderThatIsMissingIsSaid() {
        IOException e = assertThrows(IOException.class, () -> new RunFolder(dir.resolve("none"), "metrics.jsonl"));
        assertEquals(
                "No folder " + dir.resolve("none") + ": expected the folder of the encoder and its metrics",
                e.getMessage());
    }
}
