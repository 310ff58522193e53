// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.load;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.SizeCheck;
import io.github.simclr4j.images.load.ImageStream.Batch;
import io.github.simclr4j.images.load.ImageStream.Settings;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.images.source.Numbered;
import io.github.simclr4j.images.source.Samples;
import io.github.simclr4j.images.source.Unreadable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ImageStreamTest {
    @TempDir
    Path dir;

    private final List<Unreadable> reported = Collections.synchronizedList(new ArrayList<>());

    /** Reads an image only when told to, or never. */
    private static final class Stuck extends Numbered {
        final CountDownLatch go = new CountDownLatch(1);
        private final int from;

        Stuck(int size, int from) {
            super(size);
            this.from = from;
        }

        @Override
        public void decoding(int i) throws IOException {
            try {
                if (i >= from) {
                    go.await();
                }
            } catch (InterruptedException e) {
                throw new InterruptedIOException();
            }
        }
    }

    /** Fails for some images, half of them before their size is known. */
    private static Numbered without(int size, Set<Integer> bad) {
        return new Numbered(size) {
            @Override
            public RgbImage read(int i, SizeCheck check) throws IOException {
                if (bad.contains(i) && i % 2 == 0) {
                    throw new IOException(name(i) + ": broken");
                }
                return super.read(i, check);
            }

            @Override
            public void decoding(int i) throws IOException {
                if (bad.contains(i)) {
                    throw new IOException(name(i) + ": broken");
                }
            }
        };
    }

    private ImageStream stream(ImageSource source, int batch, int threads) {
        return new ImageStream(source, new Settings(8, batch, threads, 1), reported::add);
    }

    private static int[] shuffled(int n) {
        List<Integer> order = new ArrayList<>(IntStream.range(0, n).boxed().toList());
        Collections.shuffle(order, new Random(5));
        return order.stream().mapToInt(i -> i).toArray();
    }

    /** The images of the batches to come, after a check of their pixels. */
    private static List<Integer> rest(ImageStream stream, int side) throws Exception {
        List<Integer> images = new ArrayList<>();
        for (Batch b = stream.next(); b != null; b = stream.next()) {
            assertEquals(b.images().length, b.pixels().length);
            for (int i = 0; i < b.images().length; i++) {
                byte[] image = b.pixels()[i];
                assertEquals(side * side * 3, image.length);
                for (int p = 0; p < image.length; p += 3) {
                    assertEquals(
                            b.images()[i],
                            (image[p] & 255) + 256 * (image[p + 1] & 255) + 65536 * (image[p + 2] & 255));
                }
                images.add(b.images()[i]);
            }
        }
        return images;
    }

    private static List<Integer> list(int... values) {
        return IntStream.of(values).boxed().toList();
    }

    @AfterEach
    void noThreadIsLeft() {
        assertEquals(
                List.of(),
                Thread.getAllStackTraces().keySet().stream()
                        .filter(t -> t.getName().startsWith("image-decoder"))
                        .toList());
    }

    @Test
    void batchesComeInOrderAndFromAnyPosition() throws Exception {
        int[] order = shuffled(1003);
        try (ImageStream stream = stream(new Numbered(1003), 10, 3)) {
            for (int position : new int[] {0, 10, 500, 1000, 1003}) {
                stream.start(order, position);
                for (int p = position; p < 1003; p += 10) {
                    Batch b = stream.next();
                    assertEquals(p, b.position());
                    assertArrayEquals(Arrays.copyOfRange(order, p, Math.min(1003, p + 10)), b.images());
                }
                assertNull(stream.next());
                assertNull(stream.next());
            }
            // The pixels, an image several times, and a pass that was not finished.
            stream.start(new int[] {1, 2, 3}, 0);
            stream.start(new int[] {900, 7, 7, 1002}, 0);
            assertEquals(list(900, 7, 7, 1002), rest(stream, 8));
            assertThrows(IllegalArgumentException.class, () -> stream.start(new int[] {1003}, 0));
            assertThrows(IllegalArgumentException.class, () -> stream.start(new int[] {1}, 2));
        }
        ImageStream closed = stream(new Numbered(1), 1, 1);
        assertThrows(IllegalStateException.class, closed::next);
        closed.close();
        closed.close();
        assertThrows(IllegalStateException.class, closed::next);
        assertThrows(IllegalStateException.class, () -> closed.start(new int[] {0}, 0));
    }

    @Test
    void anUnreadableImageIsReplacedByOneFurtherOn() throws Exception {
        int[] order = IntStream.range(0, 11).toArray();
        // 1 is replaced by 5, which is bad, so by 9; 2 by 6; 5 by 9; 10 by 2 of the first batch, which is bad, so by 6.
        List<Integer> expected = list(0, 9, 6, 3, 4, 9, 6, 7, 8, 9, 6);
        try (ImageStream stream = stream(without(11, Set.of(1, 2, 5, 10)), 4, 3)) {
            for (int position : new int[] {0, 4, 8, 0}) {
                stream.start(order, position);
                assertEquals(expected.subList(position, 11), rest(stream, 8));
            }
        }
        // Once each, in whatever order.
        assertEquals(
                Set.of(1, 2, 5, 10),
                Set.copyOf(reported.stream().map(Unreadable::image).toList()));
        assertEquals(4, reported.size());
        reported.forEach(u -> assertEquals("number " + u.image() + ": broken", u.toString()));
        reported.forEach(u -> assertEquals("broken", u.reason()));
    }

    @Test
    void noImageMeetsItselfInItsBatch() throws Exception {
        int[] order = shuffled(50);
        Random random = new Random(2);
        for (int batch : new int[] {4, 5, 8}) {
            Set<Integer> bad = random.ints(15, 0, 50).boxed().collect(Collectors.toSet());
            try (ImageStream stream = stream(without(50, bad), batch, 3)) {
                stream.start(order, 0);
                for (Batch b = stream.next(); b != null; b = stream.next()) {
                    assertEquals(
                            b.images().length,
                            IntStream.of(b.images()).distinct().count(),
                            Arrays.toString(b.images()));
                }
            }
        }
        // 4 and 1 stand in the same place of the only two batches: 2, in the next place of the other batch, takes
        // theirs.
        try (ImageStream stream = stream(without(6, Set.of(1, 4)), 3, 1)) {
            stream.start(new int[] {0, 1, 2, 3, 4, 5}, 3);
            assertEquals(list(3, 2, 5), rest(stream, 8));
        }
    }

    @Test
    void aSetThatIsGoneIsAnError() throws Exception {
        try (ImageStream stream = stream(without(5, Set.of(0, 1, 2, 3, 4)), 2, 2)) {
            stream.start(new int[] {3, 1, 4}, 0);
            assertTrue(
                    assertThrows(IOException.class, stream::next).getMessage().contains("None of the 3 images"));
            assertThrows(IOException.class, stream::next);
            assertEquals(3, reported.size());
        }
        // One of the two threads may be late with a readable image, 0 or 1, while the other counts: it starts anew
        // then.
        int n = 3 * ImageStream.IN_A_ROW + 500;
        Set<Integer> most = Set.copyOf(IntStream.range(2, n - 1).boxed().toList());
        // In batches of one all are in one column.
        try (ImageStream stream = stream(without(n, most), 1, 2)) {
            stream.start(IntStream.range(0, n).toArray(), 0);
            assertTrue(assertThrows(IOException.class, () -> rest(stream, 8))
                    .getMessage()
                    .contains("1000 images in a row"));
        }
    }

    @Test
    void memoryStaysWithinTheLimit() throws Exception {
        Random random = new Random(1);
        int[] sides = IntStream.range(0, 600)
                .map(i -> 8 + random.nextInt(i % 50 == 0 ? 230 : 100))
                .toArray();
        long batch = 16 * 32 * 32 * 3;
        AtomicLong decoding = new AtomicLong();
        AtomicLong finished = new AtomicLong();
        AtomicLong handed = new AtomicLong();
        AtomicLong most = new AtomicLong();
        AtomicInteger together = new AtomicInteger();
        AtomicInteger mostTogether = new AtomicInteger();
        Numbered source = new Numbered(600) {
            @Override
            public int side(int i) {
                return sides[i];
            }

            @Override
            public void decoding(int i) throws IOException {
                long bytes = 20L * sides[i] * sides[i];
                long now = decoding.addAndGet(bytes) + (finished.get() - handed.get()) * 32 * 32 * 3;
                most.accumulateAndGet(now, Math::max);
                mostTogether.accumulateAndGet(together.incrementAndGet(), Math::max);
                try {
                    Thread.sleep(1);
                } catch (InterruptedException e) {
                    throw new InterruptedIOException();
                } finally {
                    together.decrementAndGet();
                    finished.incrementAndGet();
                    decoding.addAndGet(-bytes);
                }
            }
        };
        try (ImageStream stream = new ImageStream(source, new Settings(32, 16, 8, 2), reported::add)) {
            stream.start(shuffled(600), 0);
            for (Batch b = stream.next(); b != null; b = stream.next()) {
                handed.addAndGet(b.images().length);
            }
        }
        assertEquals(List.of(), reported);
        assertEquals(600, handed.get());
        // A batch is still counted here for a moment after it was handed out.
        assertTrue(most.get() <= (2 << 20) + batch, "held " + most);
        assertTrue(most.get() > 1 << 20, "made use of it: " + most);
        assertTrue(mostTogether.get() > 1);
    }

    @Test
    void nothingIsReadFarAhead() throws Exception {
        Numbered source = new Numbered(10000);
        try (ImageStream stream = stream(source, 10, 2)) {
            stream.start(IntStream.range(0, 10000).toArray(), 0);
            while (source.reads.get() < 40) {
                Thread.sleep(5);
            }
            Thread.sleep(50);
            assertEquals(40, source.reads.get());
            assertNotNull(stream.next());
            while (source.reads.get() < 50) {
                Thread.sleep(5);
            }
            Thread.sleep(50);
            assertEquals(50, source.reads.get());
        }
    }

    @Test
    void anImageThatNeverFitsIsUnreadable() throws Exception {
        Numbered source = new Numbered(6) {
            @Override
            public int side(int i) {
                return i == 3 ? 300 : 20;
            }
        };
        try (ImageStream stream = stream(source, 2, 2)) {
            stream.start(new int[] {0, 3, 1, 2, 4, 5}, 0);
            assertEquals(list(0, 2, 1, 2, 4, 5), rest(stream, 8));
        }
        assertEquals(1, reported.size());
        assertTrue(reported.get(0).toString().contains("too large"), reported.toString());
        String message = assertThrows(IllegalArgumentException.class, () -> new Settings(224, 512, 2, 100))
                .getMessage();
        assertTrue(message.contains("at least 147 MB"), message);
        assertThrows(IllegalArgumentException.class, () -> new Settings(4, 512, 2, 100));
        assertThrows(IllegalArgumentException.class, () -> new Settings(32, 0, 2, 100));
        // A batch may be larger than an array can be.
        assertEquals(4096, new Settings(448, 4096, 2, 6000).batch());
    }

    @Test
    void anErrorReachesTheReader() throws Exception {
        for (Throwable thrown : List.of(new IllegalStateException("bug"), new LinkageError("bug"))) {
            Numbered source = new Numbered(100) {
                @Override
                public void decoding(int i) {
                    if (i == 60 && thrown instanceof Error e) {
                        throw e;
                    } else if (i == 60) {
                        throw (RuntimeException) thrown;
                    }
                }
            };
            try (ImageStream stream = stream(source, 10, 2)) {
                stream.start(IntStream.range(0, 100).toArray(), 0);
                assertSame(thrown, assertThrows(thrown.getClass(), () -> rest(stream, 8)));
                assertSame(thrown, assertThrows(thrown.getClass(), stream::next));
                // Another pass may do without it.
                stream.start(new int[] {5, 6}, 0);
                assertEquals(list(5, 6), rest(stream, 8));
            }
        }
        try (ImageStream stream = new ImageStream(without(4, Set.of(2)), new Settings(8, 2, 1, 1), u -> {
            throw new IllegalStateException("the callback's");
        })) {
            stream.start(new int[] {0, 1, 2, 3}, 0);
            assertEquals(
                    "the callback's",
                    assertThrows(IllegalStateException.class, () -> rest(stream, 8))
                            .getMessage());
        }
    }

    @Test
    void aStuckReadIsNamedAndStopped() throws Exception {
        Stuck source = new Stuck(10, 5);
        try (ImageStream stream = new ImageStream(
                source, new Settings(8, 2, 2, 1), reported::add, Duration.ofMillis(300), Duration.ofSeconds(30))) {
            stream.start(IntStream.range(0, 10).toArray(), 0);
            assertNotNull(stream.next());
            assertNotNull(stream.next());
            String message = assertThrows(IOException.class, stream::next).getMessage();
            assertTrue(message.contains("hangs in") && message.contains("number 5"), message);
            // An interrupt of the reader harms nothing.
            Thread.currentThread().interrupt();
            assertThrows(InterruptedException.class, stream::next);
            source.go.countDown();
            assertEquals(list(4, 5, 6, 7, 8, 9), rest(stream, 8));
        }
        assertEquals(List.of(), reported);
    }

    @Test
    void aReadThatIgnoresInterruptsIsToldOf() throws Exception {
        CountDownLatch reading = new CountDownLatch(1);
        CountDownLatch never = new CountDownLatch(1);
        Numbered source = new Numbered(1) {
            @Override
            public void decoding(int i) {
                reading.countDown();
                while (never.getCount() > 0) {
                    Thread.onSpinWait();
                }
            }
        };
        ImageStream stream = new ImageStream(
                source, new Settings(8, 1, 1, 1), reported::add, Duration.ofMillis(100), Duration.ofMillis(100));
        stream.start(new int[] {0}, 0);
        reading.await();
        assertTrue(assertThrows(IllegalStateException.class, stream::close)
                .getMessage()
                .contains("can't be stopped; it hangs in number 0"));
        never.countDown();
        for (Thread t : Thread.getAllStackTraces().keySet()) {
            if (t.getName().startsWith("image-decoder")) {
                t.join();
            }
        }
    }

    @Test
    void closingFromAnotherThreadEndsTheWait() throws Exception {
        Stuck source = new Stuck(4, 0);
        ImageStream stream = stream(source, 2, 2);
        stream.start(new int[] {0, 1, 2, 3}, 0);
        Thread closer = new Thread(() -> {
            while (source.reads.get() < 2) {
                Thread.onSpinWait();
            }
            stream.close();
        });
        closer.start();
        assertThrows(IllegalStateException.class, stream::next);
        closer.join();
        assertEquals(List.of(), reported, "what was interrupted is not unreadable");
    }

    @Test
    void endingAPassDoesNotHarmTheSource() throws Exception {
        Path zip = dir.resolve("a.zip");
        try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(zip))) {
            for (int i = 0; i < 40; i++) {
                out.putNextEntry(new ZipEntry(i / 10 + "/" + i % 10 + ".png"));
                out.write(Samples.png(i, 32, 32));
            }
        }
        Path folder = dir.resolve("folder");
        for (int i = 0; i < 40; i++) {
            Samples.write(folder.resolve(i / 10 + "/" + i % 10 + ".png"), Samples.png(i, 32, 32));
        }
        Path binary = Samples.write(dir.resolve("data_batch_1.bin"), Samples.cifar(0, 40, 1));
        int[] order = IntStream.range(0, 40).toArray();
        for (Path path : List.of(zip, folder, binary)) {
            try (ImageSource source = ImageSource.open(path);
                    ImageStream stream = new ImageStream(source, new Settings(32, 8, 4, 1), reported::add)) {
                for (int i = 0; i < 50; i++) {
                    stream.start(order, 0);
                    if (i % 2 == 0) {
                        Thread.sleep(0, 200_000);
                    }
                }
                stream.start(order, 0);
                for (int i = 0; i < 40; i += 8) {
                    Batch b = stream.next();
                    for (int k = 0; k < 8; k++) {
                        assertArrayEquals(Samples.expected(i + k, 32, 32), b.pixels()[k]);
                    }
                }
            }
        }
        assertEquals(List.of(), reported);
    }

    @Test
    void squaresAreThoseOfThePreprocessing() throws Exception {
        Path folder = dir.resolve("folder");
        int[][] sizes = {{50, 40}, {8, 8}, {20, 33}, {16, 16}};
        for (int i = 0; i < sizes.length; i++) {
            Samples.write(folder.resolve(i + ".png"), Samples.png(i, sizes[i][0], sizes[i][1]));
        }
        try (ImageSource source = ImageSource.open(folder);
                ImageStream stream = new ImageStream(source, new Settings(16, 4, 2, 1), reported::add)) {
            stream.start(new int[] {0, 1, 2, 3}, 0);
            byte[][] pixels = stream.next().pixels();
            for (int i = 0; i < 4; i++) {
                RgbImage image = new RgbImage(sizes[i][0], sizes[i][1], Samples.expected(i, sizes[i][0], sizes[i][1]));
                assertArrayEquals(new Preprocessing(16).apply(image).rgb(), pixels[i]);
            }
        }
        assertFalse(reported.size() > 0);
    }
}
