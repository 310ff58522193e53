// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import com.google.gson.Gson;
import com.google.gson.JsonObject;
import io.github.simclr4j.cli.CommandLineTest.Run;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.train.data.BuiltInImages;
import io.github.simclr4j.util.Sha256;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.ONNXExportable;

/** {@code simclr finetune} from the options to the file. */
@Tag("slow")
class FinetuneCommandTest {
    @TempDir
    static Path dir;

    private static Path images;
    private static Path encoder;

    @BeforeAll
    static void draw() throws IOException {
        images = dir.resolve("images");
        BuiltInImages.write(images, 4, 1);
        encoder = CommandLineTest.untrained(dir.resolve("encoder.onnx"), 1);
    }

    private static Path out(String name) {
        return dir.resolve(name + ".onnx");
    }

    private static JsonObject result(String name) throws IOException {
        return CommandLineTest.json(dir.resolve(name + ".json"));
    }

    /** An option that is given here comes in place of the one that all runs have. */
    private static Run run(String name, Object... more) {
        Map<String, Object> options = new LinkedHashMap<>();
        options.put("--encoder", encoder);
        options.put("--train", images);
        options.put("--out", out(name));
        options.put("--json", dir.resolve(name + ".json"));
        options.put("--device", "cpu");
        options.put("--threads", 1);
        for (int i = 0; i < more.length; i += 2) {
            options.put(more[i].toString(), more[i + 1]);
        }
        List<Object> args = new ArrayList<>(List.of("finetune"));
        options.forEach((option, value) -> args.addAll(List.of(option, value)));
        return CommandLineTest.run(args.toArray());
    }

    @Test
    void oneFileTakesImagesAndGivesNamedProbabilities() throws IOException, OrtException {
        Run run = run("model", "--labels", "50%", "--epochs", 2, "--batch", 10);
        assertEquals(0, run.code(), run.err());
        JsonObject json = result("model");
        assertEquals(20, json.get("images").getAsInt());
        assertEquals(2, json.get("epochs").getAsInt());
        assertEquals(4, json.get("steps").getAsInt());
        assertEquals(
                Sha256.hex(Files.readAllBytes(out("model"))),
                json.get("modelSha256").getAsString());
        assertFalse(Files.exists(dir.resolve("model.onnx.checkpoint")));
        try (OrtSession session =
                OrtEnvironment.getEnvironment().createSession(out("model").toString())) {
            assertEquals(List.of("image"), List.copyOf(session.getInputNames()));
            assertEquals(List.of("output"), List.copyOf(session.getOutputNames()));
            long[] shape = ((TensorInfo) session.getOutputInfo().get("output").getInfo()).getShape();
            assertEquals(10, shape[1]);
            Map<String, String> metadata = session.getMetadata().getCustomMetadata();
            String[] names = new Gson().fromJson(metadata.get("class_names"), String[].class);
            assertEquals(
                    BuiltInImages.classNames(), Arrays.stream(names).sorted().toList());
            assertEquals("supervised", metadata.get("training.method"));
            assertEquals("nesterov", metadata.get("training.optimizer"));
            assertEquals("0.001953125", metadata.get("training.learning_rate"));
            assertEquals(Sha256.hex(Files.readAllBytes(encoder)), metadata.get("training.started_from"));
            assertTrue(
                    metadata.get(ONNXExportable.PROVENANCE_METADATA_FIELD).contains("50% of the labels of " + images));
        }
    }

    @Test
    void aRunThatIsInterruptedGoesOn() throws Exception {
        Object[] options = {"--epochs", 40, "--batch", 10, "--limit", 20};
        Path state = dir.resolve("cut.onnx.checkpoint");
        Thread worker = Thread.currentThread();
        Thread cutter = new Thread(() -> {
            try {
                while (!Files.isDirectory(state)
                        || state.toFile().list((folder, name) -> name.endsWith(".ckpt")).length == 0) {
                    Thread.sleep(5);
                }
                worker.interrupt();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        cutter.start();
        Run first = run("cut", options);
        cutter.join();
        assertEquals(130, first.code());
        assertTrue(first.err().contains("run the same command again to continue from " + state), first.err());
        assertFalse(Files.exists(out("cut")));
        Run second = run("cut", options);
        assertEquals(0, second.code(), second.err());
        assertTrue(result("cut").get("resumedAfterEpoch").getAsInt() > 0);
        assertEquals(80, result("cut").get("steps").getAsInt());
        assertFalse(Files.exists(state));
    }

    @Test
    void badInputIsOneSentence() throws IOException {
        Path one = dir.resolve("one");
        Files.createDirectories(one);
        Files.copy(
                images.resolve("disc/0000.png"),
                Files.createDirectories(one.resolve("disc")).resolve("a.png"));
        Path flat = dir.resolve("flat");
        Files.copy(
                images.resolve("disc/0000.png"), Files.createDirectories(flat).resolve("a.png"));
        Object[][] cases = {
            {1, "one class, [disc]", "--train", one},
            {1, "no images with a class", "--train", flat},
            {1, "missing.onnx", "--encoder", dir.resolve("missing.onnx")},
            {2, "above 0% and at most 100%", "--labels", "0%"},
            {2, "--epochs must be at least 1", "--epochs", "0"},
            {2, "Unknown augmentation", "--views", "nothing"},
        };
        for (Object[] c : cases) {
            Run run = run("bad", Arrays.copyOfRange(c, 2, c.length));
            assertEquals(c[0], run.code(), run.err());
            String last = run.err().strip().lines().reduce((x, y) -> y).orElseThrow();
            assertTrue(last.startsWith("simclr: ") && last.contains((String) c[1]), run.err());
            assertFalse(Files.exists(out("bad")));
        }
    }

    /** A ResNet of others that leaves its size free: the model is for the size that was given. */
    @Test
    void anEncoderOfAnySizeIsGivenOne() throws IOException {
        Path foreign = Path.of(
                System.getProperty("simclr.root", ".."),
                "onnx/src/test/resources/io/github/simclr4j/onnx/foreign/resnet50-folded.onnx");
        Run without = run("anysize", "--encoder", foreign, "--epochs", 1, "--batch", 10);
        assertEquals(1, without.code());
        assertTrue(without.err().contains("--image-size"), without.err());
        Run run = run(
                "anysize", "--encoder", foreign, "--epochs", 1, "--batch", 10, "--image-size", "32", "--labels", "50%");
        assertEquals(0, run.code(), run.err());
        try (OnnxEncoder model = OnnxEncoder.open(out("anysize"), 1)) {
            assertEquals(32, model.preprocessing().size());
        }
    }
}
