// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is wrong with a set is said in plain words, and does not take all memory. */
class SetErrorsTest {
    @TempDir
    Path dir;

    private String refused(Path set) {
        return assertThrows(IOException.class, () -> ImageSource.open(set).close())
                .getMessage();
    }

    private Path text(String name, String text) throws IOException {
        return Samples.write(dir.resolve(name), text.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void anEncryptedZipIsNamedAsSuch() throws IOException {
        byte[] zip = Archives.zip(new LinkedHashMap<>(Map.of("secret/a.png", Samples.png(0, 8, 8))));
        ByteBuffer b = ByteBuffer.wrap(zip).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i + 4 < zip.length; i++) {
            // Bit 0 of the flags, in the member's own header and in the directory's (APPNOTE 4.4.4).
            if (b.getInt(i) == 0x04034b50) {
                zip[i + 6] |= 1;
            } else if (b.getInt(i) == 0x02014b50) {
                zip[i + 8] |= 1;
            }
        }
        String message = refused(Samples.write(dir.resolve("a.zip"), zip));
        assertEquals(
                dir.resolve("a.zip")
                        + " is an encrypted zip archive (secret/a.png): unpack it with its password, and use the"
                        + " folder",
                message);
        assertTrue(refused(Samples.write(dir.resolve("b.zip"), Arrays.copyOf(zip, zip.length - 30)))
                .contains("damaged zip"));
    }

    @Test
    void aTableWithoutPathsSaysWhichColumnWasReadAndThatAnotherCanBeChosen() throws IOException {
        Samples.write(dir.resolve("a.png"), Samples.png(0, 8, 8));
        Path table = text("t.csv", "id,photo,kind\n17,a.png,cat\n");
        String message = refused(table);
        assertTrue(
                message.startsWith(table + ": found no file of its first rows")
                        && message.contains("from the column 'id', the first")
                        && message.endsWith("[id, photo, kind], and the setting path-column chooses another"),
                message);
        try (ImageSource source = ImageSource.open(table, new TableColumns("photo", "kind"), new Archives.Warnings())) {
            assertEquals(List.of("cat"), Archives.classes(source));
            assertEquals(8, source.read(0).width());
        }
        message = assertThrows(
                        IOException.class,
                        () -> ImageSource.open(table, new TableColumns("foto", null), new Archives.Warnings()))
                .getMessage();
        assertTrue(
                message.contains(
                        "no column 'foto', which the setting path-column names: expected one of [id, photo, kind]"),
                message);
        try (ImageSource source = ImageSource.open(text("u.tsv", "id\tFile_Name\n17\ta.png\n"))) {
            assertEquals(8, source.read(0).width());
        }
    }

    @Test
    void aRowOfATableHasALimit() throws IOException {
        Path quote = dir.resolve("quote.csv");
        Path line = dir.resolve("line.csv");
        Path header = dir.resolve("header.csv");
        try (OutputStream q = Files.newOutputStream(quote);
                OutputStream l = Files.newOutputStream(line);
                OutputStream h = Files.newOutputStream(header)) {
            q.write("path,label\na.png,b\n\"a.png,c\n".getBytes(StandardCharsets.UTF_8));
            l.write("path,label\na.png,b\n".getBytes(StandardCharsets.UTF_8));
            byte[] rows = "a.png,some class\n".repeat(1000).getBytes(StandardCharsets.UTF_8);
            byte[] one = "x".repeat(17_000).getBytes(StandardCharsets.UTF_8);
            for (int i = 0; i < 200; i++) {
                q.write(rows);
                l.write(one);
                h.write(one);
            }
        }
        String limit = " is longer than 1048576 characters: close its quote, or choose a file that is a table";
        assertEquals(quote + " is not a table of images: the row that begins in line 3" + limit, refused(quote));
        assertEquals(line + " is not a table of images: the row that begins in line 3" + limit, refused(line));
        assertEquals(header + " is not a table of images: the row that begins in line 1" + limit, refused(header));
    }

    @Test
    void aMemberThatIsTooLargeForTheHeapIsRefusedBeforeItIsRead() throws IOException {
        Path file = dir.resolve("bomb.zip");
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
            for (String name : List.of("a.png", "b.png")) {
                zip.putNextEntry(new ZipEntry(name));
                byte[] zeros = new byte[1 << 20];
                for (int i = 0; i < 300; i++) {
                    zip.write(zeros);
                }
            }
        }
        try (ImageSource source = ImageSource.open(file)) {
            String message =
                    assertThrows(IOException.class, () -> source.read(0)).getMessage();
            assertTrue(message.startsWith(file + "!a.png: too large for "), message);
            assertEquals(64, source.fingerprint().length());
        }
    }

    @Test
    void missingPermissionIsTheReason() {
        assertEquals("no permission to read it", Unreadable.reason(new AccessDeniedException("/x")));
        assertEquals(
                "/x/a.png: no permission to read it",
                Unreadable.exception("/x/a.png", new AccessDeniedException("/x/a.png"))
                        .getMessage());
    }

    @Test
    void namesThatAreNotUtf8StayDifferentInArchives() throws IOException {
        Map<String, Object> m = new LinkedHashMap<>();
        m.put("a\u00ff.png", Samples.png(0, 8, 8));
        m.put("a\u00fe.png", Samples.png(1, 8, 8));
        // A letter with an accent in UTF-8.
        m.put("\u00c3\u00a9.png", Samples.png(2, 8, 8));
        byte[] tar = Archives.tar(m);
        for (Path file : List.of(
                Samples.write(dir.resolve("n.tar"), tar),
                Samples.write(dir.resolve("n.tgz"), Samples.gzip(tar)),
                Samples.write(dir.resolve("n.zip"), Archives.zip(m)))) {
            try (ImageSource source = ImageSource.open(file)) {
                assertEquals(List.of("a%FE.png", "a%FF.png", "\u00e9.png"), Archives.names(source, file + "!"));
                for (int i = 0; i < 3; i++) {
                    assertArrayEquals(
                            Samples.expected(new int[] {1, 0, 2}[i], 8, 8),
                            source.read(i).rgb());
                }
            }
        }
    }

    @Test
    void namesThatAreNotUtf8StayDifferentInAFolder() throws Exception {
        assumeTrue(System.getProperty("os.name").equals("Linux"), "file names are bytes on Linux");
        Samples.write(dir.resolve("f/a.png"), Samples.png(0, 8, 8));
        Process shell = new ProcessBuilder(
                        "sh",
                        "-c",
                        "cp a.png \"$(printf 'b\\377.png')\" && cp a.png \"$(printf 'b\\376.png')\""
                                + " && mkdir \"$(printf 'c\\377')\" && cp a.png \"$(printf 'c\\377/\\303\\251.png')\"")
                .directory(dir.resolve("f").toFile())
                .inheritIO()
                .start();
        assumeTrue(shell.waitFor() == 0, "the file system takes such names");
        try (ImageSource source = ImageSource.open(dir.resolve("f"))) {
            assertEquals(
                    List.of("a.png", "b%FE.png", "b%FF.png", "c%FF/\u00e9.png"),
                    Archives.names(source, dir.resolve("f") + "/"));
            for (int i = 0; i < 4; i++) {
                assertArrayEquals(Samples.expected(0, 8, 8), source.read(i).rgb());
            }
            assertEquals(List.of("c%FF"), source.classes());
        }
    }
}
