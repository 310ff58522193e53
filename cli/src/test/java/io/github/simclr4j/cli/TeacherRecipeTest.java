// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import static io.github.simclr4j.cli.CommandLineTest.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import io.github.simclr4j.cli.CommandLineTest.Run;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.train.data.BuiltInImages;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The recipe of docs/teacher.md on a tiny network of DINOv2's architecture, which src/test/python/tiny_dinov2.py exported. */
@Tag("slow")
class TeacherRecipeTest {
    private static final Path PAGE = Path.of("../docs/teacher.md");
    /** Names of files and folders on the page. */
    private static final Pattern NAME = Pattern.compile("dinov2-small\\.onnx|dinov2\\.json|photos|sample|teacher\\.npy"
            + "|(?:student|teacher|simclr)\\.onnx|features\\.csv|labelled/(?:train|test)|train|some|test");
    /** Heads the section whose commands made the page's figures; they are run in a folder of their own. */
    private static final String FIGURES = "## Measured on CIFAR-10";

    @TempDir
    static Path dir;

    private static String page;
    private static Path figures;

    @BeforeAll
    static void prepare() throws IOException {
        page = Files.readString(PAGE);
        Files.copy(Path.of("src/test/resources/dinov2/tiny-dinov2.onnx"), dir.resolve("dinov2-small.onnx"));
        Files.writeString(
                dir.resolve("dinov2.json"), DocsPages.fences(page, "json").get(0));
        BuiltInImages.write(dir.resolve("photos"), 4, 1);
        BuiltInImages.write(dir.resolve("sample"), 1, 1);
        BuiltInImages.write(dir.resolve("labelled/train"), 3, 2);
        BuiltInImages.write(dir.resolve("labelled/test"), 2, 3);
        figures = Files.createDirectory(dir.resolve("figures"));
        BuiltInImages.write(figures.resolve("train"), 4, 4);
        BuiltInImages.write(figures.resolve("some"), 20, 5);
        BuiltInImages.write(figures.resolve("test"), 2, 6);
    }

    /** The commands of a part of the page, with its names in a folder of the test's, and one epoch of a tiny network. */
    private static List<List<String>> commands(String part, Path folder) {
        List<List<String>> all = new ArrayList<>();
        for (List<String> words : DocsPages.commands(part)) {
            String command = String.join(" ", words)
                    .replaceAll("--epochs \\d+", "--epochs 1 --batch 16 --device cpu --threads 2")
                    .replaceAll("--width [\\d.]+", "--width 0.0625")
                    .replace("--image-size 64", "--image-size 32");
            all.add(Arrays.stream(command.split(" "))
                    .map(w -> NAME.matcher(w).matches() ? folder.resolve(w).toString() : w)
                    .toList());
        }
        return all;
    }

    private static void runAll(List<List<String>> commands, int least) {
        assertTrue(commands.size() >= least, commands.toString());
        for (List<String> command : commands) {
            Run run = run(command.toArray());
            assertEquals(0, run.code(), command + ": " + run.err());
        }
    }

    @Test
    void everyCommandOfTheFiguresRuns() {
        runAll(commands(page.substring(page.indexOf(FIGURES)), figures), 4);
    }

    @Test
    void everyCommandOfTheRecipeRuns() throws IOException {
        runAll(commands(page.substring(0, page.indexOf(FIGURES)), dir), 6);
        Path student = dir.resolve("student.onnx");
        try (OnnxEncoder encoder = OnnxEncoder.open(student, 1)) {
            assertEquals(32, encoder.dimension());
            assertEquals(
                    OnnxEncoder.sha256(dir.resolve("dinov2-small.onnx")),
                    encoder.metadata().get("training.teacher_sha256"));
            String settings = encoder.metadata().get("training.teacher_settings");
            assertTrue(settings.contains("image-size 224") && settings.contains("interpolation bicubic"), settings);
        }
        try (Stream<Path> kept = Files.list(dir.resolve("teacher-features"))) {
            assertEquals(1, kept.count());
        }
        // What the teacher said is found again by another student.
        Run again = student("second.onnx", "--json", dir.resolve("second.json"));
        assertEquals(0, again.code(), again.err());
        assertTrue(again.err().contains("features of 40 images are read from"), again.err());
        JsonObject json = CommandLineTest.json(dir.resolve("second.json"));
        assertTrue(json.getAsJsonObject("settings").has("training.teacher_sha256"), json.toString());
    }

    @Test
    void theTeacherMayLookAtTheViews() {
        Run run = student("views.onnx", "--teacher-views");
        assertEquals(0, run.code(), run.err());
    }

    /** Trains a tiny student of the page's teacher for an epoch, with further options. */
    private static Run student(String out, Object... further) {
        List<Object> args = new ArrayList<>(List.of(
                "pretrain",
                "--method",
                "distill",
                "--width",
                "0.0625",
                "--epochs",
                "1",
                "--batch",
                "16",
                "--device",
                "cpu"));
        args.addAll(List.of("--threads", "2", "--images", dir.resolve("photos"), "--out", dir.resolve(out)));
        args.addAll(
                List.of("--teacher", dir.resolve("dinov2-small.onnx"), "--teacher-config", dir.resolve("dinov2.json")));
        args.addAll(List.of(further));
        return run(args.toArray());
    }
}
