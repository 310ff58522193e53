// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.load.ImageStream;
import io.github.simclr4j.images.load.ResidentImages;
import io.github.simclr4j.util.Progress;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipArchiveOutputStream;
import org.apache.commons.compress.compressors.CompressorException;
import org.apache.commons.compress.compressors.CompressorStreamFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageSourceTest {
    @TempDir
    Path dir;

    private static List<Integer> labels(ImageSource source) {
        return IntStream.range(0, source.size())
                .mapToObj(i -> source.label(i).orElse(-1))
                .toList();
    }

    private static void assertImages(ImageSource source, int side, int... numbers) throws IOException {
        assertEquals(numbers.length, source.size());
        for (int i = 0; i < numbers.length; i++) {
            assertTrue(Samples.is(source.read(i), numbers[i], side, side), source.name(i));
        }
    }

    private void fails(String expected, Path path) {
        String message = assertThrows(
                        IOException.class, () -> ImageSource.open(path).close())
                .getMessage();
        assertTrue(
                message.contains(expected)
                        && message.contains(path.getFileName().toString()),
                message);
    }

    /** Members as they stand in an archive: two classes, and what is no image. */
    private static Map<String, byte[]> members() throws IOException {
        Map<String, byte[]> m = new LinkedHashMap<>();
        m.put("set/", new byte[0]);
        m.put("set/dog/", new byte[0]);
        m.put("set/dog/2.png", Samples.png(2, 20, 20));
        m.put("set/cat/1.PNG", Samples.png(1, 20, 20));
        m.put("set/cat/0.png", Samples.png(0, 20, 20));
        m.put("set/readme.txt", "nothing".getBytes(StandardCharsets.UTF_8));
        m.put("__MACOSX/set/cat/._0.png", new byte[] {1, 2, 3});
        m.put("set/cat/._0.png", new byte[] {1, 2, 3});
        m.put("set/.thumbs/0.png", Samples.png(9, 20, 20));
        m.put("set/" + "long".repeat(60) + "/3.png", Samples.png(3, 20, 20));
        return m;
    }

    private static byte[] tar(Map<String, byte[]> members) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (TarArchiveOutputStream tar = new TarArchiveOutputStream(out)) {
            tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
            for (Map.Entry<String, byte[]> m : members.entrySet()) {
                // A name may come twice; "again" is told apart in the map only.
                TarArchiveEntry e = new TarArchiveEntry(m.getKey().replace("!again", ""), true);
                e.setSize(m.getValue().length);
                tar.putArchiveEntry(e);
                tar.write(m.getValue());
                tar.closeArchiveEntry();
            }
            TarArchiveEntry link = new TarArchiveEntry("set/cat/link.png", TarConstants.LF_SYMLINK);
            link.setLinkName("../../../etc/passwd");
            tar.putArchiveEntry(link);
            tar.closeArchiveEntry();
        }
        return out.toByteArray();
    }

    private static byte[] zip(Map<String, byte[]> members) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (ZipArchiveOutputStream zip = new ZipArchiveOutputStream(out)) {
            for (Map.Entry<String, byte[]> m : members.entrySet()) {
                zip.putArchiveEntry(new ZipArchiveEntry(m.getKey().replace("!again", "")));
                zip.write(m.getValue());
                zip.closeArchiveEntry();
            }
        }
        return out.toByteArray();
    }

    private static byte[] compress(String by, byte[] bytes) throws IOException, CompressorException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (OutputStream c = new CompressorStreamFactory().createCompressorOutputStream(by, out)) {
            new ByteArrayInputStream(bytes).transferTo(c);
        }
        return out.toByteArray();
    }

    @Test
    void archivesAreReadWhereTheyAre() throws Exception {
        byte[] tar = tar(members());
        Map<String, byte[]> archives = new LinkedHashMap<>();
        archives.put("a.zip", zip(members()));
        archives.put("a.tar", tar);
        archives.put("a.tar.gz", compress("gz", tar));
        archives.put("a.tar.xz", compress("xz", tar));
        archives.put("a.tar.bz2", compress("bzip2", tar));
        // The ending does not matter.
        archives.put("zip.data", zip(members()));
        archives.put("tar.data", compress("gz", tar));
        List<String> fingerprints = new ArrayList<>();
        for (Map.Entry<String, byte[]> a : archives.entrySet()) {
            Path file = Samples.write(dir.resolve("archives").resolve(a.getKey()), a.getValue());
            try (ImageSource source = ImageSource.open(file)) {
                assertImages(source, 20, 0, 1, 2, 3);
                assertEquals(file + "!set/cat/0.png", source.name(0));
                // "set" is above all classes.
                assertEquals(List.of("cat", "dog", "long".repeat(60)), source.classes());
                assertEquals(List.of(0, 0, 1, 2), labels(source));
                fingerprints.add(source.fingerprint());
            }
        }
        assertEquals(1, fingerprints.stream().distinct().count(), "the same files");
        try (Stream<Path> files = Files.walk(dir)) {
            assertEquals(archives.size(), files.filter(Files::isRegularFile).count(), "nothing was unpacked");
        }
    }

    @Test
    void membersNamesAreOnlyNames() throws IOException {
        Map<String, byte[]> m = new LinkedHashMap<>();
        m.put("../../x/0.png", Samples.png(0, 16, 16));
        m.put("/y/1.png", Samples.png(1, 16, 16));
        m.put("./z/2.png", new byte[] {1});
        m.put("./z/2.png!again", Samples.png(2, 16, 16));
        for (Path file :
                List.of(Samples.write(dir.resolve("u.zip"), zip(m)), Samples.write(dir.resolve("u.tar"), tar(m)))) {
            try (ImageSource source = ImageSource.open(file)) {
                assertEquals(List.of("x", "y", "z"), source.classes());
                List<String> names =
                        IntStream.range(0, source.size()).mapToObj(source::name).toList();
                assertEquals(3, names.size(), names.toString());
                for (int i = 0; i < 3; i++) {
                    int number = names.get(i).charAt(names.get(i).length() - 5) - '0';
                    assertTrue(Samples.is(source.read(i), number, 16, 16), names.get(i));
                    assertEquals(number, source.label(i).getAsInt());
                }
            }
        }
    }

    @Test
    void damagedArchivesAreRefused() throws Exception {
        byte[] tar = tar(members());
        byte[] zip = zip(members());
        fails("truncated or damaged zip", Samples.write(dir.resolve("cut.zip"), Arrays.copyOf(zip, zip.length - 30)));
        fails("should have", Samples.write(dir.resolve("cut.tar"), Arrays.copyOf(tar, 2200)));
        for (String c : List.of("gz", "xz", "bzip2")) {
            byte[] whole = compress(c, tar);
            for (int keep : new int[] {whole.length - 3, whole.length / 2, 20}) {
                Path cut = Samples.write(dir.resolve("cut.tar." + c), Arrays.copyOf(whole, keep));
                fails("truncated or damaged", cut);
                assertFalse(assertThrows(IOException.class, () -> ImageSource.open(cut))
                        .getMessage()
                        .contains("null"));
            }
        }
        byte[] wrong = compress("gz", tar);
        wrong[wrong.length - 6] ^= 1;
        fails("truncated or damaged", Samples.write(dir.resolve("checksum.tar.gz"), wrong));
        Map<String, byte[]> none = Map.of("a.txt", new byte[] {'a'});
        fails("no images", Samples.write(dir.resolve("none.zip"), zip(none)));
        fails("no images", Samples.write(dir.resolve("none.tar"), tar(none)));
        fails(
                "neither",
                Samples.write(dir.resolve("text.gz"), compress("gz", "some text".getBytes(StandardCharsets.UTF_8))));
        fails("does not match", Samples.write(dir.resolve("text.zip"), "some text".getBytes(StandardCharsets.UTF_8)));
        fails("(7z)", Samples.write(dir.resolve("x.7z"), new byte[] {
            '7', 'z', (byte) 0xbc, (byte) 0xaf, 0x27, 0x1c, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
        }));
    }

    @Test
    void aDamagedMemberIsNamed() throws IOException {
        Map<String, byte[]> m = new LinkedHashMap<>();
        m.put("good.png", Samples.png(0, 16, 16));
        m.put("bad.png", "no image".getBytes(StandardCharsets.UTF_8));
        Path tar = Samples.write(dir.resolve("m.tar"), tar(m));
        try (ImageSource source = ImageSource.open(tar)) {
            String message =
                    assertThrows(IOException.class, () -> source.read(0)).getMessage();
            assertTrue(message.startsWith(tar + "!bad.png: "), message);
            assertTrue(Samples.is(source.read(1), 0, 16, 16));
        }
        byte[] zip = zip(m);
        // A bit of the stored or deflated bytes of the first member.
        zip[60] ^= 4;
        Path file = Samples.write(dir.resolve("m.zip"), zip);
        try (ImageSource source = ImageSource.open(file)) {
            String message =
                    assertThrows(IOException.class, () -> source.read(1)).getMessage();
            assertTrue(message.startsWith(file + "!good.png: "), message);
        }
    }

    /** What streams and what is held in memory leave out the same images. */
    @Test
    void aDamagedMemberDoesNotStopTheRun() throws IOException {
        Map<String, byte[]> m = new LinkedHashMap<>();
        m.put("0.png", Samples.png(0, 16, 16));
        m.put("1.png", Samples.png(1, 16, 16));
        byte[] zip = zip(m);
        Path whole = Samples.write(dir.resolve("whole.zip"), zip);
        zip[60] ^= 4;
        Path damaged = Samples.write(dir.resolve("damaged.zip"), zip);
        try (ImageSource source = ImageSource.open(damaged);
                ImageSource other = ImageSource.open(whole)) {
            assertNotEquals(other.fingerprint(), source.fingerprint());
            assertEquals(
                    damaged + "!0.png",
                    ResidentImages.read(source, 16, Progress.NONE)
                            .skipped()
                            .get(0)
                            .name());
            List<String> skipped = new ArrayList<>();
            try (ImageStream stream =
                    new ImageStream(source, new ImageStream.Settings(16, 2, 1, 1), u -> skipped.add(u.toString()))) {
                stream.start(new int[] {0, 1}, 0);
                assertArrayEquals(new int[] {1, 1}, stream.next().images());
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
            assertEquals(1, skipped.size());
            assertTrue(skipped.get(0).startsWith(damaged + "!0.png: "), skipped.toString());
        }
    }

    @Test
    void aTarWithoutItsEndIsToldOf() throws Exception {
        Map<String, byte[]> m = new LinkedHashMap<>();
        m.put("0.png", Samples.png(0, 16, 16));
        m.put("1.png", Samples.png(1, 16, 16));
        byte[] tar = tar(m);
        List<String> warnings = new ArrayList<>();
        Progress progress = new Progress() {
            @Override
            public void warn(String text) {
                warnings.add(text);
            }
        };
        // Each image takes a record and as many as its bytes need.
        int one = 512 + (m.get("0.png").length + 511) / 512 * 512;
        int two = one + 512 + (m.get("1.png").length + 511) / 512 * 512;
        for (int keep : new int[] {tar.length, one, two, two + 512 + 100, two + 2 * 512}) {
            warnings.clear();
            for (byte[] bytes : List.of(Arrays.copyOf(tar, keep), compress("gz", Arrays.copyOf(tar, keep)))) {
                Path file = Samples.write(dir.resolve("t.data"), bytes);
                try (ImageSource source = ImageSource.open(file, progress)) {
                    assertEquals(keep == one ? 1 : 2, source.size());
                }
            }
            warnings.removeIf(w -> w.contains("set/cat/link.png"));
            // Behind the images stands a link of one record; one empty record is enough.
            assertEquals(keep >= two + 2 * 512 ? 0 : 2, warnings.size(), keep + " " + warnings);
            warnings.forEach(w -> assertTrue(w.startsWith(dir.resolve("t.data") + " has no end marker"), w));
        }
    }

    @Test
    void whatDoesNotFitInMemoryIsSpooledAndDeleted() throws IOException {
        byte[] bytes = Samples.cifar(0, 2, 1);
        Path kept;
        try (Spool spool = new Spool(100, 1 << 20, () -> 1 << 20)) {
            long before = spools();
            spool.add(new ByteArrayInputStream(bytes, 0, 50));
            assertEquals(before, spools());
            spool.add(new ByteArrayInputStream(bytes, 50, bytes.length - 50));
            assertEquals(before + 1, spools());
            Bytes read = spool.finish();
            assertEquals(bytes.length, read.length());
            assertArrayEquals(Arrays.copyOfRange(bytes, 40, 3000), read.read(40, 2960));
            assertArrayEquals(bytes, read.stream().readAllBytes());
            read.close();
            assertEquals(before, spools());
            assertThrows(IOException.class, () -> read.read(0, 1));
        }
        long before = spools();
        try (Spool unfinished = new Spool(100, 1 << 20, () -> 1 << 20)) {
            unfinished.add(new ByteArrayInputStream(bytes));
            assertEquals(before + 1, spools());
        }
        assertEquals(before, spools());
    }

    @Test
    void bytesThatAreTooManyAreRefusedBeforeTheyAreTaken() throws IOException {
        long before = spools();
        try (Spool spool = new Spool(100, 5000, () -> 3000)) {
            spool.expect(100);
            IOException many = assertThrows(IOException.class, () -> spool.expect(5001));
            assertTrue(
                    many.getMessage().startsWith("its content is implausibly large for its compressed size: more than"),
                    many.getMessage());
            IOException full = assertThrows(IOException.class, () -> spool.expect(3001));
            assertTrue(
                    full.getMessage().startsWith("Can't write temporary files to ")
                            && full.getMessage().contains("the decompressed content needs"),
                    full.getMessage());
            assertThrows(IOException.class, () -> spool.add(new ByteArrayInputStream(new byte[3001])));
            assertEquals(before, spools());
            spool.add(new ByteArrayInputStream(new byte[2999]));
            assertEquals(2999, spool.length());
            assertThrows(IOException.class, () -> spool.add(new ByteArrayInputStream(new byte[2002])));
        }
        assertEquals(before, spools());
    }

    private static long spools() throws IOException {
        try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
            return files.filter(f -> f.getFileName().toString().startsWith("simclr4j.spool."))
                    .count();
        }
    }

    @Test
    void aFolderIsReadAsFarAsItGoes() throws IOException {
        Path set = dir.resolve("set");
        Samples.write(set.resolve("b/x/2.png"), Samples.png(2, 10, 10));
        Samples.write(set.resolve("a/1.png"), Samples.png(1, 10, 10));
        Samples.write(set.resolve("0.png"), Samples.png(0, 10, 10));
        Samples.write(set.resolve("a/.hidden.png"), Samples.png(9, 10, 10));
        Samples.write(set.resolve(".git/9.png"), Samples.png(9, 10, 10));
        Samples.write(set.resolve("a/notes.txt"), new byte[] {1});
        String fingerprint;
        try (ImageSource source = ImageSource.open(set)) {
            assertImages(source, 10, 0, 1, 2);
            assertEquals(set.resolve("a").resolve("1.png").toString(), source.name(1));
            assertEquals(List.of("a", "b"), source.classes());
            assertEquals(List.of(-1, 0, 1), labels(source));
            assertEquals(OptionalInt.empty(), source.label(0));
            fingerprint = source.fingerprint();
        }
        Path moved = Files.move(set, dir.resolve("moved"));
        try (ImageSource source = ImageSource.open(moved)) {
            assertEquals(fingerprint, source.fingerprint());
        }
        // The same size, another content.
        Path file = moved.resolve("a/1.png");
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length - 1] ^= 1;
        Files.write(file, bytes);
        try (ImageSource source = ImageSource.open(moved)) {
            assertNotEquals(fingerprint, source.fingerprint());
        }
        Files.createDirectories(dir.resolve("empty/inner"));
        fails("No images in", dir.resolve("empty"));
        fails("does not exist", dir.resolve("nowhere"));
        fails("give its folder instead", moved.resolve("0.png"));
        fails("is empty", Samples.write(dir.resolve("nothing.csv"), new byte[0]));
        fails("expected a folder", Samples.write(dir.resolve("noise"), new byte[] {77, 1, 2, 3, 4, 5, 6, 7, 8}));
    }

    private Path table(String name, String text) throws IOException {
        return Samples.write(dir.resolve(name), text.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void aTableNamesItsImages() throws IOException {
        for (int i = 0; i < 3; i++) {
            Samples.write(dir.resolve("images/n, " + i + ".png"), Samples.png(i, 12, 12));
        }
        Path csv = table(
                "t.csv",
                "\ufeffid,Path,Label\n7,\"images/n, 2.png\",10\n"
                        + "8,\"images/n, 0.png\",9\n9,\"images/n, 1.png\",\n");
        String fingerprint;
        try (ImageSource source = ImageSource.open(csv)) {
            assertImages(source, 12, 2, 0, 1);
            // As numbers, not as text.
            assertEquals(List.of("9", "10"), source.classes());
            assertEquals(List.of(1, 0, -1), labels(source));
            assertEquals(dir.resolve("images/n, 2.png").toString(), source.name(0));
            fingerprint = source.fingerprint();
        }
        table("t.csv", "path,label\n\"images/n, 2.png\",10\n\"images/n, 0.png\",10\n\"images/n, 1.png\",9\n");
        try (ImageSource source = ImageSource.open(csv)) {
            assertNotEquals(fingerprint, source.fingerprint(), "other labels");
        }
        Path tsv = table("t.tsv", "what\tclass\nimages/n, 1.png\tcat\nimages/gone.png\tant\n");
        try (ImageSource source = ImageSource.open(tsv)) {
            assertTrue(Samples.is(source.read(0), 1, 12, 12));
            assertEquals(List.of("ant", "cat"), source.classes());
            String message =
                    assertThrows(IOException.class, () -> source.read(1)).getMessage();
            assertEquals(dir.resolve("images/gone.png") + ": no such file", message);
            assertEquals(64, source.fingerprint().length());
        }
        try (ImageSource source = ImageSource.open(table("s.csv", "image;n\nimages/n, 0.png;1\n"))) {
            assertImages(source, 12, 0);
            assertEquals(List.of(), source.classes());
        }
        fails("only a header", table("h.csv", "path,label\n"));
        fails("header", table("n.csv", "images/0.png,cat\nimages/1.png,dog\n"));
        fails("r.csv is not a table of images: row 2", table("r.csv", "path,label\nimages/n.png,1\nimages/m.png\n"));
        fails("are relative to the table", table("w.csv", "path\nelsewhere/0.png\nelsewhere/1.png\n"));
        fails("duplicate", table("d.csv", "path,path\na,b\n"));
        fails("not a table", table("q.csv", "path,label\n\"never closed,1\n"));
        fails("not a table", table("b.csv", "path,\"label\"s\na,b\n"));
        // Both would be "B\ufffdr".
        byte[] latin =
                "path,label\nimages/0.png,B\u00e4r\nimages/1.png,B\u00f6r\n".getBytes(StandardCharsets.ISO_8859_1);
        fails("not text in UTF-8", Samples.write(dir.resolve("latin.csv"), latin));
        byte[] header = "path,gr\u00f6\u00dfe\n".getBytes(StandardCharsets.ISO_8859_1);
        fails("not text in UTF-8", Samples.write(dir.resolve("head.csv"), header));
    }

    @Test
    void cifarIsReadFromItsBatches() throws IOException {
        Path ten = dir.resolve("cifar-10-batches-bin");
        Samples.write(ten.resolve("data_batch_2.bin"), Samples.cifar(7, 12, 1));
        Samples.write(ten.resolve("data_batch_1.bin"), Samples.cifar(0, 7, 1));
        Samples.write(ten.resolve("test_batch.bin"), Samples.cifar(20, 23, 1));
        Files.writeString(
                ten.resolve("batches.meta.txt"),
                "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n");
        String fingerprint;
        try (ImageSource source = ImageSource.open(ten)) {
            assertImages(source, 32, IntStream.range(0, 12).toArray());
            assertEquals(List.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1), labels(source));
            assertEquals("deer", source.classes().get(4));
            assertEquals(10, source.classes().size());
            assertEquals(ten.resolve("data_batch_2.bin") + "#1", source.name(8));
            fingerprint = source.fingerprint();
        }
        // The folder above, and the official archive.
        Map<String, byte[]> m = new LinkedHashMap<>();
        m.put("cifar-10-batches-bin/", new byte[0]);
        for (String name : List.of("data_batch_1.bin", "test_batch.bin", "batches.meta.txt", "data_batch_2.bin")) {
            m.put("cifar-10-batches-bin/" + name, Files.readAllBytes(ten.resolve(name)));
        }
        Path above = Files.createDirectories(dir.resolve("above"));
        Files.move(ten, above.resolve("cifar-10-batches-bin"));
        for (Path path : List.of(
                above,
                Samples.write(dir.resolve("c.tar"), tar(m)),
                Samples.write(dir.resolve("c.tar.gz"), Samples.gzip(tar(m))))) {
            try (ImageSource source = ImageSource.open(path)) {
                assertEquals(fingerprint, source.fingerprint());
                assertImages(source, 32, IntStream.range(0, 12).toArray());
            }
        }
        try (ImageSource source = ImageSource.open(above.resolve("cifar-10-batches-bin/test_batch.bin"))) {
            assertImages(source, 32, 20, 21, 22);
        }

        Path hundred = dir.resolve("hundred");
        Samples.write(hundred.resolve("train.bin"), Samples.cifar(15, 25, 2));
        Samples.write(hundred.resolve("test.bin"), Samples.cifar(0, 2, 2));
        for (Path path : List.of(hundred, hundred.resolve("train.bin"))) {
            try (ImageSource source = ImageSource.open(path)) {
                assertImages(source, 32, IntStream.range(15, 25).toArray());
                assertEquals(List.of(15, 16, 17, 18, 19, 20, 21, 22, 23, 24), labels(source));
            }
        }
        // A first record of the label 0 and the pixels 0, 8, 3 begins as an IDX file does.
        byte[] like = Samples.cifar(0, 3, 1);
        like[1] = 0;
        like[2] = 8;
        like[3] = 3;
        try (ImageSource source = ImageSource.open(Samples.write(dir.resolve("like/data_batch_1.bin"), like))) {
            assertEquals(3, source.size());
            assertEquals(32, source.read(0).width());
        }
        Path twice = Samples.write(dir.resolve("twice/data_batch_1.bin"), like);
        Files.writeString(twice.resolveSibling("batches.meta.txt"), "cat\ndog\ncat\n");
        fails("batches.meta.txt: expected a different name for each class, found a duplicate", twice.getParent());
        // By size and labels, whatever the name.
        try (ImageSource source = ImageSource.open(Samples.write(dir.resolve("mine.bin"), Samples.cifar(0, 3, 2)))) {
            assertImages(source, 32, 0, 1, 2);
        }
    }

    @Test
    void wrongBinariesAreRefused() throws IOException {
        byte[] ten = Samples.cifar(0, 3, 1);
        fails("truncated", Samples.write(dir.resolve("data_batch_1.bin"), Arrays.copyOf(ten, ten.length - 1)));
        fails("truncated", Samples.write(dir.resolve("train.bin"), Arrays.copyOf(Samples.cifar(0, 3, 2), 9000)));
        fails("truncated", Samples.write(dir.resolve("other.bin"), Arrays.copyOf(ten, 5000)));
        fails("is empty", Samples.write(dir.resolve("test.bin"), new byte[0]));
        ten[3073] = 10;
        fails("#1: expected a label from 0 to 9, found 10", Samples.write(dir.resolve("data_batch_1.bin"), ten));
        fails("expected a whole number", Samples.write(dir.resolve("mine.bin"), ten));
        fails("truncated", Samples.write(dir.resolve("train_X.bin"), new byte[30000]));
        Path images = Samples.write(dir.resolve("s/train_X.bin"), Samples.stl(0, 3));
        Samples.write(dir.resolve("s/train_y.bin"), new byte[] {1, 2});
        fails("expected 3 labels", images);
        Samples.write(dir.resolve("s/train_y.bin"), new byte[] {1, 11, 2});
        fails("train_y.bin#1: expected a label from 1 to 10, found 11", dir.resolve("s"));
    }

    @Test
    void stlIsReadColumnByColumn() throws IOException {
        Path stl = dir.resolve("stl10_binary");
        Samples.write(stl.resolve("train_X.bin"), Samples.stl(0, 3));
        Samples.write(stl.resolve("train_y.bin"), new byte[] {1, 10, 4});
        Samples.write(stl.resolve("unlabeled_X.bin"), Samples.stl(3, 5));
        Samples.write(stl.resolve("test_X.bin"), Samples.stl(5, 6));
        try (ImageSource source = ImageSource.open(stl)) {
            assertImages(source, 96, 0, 1, 2, 3, 4);
            assertEquals(List.of(0, 9, 3, -1, -1), labels(source));
            assertEquals("10", source.classes().get(9));
            assertEquals(stl.resolve("unlabeled_X.bin") + "#1", source.name(4));
        }
        Files.writeString(
                stl.resolve("class_names.txt"), "airplane\nbird\ncar\ncat\ndeer\ndog\nhorse\nmonkey\nship\ntruck\n");
        try (ImageSource source = ImageSource.open(stl.resolve("train_X.bin"))) {
            assertImages(source, 96, 0, 1, 2);
            assertEquals("cat", source.classes().get(source.label(2).getAsInt()));
        }
        try (ImageSource source = ImageSource.open(stl.resolve("unlabeled_X.bin"))) {
            assertImages(source, 96, 3, 4);
            assertEquals(List.of(), source.classes());
        }
    }

    private static int grey(int[] p) {
        return Samples.value(p[0], 0, p[1], p[2]);
    }

    private static void assertGrey(ImageSource source, int width, int height) throws IOException {
        for (int i = 0; i < source.size(); i++) {
            RgbImage image = source.read(i);
            assertEquals(width, image.width());
            assertEquals(height, image.height());
            for (int p = 0; p < width * height; p++) {
                for (int c = 0; c < 3; c++) {
                    assertEquals(Samples.value(i, 0, p / width, p % width), image.rgb()[3 * p + c] & 255);
                }
            }
        }
    }

    @Test
    void idxIsGreyOrColour() throws IOException {
        byte[] images = Samples.idx(ImageSourceTest::grey, 5, 9, 11);
        byte[] labels = Samples.idx(p -> p[0] * 2, 5);
        Path mnist = dir.resolve("mnist");
        Samples.write(mnist.resolve("train-images-idx3-ubyte"), images);
        Samples.write(mnist.resolve("train-labels-idx1-ubyte.gz"), Samples.gzip(labels));
        Samples.write(
                mnist.resolve("t10k-images-idx3-ubyte.gz"), Samples.gzip(Samples.idx(ImageSourceTest::grey, 2, 9, 11)));
        for (Path path : List.of(mnist, mnist.resolve("train-images-idx3-ubyte"))) {
            try (ImageSource source = ImageSource.open(path)) {
                assertEquals(5, source.size());
                assertGrey(source, 11, 9);
                assertEquals(List.of(0, 2, 4, 6, 8), labels(source));
                assertEquals(9, source.classes().size());
                assertEquals(mnist.resolve("train-images-idx3-ubyte") + "#4", source.name(4));
            }
        }
        try (ImageSource source = ImageSource.open(mnist.resolve("t10k-images-idx3-ubyte.gz"))) {
            assertEquals(2, source.size());
            assertGrey(source, 11, 9);
            assertEquals(List.of(), source.classes());
        }
        // Any name will do, and colours last or first.
        try (ImageSource source = ImageSource.open(Samples.write(dir.resolve("idx.bin"), images))) {
            assertGrey(source, 11, 9);
        }
        try (ImageSource source = ImageSource.open(Samples.write(
                dir.resolve("colours"), Samples.idx(p -> Samples.value(p[0], p[3], p[1], p[2]), 3, 10, 10, 3)))) {
            assertImages(source, 10, 0, 1, 2);
        }
        try (ImageSource source = ImageSource.open(Samples.write(
                dir.resolve("planes"), Samples.idx(p -> Samples.value(p[0], p[1], p[2], p[3]), 3, 3, 10, 10)))) {
            assertImages(source, 10, 0, 1, 2);
        }
    }

    @Test
    void wrongIdxIsRefused() throws IOException {
        byte[] images = Samples.idx(ImageSourceTest::grey, 5, 9, 11);
        fails(
                "expected 495 values for its dimensions [5, 9, 11], found 494",
                Samples.write(dir.resolve("cut-idx3-ubyte"), Arrays.copyOf(images, images.length - 1)));
        fails("found 0", Samples.write(dir.resolve("header-idx3-ubyte"), Arrays.copyOf(images, 9)));
        fails("truncated or damaged", Samples.write(dir.resolve("cut.gz"), Arrays.copyOf(Samples.gzip(images), 100)));
        fails(
                "type 13",
                Samples.write(
                        dir.resolve("floats"),
                        Samples.idxHeader(13, 400, 1, 10, 10).array()));
        fails("which are labels", Samples.write(dir.resolve("labels"), Samples.idx(p -> 1, 50)));
        fails("[4, 4]", Samples.write(dir.resolve("matrix"), Samples.idx(p -> 1, 4, 4)));
        int huge = Integer.MAX_VALUE;
        fails(
                "dimensions",
                Samples.write(
                        dir.resolve("huge"),
                        Samples.idxHeader(8, 20, huge, huge, huge, huge).array()));
        fails(
                "dimensions",
                Samples.write(
                        dir.resolve("negative"),
                        Samples.idxHeader(8, 20, -5, -2, 2).array()));
        fails(
                "dimensions",
                Samples.write(
                        dir.resolve("zero"), Samples.idxHeader(8, 0, 0, 28, 28).array()));
        fails("does not match", Samples.write(dir.resolve("wrong-idx3-ubyte"), new byte[] {1, 0, 8, 3, 0, 0, 0, 1, 9, 9
        }));
        Path of = Samples.write(dir.resolve("m/train-images-idx3-ubyte"), images);
        Samples.write(dir.resolve("m/train-labels-idx1-ubyte"), Samples.idx(p -> 1, 4));
        fails("expected 5 labels", of);
        Samples.write(dir.resolve("two/a-images-idx3-ubyte"), images);
        Samples.write(dir.resolve("two/b-images-idx3-ubyte"), images);
        fails("choose one of", dir.resolve("two"));
    }

    @Test
    void aSampleIsChosenBySeedAndKeepsTheOrder() throws IOException {
        Path file = Samples.write(dir.resolve("data_batch_1.bin"), Samples.cifar(0, 40, 1));
        try (ImageSource all = ImageSource.open(file)) {
            assertSame(all, all.sample(0, 1));
            assertSame(all, all.sample(40, 1));
            assertThrows(IllegalArgumentException.class, () -> all.sample(-1, 1));
            ImageSource some = all.sample(10, 1);
            List<String> names = IntStream.range(0, 10).mapToObj(some::name).toList();
            assertEquals(10, some.size());
            int last = -1;
            for (int i = 0; i < 10; i++) {
                int number =
                        Integer.parseInt(some.name(i).substring(some.name(i).indexOf('#') + 1));
                assertTrue(number > last, names.toString());
                last = number;
                assertTrue(Samples.is(some.read(i), number, 32, 32));
                assertEquals(number % 10, some.label(i).getAsInt());
            }
            assertEquals(all.classes(), some.classes());
            assertEquals(some.fingerprint(), all.sample(10, 1).fingerprint());
            assertNotEquals(some.fingerprint(), all.sample(10, 2).fingerprint());
            assertNotEquals(some.fingerprint(), all.fingerprint());
        }
    }

    @Test
    void nothingIsReadAfterClosing() throws IOException {
        for (Path file : List.of(
                Samples.write(dir.resolve("a.zip"), zip(members())),
                Samples.write(dir.resolve("a.tar"), tar(members())),
                Samples.write(dir.resolve("data_batch_1.bin"), Samples.cifar(0, 1, 1)))) {
            ImageSource source = ImageSource.open(file);
            source.close();
            source.close();
            String message =
                    assertThrows(IOException.class, () -> source.read(0)).getMessage();
            assertTrue(message.contains("closed"), message);
        }
    }

    @Test
    void theSizeIsToldBeforeDecoding() throws IOException {
        for (Path file : List.of(
                Samples.write(dir.resolve("a.zip"), zip(members())),
                Samples.write(dir.resolve("data_batch_1.bin"), Samples.cifar(0, 1, 1)))) {
            try (ImageSource source = ImageSource.open(file)) {
                int side = file.toString().endsWith("zip") ? 20 : 32;
                IOException refused = new IOException("refused");
                IOException e = assertThrows(
                        IOException.class,
                        () -> source.read(0, (w, h) -> {
                            assertEquals(side, w);
                            assertEquals(side, h);
                            throw refused;
                        }));
                assertSame(refused, e.getCause());
                assertInstanceOf(IOException.class, e);
                assertFalse(e.getMessage().isEmpty());
            }
        }
    }
}
