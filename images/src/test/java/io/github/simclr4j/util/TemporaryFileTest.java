// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.util;

import static io.github.simclr4j.util.OtherProcess.names;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TemporaryFileTest {
    @TempDir
    private Path dir;

    private static void write(TemporaryFile file, int value) throws IOException {
        file.stream().write(new byte[] {(byte) value, (byte) value});
    }

    @Test
    void twoWritersOfOneFileDoNotMixTheirBytes() throws IOException {
        Path out = dir.resolve("f.csv");
        try (TemporaryFile first = TemporaryFile.beside(out);
                TemporaryFile second = TemporaryFile.beside(out)) {
            assertNotEquals(first.path(), second.path());
            write(first, 1);
            write(second, 2);
            write(first, 1);
            first.moveTo(out);
            assertArrayEquals(new byte[] {1, 1, 1, 1}, Files.readAllBytes(out));
            second.moveTo(out);
        }
        assertArrayEquals(new byte[] {2, 2}, Files.readAllBytes(out));
        assertEquals(List.of("f.csv"), names(dir));
    }

    @Test
    void whatAKilledProcessLeftIsDeletedAndWhatALivingOneWritesIsNot() throws Exception {
        Path out = dir.resolve("f.csv");
        try (OtherProcess other = OtherProcess.owning("part", out)) {
            List<String> theirs = names(dir);
            assertEquals(1, theirs.size(), "of " + other.pid());
            try (TemporaryFile own = TemporaryFile.beside(out)) {
                assertEquals(2, names(dir).size());
                TemporaryFile.beside(out).close();
                assertTrue(Files.exists(own.path()), "this process's");
            }
            assertEquals(theirs, names(dir));
            TemporaryFile.beside(dir.resolve("other.csv")).close();
            assertEquals(theirs, names(dir));
        }
        assertEquals(1, names(dir).size(), "it was killed");
        TemporaryFile.beside(dir.resolve("other.csv")).close();
        assertEquals(1, names(dir).size(), "of another file");
        TemporaryFile.beside(out).close();
        assertEquals(List.of(), names(dir));
    }

    @Test
    void aFolderIsProbedWithoutATraceAndAKilledProbesFileIsDeleted() throws IOException {
        Path folder = dir.resolve("new/folder");
        TemporaryFile.probe(folder);
        assertEquals(List.of(), names(folder));
        Files.createFile(folder.resolve("simclr.0123456789abcdef.probe"));
        Files.createFile(folder.resolve("simclr.probe"));
        TemporaryFile.probe(folder);
        assertEquals(List.of("simclr.probe"), names(folder), "what is not its own stays");
        assertThrows(IOException.class, () -> TemporaryFile.probe(folder.resolve("simclr.probe/folder")));
    }

    /** Closing a second handle of a file would release the lock on it. */
    @Test
    void aLinkToItsFolderDoesNotReleaseTheLock() throws Exception {
        Path folder = Files.createDirectory(dir.resolve("folder"));
        Path link = Files.createSymbolicLink(dir.resolve("link"), folder);
        try (TemporaryFile own = TemporaryFile.beside(folder.resolve("f.csv"))) {
            TemporaryFile.beside(link.resolve("f.csv")).close();
            try (OtherProcess other = OtherProcess.owning("part", folder.resolve("f.csv"))) {
                assertTrue(Files.exists(own.path()), "deleted by process " + other.pid());
            }
        }
    }

    @Test
    void onlyNamesOfItsOwnAreDeleted() throws IOException {
        List<String> strangers = List.of(
                "f.csv.part",
                "f.csv.0123456789abcdef",
                "f.csv.0123456789abcdeg.part",
                "f.csv.123.part",
                "g.csv.0123456789abcdef.part");
        for (String name : strangers) {
            Files.createFile(dir.resolve(name));
        }
        Files.createFile(dir.resolve("f.csv.0123456789abcdef.part"));
        Files.createDirectory(dir.resolve("f.csv.1123456789abcdef.part"));
        Files.createSymbolicLink(dir.resolve("f.csv.2123456789abcdef.part"), dir.resolve("f.csv.part"));
        TemporaryFile.beside(dir.resolve("f.csv")).close();
        assertEquals(8 - 1, names(dir).size());
        assertFalse(Files.exists(dir.resolve("f.csv.0123456789abcdef.part")));
        TemporaryFile.deleteAbandoned(dir, Pattern.compile("[a-z]\\.csv"));
        assertFalse(Files.exists(dir.resolve("g.csv.0123456789abcdef.part")));
        assertEquals(6, names(dir).size());
    }

    @Test
    void aNameMayBeAsLongAsTheFileSystemHasIt() throws IOException {
        for (String name : List.of(
                "x".repeat(255), "\u00e4".repeat(127), "\ud83d\ude00".repeat(63), "x" + "\ud83d\ude00".repeat(63))) {
            Path out = dir.resolve(name);
            AtomicFiles.write(out, new byte[1]);
            assertEquals(1, Files.size(out));
        }
        assertEquals(4, names(dir).size());
    }

    @Test
    void bytesCanBeReplacedBeforeItIsMoved() throws IOException {
        Path out = dir.resolve("f");
        try (TemporaryFile file = TemporaryFile.beside(out)) {
            file.stream().write(new byte[] {0, 0, 0});
            file.overwrite(1, ByteBuffer.wrap(new byte[] {7}));
            file.stream().write(9);
            file.force();
            file.moveTo(out);
        }
        assertArrayEquals(new byte[] {0, 7, 0, 9}, Files.readAllBytes(out));
    }

    @Test
    void aFolderIsNoFile() {
        IOException e = assertThrows(IOException.class, () -> TemporaryFile.beside(dir));
        assertEquals(dir + " is a folder: choose a file", e.getMessage());
    }
}
