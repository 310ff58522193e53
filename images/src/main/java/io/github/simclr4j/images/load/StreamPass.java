// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.load;

import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.images.source.Unreadable;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** A single pass of an {@link ImageStream} over an order of a source's images. */
final class StreamPass {
    private static final long BYTES_A_PIXEL = 20;

    private final ImageSource source;
    private final ImageStream.Settings settings;
    private final int[] order;
    private final Set<Integer> bad;
    private final Consumer<Unreadable> unreadable;
    private final Preprocessing rule;
    private final DecodingMemory memory;
    private final List<Thread> threads = new CopyOnWriteArrayList<>();
    private final ExecutorService executor;
    private final Prefetcher<Integer, Decoded> prefetcher;
    private final Map<Thread, Integer> reading = new ConcurrentHashMap<>();
    private final AtomicInteger inARow = new AtomicInteger();
    private volatile boolean ended;
    /** Position of the next batch. */
    private int at;

    /** An image and its pixels. */
    private record Decoded(int image, byte[] pixels) {}

    /**
     * Starts decoding.
     *
     * @param bad images that are known to be unreadable; the pass adds more
     */
    StreamPass(
            ImageSource source,
            ImageStream.Settings settings,
            int[] order,
            int position,
            Set<Integer> bad,
            Consumer<Unreadable> unreadable) {
        this.source = source;
        this.settings = settings;
        this.order = order;
        this.bad = bad;
        this.unreadable = unreadable;
        at = position;
        rule = new Preprocessing(settings.side());
        memory = new DecodingMemory(settings.decoding());
        executor = Executors.newFixedThreadPool(settings.threads(), work -> {
            Thread t = new Thread(work, "image-decoder-" + threads.size());
            t.setDaemon(true);
            threads.add(t);
            return t;
        });
        prefetcher = new Prefetcher<>(
                executor,
                IntStream.range(position, order.length).iterator(),
                settings.batches() * settings.batch(),
                this::fill);
        prefetcher.fill();
    }

    ImageStream.Batch next(Duration patience) throws IOException, InterruptedException {
        int count = Math.min(settings.batch(), order.length - at);
        long since = System.nanoTime();
        try {
            while (true) {
                if (ended) {
                    throw new IllegalStateException("The stream is closed");
                }
                if (count == 0) {
                    return null;
                }
                long left = patience.toNanos() - (System.nanoTime() - Math.max(since, memory.lastRelease()));
                if (left <= 0) {
                    throw new IOException(
                            "No image was read for " + patience.toSeconds() + " s; reading hangs in " + reading());
                }
                if (prefetcher.await(count, left)) {
                    return batch(count);
                }
            }
        } catch (CancellationException e) {
            throw new IllegalStateException("The stream is closed", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Error error) {
                throw error;
            } else if (e.getCause() instanceof RuntimeException runtime) {
                throw runtime;
            }
            throw (IOException) e.getCause();
        }
    }

    private ImageStream.Batch batch(int count) throws ExecutionException, InterruptedException {
        List<Decoded> images = prefetcher.next(count);
        prefetcher.fill();
        int first = at;
        at += count;
        return new ImageStream.Batch(
                first,
                images.stream().mapToInt(Decoded::image).toArray(),
                images.stream().map(Decoded::pixels).toArray(byte[][]::new));
    }

    /** Decodes the image for a position: that of the order, or its replacement. */
    private Decoded fill(int position) throws IOException {
        Decoded own = decode(position);
        if (own != null) {
            return own;
        }
        // Consider the order as a matrix with a row per batch. Tries the other images in the column, then those in the
        // next columns.
        int row = position / settings.batch();
        int column = position % settings.batch();
        int rows = (order.length - 1) / settings.batch() + 1;
        for (int c = 0; c < settings.batch(); c++) {
            for (int r = 1; r <= rows; r++) {
                Decoded other = decode((row + (long) r) % rows * settings.batch() + (column + c) % settings.batch());
                if (other != null) {
                    return other;
                }
            }
        }
        throw new IOException("None of the " + order.length + " images of the order can be read");
    }

    /** Decodes the image at a position of the order; returns null if there is none or it can't be read. */
    private Decoded decode(long position) throws IOException {
        if (position >= order.length || bad.contains(order[(int) position])) {
            return null;
        }
        int image = order[(int) position];
        // An array, so that the callback can write to it.
        long[] held = new long[1];
        reading.put(Thread.currentThread(), image);
        try {
            byte[] pixels = PreparedImage.read(source, image, rule, (width, height) -> {
                // For a second size, holds nothing while it waits.
                memory.release(held[0]);
                held[0] = 0;
                held[0] = reserve(width, height);
            });
            inARow.set(0);
            return new Decoded(image, pixels);
        } catch (IOException e) {
            // An interrupt also makes reads of good images fail.
            if (ended) {
                throw e;
            }
            if (bad.add(image)) {
                unreadable.accept(Unreadable.of(source, image, e));
            }
            if (inARow.incrementAndGet() >= ImageStream.IN_A_ROW) {
                throw new IOException(
                        ImageStream.IN_A_ROW + " images in a row can't be read, the last: " + e.getMessage(), e);
            }
            return null;
        } finally {
            reading.remove(Thread.currentThread());
            memory.release(held[0]);
        }
    }

    private long reserve(int width, int height) throws IOException {
        // Resizing needs rows of floats.
        long bytes =
                BYTES_A_PIXEL * width * height + 12L * Math.min(width, height) * settings.side() + settings.image();
        if (bytes > settings.decoding()) {
            throw new IOException("image too large: to decode " + width + "x" + height + " takes "
                    + ImageStream.inMegabytes(bytes) + " MB, and a buffer of " + settings.megabytes() + " MB leaves "
                    + (settings.decoding() >> 20) + " MB beside its batches; enlarge the buffer");
        }
        memory.reserve(bytes);
        return bytes;
    }

    /** Returns the names of the images that are being read. */
    private String reading() {
        return reading.values().stream().map(source::name).collect(Collectors.joining(", "));
    }

    /** Stops the threads and waits for them. */
    void end(Duration closing) {
        ended = true;
        prefetcher.cancel(true);
        executor.shutdownNow();
        boolean interrupted = false;
        long until = System.nanoTime() + closing.toNanos();
        for (Thread t : threads) {
            while (t.isAlive() && System.nanoTime() < until && t != Thread.currentThread()) {
                try {
                    t.join(Math.max(1, (until - System.nanoTime()) / 1_000_000));
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        if (threads.stream().anyMatch(t -> t.isAlive() && t != Thread.currentThread())) {
            throw new IllegalStateException("A decoding thread can't be stopped; it hangs in " + reading());
        }
    }
}
