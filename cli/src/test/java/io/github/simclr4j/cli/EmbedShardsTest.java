// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import static io.github.simclr4j.cli.CommandLineTest.json;
import static io.github.simclr4j.cli.CommandLineTest.run;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.simclr4j.cli.CommandLineTest.Run;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.train.data.BuiltInImages;
import io.github.simclr4j.train.loop.EncoderExport;
import io.github.simclr4j.util.Sha256;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.parquet.hadoop.api.ReadSupport;
import org.apache.parquet.hadoop.example.GroupReadSupport;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.LocalInputFile;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** {@code simclr embed --shard} and {@code --merge}: many processes give what one gives. */
class EmbedShardsTest {
    @TempDir
    static Path dir;

    private static Path encoder;
    private static Path images;
    private static Path whole;

    @BeforeAll
    static void make() throws IOException {
        run("--version");
        encoder = CommandLineTest.untrained(dir.resolve("encoder.onnx"), 1);
        images = Colours.write(dir.resolve("images"), 12, 1);
        Files.writeString(images.resolve("red/bad.png"), "no image");
        whole = dir.resolve("whole.csv");
        assertEquals(
                0,
                run("embed", "--encoder", encoder, "--images", images, "--out", whole)
                        .code());
    }

    private static Run shard(int i, int n, Path set, Path out) {
        return run(
                "embed",
                "--encoder",
                encoder,
                "--images",
                set,
                "--out",
                out,
                "--shard",
                i + "/" + n,
                "--json",
                result());
    }

    private static Path result() {
        return dir.resolve("s.json");
    }

    private static Path out(String name) throws IOException {
        return Files.createDirectories(dir.resolve("of-" + name)).resolve(name);
    }

    private static void all(int n, Path out) {
        for (int i = 1; i <= n; i++) {
            Run run = shard(i, n, images, out);
            assertEquals(0, run.code(), run.err());
        }
    }

    private static void failsWith(String expected, Run run) {
        assertEquals(1, run.code(), run.err());
        assertTrue(run.err().contains(expected), run.err());
    }

    static List<String> endings() {
        return FeatureFile.ENDINGS;
    }

    @ParameterizedTest
    @MethodSource("endings")
    void mergedShardsAreTheFileOfOneRun(String ending) throws IOException {
        Path one = dir.resolve("one-run" + ending);
        assertEquals(
                0,
                run("embed", "--encoder", encoder, "--images", images, "--out", one)
                        .code());
        Path out = out("m" + ending);
        all(5, out);
        Run merge = run("embed", "--merge", "--out", out, "--json", result());
        assertEquals(0, merge.code(), merge.err());
        assertArrayEquals(Files.readAllBytes(one), Files.readAllBytes(out));
        assertEquals(48, json(result()).get("images").getAsInt());
        assertTrue(json(result()).getAsJsonArray("skipped").get(0).getAsString().contains("bad.png"), merge.err());
    }

    @Test
    void moreShardsThanImagesAreFineAndNpyHasItsNames() throws IOException {
        Path few = Files.createDirectories(dir.resolve("few"));
        Files.copy(images.resolve("red/0.png"), few.resolve("a.png"));
        Files.copy(images.resolve("blue/0.png"), few.resolve("b.png"));
        Path one = dir.resolve("one.npy");
        assertEquals(
                0,
                run("embed", "--encoder", encoder, "--images", few, "--out", one)
                        .code());
        Path out = out("few.npy");
        for (int i = 1; i <= 7; i++) {
            assertEquals(0, shard(i, 7, few, out).code());
        }
        assertEquals(0, run("embed", "--merge", "--out", out).code());
        assertArrayEquals(Files.readAllBytes(one), Files.readAllBytes(out));
        assertEquals(Files.readString(dir.resolve("one.npy.txt")), Files.readString(out.resolveSibling("few.npy.txt")));
    }

