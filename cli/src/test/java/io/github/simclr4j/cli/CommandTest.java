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
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What all commands have in common: their files, and how they end. */
class CommandTest {
    @TempDir
    static Path dir;

    private static Path images;
    private static Path encoder;

    @BeforeAll
    static void draw() throws IOException {
        images = dir.resolve("images");
        BuiltInImages.write(images, 2, 1);
        encoder = CommandLineTest.untrained(dir.resolve("encoder.onnx"), 1);
    }

    @Test
    void aFailedCheckStillWritesItsResult() throws IOException {
        ai.onnx.proto.OnnxMl.ModelProto.Builder b =
                ai.onnx.proto.OnnxMl.ModelProto.parseFrom(Files.readAllBytes(encoder)).toBuilder();
        b.getGraphBuilder().getNodeBuilder(5).setInput(0, "nothing");
        Path broken = Files.write(dir.resolve("broken.onnx"), b.build().toByteArray());
        Path file = dir.resolve("failed.json");

        assertEquals(1, run("inspect", broken, "--json", file).code());
        JsonObject inspected = json(file);
        assertFalse(inspected.get("sound").getAsBoolean());
        assertTrue(inspected.getAsJsonArray("problems").toString().contains("nothing"), inspected.toString());

        Path other = CommandLineTest.untrained(dir.resolve("other.onnx"), 2);
        assertEquals(
                1,
                run("verify", encoder, other, "--images", images, "--json", file)
                        .code());
        JsonObject verified = json(file);
        assertFalse(verified.get("passed").getAsBoolean());
        assertTrue(verified.get("largestDifference").getAsDouble() > 0);

        Run devices = run("devices", "--device", "gpu:99", "--json", file);
        assertEquals(1, devices.code());
        assertFalse(json(file).has("device"));
        assertTrue(
                devices.err()
                        .contains("is not available: " + json(file).get("why").getAsString()),
                devices.err());
    }

    /** A result with numbers of all kinds. */
    @CommandLine.Command(name = "numbers")
    static final class Numbers extends Command {
        @Override
        Map<String, Object> work() {
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("loss", Double.NaN);
            json.put("runs", List.of(Double.POSITIVE_INFINITY, 0.25));
            json.put("values", new float[] {Float.NaN, 0.5f});
            json.put("count", 3);
            json.put("unknown", null);
            return json;
        }
    }

    @Test
    void aNumberThatIsNoneIsNullInTheResult() throws IOException {
        Path file = dir.resolve("numbers.json");
        assertEquals(0, new CommandLine(new Numbers()).execute("--json", file.toString()));
        assertEquals(
                "{\"loss\":null,\"runs\":[null,0.25],\"values\":[null,0.5],\"count\":3}",
                json(file).toString());
    }

    /** A process of its own, whose environment has the variable; the exit code and the last line of what it says. */
    private static String withDevice(String device, Object... args) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Dai.djl.offline=true",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName()));
        for (Object a : args) {
            command.add(a.toString());
        }
        Path log = dir.resolve("device.log");
        ProcessBuilder b = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
        b.environment().put("SIMCLR_DEVICE", device);
        int code = b.start().waitFor();
        return code + " "
                + Files.readString(log).strip().lines().reduce((x, y) -> y).orElse("");
    }

    @Test
    void aDeviceInTheEnvironmentIsForTheCommandsThatHaveOne() throws Exception {
        Object[] pretrain = {
            "pretrain", "--images", Files.createDirectories(dir.resolve("empty")), "--out", dir.resolve("x.onnx")
        };
        assertTrue(withDevice("", pretrain).startsWith("1 simclr: No images in"), withDevice("", pretrain));
        assertTrue(
                withDevice("tpu", pretrain).startsWith("2 simclr: Unknown SIMCLR_DEVICE"), withDevice("tpu", pretrain));
        assertTrue(withDevice("tpu", "inspect", encoder).startsWith("0 "), withDevice("tpu", "inspect", encoder));
    }
}
