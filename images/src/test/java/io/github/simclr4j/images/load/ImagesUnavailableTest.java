// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.images.source.ImagesUnavailableException;
import io.github.simclr4j.images.source.Samples;
import io.github.simclr4j.images.source.Unreadable;
import io.github.simclr4j.util.Progress;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A set that goes away while it is read, as a network folder may: none of its images counts as damaged. */
class ImagesUnavailableTest {
    private static final int IMAGES = 40;

    @TempDir
    Path dir;

    private Path folder() throws IOException {
        Path folder = dir.resolve("share");
        for (int i = 0; i < IMAGES; i++) {
            Samples.write(folder.resolve("a/" + (10 + i) + ".png"), Samples.png(i, 16, 16));
        }
        return folder;
    }

    /** An unmounted file system leaves the empty folder that it was mounted on. */
    private void unmount(Path folder) {
        try {
            Files.move(folder, dir.resolve("elsewhere"));
            Files.createDirectory(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void mount(Path folder) throws IOException {
        Files.delete(folder);
        Files.move(dir.resolve("elsewhere"), folder);
    }

    @Test
    void aFolderThatIsGoneIsNotAnUnreadableImage() throws IOException {
        Path folder = folder();
        try (ImageSource source = ImageSource.open(folder)) {
            String whole = source.fingerprint();
            unmount(folder);
            ImagesUnavailableException gone = assertThrows(ImagesUnavailableException.class, () -> source.read(3));
            assertTrue(
                    gone.getMessage().startsWith(source.name(3) + ": no such file")
                            && gone.getMessage().contains("start again"),
                    gone.getMessage());
            assertThrows(ImagesUnavailableException.class, () -> source.fileBytes(0));
            assertThrows(ImagesUnavailableException.class, source::fingerprint);
            assertThrows(ImagesUnavailableException.class, () -> ResidentImages.side(source, 16));
            mount(folder);
            assertEquals(16, source.read(3).width());
            assertEquals(whole, source.fingerprint());
        }
    }

    @Test
    void itIsSeenBeforeTheFirstImageWasRead() throws IOException {
        Path folder = folder();
        try (ImageSource source = ImageSource.open(folder)) {
            unmount(folder);
            assertThrows(ImagesUnavailableException.class, () -> source.read(0));
        }
    }

    @Test
    void whatIsMissingAmongOthersIsAnUnreadableImage() throws IOException {
        Path folder = folder();
        try (ImageSource source = ImageSource.open(folder)) {
            for (int i = 1; i < IMAGES; i++) {
                Files.delete(folder.resolve("a/" + (10 + i) + ".png"));
            }
            IOException missing = assertThrows(IOException.class, () -> source.read(5));
            assertEquals(source.name(5) + ": no such file", missing.getMessage());
            ResidentImages rest = ResidentImages.read(source, 16, Progress.NONE);
            assertEquals(1, rest.pixels().size());
            assertEquals(IMAGES - 1, rest.skipped().size());
        }
    }

    @Test
    void aListOfFilesThatAreGoneIsNotUnreadable() throws IOException {
        Path folder = folder();
        List<Path> files;
        try (Stream<Path> all = Files.list(folder.resolve("a"))) {
            files = all.sorted().toList();
        }
        ImageSource source = ImageSource.ofFiles(files);
        source.read(1);
        Files.delete(files.get(2));
        assertThrows(IOException.class, () -> source.read(2));
        unmount(folder);
        assertThrows(ImagesUnavailableException.class, () -> source.read(4));
    }

    @Test
    void imagesAreNotLearntWithoutThoseOfAFolderThatWentAway() throws IOException {
        Path folder = folder();
        List<String> told = Collections.synchronizedList(new ArrayList<>());
        Progress unmounting = new Progress() {
            private boolean gone;

            @Override
            public synchronized void at(long done, String detail) {
                if (done >= IMAGES / 4 && !gone) {
                    gone = true;
                    unmount(folder);
                }
            }

            @Override
            public void warn(String text) {
                told.add(text);
            }
        };
        try (ImageSource source = ImageSource.open(folder)) {
            assertThrows(ImagesUnavailableException.class, () -> ResidentImages.read(source, 16, unmounting));
        }
        assertEquals(List.of(), told);
    }

    @Test
    void aStreamEndsAndGoesOnWhenTheFolderIsBack() throws Exception {
        Path folder = folder();
        List<Unreadable> unreadable = Collections.synchronizedList(new ArrayList<>());
        int[] order = IntStream.range(0, IMAGES).toArray();
        try (ImageSource source = ImageSource.open(folder);
                ImageStream stream = new ImageStream(source, new ImageStream.Settings(16, 4, 2, 1), unreadable::add)) {
            stream.start(order, 0);
            stream.next();
            unmount(folder);
            assertThrows(ImagesUnavailableException.class, () -> {
                while (stream.next() != null) {
                    assertFalse(Thread.interrupted());
                }
            });
            mount(folder);
            stream.start(order, 0);
            int read = 0;
            for (ImageStream.Batch b = stream.next(); b != null; b = stream.next()) {
                for (int image : b.images()) {
                    assertEquals(order[read++], image);
                }
            }
            assertEquals(IMAGES, read);
        }
        assertEquals(List.of(), unreadable);
    }

    /** Their bytes are read from one file that stays open. */
    @ParameterizedTest
    @ValueSource(strings = {"data_batch_1.bin", "images.tar"})
    void aFileOfAllImagesThatIsCutIsNotUnreadable(String name) throws IOException {
        Path file = Samples.write(dir.resolve(name), name.endsWith(".tar") ? tar() : Samples.cifar(0, 20, 1));
        try (ImageSource source = ImageSource.open(file)) {
            source.read(2);
            try (RandomAccessFile content = new RandomAccessFile(file.toFile(), "rw")) {
                content.setLength(0);
            }
            assertThrows(ImagesUnavailableException.class, () -> source.read(7));
            assertThrows(ImagesUnavailableException.class, source::fingerprint);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"data_batch_1.bin", "images.tar", "images.zip"})
    void aFileOfAllImagesThatIsGoneIsNoticedBeforeTheFirstImageWasRead(String name) throws IOException {
        byte[] content = name.endsWith(".tar") ? tar() : name.endsWith(".zip") ? zip() : Samples.cifar(0, 20, 1);
        Path file = Samples.write(dir.resolve(name), content);
        try (ImageSource source = ImageSource.open(file)) {
            try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
                open.setLength(0);
            }
            assertThrows(ImagesUnavailableException.class, () -> source.read(7));
        }
    }

    /** The archive itself can be read, so it is not gone. */
    @Test
    void anArchiveOfWhichNoMemberIsWholeIsNotGone() throws IOException {
        byte[] content = zip();
        for (int i = 0; i + 4 < content.length && content[i] == 'P' && content[i + 1] == 'K' && content[i + 2] == 3; ) {
            int name = (content[i + 26] & 255) + (content[i + 28] & 255);
            int length = (content[i + 18] & 255) | (content[i + 19] & 255) << 8;
            content[i + 30 + name + length - 1] ^= 1;
            i += 30 + name + length;
        }
        try (ImageSource source = ImageSource.open(Samples.write(dir.resolve("images.zip"), content))) {
            IOException damaged = assertThrows(IOException.class, () -> source.read(7));
            assertTrue(damaged.getMessage().contains("checksum"), damaged.getMessage());
        }
    }

    /** An archive of members that are stored without compression, with their sizes before them. */
    private static byte[] zip() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(out)) {
            zip.setMethod(ZipOutputStream.STORED);
            for (int i = 0; i < 20; i++) {
                byte[] png = Samples.png(i, 16, 16);
                ZipEntry entry = new ZipEntry("a/" + i + ".png");
                CRC32 crc = new CRC32();
                crc.update(png);
                entry.setSize(png.length);
                entry.setCrc(crc.getValue());
                zip.putNextEntry(entry);
                zip.write(png);
            }
        }
        return out.toByteArray();
    }

    private static byte[] tar() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (TarArchiveOutputStream tar = new TarArchiveOutputStream(out)) {
            for (int i = 0; i < 20; i++) {
                byte[] png = Samples.png(i, 16, 16);
                TarArchiveEntry entry = new TarArchiveEntry("a/" + i + ".png");
                entry.setSize(png.length);
                tar.putArchiveEntry(entry);
                tar.write(png);
                tar.closeArchiveEntry();
            }
        }
        return out.toByteArray();
    }
}