    /** Wherever a killed process stopped writing, the next one computes what is missing and nothing else. */
    @Test
    void aShardThatWasCutAnywhereContinues() throws IOException {
        Path out = out("cut.csv");
        all(2, out);
        Path first = new Shard(1, 2).beside(out);
        byte[] complete = Files.readAllBytes(first);
        assertEquals(0, shard(1, 2, images, out).code());
        assertEquals(0, json(result()).get("computed").getAsInt(), "a complete shard");
        int header = new String(complete, StandardCharsets.ISO_8859_1).indexOf('\n') + 1;
        int before = Integer.MAX_VALUE;
        for (int length : new int[] {header, header + 3, header + 200, complete.length / 2, complete.length - 1}) {
            Files.write(first, Arrays.copyOf(complete, length));
            failsWith("run embed with --shard 1/2 again", run("embed", "--merge", "--out", out));
            assertEquals(0, shard(1, 2, images, out).code());
            int computed = json(result()).get("computed").getAsInt();
            assertTrue(computed >= 1 && computed <= before, computed + " after " + before);
            before = computed;
            assertArrayEquals(complete, Files.readAllBytes(first));
        }
        assertEquals(1, before);
        // Bytes that the file system lost, and wrote zeros in place of.
        byte[] zeros = complete.clone();
        Arrays.fill(zeros, complete.length - 300, complete.length, (byte) 0);
        Files.write(first, zeros);
        assertEquals(0, shard(1, 2, images, out).code());
        assertArrayEquals(complete, Files.readAllBytes(first));
    }

    @Test
    void whatDoesNotBelongTogetherIsNotMerged() throws IOException {
        Path out = out("mixed.csv");
        failsWith("No shards of " + out, run("embed", "--merge", "--out", out));
        all(3, out);
        Path second = new Shard(2, 3).beside(out);
        byte[] good = Files.readAllBytes(second);
        Files.delete(second);
        failsWith("run embed with --shard 2/3", run("embed", "--merge", "--out", out));
        Path other = CommandLineTest.untrained(dir.resolve("other.onnx"), 2);
        assertEquals(
                0,
                run("embed", "--encoder", other, "--images", images, "--out", out, "--shard", "2/3")
                        .code());
        failsWith("another encoder", run("embed", "--merge", "--out", out));
        failsWith("can't be continued with another encoder", shard(2, 3, images, out));
        Files.delete(second);
        assertEquals(
                0,
                run(
                                "embed",
                                "--encoder",
                                encoder,
                                "--images",
                                images,
                                "--out",
                                out,
                                "--shard",
                                "2/3",
                                "--encoder-batch",
                                3)
                        .code());
        failsWith("other settings (batch 3, not 0)", run("embed", "--merge", "--out", out));
        Files.delete(second);
        Path more = Colours.write(dir.resolve("more"), 13, 1);
        assertEquals(0, shard(2, 3, more, out).code());
        failsWith("other images", run("embed", "--merge", "--out", out));
        Files.write(second, Files.readAllBytes(new Shard(1, 3).beside(out)));
        failsWith("holds shard 1/3", run("embed", "--merge", "--out", out));
        failsWith(second + " holds shard 1/3, but its name names another: rename it", shard(2, 3, images, out));
        Files.writeString(second, "hello\n");
        failsWith("is not a shard of embed", run("embed", "--merge", "--out", out));
        Files.writeString(
                second,
                new String(good, StandardCharsets.ISO_8859_1).replaceFirst("simclr4j-shard-\\d", "simclr4j-shard-2"));
        failsWith("is a shard of another version of simclr4j", run("embed", "--merge", "--out", out));
        failsWith("is a shard of another version of simclr4j", shard(2, 3, images, out));
        Files.write(second, good);
        assertEquals(0, shard(1, 4, images, out).code());
        failsWith("are shards of 3 and of 4", run("embed", "--merge", "--out", out));
        Files.delete(new Shard(1, 4).beside(out));
        assertFalse(Files.exists(out));
        assertEquals(0, run("embed", "--merge", "--out", out).code());
        assertArrayEquals(Files.readAllBytes(whole), Files.readAllBytes(out));
    }

    /** Also where a shard is begun under one path of the set and continued under another. */
    @Test
    void aSetThatEachMachineMountsElsewhereHasThePathsOfTheFirstShard() throws IOException {
        Path mounted = dir.resolve("mnt/photos");
        try (Stream<Path> all = Files.walk(images)) {
            for (Path file : all.sorted().toList()) {
                Path copy = mounted.resolve(images.relativize(file).toString());
                Files.createDirectories(copy.getParent());
                if (Files.isRegularFile(file)) {
                    Files.copy(file, copy);
                }
            }
        }
        Path out = out("mounted.csv");
        for (int i = 1; i <= 3; i++) {
            assertEquals(0, shard(i, 3, i == 1 ? images : mounted, out).code());
        }
        for (int i : new int[] {1, 3}) {
            Path file = new Shard(i, 3).beside(out);
            byte[] complete = Files.readAllBytes(file);
            Files.write(file, Arrays.copyOf(complete, complete.length * 2 / 3));
            assertEquals(0, shard(i, 3, i == 1 ? mounted : images, out).code());
            assertTrue(json(result()).get("computed").getAsInt() > 0);
        }
        Run merge = run("embed", "--merge", "--out", out);
        assertEquals(0, merge.code(), merge.err());
        assertArrayEquals(Files.readAllBytes(whole), Files.readAllBytes(out));
    }

