// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.github.simclr4j.cli.CommandLineTest.Run;
import io.github.simclr4j.train.data.BuiltInImages;
import io.github.simclr4j.tribuo.evaluation.Accuracies;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code simclr evaluate --protocol}. */
@Tag("slow")
class EvaluateProtocolTest {
    @TempDir
    static Path dir;

    private static Path encoder;

    @BeforeAll
    static void draw() throws IOException {
        BuiltInImages.write(dir.resolve("train"), 4, 1);
        BuiltInImages.write(dir.resolve("test"), 2, 2);
        encoder = CommandLineTest.untrained(dir.resolve("encoder.onnx"), 1);
    }

    private static Run run(String name, Object... more) {
        List<Object> args = new ArrayList<>(List.of(
                "evaluate",
                "--encoder",
                encoder,
                "--train",
                dir.resolve("train"),
                "--test",
                dir.resolve("test"),
                "--json",
                dir.resolve(name + ".json"),
                "--device",
                "cpu",
                "--threads",
                "1"));
        args.addAll(List.of(more));
        return CommandLineTest.run(args.toArray());
    }

    /** The encoder has the weights that the untrained network gets from the same seed. */
    @Test
    void theUntrainedNetworkIsMeasuredByTheSameLayers() throws IOException {
        for (String output : List.of("embedding", "layer2.1,layer4.0.relu1,embedding")) {
            Run run = run("layers", "--output", output, "--labels", "100%", "--seed", 1);
            assertEquals(0, run.code(), run.err());
            JsonObject linear = CommandLineTest.json(dir.resolve("layers.json")).getAsJsonObject("linear");
            assertEquals(linear.get("simclr"), linear.get("untrained"), output);
        }
    }

    /** The mean of each share is that of its runs, which are as many as there are seeds. */
    @Test
    void everyProtocolIsMeasuredForEachShareAndSeed() throws IOException {
        List<String> names = List.of("knn", "self-training", "from-scratch", "finetune", "distillation");
        Run run = run(
                "all",
                "--protocol",
                String.join(",", names),
                "--labels",
                "50%,100%",
                "--repeat",
                2,
                "--epochs",
                1,
                "--batch",
                8,
                "--student-epochs",
                1,
                "--unlabelled",
                20,
                "--temperature",
                4,
                "--neighbours",
                3);
        assertEquals(0, run.code(), run.err());
        JsonObject json = CommandLineTest.json(dir.resolve("all.json"));
        assertEquals(names, List.copyOf(json.getAsJsonObject("protocols").keySet()));
        for (String name : names) {
            for (String share : List.of("50%", "100%")) {
                List<Double> runs =
                        json
                                .getAsJsonObject("protocolRuns")
                                .getAsJsonObject(name)
                                .getAsJsonArray(share)
                                .asList()
                                .stream()
                                .map(JsonElement::getAsDouble)
                                .toList();
                assertEquals(2, runs.size());
                assertEquals(
                        (runs.get(0) + runs.get(1)) / 2,
                        json.getAsJsonObject("protocols")
                                .getAsJsonObject(name)
                                .get(share)
                                .getAsDouble(),
                        1e-12,
                        name + share);
                assertEquals(
                        2,
                        run.err()
                                .lines()
                                .filter(l -> l.startsWith(name + " with " + share))
                                .count(),
                        run.err());
            }
        }
    }

    /** An archive of the same images has the same classes, and so the same accuracies. */
    @Test
    void anArchiveIsAsGoodAsAFolder() throws IOException {
        Path zip = dir.resolve("train-images.zip");
        try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(zip));
                Stream<Path> files = Files.walk(dir.resolve("train"))) {
            for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                out.putNextEntry(
                        new ZipEntry(dir.resolve("train").relativize(file).toString()));
                Files.copy(file, out);
            }
        }
        Run folder = run("folder", "--protocol", "knn,finetune", "--labels", "50%", "--epochs", 1);
        Run archive = CommandLineTest.run(
                "evaluate",
                "--encoder",
                encoder,
                "--train",
                zip,
                "--test",
                dir.resolve("test"),
                "--json",
                dir.resolve("archive.json"),
                "--device",
                "cpu",
                "--threads",
                "1",
                "--protocol",
                "knn,finetune",
                "--labels",
                "50%",
                "--epochs",
                1);
        assertEquals(0, folder.code(), folder.err());
        assertEquals(0, archive.code(), archive.err());
        assertEquals(
                CommandLineTest.json(dir.resolve("folder.json")).get("protocols"),
                CommandLineTest.json(dir.resolve("archive.json")).get("protocols"));
    }

    @Test
    void whatIsNoSetOfImagesIsSaidOnce() throws IOException {
        Path zip = Files.writeString(dir.resolve("train.zip"), "PK");
        for (String protocol : List.of("linear", "self-training", "finetune")) {
            Run run = CommandLineTest.run(
                    "evaluate",
                    "--encoder",
                    encoder,
                    "--train",
                    zip,
                    "--test",
                    dir.resolve("test"),
                    "--protocol",
                    protocol,
                    "--device",
                    "cpu");
            assertEquals(1, run.code());
            String last = run.err().strip().lines().reduce((a, b) -> b).orElseThrow();
            assertTrue(last.startsWith("simclr: " + zip), last);
            assertFalse(last.substring(8 + zip.toString().length()).contains(zip.toString()), last);
        }
        Run run = CommandLineTest.run(
                "evaluate", "--encoder", zip, "--train", dir.resolve("train"), "--test", dir.resolve("test"));
        assertEquals(1, run.code());
        assertTrue(run.err().matches("simclr: \\S*train.zip is not an ONNX file[^(]*\\R"), run.err());
    }

    @Test
    void theDeviationIsThatOfASample() {
        Accuracies m = new Accuracies(Map.of("1%", List.of(0.5), "10%", List.of(0.5, 0.6, 0.7)), Optional.empty());
        assertEquals("50.00%", AccuracyTable.text(m, "1%"));
        assertEquals(0.6, m.mean("10%"), 1e-12);
        assertEquals(0.1, m.deviation("10%"), 1e-12);
        assertEquals("60.00% +- 10.00", AccuracyTable.text(m, "10%"));
    }

    @Test
    void withAllLabelsSelfTrainingIsLinearEvaluation() throws IOException {
        Run run = run("full", "--protocol", "linear,self-training", "--labels", "100%");
        assertEquals(0, run.code(), run.err());
        JsonObject json = CommandLineTest.json(dir.resolve("full.json"));
        assertEquals(
                json.getAsJsonObject("linear")
                        .getAsJsonObject("simclr")
                        .get("100%")
                        .getAsDouble(),
                json.getAsJsonObject("protocols")
                        .getAsJsonObject("self-training")
                        .get("100%")
                        .getAsDouble());
    }

    @Test
    void oneProtocolAloneLeavesLinearOut() throws IOException {
        Run run = run("one", "--protocol", "finetune", "--labels", "25%", "--epochs", "1");
        assertEquals(0, run.code(), run.err());
        JsonObject json = CommandLineTest.json(dir.resolve("one.json"));
        assertFalse(json.has("linear"));
        assertEquals(Set.of("finetune"), json.getAsJsonObject("protocols").keySet());
        assertTrue(json.has("encoderSha256"));
        Run wrong = run("wrong", "--protocol", "finetuning");
        assertEquals(2, wrong.code());
        assertTrue(
                wrong.err()
                        .contains(
                                "expected linear, knn, self-training, from-scratch, finetune, distillation, found finetuning"),
                wrong.err());
    }
}
