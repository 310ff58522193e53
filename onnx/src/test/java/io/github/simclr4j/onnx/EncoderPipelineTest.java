package io.github.simclr4j.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EncoderPipelineTest {
    @TempDir
    static Path dir;

    private static final List<Path> FILES = new ArrayList<>();

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
            for (EncoderPipeline.Settings s : List.of(new EncoderPipeline.Settings(3, 4, 2),
                    new EncoderPipeline.Settings(1, 100, 1), EncoderPipeline.Settings.onCores(2, 32))) {
                List<Integer> failed = new ArrayList<>();
                try (EncoderPipeline p = new EncoderPipeline(encoder, FILES, s, item -> failed.add(item.index()))) {
                    for (int i = 0; i < FILES.size(); i++) {
                        assertTrue(p.hasNext());
                        EncoderPipeline.Item item = p.next();
                        assertEquals(i, item.index());
                        assertEquals(FILES.get(i), item.file());
                        if (i % 10 == 7) {
                            assertNull(item.embedding());
                            String message = item.error().getMessage();
                            assertTrue(message.contains(FILES.get(i).toString()), message);
                        } else {
                            assertArrayEquals(encoder.embed(List.of(Images.read(FILES.get(i))))[0], item.embedding(), 1e-4f);
                        }
                    }
                    assertFalse(p.hasNext());
                    assertThrows(NoSuchElementException.class, p::next);
                }
                assertEquals(List.of(7, 17, 27, 37, 47), failed);
            }
        }
    }

    /** The encoder's stand-in counts what it got. */
    private static EncoderPipeline pipeline(EncoderPipeline.Settings s, Function<List<RgbImage>, float[][]> f) {
        return new EncoderPipeline(i -> i, f, FILES, s, item -> { });
    }

    @Test
    void aReaderThatStopsHoldsTheWorkersBack() throws InterruptedException {
        AtomicInteger images = new AtomicInteger();
        try (EncoderPipeline p = pipeline(new EncoderPipeline.Settings(2, 3, 2), l -> {
            images.addAndGet(l.size());
            return new float[l.size()][1];
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
        try (EncoderPipeline p = pipeline(new EncoderPipeline.Settings(4, 2, 1), l -> {
            most.accumulateAndGet(now.incrementAndGet(), Math::max);
            Thread.yield();
            now.decrementAndGet();
            return new float[l.size()][1];
        })) {
            p.forEachRemaining(item -> { });
        }
        assertEquals(1, most.get());
    }

    @Test
    void aFailingEncoderEndsTheIteration() {
        try (EncoderPipeline p = pipeline(new EncoderPipeline.Settings(2, 4, 2), l -> {
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
        EncoderPipeline p = pipeline(new EncoderPipeline.Settings(1, 4, 1), l -> {
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
            return new float[l.size()][1];
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

    @Test
    void noFilesIsNoWork() {
        try (EncoderPipeline p = new EncoderPipeline(i -> i, l -> new float[0][], List.of(),
                EncoderPipeline.Settings.onCores(0, 224), item -> { })) {
            assertFalse(p.hasNext());
        }
    }
}
