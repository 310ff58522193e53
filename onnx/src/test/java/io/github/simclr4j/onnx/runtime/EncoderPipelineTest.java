// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.images.source.ImagesUnavailableException;
import io.github.simclr4j.onnx.network.EncoderWriter;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EncoderPipelineTest {
    @TempDir
    static Path dir;

    private static final List<Path> FILES = new ArrayList<>();
    private static final Preprocessing SMALL = new Preprocessing(8);

    @BeforeAll
    static void images() throws IOException {
        for (int i = 0; i < 53; i++) {
            Path file = dir.resolve(String.format("%02d.png", i));
            if (i % 10 == 7) {
                Files.writeString(file, "no image");
            } else {
                RgbImage p = Encoders.picture(20 + i, i);
                BufferedImage b = new BufferedImage(p.width(), p.height(), BufferedImage.TYPE_INT_RGB);
                for (int j = 0; j < p.width() * p.height(); j++) {
                    int rgb = (p.rgb()[3 * j] & 255) << 16 | (p.rgb()[3 * j + 1] & 255) << 8 | p.rgb()[3 * j + 2] & 255;
                    b.setRGB(j % p.width(), j / p.width(), rgb);
                }
                assertTrue(ImageIO.write(b, "png", file.toFile()));
            }
            FILES.add(file);
        }
    }

    @Test
    void embeddingsAreThoseOfTheEncoderInOrder() throws IOException {
        byte[] file = EncoderWriter.toBytes(
                Encoders.TINY, new Preprocessing(32), Encoders.weights(Encoders.TINY, null), Map.of());
        try (OnnxEncoder encoder = OnnxEncoder.open(file, "test", 1)) {
            for (EncoderPipeline.Settings s : List.of(
                    new EncoderPipeline.Settings(3, 4, 2),
                    new EncoderPipeline.Settings(1, 100, 1),
                    EncoderPipeline.Settings.onCores(2, encoder))) {
                List<Integer> failed = new ArrayList<>();
                try (EncoderPipeline p = new EncoderPipeline(encoder, FILES, s, item -> failed.add(item.index()))) {
                    for (int i = 0; i < FILES.size(); i++) {
                        assertTrue(p.hasNext());
                        EncoderPipeline.Item item = p.next();
                        assertEquals(i, item.index());
                        assertEquals(FILES.get(i).toString(), item.name());
                        if (i % 10 == 7) {
                            assertNull(item.embedding());
                            String message = item.error().getMessage();
                            assertTrue(message.contains(FILES.get(i).toString()), message);
                        } else {
                            assertArrayEquals(
                                    encoder.embed(List.of(Images.read(FILES.get(i))))[0], item.embedding(), 1e-4f);
                        }
                    }
                    assertFalse(p.hasNext());
                    assertThrows(NoSuchElementException.class, p::next);
                }
                assertEquals(List.of(7, 17, 27, 37, 47), failed);
            }
        }
    }

    /** Each of these would change an image that went through it twice, and takes another way into the graph. */
    @Test
    void anImageIsPreparedOnce() throws IOException {
        List<Path> pictures = new ArrayList<>();
        int[][] sizes = {{90, 61}, {64, 64}, {40, 200}, {33, 30}, {301, 150}};
        for (int[] size : sizes) {
            BufferedImage b = new BufferedImage(size[0], size[1], BufferedImage.TYPE_INT_RGB);
            for (int j = 0; j < size[0] * size[1]; j++) {
                b.setRGB(j % size[0], j / size[0], j * j * 31 + j / size[0] * 77);
            }
            pictures.add(dir.resolve("once" + size[0] + ".png"));
            assertTrue(ImageIO.write(b, "png", pictures.get(pictures.size() - 1).toFile()));
        }
        for (String name : List.of("resnet18-bytes", "mobilenet-v2")) {
            byte[] fixed = Graphs.withBatch(Foreign.model(name), 3);
            for (byte[] file : List.of(Foreign.model(name), fixed)) {
                EncoderSettings given = EncoderSettings.of(Map.of("resize-short", "80"), "argument");
                try (OnnxEncoder encoder = OnnxEncoder.open(file, name, given, RuntimeSettings.DEFAULT.withThreads(1));
                        EncoderPipeline p = new EncoderPipeline(
                                encoder, pictures, EncoderPipeline.Settings.onCores(2, encoder), item -> {})) {
                    for (Path picture : pictures) {
                        RgbImage image = Images.read(picture);
                        // What the graph gets, without the encoder's own preparation.
                        ByteBuffer pixels = ByteBuffer.wrap(
                                encoder.preprocessing().apply(image).rgb());
                        float[] expected = encoder.embed(pixels)[0];
                        assertArrayEquals(expected, encoder.embed(List.of(image))[0], 1e-4f);
                        assertArrayEquals(expected, p.next().embedding(), 1e-4f, name + " " + picture.getFileName());
                    }
                }
            }
        }
    }

    /** A graph of a fixed batch computes all of it, however many images it is given. */
    @Test
    void aFixedOrChosenBatchIsThePipelines() throws IOException {
        byte[] file = Foreign.model("resnet18-bytes");
        RuntimeSettings one = RuntimeSettings.DEFAULT.withThreads(1);
        try (OnnxEncoder fixed = OnnxEncoder.open(
                        Graphs.withBatch(file, 16), "fixed", EncoderSettings.none(), one.withBatch(3));
                OnnxEncoder chosen = OnnxEncoder.open(file, "chosen", EncoderSettings.none(), one.withBatch(3));
                OnnxEncoder free = OnnxEncoder.open(file, "free", EncoderSettings.none(), one)) {
            assertEquals(new EncoderPipeline.Settings(2, 16, 2), EncoderPipeline.Settings.onCores(2, fixed));
            assertEquals(new EncoderPipeline.Settings(2, 3, 2), EncoderPipeline.Settings.onCores(2, chosen));
            // 32 images of 32x32 have the pixels of 8 of 64x64.
            assertEquals(new EncoderPipeline.Settings(2, 8, 2), EncoderPipeline.Settings.onCores(2, free));
        }
        List<Integer> batches = Collections.synchronizedList(new ArrayList<>());
        try (EncoderPipeline p = new EncoderPipeline(
                SMALL,
                pixels -> {
                    batches.add(count(pixels));
                    return new float[count(pixels)][1];
                },
                16,
                ImageSource.ofFiles(FILES.subList(0, 7)),
                new EncoderPipeline.Settings(3, 16, 3),
                item -> {})) {
            p.forEachRemaining(item -> {});
        }
        assertEquals(List.of(7), batches);
    }

    private static int count(ByteBuffer pixels) {
        return pixels.remaining() / (8 * 8 * 3);
    }

    /** The encoder's stand-in is told how many images it got. */
    private static EncoderPipeline pipeline(EncoderPipeline.Settings s, IntFunction<float[][]> f) {
        return new EncoderPipeline(
                SMALL, pixels -> f.apply(count(pixels)), 1, ImageSource.ofFiles(FILES), s, item -> {});
    }

    @Test
    void aReaderThatStopsHoldsTheWorkersBack() throws InterruptedException {
        AtomicInteger images = new AtomicInteger();
        try (EncoderPipeline p = pipeline(new EncoderPipeline.Settings(2, 3, 2), n -> {
            images.addAndGet(n);
            return new float[n][1];
        })) {
            p.next();
            Thread.sleep(300);
            // Four batches ahead of the one that was taken.
            assertTrue(images.get() <= 15, images + " images");
        }
    }

    @Test
    void noMoreCallsAtOnceThanAllowed() {
        AtomicInteger now = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        try (EncoderPipeline p = pipeline(new EncoderPipeline.Settings(4, 2, 1), n -> {
            most.accumulateAndGet(now.incrementAndGet(), Math::max);
            Thread.yield();
            now.decrementAndGet();
            return new float[n][1];
        })) {
            p.forEachRemaining(item -> {});
        }
        assertEquals(1, most.get());
    }

    @Test
    void aFolderThatGoesAwayEndsTheIteration(@TempDir Path share) throws IOException {
        Path folder = Files.createDirectory(share.resolve("images"));
        for (int i = 0; i < 20; i++) {
            Files.copy(FILES.get(0), folder.resolve(i + ".png"));
        }
        List<EncoderPipeline.Item> unreadable = new ArrayList<>();
        try (ImageSource source = ImageSource.open(folder);
                EncoderPipeline pipeline = new EncoderPipeline(
                        SMALL,
                        pixels -> new float[count(pixels)][1],
                        1,
                        source,
                        new EncoderPipeline.Settings(1, 2, 1),
                        unreadable::add)) {
            pipeline.next();
            Files.move(folder, share.resolve("elsewhere"));
            assertThrows(ImagesUnavailableException.class, () -> {
                while (pipeline.hasNext()) {
                    pipeline.next();
                }
            });
        }
        assertEquals(List.of(), unreadable);
    }

    @Test
    void aFailingEncoderEndsTheIteration() {
        try (EncoderPipeline p = pipeline(new EncoderPipeline.Settings(2, 4, 2), n -> {
            throw new IllegalStateException("out of order");
        })) {
            IllegalStateException e = assertThrows(IllegalStateException.class, p::next);
            assertEquals("out of order", e.getMessage());
            assertThrows(IllegalStateException.class, p::next);
        }
    }

    @Test
    void anInterruptedReaderStopsAndCloseWaitsForTheEncoder() throws InterruptedException {
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch leave = new CountDownLatch(1);
        AtomicInteger left = new AtomicInteger();
        EncoderPipeline p = pipeline(new EncoderPipeline.Settings(1, 4, 1), n -> {
            inside.countDown();
            while (true) {
                try {
                    leave.await();
                    break;
                } catch (InterruptedException e) {
                    // A native call does not end because its thread is interrupted.
                    continue;
                }
            }
            left.incrementAndGet();
            return new float[n][1];
        });
        Throwable[] thrown = new Throwable[1];
        Thread reader = new Thread(() -> {
            try {
                p.next();
            } catch (CancellationException e) {
                thrown[0] = e;
                assertTrue(Thread.currentThread().isInterrupted());
            }
        });
        reader.start();
        inside.await();
        reader.interrupt();
        reader.join(100);
        assertTrue(reader.isAlive(), "waits for the encoder");
        leave.countDown();
        reader.join(10_000);
        assertNotNull(thrown[0]);
        assertEquals(1, left.get());
        assertThrows(IllegalStateException.class, p::next);
        p.close();
    }

    /** A sparse file: nobody reads it. */
    @Test
    void aFileThatNoArrayHoldsIsAnUnreadableImage() throws IOException {
        Path large = dir.resolve("large.png");
        try (RandomAccessFile f = new RandomAccessFile(large.toFile(), "rw")) {
            f.setLength(3L << 30);
        }
        try (EncoderPipeline p = new EncoderPipeline(
                SMALL,
                pixels -> new float[count(pixels)][1],
                1,
                ImageSource.ofFiles(List.of(FILES.get(0), large, FILES.get(1))),
                new EncoderPipeline.Settings(1, 3, 1),
                item -> {})) {
            assertNull(p.next().error());
            String message = p.next().error().getMessage();
            assertTrue(message.contains("large.png: file too large: 3221225472 bytes"), message);
            assertNull(p.next().error());
        }
        Files.delete(large);
    }

    /** Four images of 9 megapixels, 54 MB each while they are decoded, on a heap of 96 MB. */
    @Test
    void largeImagesWaitForEachOther() throws IOException, InterruptedException {
        Path large = dir.resolve("megapixels.png");
        assertTrue(ImageIO.write(new BufferedImage(3000, 3000, BufferedImage.TYPE_3BYTE_BGR), "png", large.toFile()));
        Process p = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx96m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        LargeImages.class.getName(),
                        large.toString())
                .redirectErrorStream(true)
                .start();
        String output = new String(p.getInputStream().readAllBytes());
        assertEquals(0, p.waitFor(), output);
        assertTrue(output.contains("4 images"), output);
    }

    /** What the small heap runs. */
    static final class LargeImages {
        public static void main(String[] args) {
            AtomicInteger images = new AtomicInteger();
            try (EncoderPipeline p = new EncoderPipeline(
                    SMALL,
                    pixels -> {
                        images.addAndGet(count(pixels));
                        return new float[count(pixels)][1];
                    },
                    1,
                    ImageSource.ofFiles(Collections.nCopies(4, Path.of(args[0]))),
                    new EncoderPipeline.Settings(4, 1, 4),
                    item -> {})) {
                p.forEachRemaining(item -> {});
            }
            System.out.println(images + " images");
        }
    }

    @Test
    void noFilesIsNoWork() {
        try (EncoderPipeline p = new EncoderPipeline(
                SMALL,
                pixels -> new float[0][],
                1,
                ImageSource.ofFiles(List.of()),
                new EncoderPipeline.Settings(2, 4, 2),
                item -> {})) {
            assertFalse(p.hasNext());
        }
    }
}
