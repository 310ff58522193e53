// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.simclr4j.images.Images;
import io.github.simclr4j.onnx.runtime.EncoderSettings;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import io.github.simclr4j.util.Sha256;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands on encoders that others exported: the files of the onnx module's tests. */
class ForeignEncoderCommandTest {
    private static final Path FOREIGN =
            Path.of(System.getProperty("simclr.root", ".."), "onnx/src/test/resources/io/github/simclr4j/onnx/foreign");
    private static final String[] IMAGENET = {"--mean", "0.485,0.456,0.406", "--std", "0.229,0.224,0.225"};

    @TempDir
    static Path dir;

    private static Path images;

    @BeforeAll
    static void pictures() throws IOException {
        images = Files.createDirectories(dir.resolve("images"));
        for (int k = 0; k < 2; k++) {
            BufferedImage image = new BufferedImage(64, 64, BufferedImage.TYPE_INT_RGB);
            for (int y = 0; y < 64; y++) {
                for (int x = 0; x < 64; x++) {
                    int v = 3 * x * x + 7 * y + x * y + 31 * k;
                    image.setRGB(x, y, (v & 255) << 16 | (v + 50 & 255) << 8 | v + 100 & 255);
                }
            }
            ImageIO.write(image, "png", images.resolve(k + ".png").toFile());
        }
    }

