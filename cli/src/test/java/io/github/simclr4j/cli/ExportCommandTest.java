// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import static io.github.simclr4j.cli.CommandLineTest.json;
import static io.github.simclr4j.cli.CommandLineTest.run;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import io.github.simclr4j.cli.CommandLineTest.Run;
import io.github.simclr4j.onnx.file.ModelChecksum;
import io.github.simclr4j.train.data.BuiltInImages;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExportCommandTest {
    @TempDir
    static Path dir;

    private static Path encoder;
    private static Path images;

    @BeforeAll
    static void make() throws IOException {
        // Quietens DJL's log.
        run("--version");
        images = dir.resolve("images");
        BuiltInImages.write(images, 3, 1);
        encoder = CommandLineTest.untrained(dir.resolve("encoder.onnx"), 1);
    }

    @Test
    void everyPrecisionIsWrittenInspectedAndVerified() throws IOException {
        for (String precision : List.of("float32", "float16", "int8")) {
            Path out = dir.resolve(precision + ".onnx");
            Object[] export = {
                "export",
                encoder,
                "--precision",
                precision,
                "--opset",
                "19",
                "--out",
                out,
                "--json",
                dir.resolve("x.json")
            };
            if (precision.equals("int8")) {
                export = Arrays.copyOf(export, export.length + 4);
                System.arraycopy(
                        new Object[] {"--calibration", images, "--calibration-images", 20},
                        0,
                        export,
                        export.length - 4,
                        4);
            }
            Run run = run(export);
            assertEquals(0, run.code(), run.err());
            JsonObject exported = json(dir.resolve("x.json"));
            assertEquals(
                    precision.equals("int8") ? 20 : 0,
                    exported.get("calibrationImages").getAsInt());
            run = run("inspect", out, "--json", dir.resolve("i.json"));
            assertEquals(0, run.code(), run.err());
            assertTrue(run.out().contains("sound"), run.out());
            JsonObject inspected = json(dir.resolve("i.json"));
            assertEquals(precision, inspected.get("precision").getAsString());
            assertEquals(19, inspected.get("opset").getAsInt());
            assertTrue(inspected.get("sound").getAsBoolean());
            String tolerance =
                    Map.of("float32", "0", "float16", "0.02", "int8", "0.5").get(precision);
            run = run(
                    "verify",
                    out,
                    encoder,
                    "--images",
                    images,
                    "--tolerance",
                    tolerance,
                    "--json",
                    dir.resolve("v.json"));
            assertEquals(0, run.code(), run.err());
            assertTrue(json(dir.resolve("v.json")).get("leastCosine").getAsDouble() > 0.99);
        }
        Run off = run("verify", dir.resolve("int8.onnx"), encoder, "--images", images, "--tolerance", "1e-6");
        assertEquals(1, off.code());
        assertTrue(off.err().contains("int8.onnx differs by up to"), off.err());
    }

    @Test
    void withoutAPrecisionTheFileKeepsItsOwn() throws IOException {
        Path half = dir.resolve("half.onnx");
        assertEquals(
                0,
                run("export", encoder, "--precision", "float16", "--out", half).code());
        byte[] before = Files.readAllBytes(half);
        Path newer = dir.resolve("newer.onnx");
        Run run = run("export", half, "--opset", "20", "--out", newer, "--json", dir.resolve("n.json"));
        assertEquals(0, run.code(), run.err());
        assertTrue(run.out().contains("float16, opset 20"), run.out());
        assertEquals("float16", json(dir.resolve("n.json")).get("precision").getAsString());
        assertEquals(0, run("inspect", newer, "--json", dir.resolve("n.json")).code());
        assertEquals("float16", json(dir.resolve("n.json")).get("precision").getAsString());
        assertEquals(
                "float16",
                json(dir.resolve("n.json"))
                        .getAsJsonObject("metadata")
                        .get("precision")
                        .getAsString());
        // What it has lost does not come back.
        run = run("export", half, "--precision", "float32", "--out", half);
        assertEquals(2, run.code());
        assertTrue(
                run.err().contains("half.onnx: Expected a float32 encoder")
                        && run.err().contains("found float16"),
                run.err());
        assertArrayEquals(before, Files.readAllBytes(half));
    }

    @Test
    void anExportInPlaceSaysWhatWasThereBefore() throws IOException {
        Path file = Files.copy(encoder, dir.resolve("place.onnx"));
        Run run = run("export", file, "--precision", "float16", "--out", file, "--json", dir.resolve("l.json"));
        assertEquals(0, run.code(), run.err());
        JsonObject json = json(dir.resolve("l.json"));
        assertEquals(Files.size(encoder), json.get("bytesBefore").getAsLong());
        assertEquals(Files.size(file), json.get("bytes").getAsLong());
        assertTrue(Files.size(file) < Files.size(encoder));
    }

    @Test
    void withoutPreprocessingTheInputIsFloat() throws IOException {
        Path out = dir.resolve("bare.onnx");
        assertEquals(
                0, run("export", encoder, "--no-preprocessing", "--out", out).code());
        assertEquals(0, run("inspect", out, "--json", dir.resolve("b.json")).code());
        JsonObject input =
                json(dir.resolve("b.json")).getAsJsonArray("inputs").get(0).getAsJsonObject();
        assertEquals("float32", input.get("type").getAsString());
        assertEquals("[\"batch\",3,32,32]", input.get("shape").toString());
        Run again = run("export", out, "--no-preprocessing", "--out", dir.resolve("b2.onnx"));
        assertEquals(2, again.code());
        assertTrue(again.err().contains("No preprocessing to remove"), again.err());
        assertFalse(Files.exists(dir.resolve("b2.onnx")));
    }

    @Test
    void anUnsoundFileIsNotConverted() throws IOException {
        ai.onnx.proto.OnnxMl.ModelProto.Builder b =
                ModelChecksum.without(ai.onnx.proto.OnnxMl.ModelProto.parseFrom(Files.readAllBytes(encoder)))
                        .toBuilder();
        b.getGraphBuilder()
                .getOutputBuilder(0)
                .getTypeBuilder()
                .getTensorTypeBuilder()
                .getShapeBuilder()
                .getDimBuilder(1)
                .setDimValue(7);
        Path odd = Files.write(dir.resolve("odd.onnx"), b.build().toByteArray());
        Path out = Files.writeString(dir.resolve("kept.onnx"), "the old one");
        Run run = run("export", odd, "--precision", "float16", "--out", out);
        assertEquals(1, run.code());
        assertTrue(run.err().contains("odd.onnx is not sound"), run.err());
        assertEquals("the old one", Files.readString(out));
    }

    @Test
    void optionsGoIntoTheFile() throws IOException {
        Path bare = dir.resolve("float.onnx");
        assertEquals(
                0, run("export", encoder, "--no-preprocessing", "--out", bare).code());
        Path out = dir.resolve("own.onnx");
        Object[] options = {"--mean", "0.4,0.5,0.6", "--std", "0.2", "--resize-short", "40"};
        Run run = run(Stream.concat(Stream.of("export", bare, "--out", out), Stream.of(options))
                .toArray());
        assertEquals(0, run.code(), run.err());
        Path asked = dir.resolve("asked.csv");
        run = run(Stream.concat(
                        Stream.of("embed", "--encoder", bare, "--images", images, "--out", asked), Stream.of(options))
                .toArray());
        assertEquals(0, run.code(), run.err());
        Path inside = dir.resolve("inside.csv");
        assertEquals(
                0,
                run("embed", "--encoder", out, "--images", images, "--out", inside)
                        .code());
        assertEquals(Files.readString(asked), Files.readString(inside));
    }

    @Test
    void badUsageIsTwoAndOneLine() {
        for (Object[] args : new Object[][] {
            {"export", encoder},
            {"export", encoder, "--out", dir.resolve("u.onnx"), "--precision", "int4"},
            {"export", encoder, "--out", dir.resolve("u.onnx"), "--precision", "int8"},
            {"export", encoder, "--out", dir.resolve("u.onnx"), "--calibration", images},
            {"export", encoder, "--out", dir.resolve("u.onnx"), "--opset", "12"},
            {"export", encoder, "--out", dir.resolve("u.onnx"), "--mean", "0.5,0.5"},
            {"export", encoder, "--out", dir.resolve("u.onnx"), "--calibration-images", "256"},
            {"export", encoder, "--out", dir.resolve("u.onnx"), "--calibration-method", "mse"},
            {"export", encoder, "--out", dir.resolve("u.onnx"), "--precision", "float16", "--reduce-range"},
            {"export", encoder, "--out", dir.resolve("u.onnx"), "--session-option", "session.intra_op.allow_spinning=0"
            },
            {"export", encoder, "--out", dir.resolve("u.onnx"), "--encoder-batch", "4"},
            {
                "export",
                encoder,
                "--out",
                dir.resolve("u.onnx"),
                "--precision",
                "int8",
                "--calibration",
                images,
                "--no-winograd"
            },
            {
                "export",
                encoder,
                "--out",
                dir.resolve("u.onnx"),
                "--precision",
                "int8",
                "--calibration",
                images,
                "--calibration-method",
                "guess"
            },
            {"verify", encoder},
            {"verify", encoder, encoder, "--images", images, "--tolerance", "NaN"},
            {"verify", encoder, encoder, "--images", images, "--tolerance", "-1"},
        }) {
            Run run = run(args);
            assertEquals(2, run.code(), Arrays.toString(args) + run.err());
            assertEquals(1, run.err().strip().lines().count(), run.err());
        }
        assertFalse(Files.exists(dir.resolve("u.onnx")));
    }

    @Test
    void anUnsoundFileIsNamed() throws IOException {
        ai.onnx.proto.OnnxMl.ModelProto.Builder b =
                ai.onnx.proto.OnnxMl.ModelProto.parseFrom(Files.readAllBytes(encoder)).toBuilder();
        b.getGraphBuilder().getNodeBuilder(5).setInput(0, "nothing");
        Path broken = Files.write(dir.resolve("broken.onnx"), b.build().toByteArray());
        Run run = run("inspect", broken);
        assertEquals(1, run.code());
        assertTrue(
                run.out().contains("NOT sound") && run.err().contains("broken.onnx is not sound"),
                run.out() + run.err());
        Path text = dir.resolve("text.onnx");
        Files.writeString(text, "hello");
        for (Object[] args : new Object[][] {{"inspect", text}, {"export", text, "--out", dir.resolve("t.onnx")}}) {
            assertTrue(
                    run(args).err().contains("text.onnx is not an ONNX file"),
                    run(args).err());
        }
    }
}
