package io.github.simclr4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.simclr4j.onnx.ResNet;
import io.github.simclr4j.train.BuiltInImages;
import io.github.simclr4j.train.Pretrainer;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** {@code simclr evaluate --protocol}. */
class EvaluateProtocolTest {
    @TempDir
    static Path dir;

    private static Path encoder;

    @BeforeAll
    static void draw() throws IOException {
        BuiltInImages.write(dir.resolve("train"), 4, 1);
        BuiltInImages.write(dir.resolve("test"), 2, 2);
        encoder = Files.write(dir.resolve("encoder.onnx"),
                Pretrainer.untrained(new ResNet(18, 1.0 / 16, ResNet.Stem.CIFAR), BuiltInImages.SIZE, 1));
    }

    private record Run(int code, String error, Path json) {}

    private static Run run(String name, String... more) {
        Path json = dir.resolve(name + ".json");
        CommandLine line = new CommandLine(new EvaluateCommand());
        StringWriter error = new StringWriter();
        line.setErr(new PrintWriter(error, true));
        line.setExecutionExceptionHandler((e, c, p) -> {
            error.write(e.toString());
            return e instanceof IllegalArgumentException ? 2 : 1;
        });
        String[] first = {"--encoder", encoder.toString(), "--train", dir.resolve("train").toString(), "--test",
            dir.resolve("test").toString(), "--json", json.toString(), "--device", "cpu", "--threads", "1"};
        String[] all = Stream.of(first, more).flatMap(Arrays::stream).toArray(String[]::new);
        return new Run(line.execute(all), error.toString(), json);
    }

    @Test
    void everyProtocolHasAnAccuracyForEachShare() throws IOException {
        Run run = run("all", "--protocol", "linear,from-scratch,finetune,self-training,distillation", "--labels", "25%,50%",
                "--epochs", "1", "--batch", "10", "--student-epochs", "1", "--unlabelled", "20", "--repeat", "2");
        assertEquals(0, run.code(), run.error());
        JsonObject json = JsonParser.parseString(Files.readString(run.json())).getAsJsonObject();
        assertTrue(json.has("linear") && json.has("settings"));
        JsonObject protocols = json.getAsJsonObject("protocols");
        assertEquals(Set.of("from-scratch", "finetune", "self-training", "distillation"), protocols.keySet());
        for (String name : protocols.keySet()) {
            JsonObject shares = protocols.getAsJsonObject(name);
            assertEquals(Set.of("25%", "50%"), shares.keySet());
            shares.entrySet().forEach(e -> {
                // Of 20 test images, twice.
                double right = 40 * e.getValue().getAsDouble();
                assertTrue(right >= 0 && right <= 40 && Math.abs(right - Math.rint(right)) < 1e-9, name + " " + e);
                JsonArray runs = json.getAsJsonObject("protocolRuns").getAsJsonObject(name).getAsJsonArray(e.getKey());
                assertEquals(2, runs.size());
                assertEquals(e.getValue().getAsDouble(), (runs.get(0).getAsDouble() + runs.get(1).getAsDouble()) / 2, 1e-12);
            });
        }
        JsonObject linear = json.getAsJsonObject("linearRuns").getAsJsonObject("pixels");
        assertEquals(2, linear.getAsJsonArray("25%").size());
    }

    @Test
    void theDeviationIsThatOfASample() {
        Measured m = new Measured();
        m.add(0.5);
        assertEquals("50.00%", m.toString());
        m.add(0.6);
        m.add(0.7);
        assertEquals(0.6, m.mean(), 1e-12);
        assertEquals(0.1, m.deviation(), 1e-12);
        assertEquals("60.00% +- 10.00", m.toString());
    }

    @Test
    void withAllLabelsSelfTrainingIsLinearEvaluation() throws IOException {
        Run run = run("full", "--protocol", "linear,self-training", "--labels", "100%");
        assertEquals(0, run.code(), run.error());
        JsonObject json = JsonParser.parseString(Files.readString(run.json())).getAsJsonObject();
        assertEquals(json.getAsJsonObject("linear").getAsJsonObject("simclr").get("100%").getAsDouble(),
                json.getAsJsonObject("protocols").getAsJsonObject("self-training").get("100%").getAsDouble());
    }

    @Test
    void oneProtocolAloneLeavesLinearOut() throws IOException {
        Run run = run("one", "--protocol", "finetune", "--labels", "25%", "--epochs", "1");
        assertEquals(0, run.code(), run.error());
        JsonObject json = JsonParser.parseString(Files.readString(run.json())).getAsJsonObject();
        assertFalse(json.has("linear"));
        assertEquals(Set.of("finetune"), json.getAsJsonObject("protocols").keySet());
        assertTrue(json.has("encoderSha256"));
        Run wrong = run("wrong", "--protocol", "finetuning");
        assertEquals(2, wrong.code());
        assertTrue(wrong.error().contains(
                "expected linear, from-scratch, finetune, self-training, distillation, found finetuning"), wrong.error());
    }
}
