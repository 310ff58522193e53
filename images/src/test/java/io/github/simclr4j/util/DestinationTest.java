// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.util;

import static io.github.simclr4j.util.OtherProcess.names;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DestinationTest {
    @TempDir
    private Path dir;

    static Path fifo(Path path) throws IOException, InterruptedException {
        boolean made;
        try {
            made = new ProcessBuilder("mkfifo", path.toString()).start().waitFor() == 0;
        } catch (IOException e) {
            made = false;
        }
        assumeTrue(made, "skipped: this system has no mkfifo");
        return path;
    }

    @Test
    void theFileThatALinkLeadsToIsReplacedAndTheLinkStays() throws IOException {
        Path real = Files.createDirectories(dir.resolve("a/b"));
        Path file = Files.write(real.resolve("file"), new byte[] {1});
        // A link to a relative link through a folder that is a link itself.
        Files.createSymbolicLink(dir.resolve("folder"), Path.of("a"));
        Path inner = Files.createSymbolicLink(dir.resolve("a/inner"), Path.of("b/../b/file"));
        Path link = Files.createSymbolicLink(dir.resolve("link"), dir.resolve("folder/inner"));
        AtomicFiles.write(link, new byte[] {2});
        assertArrayEquals(new byte[] {2}, Files.readAllBytes(file));
        assertTrue(Files.isSymbolicLink(link) && Files.isSymbolicLink(inner));
        assertFalse(Files.isSymbolicLink(file));
        assertEquals(List.of("file"), names(real));
        assertEquals(List.of("a", "folder", "link"), names(dir));
    }

    @Test
    void aLinkToNothingMakesTheFile() throws IOException {
        Path link = Files.createSymbolicLink(dir.resolve("link"), Path.of("new/file"));
        AtomicFiles.write(link, new byte[] {3});
        assertArrayEquals(new byte[] {3}, Files.readAllBytes(dir.resolve("new/file")));
        assertTrue(Files.isSymbolicLink(link));
    }

    @Test
    void linksInCirclesAndFoldersAreRefused() throws IOException {
        Files.createSymbolicLink(dir.resolve("a"), Path.of("b"));
        Files.createSymbolicLink(dir.resolve("b"), Path.of("a"));
        IOException e = assertThrows(IOException.class, () -> Destination.of(dir.resolve("a")));
        assertEquals(dir.resolve("a") + " is a symbolic link in a cycle: choose another file", e.getMessage());
        Path link = Files.createSymbolicLink(dir.resolve("c"), dir);
        assertEquals(
                link + " is a folder: choose a file",
                assertThrows(IOException.class, () -> Destination.of(link)).getMessage());
    }

    @Test
    void aFifoIsWrittenToEvenThroughALink() throws Exception {
        Path fifo = fifo(dir.resolve("fifo"));
        Path link = Files.createSymbolicLink(dir.resolve("link"), fifo);
        byte[] bytes = new byte[1 << 20];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (i * 31 >> 3);
        }
        for (Path to : List.of(fifo, link)) {
            CompletableFuture<byte[]> read = CompletableFuture.supplyAsync(() -> {
                try {
                    return Files.readAllBytes(fifo);
                } catch (IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            });
            AtomicFiles.write(to, bytes);
            assertArrayEquals(bytes, read.get(30, TimeUnit.SECONDS));
            assertEquals(List.of("fifo", "link"), names(dir));
            assertFalse(Files.isRegularFile(fifo));
        }
    }

    @Test
    void aDeviceIsWrittenTo() {
        Path full = Path.of("/dev/full");
        assumeTrue(Files.exists(full) && !Files.isRegularFile(full), "skipped: this system has no /dev/full");
        IOException e = assertThrows(IOException.class, () -> AtomicFiles.write(full, new byte[1]));
        assertTrue(e.getMessage().contains("No space left on device"), e.getMessage());
        assertFalse(Files.isRegularFile(full));
    }

    /** What another process's standard output is redirected to must keep what that process has written to it. */
    @Test
    void theStandardOutputIsWrittenToWhereItIs() throws Exception {
        assumeTrue(Files.exists(Path.of("/dev/stdout")), "skipped: this system has no /dev/stdout");
        Path out = dir.resolve("out.txt");
        Files.writeString(out, "before\n");
        ProcessBuilder b = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(), Stdout.class.getName())
                .redirectOutput(ProcessBuilder.Redirect.appendTo(out.toFile()));
        b.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        assertEquals(0, b.redirectError(ProcessBuilder.Redirect.INHERIT).start().waitFor());
        assertEquals("before\none\ntwo\nthree\n", Files.readString(out).replace("\r", ""));
        assertEquals(List.of("out.txt"), names(dir));
    }

    /** Writes to its standard output by name. */
    static final class Stdout {
        public static void main(String[] args) throws IOException {
            System.out.println("one");
            AtomicFiles.write(Path.of("/dev/stdout"), "two\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
            System.out.println("three");
        }
    }
}
