// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.train.data.BuiltInImages;
import io.github.simclr4j.train.loop.EncoderExport;
import io.github.simclr4j.util.Sha256;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands from end to end, on small images and a tiny encoder. */
@Tag("slow")
class CommandLineTest {
    @TempDir
    static Path dir;

    private static Path train;
    private static Path test;
    private static Path encoder;
    private static JsonObject pretrained;

    record Run(int code, String out, String err) {}

    static Run run(Object... args) {
        return capture(() -> Main.run(Arrays.stream(args).map(Object::toString).toArray(String[]::new)));
    }

    /** Runs what returns an exit code, and keeps what it prints. */
    static Run capture(IntSupplier command) {
        PrintStream out = System.out;
        PrintStream err = System.err;
        ByteArrayOutputStream o = new ByteArrayOutputStream();
        ByteArrayOutputStream e = new ByteArrayOutputStream();
        try {
            System.setOut(new PrintStream(o, true, StandardCharsets.UTF_8));
            System.setErr(new PrintStream(e, true, StandardCharsets.UTF_8));
            int code = command.getAsInt();
            return new Run(code, o.toString(StandardCharsets.UTF_8), e.toString(StandardCharsets.UTF_8));
        } finally {
            System.setOut(out);
            System.setErr(err);
        }
    }

    /** Writes a tiny encoder with random weights. */
    static Path untrained(Path file, long seed) throws IOException {
        return Files.write(
                file, EncoderExport.untrained(new ResNet(18, 1.0 / 16, ResNet.Stem.CIFAR), BuiltInImages.SIZE, seed));
    }

    static JsonObject json(Path file) throws IOException {
        return JsonParser.parseString(Files.readString(file)).getAsJsonObject();
    }

    private static Object[] pretrain(Object... more) {
        List<Object> all = new ArrayList<>(List.of(
                "pretrain",
                "--images",
                train,
                "--width",
                "0.0625",
                "--batch",
                "16",
                "--epochs",
                "3",
                "--threads",
                "2",
                "--device",
                "cpu"));
        all.addAll(List.of(more));
        return all.toArray();
    }

    @BeforeAll
    static void pretrain() throws IOException {
        train = dir.resolve("train");
        test = dir.resolve("test");
        BuiltInImages.write(train, 8, 1);
        BuiltInImages.write(test, 4, 2);
        encoder = dir.resolve("encoder.onnx");
        Run run = run(pretrain("--out", encoder, "--json", dir.resolve("p.json")));
        assertEquals(0, run.code(), run.err());
        pretrained = json(dir.resolve("p.json"));
        assertTrue(run.err().contains("epoch 3/3"), run.err());
        assertTrue(run.err().contains("only 80 images") && run.err().contains("--init"), run.err());
    }

    @Test
    void pretrainReportsWhatItDid() {
        assertEquals(3, pretrained.get("epochs").getAsInt());
        assertEquals(15, pretrained.get("steps").getAsInt());
        assertEquals(encoder.toString(), pretrained.get("encoder").getAsString());
        assertTrue(pretrained.get("finalLoss").getAsDouble() > 0);
        assertTrue(pretrained.get("viewsPerSecond").getAsDouble() > 0);
        assertTrue(pretrained.get("seconds").getAsDouble() > 0);
        assertFalse(Files.exists(dir.resolve("encoder.onnx.checkpoint")), "deleted when the run is complete");
    }

    /** One device by either name gives the same file; what two have begun one ends. */
    @Test
    void pretrainSharesItsStepsAmongDevices() throws IOException {
        List<Object> shared = new ArrayList<>(List.of(pretrain(
                "--bn-splits",
                2,
                "--precision",
                "float32",
                "--checkpoint",
                dir.resolve("shared"),
                "--out",
                dir.resolve("d.onnx"),
                "--json",
                dir.resolve("d.json"))));
        int at = shared.indexOf("--device");
        shared.set(at, "--devices");
        shared.set(at + 1, "cpu,cpu");
        Run two = run(shared.toArray());
        assertEquals(0, two.code(), two.err());
        assertEquals("cpu,cpu", json(dir.resolve("d.json")).get("device").getAsString());
        assertTrue(two.err().contains("each step is shared by 2 replicas on the CPU"), two.err());
        shared.set(at + 1, "cpu");
        shared.set(shared.indexOf("--epochs") + 1, "4");
        Run one = run(shared.toArray());
        assertEquals(0, one.code(), one.err());
        assertEquals(3, json(dir.resolve("d.json")).get("resumedAfterEpoch").getAsInt());
        assertEquals(4, json(dir.resolve("d.json")).get("epochs").getAsInt());
        assertEquals("cpu", json(dir.resolve("d.json")).get("device").getAsString());
        List<Object> same = new ArrayList<>(List.of(pretrain("--out", dir.resolve("d1.onnx"))));
        same.set(same.indexOf("--device"), "--devices");
        assertEquals(0, run(same.toArray()).code());
        assertEquals(-1, Files.mismatch(encoder, dir.resolve("d1.onnx")));
    }

