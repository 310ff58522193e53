// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.images.load.ImageStream;
import io.github.simclr4j.images.load.PreparedImage;
import io.github.simclr4j.images.load.ResidentImages;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.images.source.Samples;
import io.github.simclr4j.util.Progress;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.zip.CRC32;
import java.util.zip.DeflaterOutputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Images that are large for the heap, read by a Java of its own with a heap of 64 MB. */
@Tag("slow")
class LargeImagesTest {
    private static final int LARGE = 8;

    @TempDir
    Path dir;

    @Test
    void oneImageThatDoesNotFitIntoTheHeapEndsNothing() throws Exception {
        Files.write(dir.resolve("a-far-too-large.png"), png(9900, 9900));
        Files.write(dir.resolve("b-screen.gif"), emptyScreen(9999, 9999));
        // Its 54 MB would fit into the heap if nothing else were there.
        Files.write(dir.resolve("c-nearly-the-heap.png"), png(4500, 4000));
        for (int i = 0; i < LARGE; i++) {
            Files.write(dir.resolve("d-large-" + i + ".png"), png(2500, 2000));
        }
        Files.write(dir.resolve("e-small.png"), Samples.png(1, 40, 30));
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        Process process = new ProcessBuilder(
                        java,
                        "-Xmx64m",
                        "-XX:+UseSerialGC",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Reader.class.getName(),
                        dir.toString())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(1, TimeUnit.MINUTES), output);
        assertEquals(0, process.exitValue(), output);
        for (String pass : List.of("threads", "resident", "stream")) {
            List<String> lines =
                    output.lines().filter(l -> l.startsWith(pass + " ")).toList();
            assertEquals(
                    3,
                    lines.stream()
                            .filter(l -> l.contains("-Xmx") || l.contains("enlarge the buffer"))
                            .count(),
                    output);
            for (String name : List.of("a-far-too-large.png", "b-screen.gif", "c-nearly-the-heap.png")) {
                assertTrue(lines.stream().anyMatch(l -> l.contains(name)), output);
            }
            assertTrue(lines.contains(pass + " read " + (LARGE + 1)), output);
        }
        assertTrue(output.contains("98010000 pixels do not fit into a heap of "), output);
    }

    /** An RGB picture in one colour. */
    private static byte[] png(int width, int height) throws IOException {
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(file);
        out.writeLong(0x89504e470d0a1a0aL);
        chunk(
                out,
                "IHDR",
                ByteBuffer.allocate(13)
                        .putInt(width)
                        .putInt(height)
                        .put(new byte[] {8, 2, 0, 0, 0})
                        .array());
        ByteArrayOutputStream pixels = new ByteArrayOutputStream();
        try (DeflaterOutputStream deflated = new DeflaterOutputStream(pixels)) {
            byte[] line = new byte[1 + 3 * width];
            for (int y = 0; y < height; y++) {
                deflated.write(line);
            }
        }
        chunk(out, "IDAT", pixels.toByteArray());
        chunk(out, "IEND", new byte[0]);
        return file.toByteArray();
    }

    private static void chunk(DataOutputStream out, String kind, byte[] data) throws IOException {
        CRC32 crc = new CRC32();
        crc.update(kind.getBytes(StandardCharsets.US_ASCII));
        crc.update(data);
        out.writeInt(data.length);
        out.writeBytes(kind);
        out.write(data);
        out.writeInt((int) crc.getValue());
    }

    /** A GIF file whose frame has one pixel. */
    private static byte[] emptyScreen(int width, int height) {
        return ByteBuffer.allocate(37)
                .order(java.nio.ByteOrder.LITTLE_ENDIAN)
                .put("GIF87a".getBytes(StandardCharsets.US_ASCII))
                .putShort((short) width)
                .putShort((short) height)
                .put(new byte[] {
                    (byte) 0x80, 0, 0, 0, 0, 0, 0, 0, 0, ',', 0, 0, 0, 0, 1, 0, 1, 0, 0, 8, 4, 0, 1, 4, 4, 0, ';'
                })
                .array();
    }

    /** Reads the images of a folder on many threads, into memory and as a stream. */
    static final class Reader {
        private Reader() {}

        public static void main(String[] args) throws Exception {
            try (ImageSource source = ImageSource.open(Path.of(args[0]))) {
                threads(source);
                ResidentImages set = ResidentImages.read(source, 32, Progress.NONE);
                set.skipped().forEach(u -> System.out.println("resident " + u));
                System.out.println("resident read " + set.images().length);
                int[] read = new int[1];
                try (ImageStream stream = new ImageStream(
                        source, new ImageStream.Settings(32, 2, 4, 200), u -> System.out.println("stream " + u))) {
                    stream.start(IntStream.range(0, source.size()).toArray(), 0);
                    java.util.Set<Integer> images = new java.util.HashSet<>();
                    for (ImageStream.Batch b = stream.next(); b != null; b = stream.next()) {
                        IntStream.of(b.images()).forEach(images::add);
                    }
                    System.out.println("stream read " + images.size());
                }
            }
        }

        private static void threads(ImageSource source) throws Exception {
            ExecutorService pool = Executors.newFixedThreadPool(8);
            List<Callable<Boolean>> tasks = IntStream.range(0, source.size())
                    .<Callable<Boolean>>mapToObj(i -> () -> {
                        try {
                            PreparedImage.read(source, i, new Preprocessing(32), (w, h) -> {});
                            return true;
                        } catch (IOException e) {
                            System.out.println("threads " + e.getMessage());
                            return false;
                        }
                    })
                    .toList();
            int read = 0;
            for (Future<Boolean> f : pool.invokeAll(tasks)) {
                read += f.get() ? 1 : 0;
            }
            pool.shutdown();
            System.out.println("threads read " + read);
        }
    }
}
