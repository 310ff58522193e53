// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import static io.github.simclr4j.cli.CommandLineTest.json;
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
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every command of docs/getting-started.md, in the page's order, with tiny networks, views and numbers. */
@Tag("slow")
class GettingStartedTest {
    private static final Path DOCS = Path.of("../docs");
    /** Names of files and folders on the page. */
    private static final Pattern NAME =
            Pattern.compile("photos|labelled/\\w+|views\\.png|gpu/bench|(?:[\\w-]+/)?(?:encoder|report)\\.\\w+"
                    + "|dinov2-small\\.onnx|dinov2\\.json|(?:label-first|features)\\.csv|classifier\\.onnx");

    private static final String TINY = " --width 0.0625 --image-size 32 --batch 8 --device cpu --threads 2";
    /** What each command has in place of what the page has. */
    private static final Map<String, String> INSTEAD = Map.of(
            "pretrain",
            TINY + " --epochs 1 --limit 20",
            "bench step",
            TINY + " --repetitions 1 --seconds 0.01",
            "bench train",
            TINY + " --epochs 1 --minutes 0.1",
            "select",
            " --count 3",
            "finetune",
            " --epochs 1 --device cpu --threads 2",
            "views",
            "",
            "devices",
            "",
            "evaluate",
            " --threads 2",
            "embed",
            " --threads 2");

    @TempDir
    static Path dir;

    @BeforeAll
    static void prepare() throws IOException {
        BuiltInImages.write(dir.resolve("photos"), 3, 1);
        BuiltInImages.write(dir.resolve("labelled/train"), 3, 2);
        BuiltInImages.write(dir.resolve("labelled/test"), 2, 3);
        // A network of DINOv2's architecture, and the configuration of its page.
        Files.copy(Path.of("src/test/resources/dinov2/tiny-dinov2.onnx"), dir.resolve("dinov2-small.onnx"));
        Files.writeString(
                dir.resolve("dinov2.json"),
                DocsPages.fences(Files.readString(DOCS.resolve("teacher.md")), "json")
                        .get(0));
    }

    /** The lines of the page's shell blocks, joined where a backslash says so. */
    private static List<String> commands() throws IOException {
        return DocsPages.fences(Files.readString(DOCS.resolve("getting-started.md")), "sh").stream()
                .flatMap(block -> block.replaceAll("\\\\\\R\\s*", " ").strip().lines())
                .toList();
    }

    private static List<String> small(String command) {
        assertTrue(command.startsWith("./simclr "), command);
        String rest = command.substring("./simclr ".length());
        String name = INSTEAD.keySet().stream()
                .filter(rest::startsWith)
                .findFirst()
                .orElseThrow(() -> new AssertionError(command));
        for (Matcher m = Pattern.compile("--[a-z-]+").matcher(INSTEAD.get(name)); m.find(); ) {
            rest = rest.replaceAll(m.group() + " \\S+", "");
        }
        List<String> words =
                new ArrayList<>(List.of((rest + INSTEAD.get(name)).strip().split("\\s+")));
        for (int i = 0; i < words.size(); i++) {
            // The preset and the folder have the same name.
            boolean preset = i > 0 && words.get(i - 1).equals("--preset");
            if (!preset && NAME.matcher(words.get(i)).matches()) {
                words.set(i, dir.resolve(words.get(i)).toString());
            }
        }
        return words;
    }

    @Test
    void everyCommandOfThePageRuns() throws IOException {
        List<String> commands = commands();
        assertTrue(commands.size() > 10, commands.toString());
        for (String command : commands) {
            if (command.contains("--encoder encoder.onnx") && !Files.exists(dir.resolve("encoder.onnx"))) {
                // The page leaves to its reader which of its encoders this is.
                Files.copy(dir.resolve("cpu/encoder.onnx"), dir.resolve("encoder.onnx"));
            }
            Run run = run(small(command).toArray());
            assertEquals(0, run.code(), command + ": " + run.err());
        }
        try (OnnxEncoder served = OnnxEncoder.open(dir.resolve("small/encoder.onnx"), 1);
                OnnxEncoder run = OnnxEncoder.open(dir.resolve("gpu/encoder.onnx"), 1)) {
            assertEquals("serving", served.metadata().get("training.preset"));
            assertEquals(
                    "mobilenetv3-large width 0.0625 stem IMAGENET",
                    served.metadata().get("training.encoder"));
            assertEquals("photos", run.metadata().get("training.preset"));
            assertEquals("resnet50 width 0.0625 stem IMAGENET", run.metadata().get("training.encoder"));
        }
        assertTrue(Files.exists(dir.resolve("classifier.onnx")) && Files.exists(dir.resolve("label-first.csv")));
    }

    @Test
    void theRecordOfATrainingNamesThePreset() throws IOException {
        Path json = dir.resolve("preset.json");
        Run run = run(
                "pretrain",
                "--preset",
                "small",
                "--images",
                dir.resolve("photos"),
                "--width",
                "0.0625",
                "--batch",
                "8",
                "--epochs",
                "1",
                "--device",
                "cpu",
                "--threads",
                "2",
                "--out",
                dir.resolve("preset/encoder.onnx"),
                "--json",
                json);
        assertEquals(0, run.code(), run.err());
        JsonObject settings = json(json).getAsJsonObject("settings");
        assertEquals("small", settings.get("training.preset").getAsString());
        assertTrue(json(json).get("command").getAsString().contains("--preset small"));
    }
}
