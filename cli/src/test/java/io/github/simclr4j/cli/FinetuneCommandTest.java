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
import com.google.gson.JsonParser;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.train.data.BuiltInImages;
import io.github.simclr4j.util.Sha256;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.ONNXExportable;
import picocli.CommandLine;

/** {@code simclr finetune} from the options to the file. */
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

    private record Run(int code, String error, Path out, Path json) {
        JsonObject result() throws IOException {
            return JsonParser.parseString(Files.readString(json)).getAsJsonObject();
        }
    }

    private static Run run(String name, Object... more) {
        Path out = dir.resolve(name + ".onnx");
        Path json = dir.resolve(name + ".json");
        List<String> args = new ArrayList<>(List.of("--encoder", encoder.toString(), "--train", images.toString(), "--out",
                out.toString(), "--json", json.toString(), "--device", "cpu", "--threads", "1"));
        Arrays.stream(more).map(Object::toString).forEach(args::add);
        CommandLine line = new CommandLine(new FinetuneCommand()).setOverwrittenOptionsAllowed(true);
        StringWriter error = new StringWriter();
        line.setErr(new PrintWriter(error, true));
        line.setExecutionExceptionHandler((e, c, p) -> {
            error.write(e.toString());
            return e instanceof IllegalArgumentException ? 2 : 1;
        });
        return new Run(line.execute(args.toArray(String[]::new)), error.toString(), out, json);
    }

    @Test
    void oneFileTakesImagesAndGivesNamedProbabilities() throws IOException, OrtException {
        Run run = run("model", "--labels", "50%", "--epochs", 2, "--batch", 10);
        assertEquals(0, run.code(), run.error());
        JsonObject json = run.result();
        assertEquals(20, json.get("images").getAsInt());
        assertEquals(2, json.get("epochs").getAsInt());
        assertEquals(4, json.get("steps").getAsInt());
        assertEquals(Sha256.hex(Files.readAllBytes(run.out())), json.get("modelSha256").getAsString());
        assertFalse(Files.exists(dir.resolve("model.onnx.checkpoint")));
        try (OrtSession session = OrtEnvironment.getEnvironment().createSession(run.out().toString())) {
            assertEquals(List.of("image"), List.copyOf(session.getInputNames()));
            assertEquals(List.of("output"), List.copyOf(session.getOutputNames()));
            long[] shape = ((TensorInfo) session.getOutputInfo().get("output").getInfo()).getShape();
            assertEquals(10, shape[1]);
            Map<String, String> metadata = session.getMetadata().getCustomMetadata();
            String[] names = new Gson().fromJson(metadata.get("class_names"), String[].class);
            assertEquals(BuiltInImages.classNames(), Arrays.stream(names).sorted().toList());
            assertEquals("supervised", metadata.get("training.method"));
            assertEquals("nesterov", metadata.get("training.optimiser"));
            assertEquals("0.001953125", metadata.get("training.learning_rate"));
            assertEquals(Sha256.hex(Files.readAllBytes(encoder)), metadata.get("training.started_from"));
            assertTrue(metadata.get(ONNXExportable.PROVENANCE_METADATA_FIELD).contains("50% of the labels of " + images));
        }
    }

    @Test
    void aRunThatIsInterruptedGoesOn() throws Exception {
        Object[] options = {"--epochs", 40, "--batch", 10, "--limit", 20};
        Path state = dir.resolve("cut.onnx.checkpoint");
        Thread worker = Thread.currentThread();
        Thread cutter = new Thread(() -> {
            try {
                while (!Files.isDirectory(state) || state.toFile().list().length == 0) {
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
        assertEquals(1, first.code());
        assertTrue(first.error().contains("run the same command again to continue from " + state), first.error());
        assertFalse(Files.exists(first.out()));
        Run second = run("cut", options);
        assertEquals(0, second.code(), second.error());
        assertTrue(second.result().get("resumedAfterEpoch").getAsInt() > 0);
        assertEquals(80, second.result().get("steps").getAsInt());
        assertFalse(Files.exists(state));
    }

    @Test
    void badInputIsOneSentence() throws IOException {
        Path one = dir.resolve("one");
        Files.createDirectories(one);
        Files.copy(images.resolve("disc/0000.png"), Files.createDirectories(one.resolve("disc")).resolve("a.png"));
        Path flat = dir.resolve("flat");
        Files.copy(images.resolve("disc/0000.png"), Files.createDirectories(flat).resolve("a.png"));
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
            assertEquals(c[0], run.code(), run.error());
            assertTrue(run.error().contains((String) c[1]) && !run.error().contains("\n"), run.error());
            assertFalse(Files.exists(run.out()));
        }
    }

    /** A ResNet of others that leaves its size free: the model is for the size that was given. */
    @Test
    void anEncoderOfAnySizeIsGivenOne() throws IOException {
        Path foreign = Path.of(System.getProperty("simclr.root", ".."),
                "onnx/src/test/resources/io/github/simclr4j/onnx/foreign/resnet50-folded.onnx");
        Run without = run("anysize", "--encoder", foreign, "--epochs", 1, "--batch", 10);
        assertEquals(1, without.code());
        assertTrue(without.error().contains("--image-size"), without.error());
        Run run = run("anysize", "--encoder", foreign, "--epochs", 1, "--batch", 10, "--image-size", "32", "--labels", "50%");
        assertEquals(0, run.code(), run.error());
        try (OnnxEncoder model = OnnxEncoder.open(run.out(), 1)) {
            assertEquals(32, model.preprocessing().size());
        }
    }
}
