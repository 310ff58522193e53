// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.simclr4j.images.Images;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

/** Sets that would wait for ever, or fill the disk. */
@Timeout(120)
class BlockingAndBoundlessTest {
    /** More than any image file has. */
    private static final long LARGE = (256L << 20) + 1;

    @TempDir
    private Path dir;

    /** Makes an archive with a good image, a member of zeros, and another good image. */
    private Path archive(String name, String member, long zeros) throws IOException {
        Path file = dir.resolve(name);
        try (OutputStream out = Files.newOutputStream(file);
                OutputStream packed =
                        name.endsWith("xz") ? new XZOutputStream(out, new LZMA2Options(0)) : new GZIPOutputStream(out);
                TarArchiveOutputStream tar = new TarArchiveOutputStream(packed)) {
            add(tar, "a/0.png", Samples.png(1, 8, 8));
            TarArchiveEntry e = new TarArchiveEntry(member);
            e.setSize(zeros);
            tar.putArchiveEntry(e);
            byte[] none = new byte[1 << 20];
            for (long left = zeros; left > 0; left -= none.length) {
                tar.write(none, 0, (int) Math.min(left, none.length));
            }
            tar.closeArchiveEntry();
            add(tar, "a/2.png", Samples.png(2, 8, 8));
        }
        return file;
    }

    private static void add(TarArchiveOutputStream tar, String name, byte[] bytes) throws IOException {
        TarArchiveEntry e = new TarArchiveEntry(name);
        e.setSize(bytes.length);
        tar.putArchiveEntry(e);
        tar.write(bytes);
        tar.closeArchiveEntry();
    }

    /** Most bytes that are in the folder for temporary files while something is opened. */
    private long peak(AutoCloseableOpener opener) throws Exception {
        Path temporary = Files.createDirectories(dir.resolve("temporary"));
        String before = System.setProperty("java.io.tmpdir", temporary.toString());
        AtomicBoolean ended = new AtomicBoolean();
        long[] peak = new long[1];
        Thread watch = new Thread(() -> {
            while (!ended.get()) {
                try (Stream<Path> files = Files.list(temporary)) {
                    peak[0] = Math.max(
                            peak[0], files.mapToLong(f -> f.toFile().length()).sum());
                    Thread.sleep(2);
                } catch (IOException | InterruptedException e) {
                    return;
                }
            }
        });
        watch.start();
        try {
            opener.open();
        } finally {
            ended.set(true);
            watch.join();
            System.setProperty("java.io.tmpdir", before);
        }
        try (Stream<Path> left = Files.list(temporary)) {
            assertEquals(List.of(), left.toList());
        }
        return peak[0];
    }

    /** What may fail. */
    private interface AutoCloseableOpener {
        void open() throws Exception;
    }

    @Test
    @Tag("slow")
    void anImageTooLargeIsRefusedWithoutBeingUnpacked() throws Exception {
        for (String name : List.of("large.tar.gz", "large.tgz", "large.tar.xz")) {
            Path file = archive(name, "a/1.jpg", LARGE);
            long peak = peak(() -> {
                try (ImageSource source = ImageSource.open(file)) {
                    assertEquals(3, source.size());
                    source.read(0);
                    source.read(2);
                    IOException e = assertThrows(IOException.class, () -> source.read(1));
                    assertEquals(
                            file + "!a/1.jpg: too large for an image file: " + LARGE + " bytes, at most "
                                    + (256L << 20),
                            e.getMessage());
                }
            });
            assertTrue(peak < 1 << 20, name + " " + peak);
        }
    }

    @Test
    @Tag("slow")
    void aBinaryOutOfAllProportionIsRefusedBeforeItIsUnpacked() throws Exception {
        Path file = archive("large.tar.gz", "data_batch_1.bin", LARGE);
        long peak = peak(() -> {
            IOException e = assertThrows(IOException.class, () -> ImageSource.open(file));
            assertTrue(
                    e.getMessage().contains("its content is implausibly large for its compressed size"),
                    e.getMessage());
            assertTrue(e.getMessage().startsWith(file.toString()), e.getMessage());
        });
        assertTrue(peak < 1 << 20, "" + peak);
    }