    /** Whether Winograd's convolutions are used depends on the heap, and changes the features. */
    @Test
    @Tag("slow")
    void shardsOfALargeAndOfASmallHeapAreNotMerged() throws Exception {
        assumeTrue(
                Set.of("amd64", "x86_64").contains(System.getProperty("os.arch")),
                "skipped: no processor with Winograd's convolutions");
        Path wide = Files.write(
                dir.resolve("wide.onnx"),
                EncoderExport.untrained(new ResNet(18, 0.5, ResNet.Stem.CIFAR), BuiltInImages.SIZE, 1));
        long needed = 12 * Files.size(wide) >> 20;
        Path out = out("heaps.csv");
        assertEquals(
                0,
                run("embed", "--encoder", wide, "--images", images, "--out", out, "--shard", "1/2")
                        .code());
        Path second = new Shard(2, 2).beside(out);
        for (long heap : new long[] {needed - 20, needed + 20}) {
            Files.deleteIfExists(second);
            ProcessBuilder command = new ProcessBuilder(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-Xmx" + heap + "m",
                    Main.class.getName(),
                    "embed",
                    "--encoder",
                    wide.toString(),
                    "--images",
                    images.toString(),
                    "--out",
                    out.toString(),
                    "--shard",
                    "2/2");
            command.environment().put("CLASSPATH", System.getProperty("java.class.path"));
            Path log = dir.resolve("heap.log");
            assertEquals(
                    0,
                    command.redirectErrorStream(true)
                            .redirectOutput(log.toFile())
                            .start()
                            .waitFor(),
                    () -> "heap of " + heap + " MB");
            Run merge = run("embed", "--merge", "--out", out);
            if (heap < needed) {
                failsWith("other settings (winograd false, not true; this depends on the heap", merge);
                assertTrue(Files.readString(log).contains("do not use Winograd's algorithm"), Files.readString(log));
            } else {
                assertEquals(0, merge.code(), merge.err());
            }
        }
    }

    @Test
    void wrongOptionsAreRefused() {
        for (String shard : List.of("0/3", "4/3", "3", "1/1001", "a/b", "-1/2")) {
            Run run = run(
                    "embed", "--encoder", encoder, "--images", images, "--out", dir.resolve("x.csv"), "--shard", shard);
            assertEquals(2, run.code(), run.err());
            assertTrue(run.err().contains("--shard must be i/n"), run.err());
        }
        assertEquals(
                2,
                run("embed", "--merge", "--out", dir.resolve("x.csv"), "--shard", "1/2")
                        .code());
        assertEquals(
                2,
                run("embed", "--merge", "--out", dir.resolve("x.csv"), "--images", images)
                        .code());
        Run run = run("embed", "--out", dir.resolve("x.csv"), "--images", images);
        assertEquals(2, run.code());
        assertTrue(run.err().contains("Missing required option: '--encoder=E'"), run.err());
    }

    /** The set may lie elsewhere on another machine, and images may come and go without moving others between shards. */
    @Test
    void whichShardAnImageIsInDependsOnItsNameOnly() {
        List<String> names =
                IntStream.range(0, 10_000).mapToObj(i -> "class/" + i + ".png").toList();
        int[] counts = IntStream.rangeClosed(1, 16)
                .map(i -> new Shard(i, 16).of(names).length)
                .toArray();
        assertEquals(10_000, Arrays.stream(counts).sum());
        // Binomial: 625 with a standard deviation of 24.
        assertTrue(Arrays.stream(counts).allMatch(c -> c > 500 && c < 750), Arrays.toString(counts));
        int[] of = new Shard(3, 16).of(names);
        int[] ofHalf = new Shard(3, 16).of(names.subList(0, 5_000));
        assertArrayEquals(Arrays.stream(of).filter(i -> i < 5_000).toArray(), ofHalf);
        // The first 15 hexadecimal digits of its SHA-256 are 2 modulo 4, by Python's hashlib.
        assertEquals(1, new Shard(3, 4).of(List.of("class/0.png")).length);
    }

