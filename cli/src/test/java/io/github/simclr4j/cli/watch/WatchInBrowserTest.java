// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.watch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.cli.report.Browser;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The page of a run that goes on, in a browser. */
@Tag("slow")
class WatchInBrowserTest {
    private static final String PIXEL =
            "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9"
                    + "QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

    @TempDir
    Path dir;

    private static void until(Browser browser, String condition) throws Exception {
        long end = System.nanoTime() + 60_000_000_000L;
        while (!browser.script("return " + condition).getAsBoolean()) {
            assertTrue(System.nanoTime() < end, "waited in vain for " + condition);
            Thread.sleep(100);
        }
    }

    @Test
    void whatChangesIsPutInWhereItIs() throws Exception {
        Path metrics = dir.resolve("metrics.jsonl");
        Files.writeString(
                RunFolder.recordOf(metrics),
                "{\"run\":\"a\",\"epochsPlanned\":9,\"encoder\":\"e.onnx\","
                        + "\"views\":[{\"name\":\"one\",\"original\":\"" + PIXEL + "\",\"views\":[[\"" + PIXEL
                        + "\"]]}]}");
        Files.writeString(metrics, RunFolderTest.line("a", 1, 5.5));
        try (Browser browser = Browser.openOrSkip()) {
            LoopbackServer server =
                    new LoopbackServer(0, new RunFolder(dir, "metrics.jsonl"), LoopbackServer.Limits.USUAL);
            browser.look(1280, false);
            browser.open(server.address());
            until(browser, "document.body.innerText.includes('Live, last changed at')");
            assertEquals(
                    "5.5",
                    browser.script("return document.querySelector('data[data-json=\"/history/0/loss\"]').value")
                            .getAsString());
            browser.script(
                    "window.kept = document.images[0]; document.querySelectorAll('details').forEach(d => d.open = true);"
                            + " window.scrollTo(0, 200); window.notReloaded = true");
            Files.writeString(metrics, RunFolderTest.line("a", 2, 4.25), StandardOpenOption.APPEND);
            until(browser, "!!document.querySelector('data[data-json=\"/history/1/loss\"]')");
            assertEquals(
                    "4.25",
                    browser.script("return document.querySelector('data[data-json=\"/history/1/loss\"]').value")
                            .getAsString());
            assertEquals(
                    "[true,true,true,200]",
                    browser.script(
                                    "return [window.notReloaded, document.contains(window.kept),"
                                            + " Array.from(document.querySelectorAll('details')).every(d => d.open), Math.round(window.scrollY)]")
                            .toString());
            // Every request went to this server, and the policy forbade nothing that the page does.
            assertEquals(
                    List.of(),
                    browser.requests().stream()
                            .filter(a -> !a.equals(server.address().toString()) && !a.startsWith("data:"))
                            .toList());
            assertEquals(List.of(), browser.console());
            server.close();
            until(browser, "document.getElementById('live').textContent.includes('does not answer')");
            assertTrue(
                    browser.script("return document.body.innerText")
                            .getAsString()
                            .contains("4.25"),
                    "what was there stays");
        }
    }
}
