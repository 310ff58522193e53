// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import static io.github.simclr4j.cli.CommandLineTest.json;
import static io.github.simclr4j.cli.CommandLineTest.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.github.simclr4j.cli.CommandLineTest.Run;
import io.github.simclr4j.train.data.BuiltInImages;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code simclr bench}: what is measured has a rate, quartiles around it, and its conditions. */
@Tag("slow")
class BenchCommandTest {
    @TempDir
    Path dir;

    private JsonObject bench(String what, Object... more) throws IOException {
        Path file = dir.resolve("b.json");
        List<Object> args = new ArrayList<>(List.of("bench", what, "--device", "cpu", "--threads", 1, "--json", file));
        args.addAll(List.of(more));
        Run run = run(args.toArray());
        assertEquals(0, run.code(), run.err());
        JsonObject json = json(file);
        assertEquals(what, json.get("bench").getAsString());
        assertEquals("cpu", json.get("device").getAsString());
        if (Files.isReadable(Path.of("/proc/self/status"))) {
            assertTrue(json.get("peakMemoryMiB").getAsDouble() > 50, json.toString());
        }
        return json;
    }

    @ParameterizedTest
    @CsvSource({
        "step, viewsPerSecond, float32, --width 0.0625 --batch 4 --precision float32",
        "step, viewsPerSecond, bfloat16, --width 0.0625 --batch 4 --precision bfloat16 --method mocov2 --queue 64 "
                + "--micro-batch 2",
        "step, viewsPerSecond, float32, --width 0.0625 --batch 4 --precision float32 --method supervised",
        "views, viewsPerSecond, float32, --batch 8 --count 8 --views crop",
        "input, imagesPerSecond, uint8, --batch 8 --count 32",
        "embed, imagesPerSecond, float32, --width 0.0625 --count 8"
    })
    void aRateHasQuartilesAndConditions(String what, String rate, String precision, String options) throws IOException {
        List<Object> more = new ArrayList<>(List.of("--repetitions", 3, "--seconds", 0.01));
        more.addAll(List.of(options.split(" ")));
        JsonObject json = bench(what, more.toArray());
        JsonArray quartiles = json.getAsJsonArray("quartiles");
        assertEquals(2, quartiles.size());
        double median = json.get(rate).getAsDouble();
        assertTrue(
                0 < quartiles.get(0).getAsDouble()
                        && quartiles.get(0).getAsDouble() <= median
                        && median <= quartiles.get(1).getAsDouble(),
                json.toString());
        assertEquals(precision, json.get("precision").getAsString());
    }

    @Test
    void givenImagesAndAGivenEncoderAreMeasured() throws IOException {
        BuiltInImages.write(dir.resolve("images"), 1, 1);
        Path encoder = CommandLineTest.untrained(dir.resolve("encoder.onnx"), 1);
        JsonObject json = bench(
                "embed",
                "--images",
                dir.resolve("images"),
                "--encoder",
                encoder,
                "--repetitions",
                1,
                "--seconds",
                0.01);
        assertEquals(encoder.toString(), json.get("encoder").getAsString());
        assertEquals(64, json.get("encoderSha256").getAsString().length());
    }

    /** 8 images in batches of 4 are 2 steps an epoch. The second call goes on with the first one's plan and state. */
    @Test
    void aTimedTrainingGoesOnWhereItWas() throws IOException {
        Path state = dir.resolve("bench");
        Object[] options = {
            "--width",
            "0.0625",
            "--batch",
            4,
            "--count",
            8,
            "--epochs",
            1000000,
            "--minutes",
            0.05,
            "--checkpoint",
            state
        };
        JsonObject first = bench("train", options);
        assertFalse(first.get("complete").getAsBoolean());
        assertTrue(first.get("steps").getAsInt() > 2, first.toString());
        assertEquals(2000000, first.get("allSteps").getAsInt());
        assertEquals(4, first.get("batch").getAsInt());
        assertTrue(first.getAsJsonArray("trials").size() >= 1, first.toString());
        assertFalse(first.getAsJsonArray("epochs").isEmpty());
        JsonObject second = bench("train", options);
        assertTrue(second.get("steps").getAsInt() > first.get("steps").getAsInt(), second.toString());
        assertEquals(first.get("trials"), second.get("trials"));
        JsonArray epochs = first.getAsJsonArray("epochs");
        int last = epochs.get(epochs.size() - 1).getAsJsonObject().get("epoch").getAsInt();
        assertTrue(
                second.getAsJsonArray("epochs")
                                .get(0)
                                .getAsJsonObject()
                                .get("epoch")
                                .getAsInt()
                        > last,
                second.toString());
    }

    @Test
    void aTimedTrainingMayBeDoneBeforeItsTime() throws IOException {
        Path out = dir.resolve("e.onnx");
        JsonObject json = bench(
                "train",
                "--width",
                "0.0625",
                "--batch",
                4,
                "--count",
                8,
                "--epochs",
                2,
                "--minutes",
                5,
                "--checkpoint",
                dir.resolve("bench"),
                "--out",
                out,
                "--precision",
                "float32");
        assertTrue(json.get("complete").getAsBoolean(), json.toString());
        assertEquals(4, json.get("steps").getAsInt());
        assertEquals(2, json.getAsJsonArray("epochs").size());
        // Both memory layouts.
        assertEquals(2, json.getAsJsonArray("trials").size());
        assertTrue(Files.exists(out));
    }

    @ParameterizedTest
    @CsvSource({
        "step --images x, --images has an effect only without bench step",
        "views --minutes 3, --minutes has an effect only with bench train",
        "train --repetitions 3, --repetitions has an effect only without bench train",
        "step --repetitions 0, found 0",
        "step --queue 4, --queue has an effect only with --method mocov1",
        "walk, WHAT"
    })
    void whatWouldHaveNoEffectIsRefused(String args, String expected) {
        Run run = run((Object[]) ("bench " + args).split(" "));
        assertEquals(2, run.code(), run.err());
        assertTrue(run.err().contains(expected), run.err());
    }
}