    @Test
    void inspectSaysWhatTheFileIs() throws IOException {
        Run run = run("inspect", encoder, "--json", dir.resolve("i.json"));
        assertEquals(0, run.code(), run.err());
        JsonObject json = json(dir.resolve("i.json"));
        assertEquals(
                "[\"batch\",32,32,3]",
                json.getAsJsonArray("inputs")
                        .get(0)
                        .getAsJsonObject()
                        .get("shape")
                        .toString());
        assertEquals(pretrained.get("encoderSha256"), json.get("encoderSha256"));
        assertEquals(
                "simclr",
                json.getAsJsonObject("metadata").get("training.method").getAsString());
        assertTrue(json.get("parameters").getAsLong() > 10_000);
        assertTrue(run.out().contains("resnet18"), run.out());
    }

    @Test
    void embedWritesARowAnImage() throws IOException {
        Path csv = dir.resolve("f.csv");
        assertEquals(
                0,
                run("embed", "--encoder", encoder, "--images", test, "--out", csv)
                        .code());
        List<String> lines = Files.readAllLines(csv);
        assertEquals(41, lines.size());
        assertTrue(lines.get(0).startsWith("path,h00,h01,"), lines.get(0));
        assertTrue(lines.get(1).startsWith(test.resolve("checks/0000.png") + ","), lines.get(1));
        assertEquals(33, lines.get(1).split(",").length);

        Path npy = dir.resolve("f.npy");
        assertEquals(
                0,
                run("embed", "--encoder", encoder, "--images", test, "--out", npy)
                        .code());
        byte[] bytes = Files.readAllBytes(npy);
        String head = new String(bytes, 0, 128, StandardCharsets.ISO_8859_1);
        assertTrue(head.contains("'shape': (40, 32)"), head);
        int start = 10 + (bytes[8] & 255) + (bytes[9] & 255) * 256;
        assertEquals(0, start % 64);
        assertEquals(start + 40 * 32 * 4, bytes.length);
        float first = java.nio.ByteBuffer.wrap(bytes)
                .order(java.nio.ByteOrder.LITTLE_ENDIAN)
                .getFloat(start);
        assertEquals(Float.parseFloat(lines.get(1).split(",")[1]), first);
        assertEquals(40, Files.readAllLines(dir.resolve("f.npy.txt")).size());
    }

    @Test
    void evaluateComparesWithPixelsAndAnUntrainedEncoder() throws IOException {
        Run run = run(
                "evaluate",
                "--encoder",
                encoder,
                "--train",
                Colours.write(dir.resolve("colours"), 8, 1),
                "--test",
                Colours.write(dir.resolve("more-colours"), 5, 2),
                "--labels",
                "50%,100%",
                "--json",
                dir.resolve("e.json"));
        assertEquals(0, run.code(), run.err());
        JsonObject json = json(dir.resolve("e.json"));
        for (String features : List.of("simclr", "pixels", "untrained")) {
            for (String share : List.of("50%", "100%")) {
                double a = json.getAsJsonObject("linear")
                        .getAsJsonObject(features)
                        .get(share)
                        .getAsDouble();
                assertTrue(a > 0.9, features + " " + share + ": " + a);
            }
        }
        assertEquals(
                "[\"black\",\"blue\",\"red\",\"white\"]",
                json.getAsJsonArray("classes").toString());
        assertTrue(run.out().contains("Balanced Error Rate"), run.out());
    }

