// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import static io.github.simclr4j.cli.CommandLineTest.json;
import static io.github.simclr4j.cli.CommandLineTest.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import io.github.simclr4j.cli.CommandLineTest.Run;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What commands say of the sets of images that they read. */
class ImageSetCommandTest {
    private static final String LEFT_OUT = "{\"HEIC\":2,\"PPM\":1,\"without an ending\":1}";

    @TempDir
    static Path dir;

    private static Path encoder;
    private static Path images;

    @BeforeAll
    static void make() throws IOException {
        // Quietens DJL's log.
        run("--version");
        images = Colours.write(dir.resolve("images"), 2, 1);
        encoder = CommandLineTest.untrained(dir.resolve("encoder.onnx"), 1);
        for (String other : List.of("red/a.heic", "red/b.HEIC", "c.ppm")) {
            Files.writeString(images.resolve(other), "x");
        }
        Files.copy(images.resolve("red/0.png"), images.resolve("red/noext"));
        Files.writeString(images.resolve("notes.md"), "x");
    }

    @Test
    void everyCommandThatReadsImagesCountsWhatItLeavesOut() throws IOException {
        List<List<Object>> commands = List.of(
                List.of("embed", "--encoder", encoder, "--images", images, "--out", dir.resolve("e.csv")),
                List.of("views", "--images", images, "--count", "2", "--per-image", "1", "--out", dir.resolve("v.png")),
                List.of("verify", encoder, encoder, "--images", images, "--limit", "2"),
                List.of(
                        "export",
                        encoder,
                        "--precision",
                        "int8",
                        "--calibration",
                        images,
                        "--calibration-images",
                        "2",
                        "--out",
                        dir.resolve("q.onnx")),
                List.of(
                        "pretrain",
                        "--images",
                        images,
                        "--epochs",
                        "1",
                        "--encoder",
                        "resnet18",
                        "--width",
                        "0.03125",
                        "--image-size",
                        "32",
                        "--out",
                        dir.resolve("p.onnx")),
                List.of(
                        "bench",
                        "views",
                        "--images",
                        images,
                        "--repetitions",
                        "1",
                        "--seconds",
                        "0.01",
                        "--image-size",
                        "32"));
        for (List<Object> command : commands) {
            List<Object> args = new ArrayList<>(command);
            Path result = dir.resolve(command.get(0) + ".json");
            args.addAll(List.of("--json", result));
            Run run = run(args.toArray());
            assertEquals(0, run.code(), command + run.err());
            assertTrue(
                    run.err()
                            .contains("warning: " + images
                                    + ": 4 image files left out: 2 HEIC, 1 PPM, 1 without an ending;"),
                    run.err());
            assertEquals(JsonParser.parseString(LEFT_OUT), json(result).get("leftOut"), command.toString());
        }
    }

    @Test
    void theCountsOfSeveralSetsAreAdded() throws IOException {
        Path result = dir.resolve("evaluate.json");
        Run run = run(
                "evaluate",
                "--encoder",
                encoder,
                "--train",
                images,
                "--test",
                images,
                "--labels",
                "100%",
                "--protocol",
                "knn",
                "--json",
                result);
        assertEquals(0, run.code(), run.err());
        assertEquals(4, json(result).getAsJsonObject("leftOut").get("HEIC").getAsInt());
    }

    @Test
    void oneImageIsTooFewAndThatIsSaid() throws IOException {
        Path one = Files.createDirectories(dir.resolve("one"));
        Files.copy(images.resolve("red/0.png"), one.resolve("0.png"));
        Run run = run(
                "pretrain",
                "--images",
                one,
                "--batch",
                "8",
                "--epochs",
                "1",
                "--encoder",
                "resnet18",
                "--width",
                "0.03125",
                "--image-size",
                "32",
                "--out",
                dir.resolve("one.onnx"));
        assertEquals(1, run.code());
        assertTrue(
                run.err()
                        .contains(
                                "simclr: One image is too few: training compares images with each other, and needs at least 2"),
                run.err());
        Files.copy(images.resolve("red/0.png"), one.resolve("1.png"));
        Files.copy(images.resolve("red/0.png"), one.resolve("2.png"));
        run = run(
                "pretrain",
                "--images",
                one,
                "--batch",
                "8",
                "--epochs",
                "1",
                "--encoder",
                "resnet18",
                "--width",
                "0.03125",
                "--image-size",
                "32",
                "--out",
                dir.resolve("one.onnx"));
        assertEquals(0, run.code(), run.err());
        assertTrue(run.err().contains("only 3 images: batch 8 becomes 3"), run.err());
    }

    @Test
    void anOptionChoosesTheColumnOfATable() throws IOException {
        Path table = Files.writeString(images.resolveSibling("t.csv"), "id,photo,kind\n1,images/red/0.png,red\n");
        Path out = dir.resolve("t-features.csv");
        Run run = run("embed", "--encoder", encoder, "--images", table, "--out", out);
        assertEquals(1, run.code());
        assertTrue(run.err().contains("[id, photo, kind], and --path-column chooses another"), run.err());
        assertEquals(
                0,
                run("embed", "--encoder", encoder, "--images", table, "--out", out, "--path-column", "photo")
                        .code());
        run = run("embed", "--encoder", encoder, "--images", table, "--out", out, "--path-column", "foto");
        assertTrue(run.err().contains("no column 'foto', which --path-column names"), run.err());
    }
}
