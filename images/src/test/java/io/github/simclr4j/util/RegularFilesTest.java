// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.util;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class RegularFilesTest {
    @TempDir
    private Path dir;

    @Test
    void aFileIsReadAlsoThroughALink() throws IOException {
        Path file = Files.write(dir.resolve("file"), new byte[] {1, 2, 3});
        assertArrayEquals(new byte[] {1, 2, 3}, RegularFiles.read(file));
        assertArrayEquals(new byte[] {1, 2, 3}, RegularFiles.read(Files.createSymbolicLink(dir.resolve("link"), file)));
        assertNull(RegularFiles.objection(file));
        assertThrows(NoSuchFileException.class, () -> RegularFiles.read(dir.resolve("none")));
        assertEquals("no such file", RegularFiles.objection(dir.resolve("none")));
    }

    @Test
    void whatMightBlockIsNotOpened() throws Exception {
        Path fifo = DestinationTest.fifo(dir.resolve("fifo"));
        Path link = Files.createSymbolicLink(dir.resolve("link"), fifo);
        assertEquals(
                "a device, a pipe or a socket, expected a regular file",
                assertThrows(IOException.class, () -> RegularFiles.read(link)).getMessage());
        assertEquals(
                "a folder, not a file",
                assertThrows(IOException.class, () -> RegularFiles.read(dir)).getMessage());
    }

    /** As {@code /proc/kmsg}, it claims to be a regular file of no bytes. */
    @Test
    void ofAFileOfTheSystemNothingIsRead() throws IOException {
        Path proc = Path.of("/proc/version");
        assumeTrue(Files.isRegularFile(proc), "skipped: this system has no /proc");
        assertEquals(0, RegularFiles.read(proc).length);
    }
}