    /** Each kind of features is measured for itself, and what is measured can be wrong. */
    @Test
    void whatIsComparedIsWhatItsNameSays() throws IOException {
        Path colours = Colours.write(dir.resolve("known-colours"), 8, 1);
        Path swapped = dir.resolve("swapped-colours");
        Colours.write(swapped, 5, 2);
        // Every test image has the class of another colour.
        List<String> names = List.of("black", "blue", "red", "white");
        for (String name : names) {
            Files.move(swapped.resolve(name), swapped.resolve("old-" + name));
        }
        for (int i = 0; i < names.size(); i++) {
            Files.move(swapped.resolve("old-" + names.get(i)), swapped.resolve(names.get((i + 1) % names.size())));
        }
        assertEquals(
                0,
                run(
                                "evaluate",
                                "--encoder",
                                encoder,
                                "--train",
                                colours,
                                "--test",
                                swapped,
                                "--labels",
                                "100%",
                                "--json",
                                dir.resolve("s.json"))
                        .code());
        json(dir.resolve("s.json"))
                .getAsJsonObject("linear")
                .entrySet()
                .forEach(e ->
                        assertTrue(e.getValue().getAsJsonObject().get("100%").getAsDouble() < 0.1, e.toString()));

        // Shapes, which no features tell apart perfectly: the untrained encoder's row is what its own file comes to.
        Path untrained = untrained(dir.resolve("untrained.onnx"), 1);
        JsonObject[] linear = new JsonObject[2];
        for (int i = 0; i < 2; i++) {
            assertEquals(
                    0,
                    run(
                                    "evaluate",
                                    "--encoder",
                                    i == 0 ? encoder : untrained,
                                    "--train",
                                    train,
                                    "--test",
                                    test,
                                    "--labels",
                                    "50%",
                                    "--seed",
                                    1,
                                    "--repeat",
                                    3,
                                    "--json",
                                    dir.resolve("u.json"))
                            .code());
            linear[i] = json(dir.resolve("u.json")).getAsJsonObject("linearRuns");
        }
        assertEquals(linear[1].get("simclr"), linear[0].get("untrained"));
        assertEquals(linear[1].get("pixels"), linear[0].get("pixels"));
        assertTrue(
                Set.of(linear[0].get("simclr"), linear[0].get("pixels"), linear[0].get("untrained"))
                                .size()
                        > 1,
                linear[0].toString());
    }

    @Test
    void quickstartRuns() throws IOException {
        Run run = run(
                "quickstart",
                "--out",
                dir.resolve("q"),
                "--images",
                "8",
                "--epochs",
                "1",
                "--device",
                "cpu",
                "--json",
                dir.resolve("q.json"));
        assertEquals(0, run.code(), run.err());
        JsonObject json = json(dir.resolve("q.json"));
        assertEquals(
                Sha256.hex(Files.readAllBytes(dir.resolve("q/encoder.onnx"))),
                json.get("encoderSha256").getAsString());
        assertEquals(
                BuiltInImages.classNames().stream().sorted().toList().toString(),
                json.getAsJsonArray("classes").asList().stream()
                        .map(JsonElement::getAsString)
                        .toList()
                        .toString());
        assertEquals(0, json.get("skipped").getAsInt());
        for (String features : List.of("simclr", "pixels", "untrained")) {
            double right = 1000
                    * json.getAsJsonObject("linear")
                            .getAsJsonObject(features)
                            .get("100%")
                            .getAsDouble();
            assertEquals(Math.rint(right), right, 1e-9, features + ", of a thousand test images");
        }
        // No training has a part in it. Chance is 10% +- 1%.
        assertTrue(
                json.getAsJsonObject("linear")
                                .getAsJsonObject("pixels")
                                .get("100%")
                                .getAsDouble()
                        > 0.13,
                json.toString());
        assertEquals(
                Set.of("simclr", "pixels", "untrained"),
                json.getAsJsonObject("linear").keySet());
    }

