// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import static io.github.simclr4j.cli.CommandLineTest.run;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.simclr4j.cli.CommandLineTest.Run;
import java.io.IOException;
import java.io.StreamTokenizer;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What other programs read in the text formats of features: the same names, labels and floats that were written. */
class FeatureFormatsTest {
    private static final List<String> CLASSES = List.of("cat", "Maine Coon", "it's, \"so\" {odd} 100%\\", "?", "");
    /** Everything that a path or a class may have and a format may give a meaning. */
    private static final List<String> NAMES = List.of(
            "photos/a.png",
            "archive.zip!b c.png",
            "comma,\"quoted\".png",
            "it's.png",
            "C:\\new\\table\\r.png",
            "100%.png",
            "?",
            "{brace}",
            "  spaces  ",
            "line\nfeed\rreturn\ttab.png",
            "\u001eunit\u0001",
            "größe/猫/\ud83d\ude00.png");

    private static final float[] VALUES = {
        0, -0f, 1, -1.5f, Float.MIN_VALUE, -Float.MAX_VALUE, 1e-5f, 0.1f, 16777217, 1 / 3f
    };

    @TempDir
    static Path dir;

    /** A row as a reader sees it; the label is null where there is none. */
    private record Row(String name, String label, float[] features) {
        void check(int i, boolean labelled) {
            assertEquals(NAMES.get(i), name);
            assertEquals(labelled ? labelOf(i) : null, label, name);
            // To the bit: -0 is not 0.
            assertArrayEquals(featuresOf(i), features, 0f, name);
            assertEquals(Float.floatToRawIntBits(featuresOf(i)[1]), Float.floatToRawIntBits(features[1]));
        }
    }

    /** Each class once, and then none. */
    private static String labelOf(int i) {
        return i < CLASSES.size() ? CLASSES.get(i) : null;
    }

    private static float[] featuresOf(int i) {
        float[] values = VALUES.clone();
        values[0] = i;
        return values;
    }

    private static Path write(String name, boolean labelled) throws IOException {
        Path file = dir.resolve(name);
        try (FeatureFile out =
                FeatureFile.create(file, VALUES.length, labelled ? CLASSES : List.of(), Map.of("sha256", "abc"))) {
            for (int i = 0; i < NAMES.size(); i++) {
                out.add(NAMES.get(i), labelled ? labelOf(i) : null, featuresOf(i));
            }
            out.finish();
        }
        return file;
    }

    /** Deletes what is to become the names, so that writing ends between the two files as in a process that is killed. */
    @Test
    void newFeaturesAreNeverBesideOldNames() throws IOException {
        Path folder = Files.createDirectories(dir.resolve("killed"));
        Path out = Files.writeString(folder.resolve("f.npy"), "old");
        Path names = Files.writeString(folder.resolve("f.npy.txt"), "old");
        try (FeatureFile file = FeatureFile.create(out, 2, List.of(), Map.of())) {
            file.add("a.png", null, new float[] {1, 2});
            try (DirectoryStream<Path> parts = Files.newDirectoryStream(folder, "f.npy.txt.*.part")) {
                Files.delete(parts.iterator().next());
            }
            assertEquals("old", Files.readString(names));
            assertThrows(IOException.class, file::finish);
        }
        assertEquals((byte) 0x93, Files.readAllBytes(out)[0], "the new features");
        assertFalse(Files.exists(names));
    }

    @Test
    void jsonLinesHoldAnObjectALine() throws IOException {
        for (boolean labelled : new boolean[] {true, false}) {
            List<String> lines =
                    Files.readString(write("f.jsonl", labelled)).lines().toList();
            assertEquals(NAMES.size(), lines.size());
            for (int i = 0; i < lines.size(); i++) {
                object(lines.get(i)).check(i, labelled);
            }
        }
    }

