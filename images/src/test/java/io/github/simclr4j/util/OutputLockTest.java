// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.util;

import static io.github.simclr4j.util.OtherProcess.names;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.jimfs.Configuration;
import com.google.common.jimfs.Jimfs;
import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OutputLockTest {
    @TempDir
    private Path dir;

    @Test
    void aSecondWriterIsRefusedByNameUntilTheFirstHasEnded() throws IOException {
        Path out = dir.resolve("f.csv");
        OutputLock lock = OutputLock.of(out);
        Path link = Files.createSymbolicLink(dir.resolve("link"), out);
        for (Path same : List.of(out, dir.resolve("x/../f.csv").normalize(), link)) {
            IOException e = assertThrows(IOException.class, () -> OutputLock.of(same));
            assertEquals(
                    "This process is writing to " + same + ": wait until it has ended, or choose another path",
                    e.getMessage());
        }
        OutputLock.of(dir.resolve("g.csv")).close();
        lock.close();
        lock.close();
        assertEquals(List.of("link"), names(dir));
        OutputLock.of(out).close();
    }

    @Test
    void aFullDiskIsSaidWithTheNameOfTheFile() throws IOException {
        try (FileSystem full = Jimfs.newFileSystem(Configuration.unix().toBuilder()
                .setBlockSize(512)
                .setMaxSize(512)
                .build())) {
            Path folder = Files.createDirectory(full.getPath("/out"));
            Files.write(folder.resolve("filler"), new byte[512]);
            IOException e = assertThrows(IOException.class, () -> OutputLock.of(folder.resolve("f.csv")));
            assertEquals(
                    "Can't write /out/f.csv: out of disk space; free some space there, or choose another path",
                    e.getMessage());
            assertEquals(List.of("filler"), names(folder));
        }
    }

    @Test
    void anotherProcessIsNamedAndItsDeathEndsTheLock() throws Exception {
        Path out = dir.resolve("f.csv");
        try (OtherProcess other = OtherProcess.owning("lock", out)) {
            IOException e = assertThrows(IOException.class, () -> OutputLock.of(out));
            assertEquals(
                    "Another process (" + other.pid() + ") is writing to " + out
                            + ": wait until it has ended, or choose another path",
                    e.getMessage());
            assertThrows(IOException.class, () -> OutputLock.waitFor(out, Duration.ofMillis(100)));
        }
        assertEquals(List.of(".f.csv.lock"), names(dir), "it was killed");
        OutputLock.of(out).close();
        assertEquals(List.of(), names(dir));
    }

    /** Between taking the lock and writing its number another process may lose the processor. */
    @Test
    void aProcessThatHasNotYetNamedItselfIsNamed() throws Exception {
        Path out = dir.resolve("f.csv");
        try (OtherProcess other = OtherProcess.owning("late", dir.toRealPath().resolve(".f.csv.lock"))) {
            IOException e = assertThrows(IOException.class, () -> OutputLock.of(out));
            assertTrue(e.getMessage().startsWith("Another process (" + other.pid() + ")"), e.getMessage());
        }
    }

    @Test
    void aFolderIsLockedWhateverItsFiles() throws Exception {
        Files.createFile(dir.resolve("x"));
        OutputLock lock = OutputLock.of(dir);
        assertThrows(IOException.class, () -> OutputLock.of(dir));
        OutputLock.of(dir.resolve("x")).close();
        lock.close();
        assertEquals(List.of("x"), names(dir));
        try (OtherProcess other = OtherProcess.owning("lock", dir)) {
            IOException e = assertThrows(IOException.class, () -> OutputLock.of(dir));
            assertTrue(e.getMessage().startsWith("Another process (" + other.pid() + ")"), e.getMessage());
        }
        OutputLock.of(dir).close();
        assertEquals(List.of("x"), names(dir));
    }

    @Test
    void aFifoHasNoLock() throws Exception {
        Path fifo = DestinationTest.fifo(dir.resolve("fifo"));
        OutputLock.of(fifo);
        OutputLock.of(fifo).close();
        assertEquals(List.of("fifo"), names(dir));
    }

    /** In a folder for all somebody may put a link there that leads to another's file. */
    @Test
    void noLinkIsFollowed() throws IOException {
        Path precious = Files.writeString(dir.resolve("precious"), "kept");
        Files.createSymbolicLink(dir.resolve(".f.csv.lock"), precious);
        assertThrows(IOException.class, () -> OutputLock.of(dir.resolve("f.csv")));
        assertEquals("kept", Files.readString(precious));
    }

    @Test
    void anInterruptedThreadCanLock() throws IOException {
        Thread.currentThread().interrupt();
        OutputLock.of(dir.resolve("f")).close();
        assertTrue(Thread.interrupted());
    }

    @Test
    void aFolderOfAKilledProcessIsDeletedAndThatOfALivingOneIsNot() throws Exception {
        String before = System.setProperty("java.io.tmpdir", dir.toString());
        try {
            try (OtherProcess other = OtherProcess.owning("folder", Path.of("libraries"))) {
                assertEquals(2, names(dir).size(), "of " + other.pid());
                OwnedFolder own = OwnedFolder.create("libraries");
                assertEquals(4, names(dir).size());
                OwnedFolder.create("libraries").close();
                assertEquals(4, names(dir).size());
                own.close();
                assertEquals(2, names(dir).size());
            }
            OwnedFolder.create("others").close();
            assertEquals(2, names(dir).size());
            OwnedFolder.create("libraries").close();
            assertEquals(List.of(), names(dir));
        } finally {
            System.setProperty("java.io.tmpdir", before);
        }
    }

    @Test
    void aTemporaryFolderOfNoUseIsNamedWithTheRemedy() throws IOException {
        Path file = Files.createFile(dir.resolve("file"));
        String before = System.setProperty("java.io.tmpdir", file.toString());
        try {
            IOException e = assertThrows(IOException.class, () -> OwnedFolder.create("libraries"));
            assertEquals(
                    "Can't write temporary files to " + file
                            + " (there is no such folder): free some space there, or choose"
                            + " another folder by the Java property java.io.tmpdir (-Djava.io.tmpdir=FOLDER)",
                    e.getMessage());
        } finally {
            System.setProperty("java.io.tmpdir", before);
        }
    }
}