    @Test
    void badUsageIsTwoAndOneLine() {
        for (Object[] args : new Object[][] {
            {"pretrain", "--images", train},
            {"pretrain", "--images", train, "--out", dir.resolve("x.onnx"), "--flag"},
            {"pretrain", "--images", train, "--out", dir.resolve("x.onnx"), "--batch", "1"},
            {"pretrain", "--images", train, "--out", dir.resolve("x.onnx"), "--encoder", "vgg"},
            {"pretrain", "--images", train, "--out", dir.resolve("x.onnx"), "--method", "no-such-method"},
            {"pretrain", "--images", train, "--out", dir.resolve("x.onnx"), "--loss", "mse"},
            {"pretrain", "--images", train, "--out", dir.resolve("x.onnx"), "--views", "crop,twirl"},
            {"pretrain", "--images", train, "--out", dir.resolve("x.onnx"), "--optimizer", "adagrad"},
            {"pretrain", "--images", train, "--out", dir.resolve("x.onnx"), "--batch", "16", "--micro-batch", "5"},
            {"pretrain", "--images", train, "--out", dir.resolve("x.onnx"), "--mixed-precision", "--device", "cpu"},
            {"pretrain", "--images", train, "--out", dir.resolve("x.onnx"), "--knn-test", test},
            {"inspect", encoder, "--device", "tpu"},
            {"evaluate", "--encoder", encoder, "--train", train, "--test", test, "--labels", "0%"},
            {"embed", "--encoder", encoder, "--images", test, "--out", dir.resolve("x.txt")},
        }) {
            Run run = run(args);
            assertEquals(2, run.code(), Arrays.toString(args) + run.err());
            assertEquals(1, run.err().strip().lines().count(), run.err());
        }
        assertEquals(2, run().code());
        assertEquals(0, run("--help").code());
    }

    private static void fails(String expected, Object... args) {
        Run run = run(args);
        assertEquals(1, run.code(), run.err());
        String last = run.err().strip().lines().reduce((a, b) -> b).orElseThrow();
        assertTrue(last.startsWith("simclr: ") && last.contains(expected), run.err());
    }

    @Test
    void badInputIsOneAndNamesTheFile() throws IOException {
        Path empty = Files.createDirectories(dir.resolve("empty"));
        fails("No images in " + empty, "pretrain", "--images", empty, "--out", dir.resolve("x.onnx"));
        Path text = Files.writeString(dir.resolve("text.onnx"), "hello");
        fails("text.onnx is not an ONNX file", "inspect", text);
        fails("text.onnx", "evaluate", "--encoder", text, "--train", train, "--test", test);
        fails("Can't write", "embed", "--encoder", encoder, "--images", test, "--out", text.resolve("f.csv"));
        fails("Can't write", pretrain("--out", text.resolve("e.onnx")));
        fails("lacks: [square]", "evaluate", "--encoder", encoder, "--train", without("square"), "--test", test);
    }

    private static Path without(String name) throws IOException {
        Path copy = Files.createDirectories(dir.resolve("without"));
        try (Stream<Path> classes = Files.list(train)) {
            for (Path c : classes.filter(p -> !p.endsWith(name)).toList()) {
                Path to = Files.createDirectories(copy.resolve(c.getFileName()));
                Files.copy(c.resolve("0000.png"), to.resolve("0000.png"));
            }
        }
        return copy;
    }

    @Test
    void aTruncatedImageIsNamedSkippedAndCounted() throws IOException {
        Path some = Files.createDirectories(dir.resolve("some"));
        for (int i = 0; i < 8; i++) {
            Files.copy(train.resolve("disc/000" + i + ".png"), some.resolve(i + ".png"));
        }
        ByteArrayOutputStream jpeg = new ByteArrayOutputStream();
        javax.imageio.ImageIO.write(
                javax.imageio.ImageIO.read(some.resolve("1.png").toFile()), "jpg", jpeg);
        Files.write(some.resolve("cut.jpg"), Arrays.copyOf(jpeg.toByteArray(), jpeg.size() * 2 / 3));
        Run run = run(
                "pretrain",
                "--images",
                some,
                "--width",
                "0.0625",
                "--epochs",
                "1",
                "--device",
                "cpu",
                "--out",
                dir.resolve("s.onnx"),
                "--json",
                dir.resolve("s.json"));
        assertEquals(0, run.code(), run.err());
        assertTrue(run.err().contains("cut.jpg") && run.err().contains("1 skipped"), run.err());
        assertEquals(1, json(dir.resolve("s.json")).getAsJsonArray("skipped").size());
        assertEquals(8, json(dir.resolve("s.json")).get("images").getAsInt());
    }

