// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import static io.github.simclr4j.cli.CommandLineTest.json;
import static io.github.simclr4j.cli.CommandLineTest.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.github.simclr4j.train.data.BuiltInImages;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The report of a pretraining that is cut into parts. */
@Tag("slow")
class PretrainReportTest {
    @TempDir
    static Path dir;

    @BeforeAll
    static void draw() throws IOException {
        BuiltInImages.write(dir.resolve("images"), 4, 1);
    }

    private static JsonObject pretrain(int epochs, Object... more) throws IOException {
        List<Object> args = new ArrayList<>(List.of(
                "pretrain",
                "--images",
                dir.resolve("images"),
                "--out",
                dir.resolve("e.onnx"),
                "--epochs",
                epochs,
                "--width",
                0.0625,
                "--image-size",
                16,
                "--batch",
                16,
                "--precision",
                "float32",
                "--device",
                "cpu",
                "--threads",
                1,
                "--json",
                dir.resolve("r.json"),
                "--report",
                dir.resolve("r.html")));
        args.addAll(List.of(more));
        CommandLineTest.Run run = run(args.toArray());
        assertEquals(0, run.code(), run.err());
        return json(dir.resolve("r.json"));
    }

    @Test
    void theEpochsBeforeAnInterruptionAreOnThePage() throws IOException {
        Object[] kept = {"--checkpoint", dir.resolve("state"), "--metrics", dir.resolve("metrics.jsonl")};
        JsonArray first = pretrain(2, kept).getAsJsonArray("history");
        JsonObject second = pretrain(3, kept);
        JsonArray all = second.getAsJsonArray("history");
        assertEquals(2, second.get("resumedAfterEpoch").getAsInt());
        assertEquals(List.of(first.get(0), first.get(1)), List.of(all.get(0), all.get(1)));
        assertEquals(3, all.get(2).getAsJsonObject().get("epoch").getAsInt());
        // Nothing is left to train, and there is a page all the same.
        assertEquals(all, pretrain(3, kept).getAsJsonArray("history"));
        String page = Files.readString(dir.resolve("r.html"));
        assertTrue(page.contains("data-json=\"/history/2/loss\"") && page.contains("id=\"chart-loss\""));
    }

    @Test
    void anotherRunInTheSameFileOfMetricsIsNotOnThePage() throws IOException {
        pretrain(1, "--metrics", dir.resolve("shared.jsonl"));
        assertEquals(
                1,
                pretrain(1, "--metrics", dir.resolve("shared.jsonl"), "--seed", 2)
                        .getAsJsonArray("history")
                        .size());
        assertEquals(2, Files.readAllLines(dir.resolve("shared.jsonl")).size());
    }

    @Test
    void theCommandIsOneThatAShellReadsAsItWasGiven() {
        assertEquals("a/b.html", ShellCommand.quoted("a/b.html"));
        assertEquals("'two words'", ShellCommand.quoted("two words"));
        assertEquals("'it'\\''s'", ShellCommand.quoted("it's"));
        assertEquals("'$HOME'", ShellCommand.quoted("$HOME"));
        assertEquals("''", ShellCommand.quoted(""));
        assertFalse(ShellCommand.quoted("a;b").equals("a;b"));
    }
}
