// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.util;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFilesTest {
    @TempDir
    private Path dir;

    private List<String> files() throws IOException {
        try (Stream<Path> all = Files.list(dir)) {
            return all.map(f -> f.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void bytesReplaceAFileAndMakeItsFolder() throws IOException {
        Path file = dir.resolve("a/b.bin");
        AtomicFiles.write(file, new byte[] {1});
        AtomicFiles.write(file, new byte[] {2, 3});
        assertArrayEquals(new byte[] {2, 3}, Files.readAllBytes(file));
        assertFalse(Files.exists(dir.resolve("a/b.bin.part")));
    }

    @Test
    void aFailingWriterLeavesTheOldFileAndNothingElse() throws IOException {
        Path file = dir.resolve("b.bin");
        AtomicFiles.write(file, new byte[] {1});
        IOException e = assertThrows(
                IOException.class,
                () -> AtomicFiles.write(file, out -> {
                    out.write(new byte[1 << 17]);
                    throw new IOException("disk full");
                }));
        assertEquals("disk full", e.getMessage());
        assertArrayEquals(new byte[] {1}, Files.readAllBytes(file));
        assertEquals(List.of("b.bin"), files());
    }

    @Test
    void anInterruptedThreadWritesAndStaysInterrupted() throws IOException {
        Path file = dir.resolve("a/b.bin");
        Thread.currentThread().interrupt();
        AtomicFiles.write(file, new byte[] {1, 2});
        assertTrue(Thread.interrupted());
        assertArrayEquals(new byte[] {1, 2}, Files.readAllBytes(file));
    }

    /** A channel that meets an interrupt is closed; a second attempt has a new one. */
    @Test
    void workThatAnInterruptMakesFailIsRepeated() throws IOException {
        Path file = Files.write(dir.resolve("c.bin"), new byte[] {7});
        int[] attempts = new int[1];
        byte[] read = Uninterrupted.run(() -> {
            if (++attempts[0] == 1) {
                Thread.currentThread().interrupt();
            }
            ByteBuffer one = ByteBuffer.allocate(1);
            try (FileChannel in = FileChannel.open(file)) {
                in.read(one);
                return one.array();
            } catch (ClosedByInterruptException e) {
                throw new IOException("Can't read " + file, e);
            }
        });
        assertTrue(Thread.interrupted());
        assertArrayEquals(new byte[] {7}, read);
        assertEquals(2, attempts[0]);
        assertThrows(
                IOException.class,
                () -> Uninterrupted.run(() -> {
                    throw new IOException("disk full");
                }));
        assertFalse(Thread.interrupted());
    }

    @Test
    void theMessageNamesTheFile() throws IOException {
        Path file = Files.createFile(dir.resolve("file")).resolve("x");
        IOException e = assertThrows(IOException.class, () -> AtomicFiles.write(file, new byte[1]));
        assertTrue(e.getMessage().startsWith("Can't write " + file + ": "), e.getMessage());
        assertTrue(e.getMessage().endsWith("; choose another path or free some space"), e.getMessage());
    }

    @Test
    void sha256IsThatOfTheStandard() {
        // FIPS 180-4's example "abc".
        String expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assertEquals(expected, Sha256.hex("abc".getBytes(StandardCharsets.US_ASCII)));
        assertEquals(expected, Sha256.hex(List.of(new byte[] {'a'}, new byte[] {'b', 'c'})));
    }

    @Test
    void theVersionComesFromTheBuild() {
        assertTrue(LibraryVersion.current().matches("\\d+\\.\\d+\\.\\d+.*"), LibraryVersion.current());
    }
}