    @Test
    void parquetHoldsTheSameRows() throws IOException {
        Path out = out("f.parquet");
        Run run = run("embed", "--encoder", encoder, "--images", images, "--out", out);
        assertEquals(0, run.code(), run.err());
        List<String> lines = Files.readAllLines(whole);
        int row = 1;
        try (ParquetReader<Group> reader =
                new ParquetReader.Builder<Group>(new LocalInputFile(out), new PlainParquetConfiguration()) {
                    @Override
                    protected ReadSupport<Group> getReadSupport() {
                        return new GroupReadSupport();
                    }
                }.build()) {
            for (Group group = reader.read(); group != null; group = reader.read()) {
                StringBuilder line = new StringBuilder(group.getString("path", 0));
                Group features = group.getGroup("features", 0);
                for (int i = 0; i < features.getFieldRepetitionCount("list"); i++) {
                    line.append(',').append(features.getGroup("list", i).getFloat("element", 0));
                }
                assertEquals(lines.get(row++), line.toString());
            }
        }
        assertEquals(lines.size(), row);
        try (ParquetFileReader reader = ParquetFileReader.open(new LocalInputFile(out))) {
            assertEquals(
                    Sha256.hex(Files.readAllBytes(encoder)),
                    reader.getFileMetaData().getKeyValueMetaData().get("simclr4j.encoder.sha256"));
            reader.getRowGroups().stream()
                    .flatMap(group -> group.getColumns().stream())
                    .forEach(column -> assertEquals(CompressionCodecName.UNCOMPRESSED, column.getCodec()));
        }
    }

    @Test
    @Tag("slow")
    void eightShardsOfWhichTwoAreKilledEqualOneRun() throws Exception {
        Path large = Files.createDirectories(dir.resolve("large"));
        for (int i = 0; i < 160; i++) {
            if (i < 8) {
                BufferedImage image = new BufferedImage(1500, 1500, BufferedImage.TYPE_INT_RGB);
                image.createGraphics().fillRect(0, 0, 150 * (i + 1), 100 * (i + 1));
                ImageIO.write(image, "png", large.resolve(i + ".png").toFile());
            } else {
                Files.createLink(large.resolve(i + ".png"), large.resolve(i % 8 + ".png"));
            }
        }
        Path one = dir.resolve("large.csv");
        assertEquals(
                0,
                run("embed", "--encoder", encoder, "--images", large, "--out", one, "--encoder-batch", 2)
                        .code());
        Path out = out("killed.csv");
        for (int i = 1; i <= 8; i++) {
            int killed = i == 3 || i == 6 ? kill(i, large, out) : 0;
            Run run = run(
                    "embed",
                    "--encoder",
                    encoder,
                    "--images",
                    large,
                    "--out",
                    out,
                    "--shard",
                    i + "/8",
                    "--encoder-batch",
                    2,
                    "--json",
                    result());
            assertEquals(0, run.code(), run.err());
            int images = json(result()).get("images").getAsInt();
            assertEquals(images - killed, json(result()).get("computed").getAsInt(), "rows are computed once");
        }
        assertEquals(0, run("embed", "--merge", "--out", out).code());
        assertArrayEquals(Files.readAllBytes(one), Files.readAllBytes(out));
    }

    /** Starts a shard, kills it (SIGKILL) when it has some rows, and returns how many whole ones it left. */
    private static int kill(int i, Path set, Path out) throws Exception {
        Path file = new Shard(i, 8).beside(out);
        ProcessBuilder command = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                Main.class.getName(),
                "embed",
                "--encoder",
                encoder.toString(),
                "--images",
                set.toString(),
                "--out",
                out.toString(),
                "--shard",
                i + "/8",
                "--threads",
                "1",
                "--encoder-batch",
                "2");
        command.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        Process p = command.redirectErrorStream(true)
                .redirectOutput(dir.resolve("killed.log").toFile())
                .start();
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (p.isAlive() && System.nanoTime() < end && (!Files.exists(file) || rows(file) < 2)) {
            Thread.sleep(2);
        }
        p.destroyForcibly().waitFor();
        int rows = rows(file);
        try (ShardFile.Reader reader = new ShardFile.Reader(file)) {
            assertTrue(
                    rows >= 2 && rows < reader.about().images(),
                    rows + " rows: " + Files.readString(dir.resolve("killed.log")));
        }
        return rows;
    }

    private static int rows(Path file) throws IOException {
        int rows = 0;
        try (ShardFile.Reader reader = new ShardFile.Reader(file)) {
            while (reader.next() != null) {
                rows++;
            }
        }
        return rows;
    }
}
