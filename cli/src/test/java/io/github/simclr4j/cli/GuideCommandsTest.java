// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import static io.github.simclr4j.cli.CommandLineTest.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.simclr4j.cli.CommandLineTest.Run;
import io.github.simclr4j.images.Images;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.train.data.BuiltInImages;
import io.github.simclr4j.train.loop.EncoderExport;
import io.github.simclr4j.util.AtomicFiles;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands of the guides run, on small images and tiny networks. */
@Tag("slow")
class GuideCommandsTest {
    /** Names of files and folders on these pages. */
    private static final Pattern NAME = Pattern.compile(
            "(?:encoder|animals|own/encoder|vendor|resnet50)\\.onnx|features\\.npy|photos|labelled|(?:labelled|cifar10)/(?:train|test)");

    @TempDir
    static Path dir;

    @BeforeAll
    static void draw() throws IOException {
        BuiltInImages.write(dir.resolve("photos"), 4, 1);
        BuiltInImages.write(dir.resolve("labelled/train"), 4, 2);
        BuiltInImages.write(dir.resolve("labelled/test"), 2, 3);
        BuiltInImages.write(dir.resolve("cifar10/train"), 4, 2);
        BuiltInImages.write(dir.resolve("cifar10/test"), 2, 3);
        Files.createDirectories(dir.resolve("own"));
        Files.copy(Path.of("src/test/resources/dinov2/tiny-dinov2.onnx"), dir.resolve("vendor.onnx"));
        AtomicFiles.write(
                dir.resolve("resnet50.onnx"),
                EncoderExport.untrained(new ResNet(50, 1.0 / 16, ResNet.Stem.IMAGENET), 64, 1));
    }

    /** Runs the commands of a page in their order, with its names in the test's folder, one epoch and a tiny network. */
    private static int runAll(String page) throws IOException {
        List<List<String>> commands = DocsPages.commands(
                Files.readString(DocsPages.ROOT.resolve("docs").resolve(page)));
        for (List<String> words : commands) {
            String command = String.join(" ", words)
                    .replaceAll("--epochs \\d+", "--epochs 1 --batch 16 --device cpu --threads 2")
                    .replaceAll("--repeat \\d+", "--repeat 2")
                    .replaceAll("--unlabelled \\d+", "--unlabelled 20")
                    .replaceAll("--student-epochs \\d+", "--student-epochs 1")
                    .replaceAll(
                            "^(evaluate .*--protocol linear,from.*)$",
                            "$1 --epochs 1 --student-epochs 1 --batch 16 --device cpu --threads 2");
            if (command.startsWith("pretrain")) {
                command = command.replace("--image-size 224", "--image-size 64").replaceAll(" --width \\d+", "")
                        + " --width 0.0625";
            }
            String[] args = Arrays.stream(command.split(" "))
                    .map(w -> NAME.matcher(w).matches() ? dir.resolve(w).toString() : w)
                    .toArray(String[]::new);
            Run run = run((Object[]) args);
            assertEquals(0, run.code(), Arrays.toString(args) + ": " + run.err());
        }
        return commands.size();
    }

    @Test
    void everyCommandForFewLabelsRuns() throws IOException {
        assertTrue(runAll("few-labels.md") >= 6);
    }

    @Test
    void everyCommandOfThePageAboutPythonRuns() throws IOException {
        assertTrue(runAll("python.md") >= 5);
        assertTrue(Files.exists(dir.resolve("features.npy.txt")));
    }

    /** The code of the section "From Java to Python", where there is a Python that can run it. */
    @Test
    void pythonGetsTheSameNumbers() throws Exception {
        String python = System.getenv().getOrDefault("SIMCLR_PYTHON", "python3");
        assumeTrue(
                python(python, "import onnxruntime, PIL.Image, numpy").equals("0 "),
                "no Python with onnxruntime, Pillow and NumPy: set SIMCLR_PYTHON");
        String page = Files.readString(DocsPages.ROOT.resolve("docs/python.md"));
        String code = DocsPages.fences(
                        page.substring(page.indexOf("## From Java to Python"), page.indexOf("### A classifier")))
                .stream()
                .map(DocsPages.Fence::text)
                .collect(Collectors.joining("\n"));
        Path encoder = dir.resolve("small.onnx");
        AtomicFiles.write(encoder, EncoderExport.untrained(new ResNet(18, 1.0 / 16, ResNet.Stem.CIFAR), 32, 1));
        Path same = Images.find(dir.resolve("photos")).get(0); // 32 pixels, as the encoder takes them
        Path large = dir.resolve("large.png");
        BufferedImage enlarged = new BufferedImage(75, 50, BufferedImage.TYPE_INT_RGB);
        enlarged.createGraphics().drawImage(ImageIO.read(same.toFile()), 0, 0, 75, 50, null);
        ImageIO.write(enlarged, "png", large.toFile());
        assertEquals(1, cosine(python, code, encoder, same), 1e-9);
        assertEquals(1, cosine(python, code, encoder, large), 1e-3);
    }

    /** The cosine similarity of an image's embedding by the page's code and by Java. */
    private static double cosine(String python, String code, Path encoder, Path image) throws Exception {
        String found = python(
                python,
                code.replace("\"encoder.onnx\"", "r\"" + encoder + "\"").replace("\"photo.jpg\"", "r\"" + image + "\"")
                        + "\nprint(' '.join(str(float(v)) for v in embedding[0]))\n");
        assertTrue(found.startsWith("0 "), found);
        String[] values = found.substring(2).strip().split(" ");
        try (OnnxEncoder opened = OnnxEncoder.open(encoder, 1)) {
            float[] expected = opened.embed(List.of(Images.read(image)))[0];
            assertEquals(expected.length, values.length);
            double dot = 0;
            double ours = 0;
            double theirs = 0;
            for (int i = 0; i < expected.length; i++) {
                double value = Double.parseDouble(values[i]);
                dot += expected[i] * value;
                ours += (double) expected[i] * expected[i];
                theirs += value * value;
            }
            return dot / Math.sqrt(ours * theirs);
        }
    }

    /** Runs Python and returns its exit code and what it prints. */
    private static String python(String python, String code) throws Exception {
        Process process;
        try {
            process = new ProcessBuilder(python, "-c", code)
                    .redirectErrorStream(true)
                    .start();
        } catch (IOException e) {
            return "-1 " + e.getMessage();
        }
        process.getOutputStream().close();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(2, TimeUnit.MINUTES));
        return process.exitValue() + " " + out;
    }

    @Test
    void everyCommandForServingRuns() throws IOException {
        AtomicFiles.write(
                dir.resolve("encoder.onnx"),
                EncoderExport.untrained(new ResNet(18, 1.0 / 16, ResNet.Stem.CIFAR), 32, 1));
        assertTrue(runAll("serving.md") >= 2);
    }
}
