// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.load;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.images.source.Numbered;
import io.github.simclr4j.images.source.Samples;
import io.github.simclr4j.images.source.Unreadable;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ResidentImagesTest {
    @TempDir
    Path dir;

    @Test
    void labelsStayInStepWithWhatCouldBeRead() throws Exception {
        Samples.write(dir.resolve("b/1.png"), Samples.png(1, 20, 14));
        Samples.write(dir.resolve("a/2.png"), new byte[] {1, 2});
        Samples.write(dir.resolve("a/0.png"), Samples.png(0, 10, 12));
        Samples.write(dir.resolve("c/3.png"), Samples.png(3, 18, 18));
        List<String> told = Collections.synchronizedList(new ArrayList<>());
        Progress progress = new Progress() {
            @Override
            public void start(String task, long total) {
                told.add(task + " " + total);
            }

            @Override
            public void warn(String text) {
                told.add(text);
            }
        };
        ResidentImages set;
        try (ImageSource source = ImageSource.open(dir)) {
            set = ResidentImages.read(source, 16, progress);
            // The smaller side of the largest image.
            assertEquals(18, ResidentImages.side(source, 16));
            assertEquals(4 * (18 * 18 * 3 + 24), ResidentImages.bytes(4, 18));
            assertEquals(ResidentImages.fingerprint(source, 18, 3), set.fingerprint());
            assertNotEquals(ResidentImages.fingerprint(source, 18, 4), set.fingerprint());
            assertNotEquals(ResidentImages.fingerprint(source, 17, 3), set.fingerprint());
        }
        assertEquals(18, set.side());
        assertArrayEquals(new int[] {0, 2, 3}, set.images());
        assertArrayEquals(new int[] {0, 1, 2}, set.labels());
        assertEquals(List.of("a", "b", "c"), set.classes());
        assertEquals(
                List.of(dir.resolve("a/2.png").toString()),
                set.skipped().stream().map(Unreadable::name).toList());
        assertEquals(1, set.skipped().get(0).image());
        assertEquals("reading images 4", told.get(0));
        assertEquals(2, told.size());
        assertTrue(told.get(1).startsWith("skipped " + dir.resolve("a/2.png") + ": not an image"), told.get(1));

        Preprocessing rule = new Preprocessing(18);
        byte[][] expected = {
            rule.apply(new RgbImage(10, 12, Samples.expected(0, 10, 12))).rgb(),
            rule.apply(new RgbImage(20, 14, Samples.expected(1, 20, 14))).rgb(),
            Samples.expected(3, 18, 18)
        };
        for (int i = 0; i < 3; i++) {
            assertArrayEquals(expected[i], set.pixels().get(i), "image " + i);
        }
    }

    @Test
    void largeImagesAreKeptAtTwiceTheViews() throws IOException {
        Samples.write(dir.resolve("0.png"), Samples.png(0, 70, 50));
        Samples.write(dir.resolve("1.png"), Samples.png(1, 8, 300));
        try (ImageSource source = ImageSource.open(dir)) {
            ResidentImages set = ResidentImages.read(source, 16, Progress.NONE);
            assertEquals(32, set.side());
            assertEquals(32, ResidentImages.side(source, 16));
            assertArrayEquals(
                    new Preprocessing(32)
                            .apply(new RgbImage(70, 50, Samples.expected(0, 70, 50)))
                            .rgb(),
                    set.pixels().get(0));
            assertArrayEquals(
                    new Preprocessing(32)
                            .apply(new RgbImage(8, 300, Samples.expected(1, 8, 300)))
                            .rgb(),
                    set.pixels().get(1));
            assertArrayEquals(new int[] {-1, -1}, set.labels());
        }
    }

    @Test
    void nothingReadableIsAnError() throws IOException {
        Samples.write(dir.resolve("0.png"), new byte[] {1});
        try (ImageSource source = ImageSource.open(dir)) {
            String message = assertThrows(IOException.class, () -> ResidentImages.read(source, 16, Progress.NONE))
                    .getMessage();
            assertTrue(message.contains("0.png"), message);
        }
    }

    /** Many images of one size; those that are looked at for the estimate may have another. */
    private static Numbered many(int size, int side, int lookedAt) {
        return new Numbered(size) {
            @Override
            public int side(int i) {
                return i % (size / 256) == 0 ? lookedAt : side;
            }
        };
    }

    @Test
    void whatDoesNotFitIsSaidBeforeItIsRead() throws IOException {
        Numbered many = many(1 << 30, 400, 400);
        String message = assertThrows(IOException.class, () -> ResidentImages.read(many, 224, Progress.NONE))
                .getMessage();
        assertTrue(
                message.startsWith("1073741824 images take 491544576 MB of memory") && message.contains("stream"),
                message);
        assertEquals(0, many.reads.get());
        // What was said holds, also where those that were not looked at are larger.
        ResidentImages set = ResidentImages.read(many(2560, 60, 8), 40, ResidentImages.bytes(2560, 40), Progress.NONE);
        assertEquals(40, set.side());
        assertTrue(set.pixels().stream().allMatch(p -> p.length == 3 * 40 * 40));
    }

    @Test
    void garbageDoesNotCountAsUsed() {
        long before = ResidentImages.available();
        for (int i = 0; i < 64; i++) {
            // Kept by nobody.
            assertEquals(1 << 20, new byte[1 << 20].length);
        }
        assertTrue(ResidentImages.available() > before - (32 << 20));
    }

    /** Run in a JVM with a small heap: streams what it is given, and prints how many images it saw and the markers among them. */
    public static final class SmallHeap {
        private SmallHeap() {}

        /** Names of sets. */
        public static void main(String[] args) throws Exception {
            for (String path : args) {
                try (ImageSource source = ImageSource.open(Path.of(path));
                        ImageStream stream =
                                new ImageStream(source, new ImageStream.Settings(32, 256, 2, 8), System.out::println)) {
                    int[] order = new int[source.size()];
                    for (int i = 0; i < order.length; i++) {
                        order[i] = order.length - 1 - i;
                    }
                    StringBuilder marked = new StringBuilder();
                    stream.start(order, 0);
                    int count = 0;
                    for (ImageStream.Batch b = stream.next(); b != null; b = stream.next()) {
                        for (int i = 0; i < b.images().length; i++) {
                            count++;
                            if (b.pixels()[i][3071] != 0) {
                                marked.append(" ").append(b.images()[i]);
                            }
                        }
                    }
                    System.out.println(count + " images, marked" + marked);
                }
            }
            System.out.println("heap " + (Runtime.getRuntime().maxMemory() >> 20));
        }
    }

    @Test
    void setsLargerThanTheHeapAreStreamed() throws Exception {
        // 100,000 black images; the last byte of some is set. Sparse, so that it takes no room.
        Path cifar = dir.resolve("data_batch_1.bin");
        try (RandomAccessFile file = new RandomAccessFile(cifar.toFile(), "rw")) {
            file.setLength(100_000L * 3073);
            for (long i : new long[] {0, 77_777, 99_999}) {
                file.seek(i * 3073 + 3072);
                file.write(200);
            }
        }
        // 25,000 of them in a compressed tar: more than the heap as well, so spooled.
        Path tar = dir.resolve("cifar.tar.gz");
        try (TarArchiveOutputStream out =
                        new TarArchiveOutputStream(new GZIPOutputStream(Files.newOutputStream(tar), 1 << 16));
                InputStream in = Files.newInputStream(cifar)) {
            TarArchiveEntry entry = new TarArchiveEntry("x/data_batch_1.bin");
            entry.setSize(25_000L * 3073);
            out.putArchiveEntry(entry);
            byte[] buffer = new byte[25_000];
            for (int i = 0; i < 3073; i++) {
                in.readNBytes(buffer, 0, buffer.length);
                out.write(buffer);
            }
            out.closeArchiveEntry();
        }
        Path temporary = Files.createDirectories(dir.resolve("temporary"));
        ProcessBuilder java = new ProcessBuilder(
                ProcessHandle.current().info().command().orElse("java"),
                "-Xmx64m",
                "-Djava.io.tmpdir=" + temporary,
                SmallHeap.class.getName(),
                cifar.toString(),
                tar.toString());
        java.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        Process process = java.redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), output);
        assertEquals(
                "100000 images, marked 99999 77777 0\n25000 images, marked 0\nheap 64\n",
                output.replace(System.lineSeparator(), "\n"));
        try (Stream<Path> left = Files.list(temporary)) {
            assertEquals(
                    List.of(), left.filter(f -> f.toString().contains("spool")).toList());
        }
    }
}