    private static Row object(String line) {
        JsonObject json = JsonParser.parseString(line).getAsJsonObject();
        List<String> keys = List.copyOf(json.keySet());
        assertEquals(json.has("label") ? List.of("path", "label", "embedding") : List.of("path", "embedding"), keys);
        JsonArray array = json.getAsJsonArray("embedding");
        float[] features = new float[array.size()];
        for (int i = 0; i < features.length; i++) {
            // A number of JSON itself, which has no NaN, no plus sign and no bare point.
            assertTrue(
                    array.get(i).toString().matches("-?\\d+(\\.\\d+)?([eE][+-]?\\d+)?"),
                    array.get(i).toString());
            features[i] = array.get(i).getAsFloat();
        }
        return new Row(
                json.get("path").getAsString(),
                json.has("label") ? json.get("label").getAsString() : null,
                features);
    }

    /** The bulk API takes pairs of lines, and a line feed behind the last. */
    @Test
    void aBulkFileHasAnActionBeforeEachDocument() throws Exception {
        String text = Files.readString(write("f.bulk.ndjson", true));
        assertTrue(text.endsWith("}\n"));
        List<String> lines = List.of(text.split("\n"));
        assertEquals(2 * NAMES.size(), lines.size());
        for (int i = 0; i < NAMES.size(); i++) {
            JsonObject action = JsonParser.parseString(lines.get(2 * i)).getAsJsonObject();
            assertEquals(List.of("index"), List.copyOf(action.keySet()));
            JsonObject index = action.getAsJsonObject("index");
            assertEquals(List.of("_id"), List.copyOf(index.keySet()));
            assertEquals(sha256(NAMES.get(i)), index.get("_id").getAsString());
            object(lines.get(2 * i + 1)).check(i, true);
        }
    }

