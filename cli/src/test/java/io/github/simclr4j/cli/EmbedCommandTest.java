// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import static io.github.simclr4j.cli.CommandLineTest.json;
import static io.github.simclr4j.cli.CommandLineTest.run;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.simclr4j.cli.CommandLineTest.Run;
import io.github.simclr4j.util.OutputLock;
import java.awt.image.BufferedImage;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code simclr embed}: what it writes, and what it leaves when it can't. */
class EmbedCommandTest {
    @TempDir
    static Path dir;

    private static Path encoder;
    private static Path images;

    @BeforeAll
    static void make() throws IOException {
        // Quietens DJL's log.
        run("--version");
        images = Colours.write(dir.resolve("images"), 2, 1);
        encoder = CommandLineTest.untrained(dir.resolve("encoder.onnx"), 1);
    }

    private static Run embed(Path images, Path out) {
        return run("embed", "--encoder", encoder, "--images", images, "--out", out, "--json", dir.resolve("e.json"));
    }

    private static Set<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(f -> f.getFileName().toString()).collect(Collectors.toSet());
        }
    }

    @Test
    void rowsOfAnNpyFileHaveALineEachWhateverItsEndingsCase() throws IOException {
        Path out = Files.createDirectories(dir.resolve("npy")).resolve("F.NPY");
        String separator = System.setProperty("line.separator", "\r\n");
        try {
            assertEquals(0, embed(images, out).code());
        } finally {
            System.setProperty("line.separator", separator);
        }
        assertEquals(Set.of("F.NPY", "F.NPY.txt"), names(out.getParent()));
        assertEquals((byte) 0x93, Files.readAllBytes(out)[0]);
        String paths = Files.readString(dir.resolve("npy/F.NPY.txt"));
        assertEquals(8, paths.split("\n").length);
        assertTrue(paths.startsWith(images.resolve("black/0.png") + "\n") && paths.endsWith("white/1.png\n"), paths);
    }

    @Test
    void featuresThatAreNoNumbersAndRandomOnesAreNotWritten() throws IOException {
        Path cases = Path.of(
                System.getProperty("simclr.root", ".."), "onnx/src/test/resources/io/github/simclr4j/onnx/cases");
        Path out = dir.resolve("none.csv");
        Run nan = run(
                "embed",
                "--encoder",
                cases.resolve("nan.onnx"),
                "--mean",
                "0.5",
                "--std",
                "0.5",
                "--images",
                images,
                "--out",
                out);
        assertNotEquals(0, nan.code());
        assertTrue(
                nan.err().contains("nan.onnx computes NaN")
                        && nan.err().contains(".png")
                        && nan.err().contains("export it in float32"),
                nan.err());
        Run random = run(
                "embed",
                "--encoder",
                cases.resolve("training-mode.onnx"),
                "--mean",
                "0.5",
                "--std",
                "0.5",
                "--images",
                images,
                "--out",
                out);
        assertNotEquals(0, random.code());
        assertTrue(random.err().contains("eval mode"), random.err());
        assertFalse(Files.exists(out));
        Run inspect = run("inspect", cases.resolve("training-mode.onnx"), "--json", dir.resolve("i.json"));
        assertEquals(0, inspect.code());
        assertEquals(2, json(dir.resolve("i.json")).getAsJsonArray("random").size());
        assertEquals(0, run("inspect", encoder, "--json", dir.resolve("i.json")).code());
        assertEquals("matches", json(dir.resolve("i.json")).get("checksum").getAsString());
    }

    @Test
    void anUnknownEndingIsRefusedWithThoseThatAreKnown() {
        for (String name : List.of("f.txt", "f", "f.ndjson", "f.json")) {
            Run run = embed(images, dir.resolve(name));
            assertEquals(2, run.code());
            assertTrue(
                    run.err()
                            .contains("--out must end in .csv, .npy, .parquet, .arff, .jsonl or .bulk.ndjson, found "
                                    + dir.resolve(name)),
                    run.err());
        }
    }

    @Test
    void aNameWithALineBreakIsNotForNpy() throws IOException {
        assumeTrue(dir.getFileSystem().getSeparator().equals("/"));
        Path odd = Files.createDirectories(dir.resolve("odd"));
        Files.copy(images.resolve("red/0.png"), odd.resolve("a\nb.png"));
        Path out = dir.resolve("odd.npy");
        Run run = embed(odd, out);
        assertEquals(2, run.code());
        assertTrue(
                run.err().contains("contains a line break, which would make two rows in " + out + ".txt"), run.err());
        assertFalse(Files.exists(out));
        assertEquals(0, embed(odd, dir.resolve("odd.csv")).code());
        assertTrue(Files.readString(dir.resolve("odd.csv")).contains("\n\"" + odd + "/a\nb.png\","));
    }

    @Test
    void whatCantBeReadIsNamedEvenALinkThatLeadsNowhere() throws IOException {
        Path some = Files.createDirectories(dir.resolve("some"));
        Files.copy(images.resolve("red/0.png"), some.resolve("a.png"));
        Files.writeString(some.resolve("b.png"), "no image");
        Files.createSymbolicLink(some.resolve("c.png"), dir.resolve("nowhere.png"));
        Run run = embed(some, dir.resolve("some.csv"));
        assertEquals(0, run.code(), run.err());
        assertTrue(run.out().contains("1 images, 32 features, 2 skipped"), run.out());
        List<String> skipped = json(dir.resolve("e.json")).getAsJsonArray("skipped").asList().stream()
                .map(e -> e.getAsString())
                .toList();
        assertTrue(skipped.get(0).startsWith(some.resolve("b.png") + ": "), skipped.toString());
        assertEquals(some.resolve("c.png") + ": no such file", skipped.get(1));
        skipped.forEach(s -> assertTrue(run.err().contains("warning: skipped " + s), run.err()));
        Path bad = Files.createDirectories(dir.resolve("bad"));
        Files.writeString(bad.resolve("b.png"), "no image");
        assertTrue(embed(bad, dir.resolve("bad.csv")).err().contains("No readable image in " + bad));
        assertFalse(Files.exists(dir.resolve("bad.csv")));
    }

    @Test
    void aFullDiskIsSaidWithTheFileAndTheFix() throws IOException {
        Path full = Path.of("/dev/full");
        assumeTrue(Files.exists(full));
        for (String name : FeatureFile.ENDINGS.stream().map(e -> "full" + e).toList()) {
            Path link = Files.createSymbolicLink(dir.resolve(name), full);
            assertEquals(
                    0,
                    run("embed", "--encoder", encoder, "--images", images, "--out", link, "--shard", "1/1")
                            .code());
            for (Run run : List.of(embed(images, link), run("embed", "--merge", "--out", link))) {
                assertEquals(1, run.code());
                String expected = "Can't write " + dir.resolve(name) + ": No space left on device; make room there";
                assertTrue(run.err().contains(expected), run.err());
                assertTrue(Files.isSymbolicLink(link) && !Files.isRegularFile(full));
                assertFalse(Files.exists(dir.resolve(name + ".txt")));
            }
        }
    }

    @Test
    void aPipeGetsTheFeaturesAndTheResult() throws Exception {
        for (String name : FeatureFile.ENDINGS.stream().map(e -> "pipe" + e).toList()) {
            Path whole = dir.resolve("whole-" + name);
            assertEquals(0, embed(images, whole).code());
            Path folder = Files.createDirectories(dir.resolve("of-" + name));
            Path fifo = fifo(folder.resolve(name));
            Path json = fifo(folder.resolve("e.json"));
            CompletableFuture<byte[]> features = CompletableFuture.supplyAsync(() -> bytes(fifo));
            CompletableFuture<byte[]> result = CompletableFuture.supplyAsync(() -> bytes(json));
            Run run = run("embed", "--encoder", encoder, "--images", images, "--out", fifo, "--json", json);
            assertEquals(0, run.code(), run.err());
            assertArrayEquals(Files.readAllBytes(whole), features.get(30, TimeUnit.SECONDS));
            assertTrue(new String(result.get(30, TimeUnit.SECONDS), StandardCharsets.UTF_8).contains("\"images\": 8"));
            assertFalse(Files.isRegularFile(fifo) || Files.isRegularFile(json));
            assertEquals(
                    name.endsWith("npy") ? Set.of(name, "e.json", name + ".txt") : Set.of(name, "e.json"),
                    names(folder));
        }
    }

    private static Path fifo(Path path) throws IOException, InterruptedException {
        assumeTrue(
                File.separatorChar == '/'
                        && new ProcessBuilder("mkfifo", path.toString()).start().waitFor() == 0,
                "skipped: this system has no mkfifo");
        return path;
    }

    private static byte[] bytes(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void aLinkIsFollowedAndNeverToTheInput() throws IOException {
        Path real = Files.createDirectories(dir.resolve("real"));
        Path link = Files.createSymbolicLink(dir.resolve("link.csv"), Path.of("real/f.csv"));
        assertEquals(0, embed(images, link).code());
        assertTrue(Files.isSymbolicLink(link));
        assertEquals(Set.of("f.csv"), names(real));
        Path table = Files.writeString(dir.resolve("input.csv"), "path\nimages/red/0.png\n");
        Path self = Files.createSymbolicLink(dir.resolve("self.csv"), table);
        Run run = embed(table, self);
        assertEquals(2, run.code(), run.err());
        assertTrue(run.err().contains("name the same file"), run.err());
        assertEquals("path\nimages/red/0.png\n", Files.readString(table));
    }

    @Test
    void aSecondRunIntoOneFileIsRefusedByName() throws IOException {
        Path out = dir.resolve("locked.csv");
        OutputLock lock = OutputLock.of(out);
        try {
            Run run = embed(images, out);
            assertEquals(1, run.code());
            assertTrue(
                    run.err().contains("is writing to " + out + ": wait until it has ended, or choose another path"),
                    run.err());
        } finally {
            lock.close();
        }
        assertEquals(0, embed(images, out).code());
        assertFalse(names(dir).contains(".locked.csv.lock"));
    }

    @Test
    void tooManyThreadsAreRefusedByEveryCommand() {
        for (String[] command : new String[][] {
            {"embed", "--encoder", "e", "--images", "i", "--out", "o.csv"},
            {"pretrain", "--images", "i", "--out", "o.onnx"},
            {"inspect", "e.onnx"},
            {"devices"},
            {"bench", "embed"}
        }) {
            Object[] all = Stream.concat(Stream.of(command), Stream.of("--threads", "10000"))
                    .toArray();
            Run run = run(all);
            assertEquals(2, run.code(), run.err());
            assertTrue(run.err().contains("--threads must be from 0 to "), run.err());
        }
        Run run = run("pretrain", "--images", images, "--out", dir.resolve("o.onnx"), "--decoders", "10000");
        assertEquals(2, run.code());
        assertTrue(run.err().contains("--decoders must be from 0 to "), run.err());
    }

    /** Images that take minutes, and the end of the process as soon as it writes. */
    @Test
    void anInterruptedRunLeavesNothing() throws Exception {
        Path many = Files.createDirectories(dir.resolve("many"));
        BufferedImage large = new BufferedImage(2500, 2500, BufferedImage.TYPE_INT_RGB);
        ImageIO.write(large, "png", many.resolve("0.png").toFile());
        for (int i = 1; i < 2000; i++) {
            Files.createLink(many.resolve(i + ".png"), many.resolve("0.png"));
        }
        Path folder = Files.createDirectories(dir.resolve("interrupted"));
        ProcessBuilder command = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                Main.class.getName(),
                "embed",
                "--encoder",
                encoder.toString(),
                "--images",
                many.toString(),
                "--out",
                folder.resolve("f.csv").toString());
        command.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        Path log = dir.resolve("interrupted.log");
        Process p =
                command.redirectErrorStream(true).redirectOutput(log.toFile()).start();
        try {
            assumeTrue(p.supportsNormalTermination());
            while (p.isAlive() && names(folder).stream().noneMatch(n -> n.endsWith(".part"))) {
                Thread.sleep(5);
            }
            assertTrue(p.isAlive(), () -> read(log));
            p.destroy();
            assertTrue(p.waitFor(60, TimeUnit.SECONDS));
        } finally {
            p.destroyForcibly();
        }
        assertNotEquals(0, p.exitValue());
        assertEquals(Set.of(), names(folder));
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.toString();
        }
    }
}
