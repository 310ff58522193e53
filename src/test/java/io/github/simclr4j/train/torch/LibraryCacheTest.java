// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.torch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.engine.EngineException;
import io.github.simclr4j.util.OwnerMark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a process that was killed while DJL copied libtorch leaves in the cache. */
class LibraryCacheTest {
    @TempDir
    private Path dir;

    private Path old(String name) throws IOException {
        Path file = dir.resolve(name);
        Files.createDirectories(file.getParent());
        Files.write(file, new byte[100]);
        for (Path p = file; !p.equals(dir); p = p.getParent()) {
            Files.setLastModifiedTime(p, FileTime.fromMillis(System.currentTimeMillis() - 10_000));
        }
        return file;
    }

    private List<String> files() throws IOException {
        try (Stream<Path> all = Files.walk(dir)) {
            return all.filter(Files::isRegularFile)
                    .map(p -> dir.relativize(p).toString().replace('\\', '/'))
                    .sorted()
                    .toList();
        }
    }

    /** As if the process had been killed. */
    private void abandonedMark(String... lines) throws IOException {
        OwnerMark.create(dir, "libtorch", List.of(lines)).release();
    }

    @Test
    void onlyWhatCameWhileAKilledProcessLoadedIsDeleted() throws IOException {
        old("tmp111/libtorch.so");
        old("2.7.1-cpu/jni111tmp");
        abandonedMark("tmp111", "2.7.1-cpu/jni111tmp");
        old("tmp222/libtorch.so");
        old("2.7.1-cpu/jni222tmp");
        old("2.7.1-cpu/libtorch.so");
        old("tmp/x");
        old("tmp3x/x");
        new LibraryCache(dir).deleteAbandoned();
        assertEquals(
                List.of("2.7.1-cpu/jni111tmp", "2.7.1-cpu/libtorch.so", "tmp/x", "tmp111/libtorch.so", "tmp3x/x"),
                files());
    }

    @Test
    void withoutAMarkNothingIsDeleted() throws IOException {
        old("tmp222/libtorch.so");
        new LibraryCache(dir).deleteAbandoned();
        assertEquals(List.of("tmp222/libtorch.so"), files());
    }

    @Test
    void whileAProcessIsCopyingItIsLeftToTheNextOne() throws IOException {
        abandonedMark();
        old("tmp222/libtorch.so");
        try (OwnerMark living = OwnerMark.create(dir, "libtorch", List.of())) {
            assertNotNull(living);
            new LibraryCache(dir).deleteAbandoned();
            assertTrue(files().contains("tmp222/libtorch.so"));
        }
        Files.setLastModifiedTime(dir.resolve("tmp222/libtorch.so"), FileTime.fromMillis(System.currentTimeMillis()));
        new LibraryCache(dir).deleteAbandoned();
        assertTrue(files().contains("tmp222/libtorch.so"), "it changed just now");
        old("tmp222/libtorch.so");
        new LibraryCache(dir).deleteAbandoned();
        assertEquals(List.of(), files());
    }

    @Test
    void aFullDiskIsSaidWithTheFolderAndTheRemedy() throws IOException {
        LibraryCache cache = new LibraryCache(dir);
        IllegalStateException e = assertThrows(
                IllegalStateException.class,
                () -> cache.load(() -> {
                    throw new EngineException(
                            "Failed to extract PyTorch native library", new IOException("No space left on device"));
                }));
        assertTrue(e.getMessage().startsWith("libtorch can't be copied to " + dir + " ("), e.getMessage());
        assertTrue(
                e.getMessage().contains("No space left on device")
                        && e.getMessage().contains("DJL_CACHE_DIR"),
                e.getMessage());
        EngineException other = new EngineException("something else");
        assertEquals(
                other,
                assertThrows(
                        EngineException.class,
                        () -> cache.load(() -> {
                            throw other;
                        })));
        assertNull(cache.load(() -> null));
        assertEquals(List.of(), files());
    }

    /** A process of its own that loads the engine, killed in the middle of the first copying. */
    @Test
    @Tag("slow")
    void aKillInTheFirstCopyingLeavesNothingAfterTheNextStart() throws Exception {
        Process first = start();
        Path cache = dir.resolve("pytorch");
        try {
            while (first.isAlive() && size(cache) < 5 << 20) {
                Thread.sleep(2);
            }
        } finally {
            first.destroyForcibly().waitFor();
        }
        assertTrue(temporary(cache) > 0, "killed while it copied");
        Thread.sleep(3500);
        assertEquals(0, start().waitFor());
        assertEquals(0, temporary(cache));
    }

    private Process start() throws IOException {
        ProcessBuilder b = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Dai.djl.offline=true",
                Load.class.getName());
        b.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        b.environment().put("ENGINE_CACHE_DIR", dir.toString());
        return b.redirectErrorStream(true)
                .redirectOutput(dir.resolve("log").toFile())
                .start();
    }

    private static long size(Path folder) {
        try (Stream<Path> all = Files.exists(folder) ? Files.walk(folder) : Stream.of()) {
            return all.mapToLong(p -> p.toFile().isFile() ? p.toFile().length() : 0)
                    .sum();
        } catch (IOException | java.io.UncheckedIOException e) {
            return 0;
        }
    }

    private static long temporary(Path cache) throws IOException {
        try (Stream<Path> all = Files.walk(cache)) {
            return all.map(p -> p.getFileName().toString())
                    .filter(n -> n.matches("tmp\\d+|jni\\d+tmp|simclr4j.*"))
                    .count();
        }
    }

    /** Loads the engine. */
    static final class Load {
        public static void main(String[] args) {
            Torch.engine();
        }
    }
}