    private static String sha256(String text) throws NoSuchAlgorithmException {
        return HexFormat.of()
                .formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void anArffFileIsReadAsWekaReadsIt() throws IOException {
        for (boolean labelled : new boolean[] {true, false}) {
            Path file = write("f.arff", labelled);
            Arff arff = new Arff(Files.readString(file));
            assertTrue(
                    Files.readString(file).startsWith("% sha256: abc\n@relation features\n@attribute path string\n"));
            assertEquals(VALUES.length + (labelled ? 2 : 1), arff.attributes.size());
            assertEquals("path string", arff.attributes.get(0));
            assertEquals("h9 numeric", arff.attributes.get(VALUES.length));
            assertEquals(labelled ? CLASSES : List.of(), arff.classes);
            assertEquals(NAMES.size(), arff.rows.size());
            for (int i = 0; i < NAMES.size(); i++) {
                arff.rows.get(i).check(i, labelled);
            }
        }
    }

    /** Reads with Java's StreamTokenizer and the table of characters that Weka's ArffLoader gives it, see its initTokenizer. */
    private static final class Arff {
        private final StreamTokenizer in;
        private final List<String> attributes = new ArrayList<>();
        private final List<String> classes = new ArrayList<>();
        private final List<Row> rows = new ArrayList<>();

        Arff(String text) throws IOException {
            in = new StreamTokenizer(new StringReader(text));
            in.resetSyntax();
            in.whitespaceChars(0, ' ');
            in.wordChars(' ' + 1, '\u00FF');
            in.whitespaceChars(',', ',');
            in.commentChar('%');
            in.quoteChar('"');
            in.quoteChar('\'');
            in.ordinaryChar('{');
            in.ordinaryChar('}');
            in.eolIsSignificant(true);
            for (List<String> line = line(); line != null; line = line()) {
                if (line.get(0).equalsIgnoreCase("@attribute")) {
                    if (line.get(2).equals("{")) {
                        assertEquals("}", line.get(line.size() - 1));
                        classes.addAll(line.subList(3, line.size() - 1).stream()
                                .map(Arff::text)
                                .toList());
                        attributes.add(line.get(1));
                    } else {
                        attributes.add(line.get(1) + " " + line.get(2));
                    }
                } else if (line.get(0).equalsIgnoreCase("@data")) {
                    break;
                }
            }
            for (List<String> line = line(); line != null; line = line()) {
                assertEquals(attributes.size(), line.size());
                int columns = attributes.size() - (classes.isEmpty() ? 1 : 2);
                float[] features = new float[columns];
                for (int i = 0; i < columns; i++) {
                    features[i] = (float) Double.parseDouble(line.get(i + 1));
                }
                String label =
                        classes.isEmpty() || line.get(columns + 1).equals("?") ? null : text(line.get(columns + 1));
                assertTrue(label == null || classes.contains(label), label);
                rows.add(new Row(text(line.get(0)), label, features));
            }
        }

        /** The tokens of the next line that has some, those in quotes with a quote before them; null at the end. */
        private List<String> line() throws IOException {
            List<String> tokens = new ArrayList<>();
            while (true) {
                int type = in.nextToken();
                if (type == StreamTokenizer.TT_EOL && tokens.isEmpty()) {
                    continue;
                }
                if (type == StreamTokenizer.TT_EOL || type == StreamTokenizer.TT_EOF) {
                    return tokens.isEmpty() ? null : tokens;
                }
                tokens.add(
                        type == StreamTokenizer.TT_WORD
                                ? in.sval
                                : type == '\'' || type == '"' ? "'" + in.sval : "" + (char) type);
            }
        }

        private static String text(String token) {
            assertTrue(token.startsWith("'"), token);
            return token.substring(1);
        }
    }

    /** By the command: the classes of sub-folders, in one run and from shards. */
    @Test
    void labelsAreThoseOfTheSetAlsoFromShards() throws IOException {
        run("--version");
        Path encoder = CommandLineTest.untrained(dir.resolve("encoder.onnx"), 1);
        Path images = Colours.write(dir.resolve("images"), 3, 1);
        for (String name : List.of("l.jsonl", "l.bulk.ndjson", "l.arff")) {
            Path one = dir.resolve("one-" + name);
            assertEquals(
                    0,
                    run("embed", "--encoder", encoder, "--images", images, "--out", one)
                            .code());
            Path out = dir.resolve(name);
            for (int i = 1; i <= 3; i++) {
                Run run = run("embed", "--encoder", encoder, "--images", images, "--out", out, "--shard", i + "/3");
                assertEquals(0, run.code(), run.err());
            }
            assertEquals(0, run("embed", "--merge", "--out", out).code());
            assertEquals(Files.readString(one), Files.readString(out));
        }
        List<String> rows = Files.readAllLines(dir.resolve("l.jsonl"));
        assertEquals(12, rows.size());
        for (String row : rows) {
            Row read = object(row);
            assertEquals(Path.of(read.name()).getParent().getFileName().toString(), read.label());
            assertEquals(32, read.features().length);
        }
        assertEquals(
                List.of("black", "blue", "red", "white"), new Arff(Files.readString(dir.resolve("l.arff"))).classes);
    }

    /** Features of one labelling are not merged with, or continued by, those of another. */
    @Test
    void shardsOfOtherLabelsAreRefused() throws IOException {
        Path images = Colours.write(dir.resolve("relabelled"), 1, 1);
        Path encoder = CommandLineTest.untrained(dir.resolve("labels.onnx"), 1);
        Path table = dir.resolve("table.csv");
        Path out = dir.resolve("t.jsonl");
        String rows = "path,label\nrelabelled/red/0.png,%s\nrelabelled/blue/0.png,b\n";
        Files.writeString(table, rows.formatted("a"));
        for (int i = 1; i <= 2; i++) {
            assertEquals(
                    0,
                    run("embed", "--encoder", encoder, "--images", table, "--out", out, "--shard", i + "/2")
                            .code());
        }
        assertEquals(0, run("embed", "--merge", "--out", out).code());
        assertEquals("a", object(Files.readAllLines(out).get(0)).label(), images.toString());
        Files.writeString(table, rows.formatted("b"));
        Run run = run("embed", "--encoder", encoder, "--images", table, "--out", out, "--shard", "1/2");
        assertEquals(1, run.code());
        assertTrue(run.err().contains("can't be continued with other labels of the images"), run.err());
    }
}
