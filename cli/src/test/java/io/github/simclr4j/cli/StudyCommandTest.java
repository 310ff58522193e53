// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import static io.github.simclr4j.cli.CommandLineTest.json;
import static io.github.simclr4j.cli.CommandLineTest.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import io.github.simclr4j.cli.CommandLineTest.Run;
import io.github.simclr4j.train.data.BuiltInImages;
import io.github.simclr4j.train.study.Studies;
import io.github.simclr4j.train.study.Study;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Studies from the command line, of tiny networks on drawn images. */
class StudyCommandTest {
    private static final String TINY =
            " --width 0.0625 --image-size 16 --batch 16 --precision float32 --device cpu --threads 1";

    @TempDir
    static Path dir;

    @BeforeAll
    static void draw() throws IOException {
        BuiltInImages.write(dir.resolve("images"), 4, 1);
        BuiltInImages.write(dir.resolve("test"), 2, 2);
    }

    private static List<Object> arguments(String study, Path out, String options) {
        List<Object> all = new ArrayList<>(List.of(
                "study",
                study,
                "--images",
                dir.resolve("images"),
                "--train",
                dir.resolve("images"),
                "--test",
                dir.resolve("test"),
                "--out",
                out));
        all.addAll(Arrays.asList(options.strip().split(" ")));
        return all;
    }

    private static Run study(String study, Path out, String options) {
        return run(arguments(study, out, options).toArray());
    }

    @Test
    void whatHasNoEffectOrIsNotThereIsRefused() {
        Path out = dir.resolve("refused");
        for (String[] c : new String[][] {
            {"temperature", "--temperature 0.1", "The study temperature sets --temperature itself: leave it out"},
            {"temperature", "--axis batch=16,32", "--axis has an effect only with study grid"},
            {"losses", "--branches both", "--branches has an effect only with study augmentations"},
            {"augmentations", "--branches three", "branches must be one of one, both, found three"},
            {"figure5", "--epochs 1", "Unknown study, expected augmentations, color, heads"},
            {"grid", "--epochs 1", "The study grid needs an --axis"},
            {"grid", "--axis temperature", "An axis is a setting and its values"},
            {"grid", "--axis temperature=0.1 --queue 9", "has the setting queue".replace("the setting ", "--")},
            {
                "grid",
                "--axis momentum=0.5,0.9",
                "In the study grid --momentum has an effect only with --optimizer lars, sgd or nesterov: leave it out"
            },
            {"grid", "--axis margin=0.1,0.8", "--margin has an effect only with settings where the loss is margin"},
            {
                "grid",
                "--axis lr-scaling=sqrt,linear --learning-rate 0.01",
                "--lr-scaling has an effect only without --learning-rate"
            },
            {
                "grid",
                "--axis temperature=0.1,0.5 --hidden 64 --head linear",
                "--hidden has an effect only with --head nonlinear"
            },
            {"temperature", "--momentum 0.5", "--momentum has an effect only with --optimizer"},
            {"temperature", "--init gone.onnx", "The encoder of --init must be an existing file, found gone.onnx"},
            {"grid", "--axis temperature=cold", "temperature must be above 0 and finite, found cold"}
        }) {
            Run run = study(c[0], out, c[1] + " --device cpu");
            assertEquals(2, run.code(), run.err());
            assertTrue(run.err().contains(c[2]), run.err());
        }
        assertFalse(Files.exists(out), "nothing was begun");
    }

    @Test
    void theHelpNamesEveryStudyAndWhereItIsFrom() {
        String help = run("study", "--help").out().replaceAll("\\s+", " ");
        for (Study s : Studies.all()) {
            assertTrue(
                    help.contains(s.name() + ": " + s.summary() + " [" + s.source() + "]"), s.name() + " in " + help);
        }
    }