    @Test
    void everyMethodTrainsAndIsNamedInTheFile() throws IOException {
        Path known = Colours.write(dir.resolve("known"), 8, 3);
        for (String[] how : new String[][] {
            {"mocov1", "--queue", "64"},
            {"mocov2", "--queue", "64", "--symmetric"},
            {"end-to-end"},
            {"supervised"},
            {"simclr", "--loss", "supcon"},
            {"simclr", "--micro-batch", "8", "--head", "deep", "--clip", "1"}
        }) {
            List<Object> args = new ArrayList<>(List.of(
                    "--out",
                    dir.resolve("m.onnx"),
                    "--metrics",
                    dir.resolve("m.jsonl"),
                    "--knn",
                    known,
                    "--knn-every",
                    "3",
                    "--json",
                    dir.resolve("m.json"),
                    "--method"));
            args.addAll(List.of(how));
            Run run = run(pretrain(args.toArray()));
            assertEquals(0, run.code(), Arrays.toString(how) + run.err());
            JsonObject json = json(dir.resolve("m.json"));
            assertEquals(
                    how[0],
                    json.getAsJsonObject("settings").get("training.method").getAsString());
            // Where all features are alike none of four equal classes is right: each image's own class has one voter
            // fewer.
            assertTrue(json.get("knn").getAsDouble() > 0.4, Arrays.toString(how) + ": " + json.get("knn"));
        }
        assertEquals(18, Files.readAllLines(dir.resolve("m.jsonl")).size());
    }

    /** The set is decoded anew in every epoch, and the weights are those of the set that is held in memory. */
    @Test
    void aSetBeyondTheMemoryIsStreamed() throws IOException {
        Path large = dir.resolve("large");
        BuiltInImages.write(large, 40, 3);
        JsonObject[] results = new JsonObject[2];
        for (int i = 0; i < 2; i++) {
            Run run = run(
                    "pretrain",
                    "--images",
                    large,
                    "--width",
                    "0.0625",
                    "--batch",
                    "16",
                    "--epochs",
                    "1",
                    "--threads",
                    "1",
                    "--device",
                    "cpu",
                    "--out",
                    dir.resolve("large.onnx"),
                    "--memory",
                    i == 0 ? 0 : 1,
                    "--json",
                    dir.resolve("large.json"));
            assertEquals(0, run.code(), run.err());
            assertEquals(i == 1, run.err().contains("decoded again in every epoch"), run.err());
            results[i] = json(dir.resolve("large.json"));
        }
        assertEquals(results[0].get("finalLoss"), results[1].get("finalLoss"));
    }

    @Test
    void helpListsTheHyperParametersWithTheirSources() {
        String help = run("pretrain", "--help").out();
        for (String part : List.of(
                "--temperature",
                "Chen et al. 2020, equation 1",
                "--queue",
                "65536, He et al. 2020",
                "Khosla 2020",
                "sqrt(B)")) {
            assertTrue(help.replaceAll("\\s+", " ").contains(part), part + help);
        }
    }

    @Test
    void aKilledRunContinues() throws Exception {
        Path state = dir.resolve("killed");
        Path out = dir.resolve("killed.onnx");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Dai.djl.offline=true",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName()));
        Object[] args = pretrain("--out", out, "--checkpoint", state, "--epochs", "4", "--json", dir.resolve("k.json"));
        // The option may stand once: drop the helper's own.
        List<Object> once = new ArrayList<>(List.of(args));
        int at = once.indexOf("--epochs");
        once.remove(at + 1);
        once.remove(at);
        once.forEach(a -> command.add(a.toString()));
        Process p = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(dir.resolve("killed.log").toFile())
                .start();
        while (p.isAlive() && !Files.exists(state.resolve("step-0000000010.ckpt"))) {
            Thread.sleep(5);
        }
        p.destroyForcibly();
        assertTrue(p.waitFor(30, TimeUnit.SECONDS));
        Run run = run(once.toArray());
        assertEquals(0, run.code(), run.err());
        JsonObject json = json(dir.resolve("k.json"));
        assertTrue(json.get("resumedAfterEpoch").getAsInt() >= 2, run.err());
        assertEquals(4, json.get("epochs").getAsInt());
        assertEquals(20, json.get("steps").getAsInt());
    }
}
