// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.train.data.BuiltInImages;
import io.github.simclr4j.train.loop.EncoderExport;
import io.github.simclr4j.tribuo.model.EncodedModel;
import io.github.simclr4j.tribuo.model.SelfTrainedModel;
import io.github.simclr4j.util.AtomicFiles;
import io.github.simclr4j.util.Sha256;
import java.io.File;
import java.io.IOException;
import java.io.StringWriter;
import java.lang.module.ModuleFinder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.Example;
import org.tribuo.Prediction;
import org.tribuo.classification.Label;

@Tag("slow")
class ExperimentTest {
    private static final String CONFIGURATION = "/io/github/simclr4j/examples/experiment.xml";

    @TempDir
    static Path dir;

    private static Path encoder;

    @BeforeAll
    static void write() throws IOException {
        BuiltInImages.write(dir.resolve("train"), 6, 1);
        BuiltInImages.write(dir.resolve("test"), 4, 2);
        BuiltInImages.write(dir.resolve("unlabelled"), 10, 3);
        encoder = dir.resolve("encoder.onnx");
        AtomicFiles.write(encoder, EncoderExport.untrained(new ResNet(18, 0.125, ResNet.Stem.CIFAR), 32, 1));
    }

    private static Experiment.Result run(String trainer, Path model) throws IOException {
        return Experiment.run(
                CONFIGURATION,
                List.of(
                        "encoder=" + encoder,
                        "train=" + dir.resolve("train"),
                        "test=" + dir.resolve("test"),
                        "unlabelled=" + dir.resolve("unlabelled"),
                        "model=" + model,
                        "trainer=" + trainer));
    }

    /** One file describes it all; the saved model predicts from an image and names its encoder. */
    @Test
    void theConfigurationRuns() throws IOException {
        Path file = dir.resolve("logistic.tribuo");
        Experiment.Result result = run("logistic", file);
        assertEquals(40, result.test().getPredictions().size());
        assertEquals(3, result.folds().size());
        try (EncodedModel<?> model = EncodedModel.load(file)) {
            assertTrue(model.getProvenance().toString().contains(Sha256.hex(Files.readAllBytes(encoder))));
            assertEquals(10, model.getOutputIDInfo().size());
            for (Prediction<Label> p : result.test().getPredictions()) {
                Path image = Path.of(p.getExample()
                        .getMetadataValue(Example.NAME)
                        .orElseThrow()
                        .toString());
                assertEquals(
                        p.getOutput().getLabel(), ((Label) model.predict(image).getOutput()).getLabel());
            }
        }
    }

    @Test
    void selfTrainingIsOnePropertyAway() throws IOException {
        Path file = dir.resolve("self.tribuo");
        assertEquals(3, run("self-training", file).folds().size());
        try (EncodedModel<?> model = EncodedModel.load(file)) {
            assertEquals(SelfTrainedModel.class, model.getInnerModel().getClass());
            String provenance = model.getProvenance().toString();
            assertTrue(provenance.contains("self-training-added") && provenance.contains("unlabelled"), provenance);
        }
    }

    /** A named module that requires the plugin by its automatic name, compiled and run on the module path. */
    @Test
    void thePluginRunsOnTheModulePath() throws IOException, InterruptedException {
        // DJL's native package has a name that no module may have; the plugin serves without it.
        List<Path> jars = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .map(Path::of)
                .filter(p -> p.toString().endsWith(".jar")
                        && !p.toString().endsWith("-tests.jar")
                        && !p.getFileName().toString().startsWith("pytorch-native"))
                .toList();
        List<Path> ours = jars.stream()
                .filter(p -> p.getFileName().toString().startsWith("simclr4j-"))
                .toList();
        Assumptions.assumeTrue(ours.size() == 4, "skipped: the modules' jars come with 'package'");
        assertEquals(
                Set.of(
                        "io.github.simclr4j.images",
                        "io.github.simclr4j.onnx",
                        "io.github.simclr4j.tribuo",
                        "io.github.simclr4j.train"),
                ModuleFinder.of(ours.toArray(Path[]::new)).findAll().stream()
                        .map(m -> m.descriptor().name())
                        .collect(Collectors.toSet()));

        Path file = dir.resolve("module.tribuo");
        run("logistic", file);
        Path source = Files.createDirectories(dir.resolve("module"));
        Path descriptor = Files.writeString(source.resolve("module-info.java"), """
                module consumer {
                    requires io.github.simclr4j.tribuo;
                    requires org.tribuo.core;
                    requires java.desktop;
                    requires com.google.gson;
                }
                """);
        Path program = Files.writeString(
                Files.createDirectories(source.resolve("consumer")).resolve("Main.java"), """
                package consumer;

                import io.github.simclr4j.tribuo.model.EncodedModel;
                import java.nio.file.Path;
                import org.tribuo.Model;

                public class Main {
                    public static void main(String[] args) throws Exception {
                        try (EncodedModel<?> model = (EncodedModel<?>) Model.deserializeFromFile(Path.of(args[0]))) {
                            System.out.println(Main.class.getModule() + ", " + EncodedModel.class.getModule() + ", "
                                    + Model.class.getModule() + ": " + model.predict(Path.of(args[1])).getOutput());
                        }
                    }
                }
                """);
        String path = jars.stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator));
        Path classes = dir.resolve("classes");
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter messages = new StringWriter();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
            assertTrue(
                    compiler.getTask(
                                    messages,
                                    files,
                                    null,
                                    List.of("--module-path", path, "-d", classes.toString()),
                                    null,
                                    files.getJavaFileObjects(descriptor, program))
                            .call(),
                    messages::toString);
        }

        Path image;
        try (var images = Files.walk(dir.resolve("test"))) {
            image = images.filter(Files::isRegularFile).sorted().findFirst().orElseThrow();
        }
        String expected;
        try (EncodedModel<?> model = EncodedModel.load(file)) {
            expected = "module consumer, module io.github.simclr4j.tribuo, module org.tribuo.core: "
                    + model.predict(image).getOutput();
        }
        Path output = dir.resolve("module.txt");
        // The arguments lie in a file: a long command line is ONNX Runtime's and Windows' trouble.
        Path arguments = Files.writeString(
                dir.resolve("arguments"),
                "--module-path\n\"" + (path + File.pathSeparator + classes).replace("\\", "\\\\")
                        + "\"\n--module\nconsumer/consumer.Main\n");
        Process child = new ProcessBuilder(
                        System.getProperty("java.home") + File.separator + "bin" + File.separator + "java",
                        "@" + arguments,
                        file.toString(),
                        image.toString())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        int code = child.waitFor();
        assertEquals(expected, Files.readString(output).trim());
        assertEquals(0, code);
    }
}