    /** Exit code, then what went to standard error. */
    private static String run(Object... args) {
        PrintStream out = System.out;
        PrintStream err = System.err;
        ByteArrayOutputStream e = new ByteArrayOutputStream();
        try {
            System.setOut(new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8));
            System.setErr(new PrintStream(e, true, StandardCharsets.UTF_8));
            return Main.run(Arrays.stream(args).map(Object::toString).toArray(String[]::new)) + " "
                    + e.toString(StandardCharsets.UTF_8);
        } finally {
            System.setOut(out);
            System.setErr(err);
        }
    }

    private static String embed(String name, Path out, String... options) {
        Object[] args = {
            "embed",
            "--encoder",
            FOREIGN.resolve(name + ".onnx"),
            "--images",
            images,
            "--out",
            out,
            "--threads",
            "1",
            "--json",
            dir.resolve("e.json")
        };
        Object[] all = Arrays.copyOf(args, args.length + options.length);
        System.arraycopy(options, 0, all, args.length, options.length);
        return run(all);
    }

    /** Each part's own file says what belongs where. */
    @Test
    void severalOutputsAndPoolingsAreConcatenated() throws IOException {
        String[][] runs = {
            {"pooler_output,last_hidden_state", "class+mean"},
            {"pooler_output", ""},
            {"last_hidden_state", "class"},
            {"last_hidden_state", "mean"}
        };
        List<List<String>> rows = new ArrayList<>();
        for (String[] r : runs) {
            Path csv = dir.resolve("part.csv");
            List<String> options = new ArrayList<>(List.of(IMAGENET));
            options.addAll(List.of("--image-size", "32", "--output", r[0]));
            options.addAll(r[1].isEmpty() ? List.of() : List.of("--pooling", r[1]));
            String said = embed("vit-tokens", csv, options.toArray(String[]::new));
            assertTrue(said.startsWith("0 "), said);
            JsonObject settings = json(dir.resolve("e.json")).getAsJsonObject("settings");
            assertEquals(r[0], settings.getAsJsonObject("output").get("value").getAsString());
            rows.add(Files.readAllLines(csv));
        }
        for (int i = 1; i <= 2; i++) {
            StringBuilder joined = new StringBuilder(rows.get(1).get(i));
            for (List<String> more : rows.subList(2, 4)) {
                joined.append(more.get(i).substring(more.get(i).indexOf(',')));
            }
            assertEquals(joined.toString(), rows.get(0).get(i));
        }
        assertEquals(49, rows.get(0).get(0).split(",").length);
        String bad = embed(
                "vit-tokens",
                dir.resolve("bad.csv"),
                "--output",
                "pooler_output,last_hidden_state",
                "--pooling",
                "mean,class");
        assertTrue(bad.startsWith("1 ") && bad.contains("use none for it in --pooling"), bad);
    }

    private static JsonObject json(Path file) throws IOException {
        return JsonParser.parseString(Files.readString(file)).getAsJsonObject();
    }

    @Test
    void embedGivesTheExportersOutputs() throws IOException {
        JsonObject expected = json(FOREIGN.resolve("expected.json"));
        Path hub = Files.writeString(dir.resolve("hub.json"), """
                {"do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}""");
        String[][] runs = {
            {"mobilenet-v2", "--mean", "0.485,0.456,0.406", "--std", "0.229,0.224,0.225"},
            {
                "resnet50-folded",
                "--mean",
                "0.485,0.456,0.406",
                "--std",
                "0.229,0.224,0.225",
                "--image-size",
                "64",
                "--resize-short",
                "64",
                "--encoder-batch",
                "1",
                "--provider",
                "cpu"
            },
            {"tensorflow-nhwc", "--preprocessing", hub.toString()},
            {"resnet18-bytes"},
        };
        for (String[] r : runs) {
            Path csv = dir.resolve(r[0] + ".csv");
            String said = embed(r[0], csv, Arrays.copyOfRange(r, 1, r.length));
            assertTrue(said.startsWith("0 "), said);
            List<String> lines = Files.readAllLines(csv);
            JsonArray rows = expected.getAsJsonObject(r[0]).getAsJsonArray("values");
            for (int i = 0; i < 2; i++) {
                String[] found = lines.get(i + 1).split(",");
                JsonArray want = rows.get(i).getAsJsonArray();
                assertEquals(want.size() + 1, found.length);
                for (int j = 0; j < want.size(); j++) {
                    assertEquals(want.get(j).getAsFloat(), Float.parseFloat(found[j + 1]), 2e-4, r[0]);
                }
            }
        }
    }

    /** Photos of several sizes, cut out of an enlarged image: the rows are what the library gives for each photo alone. */
    @Test
    void embedPreparesAPhotoOnceAsTheLibraryDoes() throws IOException {
        Path photos = Files.createDirectories(dir.resolve("photos"));
        for (int[] size : new int[][] {{90, 61}, {64, 64}, {40, 200}, {33, 30}, {301, 150}}) {
            BufferedImage image = new BufferedImage(size[0], size[1], BufferedImage.TYPE_INT_RGB);
            for (int i = 0; i < size[0] * size[1]; i++) {
                image.setRGB(i % size[0], i / size[0], i * i * 31 + i / size[0] * 77);
            }
            ImageIO.write(image, "png", photos.resolve(size[0] + ".png").toFile());
        }
        for (String name : List.of("mobilenet-v2", "resnet18-bytes")) {
            Path csv = dir.resolve("photos.csv");
            String said = run(
                    "embed",
                    "--encoder",
                    FOREIGN.resolve(name + ".onnx"),
                    "--images",
                    photos,
                    "--out",
                    csv,
                    "--resize-short",
                    "80",
                    "--image-size",
                    "64",
                    "--threads",
                    "2",
                    "--provider",
                    "CPU");
            assertTrue(said.startsWith("0 "), said);
            EncoderSettings given = EncoderSettings.of(Map.of("resize-short", "80", "image-size", "64"), "argument");
            try (OnnxEncoder encoder =
                    OnnxEncoder.open(FOREIGN.resolve(name + ".onnx"), given, RuntimeSettings.DEFAULT.withThreads(1))) {
                List<String> rows = Files.readAllLines(csv);
                assertEquals(6, rows.size());
                for (String row : rows.subList(1, 6)) {
                    String[] found = row.split(",");
                    float[] expected = encoder.embed(List.of(Images.read(Path.of(found[0]))))[0];
                    for (int j = 0; j < expected.length; j++) {
                        assertEquals(expected[j], Float.parseFloat(found[j + 1]), 1e-4, found[0]);
                    }
                }
            }
        }
    }

    @Test
    void optionsWinOverTheFileAndSourcesAreReported() throws IOException {
        Path file = Files.writeString(
                dir.resolve("mine.json"), "{\"mean\": [0.1, 0.2, 0.3], \"std\": 0.5, \"resize-short\": 80}");
        String said = embed("mobilenet-v2", dir.resolve("m.csv"), "--preprocessing", file.toString(), "--std", "0.25");
        assertTrue(
                said.startsWith("0 ")
                        && said.contains("std 0.25 (option)")
                        && said.contains("resize-short 80 (mine.json)"),
                said);
        JsonObject settings = json(dir.resolve("e.json")).getAsJsonObject("settings");
        assertEquals(
                "0.1,0.2,0.3", settings.getAsJsonObject("mean").get("value").getAsString());
        assertEquals("mine.json", settings.getAsJsonObject("mean").get("source").getAsString());
        assertEquals("graph", settings.getAsJsonObject("layout").get("source").getAsString());
    }

    @Test
    void evaluateTakesAForeignEncoder() throws IOException {
        Path train = Colours.write(dir.resolve("train"), 6, 1);
        Path data = dir.resolve("weights.bin");
        Path encoder = apart(FOREIGN.resolve("tensorflow-nhwc.onnx"), data);
        String said = run(
                "evaluate",
                "--encoder",
                encoder,
                "--train",
                train,
                "--test",
                Colours.write(dir.resolve("test"), 5, 2),
                "--labels",
                "100%",
                "--mean",
                "0.5",
                "--std",
                "0.5",
                "--threads",
                "1",
                "--json",
                dir.resolve("v.json"));
        assertTrue(said.startsWith("0 ") && said.contains("does not name its architecture"), said);
        JsonObject json = json(dir.resolve("v.json"));
        assertTrue(
                json.getAsJsonObject("linear")
                                .getAsJsonObject("simclr")
                                .get("100%")
                                .getAsDouble()
                        > 0.9,
                json.toString());
        assertEquals(
                "option",
                json.getAsJsonObject("settings")
                        .getAsJsonObject("mean")
                        .get("source")
                        .getAsString());
        // Of the file, then of the weights beside it.
        assertEquals(
                Sha256.hex(List.of(Files.readAllBytes(encoder), Files.readAllBytes(data))),
                json.get("encoderSha256").getAsString());
    }

    /** A copy of an encoder beside a file with its largest weight. */
    private static Path apart(Path encoder, Path data) throws IOException {
        ModelProto.Builder model = ModelProto.parseFrom(Files.readAllBytes(encoder)).toBuilder();
        TensorProto.Builder weight = model.getGraphBuilder().getInitializerBuilderList().stream()
                .max(Comparator.comparingInt(t -> t.getRawData().size()))
                .orElseThrow();
        Files.write(data, weight.getRawData().toByteArray());
        weight.clearRawData()
                .setDataLocation(TensorProto.DataLocation.EXTERNAL)
                .addExternalData(StringStringEntryProto.newBuilder()
                        .setKey("location")
                        .setValue(data.getFileName().toString()));
        return Files.write(data.resolveSibling("apart.onnx"), model.build().toByteArray());
    }

    /** An encoder that leaves its size free can be verified and made int8 as it can be embedded with. */
    @Test
    void exportAndVerifyTakeTheSettings() throws IOException {
        Path encoder = FOREIGN.resolve("resnet50-folded.onnx");
        Path int8 = dir.resolve("int8.onnx");
        List<String> fed = List.of(
                "--image-size",
                "64",
                "--resize-short",
                "64",
                "--mean",
                "0.485,0.456,0.406",
                "--std",
                "0.229,0.224,0.225",
                "--session-option",
                "session.intra_op.allow_spinning=0",
                "--threads",
                "1");
        Object[] export = with(fed, "export", encoder, "--precision", "int8", "--calibration", images, "--out", int8);
        String said = run(export);
        assertTrue(said.startsWith("0 "), said);
        said = run(with(
                fed,
                "verify",
                int8,
                encoder,
                "--images",
                images,
                "--tolerance",
                "1",
                "--json",
                dir.resolve("v8.json")));
        assertTrue(said.startsWith("0 "), said);
        assertTrue(json(dir.resolve("v8.json")).get("leastCosine").getAsDouble() > 0.98);
        // Ranges of images in another scale are other ranges.
        byte[] before = Files.readAllBytes(int8);
        assertTrue(run(with(
                        fed,
                        "export",
                        encoder,
                        "--precision",
                        "int8",
                        "--calibration",
                        images,
                        "--out",
                        int8,
                        "--scale",
                        "1"))
                .startsWith("0 "));
        assertFalse(Arrays.equals(before, Files.readAllBytes(int8)));

        said = run("verify", int8, encoder, "--images", images);
        assertTrue(said.startsWith("1 ") && said.contains("--image-size"), said);
        said = run(
                "export", encoder, "--precision", "int8", "--calibration", images, "--out", int8, "--image-size", "64");
        assertTrue(said.startsWith("2 ") && said.contains("--mean"), said);
        said = run("export", encoder, "--precision", "float16", "--out", int8, "--mean", "0.5");
        assertTrue(said.startsWith("1 ") && said.contains("--image-size"), said);
        said = run(
                "export", encoder, "--precision", "int8", "--calibration", images, "--out", int8, "--mean", "0.5,0.5");
        assertTrue(said.startsWith("2 ") && said.contains("one number or three"), said);
    }

    private static Object[] with(List<String> options, Object... args) {
        Object[] all = Arrays.copyOf(args, args.length + options.size());
        System.arraycopy(options.toArray(), 0, all, args.length, options.size());
        return all;
    }

    @Test
    void badSettingsAreNamed() {
        Path out = dir.resolve("bad.csv");
        Object[][] cases = {
            {"2 ", "mean from option", "mobilenet-v2", "--mean", "a"},
            {"1 ", "nothing to pool: remove --pooling, or choose", "mobilenet-v2", "--pooling", "mean"},
            {"2 ", "Unknown execution provider", "mobilenet-v2", "--provider", "tpu"},
            {"2 ", "at least 0 threads", "mobilenet-v2", "--encoder-batch", "-1"},
            {"1 ", "this has no such file.json", "mobilenet-v2", "--preprocessing", "this has no such file.json"},
            {"1 ", "give the size", "resnet50-folded", IMAGENET[0], IMAGENET[1]},
            {"1 ", "takes bytes", "resnet18-bytes", "--mean", "0.5"},
            {"2 ", "KEY=VALUE", "resnet18-bytes", "--session-option", "fast"},
            {"2 ", "with a name and a value", "resnet18-bytes", "--session-option", "=1"},
            {"1 ", "ONNX Runtime can't load it", "resnet18-bytes", "--session-option", "session.load_model_format=ORT"},
            {"2 ", "expected a batch of at most", "mobilenet-v2", "--encoder-batch", "65536"},
            {"1 ", "no execution provider cuda", "resnet18-bytes", "--device", "gpu"},
        };
        for (Object[] c : cases) {
            boolean cuda = io.github.simclr4j.onnx.runtime.Provider.available()
                    .contains(io.github.simclr4j.onnx.runtime.Provider.CUDA);
            if (cuda && c[1].equals("no execution provider cuda")) {
                continue;
            }
            String said = embed((String) c[2], out, (String) c[3], (String) c[4]);
            assertTrue(said.startsWith((String) c[0]) && said.contains((String) c[1]), said);
            assertEquals(1, said.strip().lines().count(), said);
        }
    }
}