    @Test
    @Tag("slow")
    void aGridIsATableAPictureAndJson() throws IOException {
        Path out = dir.resolve("grid");
        Path result = dir.resolve("grid-result.json");
        Run run = study(
                "grid",
                out,
                "--axis temperature=0.1,0.5 --axis head=linear,nonlinear --epochs 1 --seed 3 --json " + result + TINY);
        assertEquals(0, run.code(), run.err());
        assertTrue(run.err().contains("cell 4 of 4 (temperature 0.5, head nonlinear)"), run.err());
        List<String> csv = Files.readAllLines(out.resolve("grid.csv"));
        assertEquals(5, csv.size());
        assertTrue(csv.get(1).startsWith("0.1,linear,"), csv.get(1));
        assertEquals(1000, ImageIO.read(out.resolve("grid.png").toFile()).getWidth());
        JsonObject json = json(result);
        JsonObject cell = json.getAsJsonArray("cells").get(3).getAsJsonObject();
        assertEquals("nonlinear", cell.getAsJsonObject("levels").get("head").getAsString());
        assertEquals("3", cell.getAsJsonObject("training").get("training.seed").getAsString());
        assertEquals(
                json.getAsJsonArray("cells"), json(out.resolve("grid.json")).getAsJsonArray("cells"));

        // The accuracy of a cell is what evaluate measures of its encoder.
        Path evaluated = dir.resolve("evaluated.json");
        assertEquals(
                0,
                run(
                                "evaluate",
                                "--encoder",
                                out.resolve(cell.get("encoder").getAsString()),
                                "--train",
                                dir.resolve("images"),
                                "--test",
                                dir.resolve("test"),
                                "--labels",
                                "100%",
                                "--seed",
                                "3",
                                "--threads",
                                "1",
                                "--json",
                                evaluated)
                        .code());
        assertEquals(
                json(evaluated)
                        .getAsJsonObject("linear")
                        .getAsJsonObject("simclr")
                        .get("100%")
                        .getAsDouble(),
                cell.get("accuracy").getAsDouble());

        Run other = study(
                "grid", out, "--axis temperature=0.1,0.5 --axis head=linear,nonlinear --epochs 2 --seed 3" + TINY);
        assertEquals(1, other.code());
        assertTrue(other.err().contains("with other settings (epochs 1, now 2): choose another folder"), other.err());
    }

    @Test
    @Tag("slow")
    void aFailedCellFailsTheCommandAfterTheRest() throws IOException {
        Path result = dir.resolve("failed.json");
        Run run = study("grid", dir.resolve("failed"), "--axis method=amdim,simclr --epochs 1 --json " + result + TINY);
        assertEquals(1, run.code(), run.err());
        assertTrue(run.err().contains("1 of 2 cells failed"), run.err());
        assertEquals(
                "failed",
                json(result)
                        .getAsJsonArray("cells")
                        .get(0)
                        .getAsJsonObject()
                        .get("state")
                        .getAsString());
        assertEquals(
                "done",
                json(result)
                        .getAsJsonArray("cells")
                        .get(1)
                        .getAsJsonObject()
                        .get("state")
                        .getAsString());
    }

    private static Process start(Path log, List<Object> arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Dai.djl.offline=true",
                Main.class.getName()));
        arguments.forEach(a -> command.add(a.toString()));
        ProcessBuilder b = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
        b.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        return b.start();
    }

    private static boolean has(Path folder, String name) throws IOException {
        if (!Files.exists(folder)) {
            return false;
        }
        try (Stream<Path> files = Files.walk(folder)) {
            return files.anyMatch(f -> f.getFileName().toString().equals(name));
        } catch (UncheckedIOException e) {
            // A temporary file went while the folder was listed.
            return false;
        }
    }

    @Test
    @Tag("slow")
    void aKilledStudyAndAnInterruptedOneContinue() throws Exception {
        String options = "--axis temperature=0.1,0.5 --epochs 40" + TINY;
        Path alone = dir.resolve("alone");
        assertEquals(0, study("grid", alone, options).code());

        Path out = dir.resolve("killed");
        Path log = dir.resolve("killed.log");
        Process killed = start(log, arguments("grid", out, options));
        while (killed.isAlive() && !has(out, "cell.json")) {
            Thread.sleep(5);
        }
        assertTrue(killed.isAlive(), () -> "it ended before it could be killed");
        killed.destroyForcibly().waitFor();

        Process interrupted = start(log, arguments("grid", out, options));
        while (interrupted.isAlive() && !Files.readString(log).contains("epoch 4/40")) {
            Thread.sleep(5);
        }
        interrupted.destroy();
        assertEquals(143, interrupted.waitFor(), Files.readString(log));
        assertTrue(
                Files.readString(log)
                        .contains("interrupted in cell 2 of 2 (temperature 0.5); run the same command again"),
                Files.readString(log));

        Run last = study("grid", out, options);
        assertEquals(0, last.code(), last.err());
        assertTrue(last.err().contains("1 of 2 cells were already done"), last.err());
        assertEquals(Files.readString(alone.resolve("grid.csv")), Files.readString(out.resolve("grid.csv")));
    }
}