    @Test
    @Tag("slow")
    void aGzippedFileOutOfAllProportionIsRefused() throws Exception {
        Path file = dir.resolve("train-images-idx3-ubyte.gz");
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
            out.write(new byte[] {0, 0, 8, 3, 0, 0, 1, 0, 0, 0, 16, 0, 0, 0, 16, 0});
            byte[] none = new byte[1 << 20];
            for (int i = 0; i < 300; i++) {
                out.write(none);
            }
        }
        peak(() -> {
            IOException e = assertThrows(IOException.class, () -> ImageSource.open(file));
            assertTrue(
                    e.getMessage().contains("its content is implausibly large for its compressed size"),
                    e.getMessage());
        });
    }

    /** xz says in its first block how much memory it needs, here 1.5 GB for a few bytes. */
    @Test
    void anXzThatAsksForMoreMemoryThanThereIsIsRefused() throws IOException {
        assumeTrue(Runtime.getRuntime().maxMemory() / 2 < 3L << 29, "skipped: Java's heap has room for it");
        Path file = archive("memory.tar.xz", "a/1.txt", 10);
        byte[] bytes = Files.readAllBytes(file);
        // The stream's header has 12 bytes; then come size, flags, filter, number of properties, the dictionary's size,
        // 3 of padding.
        bytes[16] = 37;
        CRC32 crc = new CRC32();
        crc.update(bytes, 12, 8);
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(20, (int) crc.getValue());
        Files.write(file, bytes);
        IOException e = assertThrows(IOException.class, () -> ImageSource.open(file));
        assertTrue(
                e.getMessage().startsWith(file.toString()) && e.getMessage().contains("of memory would be needed"),
                e.getMessage());
    }

    private static Path fifo(Path path) throws IOException, InterruptedException {
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
    void aPipeAmongImagesIsNamedAndNotRead() throws Exception {
        Path folder = Files.createDirectories(dir.resolve("set"));
        Files.write(folder.resolve("0.png"), Samples.png(1, 8, 8));
        Path fifo = fifo(folder.resolve("1.png"));
        Path link = Files.createSymbolicLink(folder.resolve("2.png"), fifo);
        Path table = Files.writeString(dir.resolve("table.csv"), "path\nset/0.png\nset/1.png\nset/2.png\n");
        for (Path set : List.of(folder, table)) {
            try (ImageSource source = ImageSource.open(set)) {
                assertEquals(3, source.size());
                source.read(0);
                source.fingerprint();
                for (int i = 1; i < 3; i++) {
                    int image = i;
                    String expected =
                            (i == 1 ? fifo : link) + ": a device, a pipe or a socket, expected a regular file";
                    assertEquals(
                            expected,
                            assertThrows(IOException.class, () -> source.read(image))
                                    .getMessage());
                    assertEquals(
                            expected,
                            assertThrows(IOException.class, () -> source.fileBytes(image))
                                    .getMessage());
                }
            }
        }
        for (Path p : List.of(fifo, link)) {
            assertThrows(IOException.class, () -> Images.read(p));
            assertThrows(
                    IOException.class, () -> ImageSource.ofFiles(List.of(p)).read(0));
            IOException e = assertThrows(IOException.class, () -> ImageSource.open(p));
            assertTrue(e.getMessage().startsWith(p + " is neither a file nor a folder"), e.getMessage());
        }
    }

    /** Such files claim to have no bytes; {@code kmsg} waits for the kernel's next message. */
    @Test
    void aFileOfTheSystemIsNotRead() throws Exception {
        List<Path> files = new ArrayList<>(Stream.of("/proc/version", "/proc/kmsg")
                .map(Path::of)
                .filter(Files::isRegularFile)
                .toList());
        assumeTrue(!files.isEmpty(), "skipped: this system has no /proc");
        Path folder = Files.createDirectories(dir.resolve("set"));
        for (Path file : files) {
            Path link = Files.createSymbolicLink(folder.resolve(file.getFileName() + ".png"), file);
            assertThrows(IOException.class, () -> Images.read(link));
            assertTrue(assertThrows(IOException.class, () -> ImageSource.open(file))
                    .getMessage()
                    .startsWith(file + " is empty: "));
        }
        try (ImageSource source = ImageSource.open(folder)) {
            assertEquals(files.size(), source.size());
            source.fingerprint();
            for (int i = 0; i < source.size(); i++) {
                int image = i;
                IOException e = assertThrows(IOException.class, () -> source.read(image));
                assertTrue(e.getMessage().startsWith(source.name(i) + ": "), e.getMessage());
            }
        }
        assertFalse(Thread.interrupted());
    }
}
