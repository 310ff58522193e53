package io.github.simclr4j.images.load;

import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.images.source.Unreadable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * Decodes the images of a source in a given order, ahead of the one who trains on them, into batches of squares
 * ({@link Preprocessing}). Threads decode between {@link #start} and the end of the pass; a set may be gone through many
 * times.
 *
 * <p><b>Memory.</b> Never more than {@link Settings#megabytes} are held: batches that are being filled or wait (at most
 * four, and half of the limit), and 20 bytes for each pixel of an image while it is decoded (the decoder's raster, also
 * with 16 bits and alpha, its colours and its bytes) together with what the resize takes. Not counted are a batch that was
 * handed out, which is its receiver's, and one encoded file a thread. An image that could never be decoded within what the
 * batches leave counts as unreadable.
 *
 * <p><b>Unreadable images.</b> Each is reported once in the life of the stream, and not read again. Its place in the order
 * is taken by the image one batch further on, or two and so on, going round at the end to the same place of the first batch:
 * batches keep their size, and no image meets itself in its batch, since two of one batch never have the same replacement.
 * Only where none of these can be read, or there are none as the order is shorter than two batches, the next place is tried,
 * and so on, and an image may come twice. The replacement depends on the order alone, not on where a pass began or how fast
 * it went.
 *
 * <p><b>Threads.</b> One thread at a time calls these methods; {@link #close} may come from any. The source stays the
 * caller's to close, after the stream.
 */
public final class ImageStream implements AutoCloseable {

    /**
     * How to decode.
     *
     * @param side of the squares in pixels, 8 to 1024
     * @param batch images in a batch
     * @param threads that decode
     * @param megabytes (2^20 bytes) of decoded pixels held at most; must hold two batches
     */
    public record Settings(int side, int batch, int threads, int megabytes) {
        /**
         * Checks the ranges.
         *
         * @throws IllegalArgumentException if a number is out of its range, or the megabytes don't hold two batches
         */
        public Settings {
            new Preprocessing(side);
            if (batch < 1 || threads < 1 || megabytes < 1) {
                throw new IllegalArgumentException("Expected at least 1 image in a batch, 1 thread and 1 megabyte, found " + batch
                        + ", " + threads + " and " + megabytes);
            }
            long two = 2L * batch * side * side * 3;
            if (two > (long) megabytes << 20) {
                throw new IllegalArgumentException("A buffer of " + megabytes + " MB is too small for two batches of " + batch
                        + " images of " + side + "x" + side + ": give it at least " + inMegabytes(two) + " MB");
            }
        }

        private int image() {
            return side * side * 3;
        }

        private int batches() {
            return (int) Math.min(4, ((long) megabytes << 20) / 2 / ((long) batch * image()));
        }

        /** What is left for decoding beside the batches. */
        private long decoding() {
            return ((long) megabytes << 20) - (long) batches() * batch * image();
        }
    }

    /**
     * Decoded images; the arrays are the receiver's.
     *
     * @param position where in the order its first image stands
     * @param images the source's indices of the images that are in it, replacements included
     * @param pixels an array an image, [side, side, 3], unsigned bytes; as many as the batch size, or what was left of the order
     */
    public record Batch(int position, int[] images, byte[][] pixels) {}

    /** So many unreadable images in a row mean that the set is gone. */
    static final int IN_A_ROW = 1000;
    private static final long BYTES_A_PIXEL = 20;
    private static final Duration PATIENCE = Duration.ofMinutes(5);
    private static final Duration CLOSING = Duration.ofSeconds(10);

    private final ImageSource source;
    private final Settings settings;
    private final Consumer<Unreadable> unreadable;
    private final Duration patience;
    private final Duration closing;
    private final Preprocessing rule;
    private final Set<Integer> bad = ConcurrentHashMap.newKeySet();
    private volatile Pass pass;
    private volatile boolean closed;

    /**
     * Nothing is read before {@link #start}.
     *
     * @param source stays the caller's to close
     * @param settings how to decode
     * @param unreadable told of each image that can't be read, once, from a decoding thread
     */
    public ImageStream(ImageSource source, Settings settings, Consumer<Unreadable> unreadable) {
        this(source, settings, unreadable, PATIENCE, CLOSING);
    }

    ImageStream(ImageSource source, Settings settings, Consumer<Unreadable> unreadable, Duration patience, Duration closing) {
        this.source = source;
        this.settings = settings;
        this.unreadable = unreadable;
        this.patience = patience;
        this.closing = closing;
        rule = new Preprocessing(settings.side);
    }

    /**
     * Begins to decode; ends the pass before, if it is not over.
     *
     * @param order indices of the source's images, each as often as it shall come; not changed meanwhile
     * @param position where in the order to begin; a pass that begins at a batch's {@link Batch#position} gives the same
     *     batches as one that comes there
     * @throws IllegalArgumentException if an index or the position does not exist
     * @throws IllegalStateException if the stream is closed
     */
    public void start(int[] order, int position) {
        if (position < 0 || position > order.length) {
            throw new IllegalArgumentException("Expected a position from 0 to " + order.length + ", found " + position);
        }
        for (int i : order) {
            if (i < 0 || i >= source.size()) {
                throw new IllegalArgumentException("Expected images from 0 to " + (source.size() - 1) + ", found " + i);
            }
        }
        end();
        synchronized (this) {
            if (closed) {
                throw new IllegalStateException("The stream is closed");
            }
            pass = new Pass(order, position);
            pass.threads.forEach(Thread::start);
        }
    }

    /**
     * The next batch; waits for it.
     *
     * @return null when the order is done
     * @throws IOException if no image of the order can be read, a thousand in a row can't, or a read is stuck for five
     * minutes
     * @throws InterruptedException if the thread is interrupted; the stream goes on
     * @throws IllegalStateException if it was not started or is closed
     */
    public Batch next() throws IOException, InterruptedException {
        Pass p = pass;
        if (p == null) {
            throw new IllegalStateException(closed ? "The stream is closed" : "The stream was not started");
        }
        return p.next();
    }

    /**
     * Ends the pass and waits for its threads.
     *
     * @throws IllegalStateException if one is stuck in reading an image and can't be stopped within ten seconds
     */
    @Override
    public void close() {
        synchronized (this) {
            closed = true;
        }
        end();
    }

    private void end() {
        Pass p;
        synchronized (this) {
            p = pass;
            pass = null;
        }
        if (p != null) {
            p.end();
        }
    }

    /** A batch that is being filled. */
    private final class Filling {
        final int position;
        final int[] images;
        final byte[][] pixels;
        int given;
        int filled;

        Filling(int position, int count) {
            this.position = position;
            images = new int[count];
            pixels = new byte[count][];
        }
    }

    /** A place in a batch. */
    private record Place(Filling batch, int index) {
        int position() {
            return batch.position + index;
        }
    }

    /** Going once through an order. What changes is guarded by the lock. */
    private final class Pass {
        final int[] order;
        final List<Thread> threads = new ArrayList<>();
        private final Map<Thread, Integer> reading = new ConcurrentHashMap<>();
        private final AtomicInteger inARow = new AtomicInteger();
        private final Lock lock = new ReentrantLock();
        /** The reader waits for it: a batch is full. */
        private final Condition full = lock.newCondition();
        /** Threads wait for it: a batch was handed out. */
        private final Condition room = lock.newCondition();
        /** Threads wait for it: an image is decoded. */
        private final Condition memory = lock.newCondition();
        /** In order; the last is the one that places are given of. */
        private final Deque<Filling> batches = new ArrayDeque<>();
        private int begun;
        private long decoding;
        private long lastRead = System.nanoTime();
        private Throwable failure;
        private boolean ended;

        Pass(int[] order, int position) {
            this.order = order;
            begun = position;
            for (int i = 0; i < settings.threads; i++) {
                Thread t = new Thread(this::work, "image-decoder-" + i);
                t.setDaemon(true);
                threads.add(t);
            }
        }

        Batch next() throws IOException, InterruptedException {
            long since = System.nanoTime();
            lock.lockInterruptibly();
            try {
                while (true) {
                    if (failure instanceof Error e) {
                        throw e;
                    } else if (failure instanceof RuntimeException e) {
                        throw e;
                    } else if (failure != null) {
                        throw (IOException) failure;
                    } else if (ended) {
                        throw new IllegalStateException("The stream is closed");
                    }
                    Filling first = batches.peek();
                    if (first != null && first.filled == first.images.length) {
                        batches.remove();
                        room.signalAll();
                        return new Batch(first.position, first.images, first.pixels);
                    }
                    if (first == null && begun == order.length) {
                        return null;
                    }
                    long left = patience.toNanos() - (System.nanoTime() - Math.max(since, lastRead));
                    if (left <= 0) {
                        throw new IOException("No image was read for " + patience.toSeconds() + " s, stuck in "
                                + reading());
                    }
                    full.awaitNanos(left);
                }
            } finally {
                lock.unlock();
            }
        }

        private void work() {
            try {
                for (Place place = take(); place != null; place = take()) {
                    fill(place);
                }
            } catch (InterruptedException e) {
                // Only end() interrupts.
            } catch (Throwable e) {
                stop(() -> failure = failure == null && !ended ? e : failure);
            }
        }

        /** Lets nobody wait any longer. */
        private void stop(Runnable mark) {
            lock.lock();
            try {
                mark.run();
                full.signalAll();
                room.signalAll();
                memory.signalAll();
            } finally {
                lock.unlock();
            }
        }

        /** The next place to fill, in order; null if there is none left. */
        private Place take() throws InterruptedException {
            lock.lock();
            try {
                while (!ended && failure == null) {
                    Filling last = batches.peekLast();
                    if (last != null && last.given < last.images.length) {
                        return new Place(last, last.given++);
                    }
                    if (begun == order.length) {
                        return null;
                    }
                    if (batches.size() < settings.batches()) {
                        Filling next = new Filling(begun, Math.min(settings.batch, order.length - begun));
                        begun += next.images.length;
                        batches.add(next);
                        room.signalAll();
                    } else {
                        room.await();
                    }
                }
                return null;
            } finally {
                lock.unlock();
            }
        }

        private void fill(Place place) throws IOException, InterruptedException {
            if (take(place.position(), place)) {
                return;
            }
            // The order as rows of a batch each: the other images in the column, then those in the next columns; the own row last.
            int row = place.position() / settings.batch;
            int column = place.position() % settings.batch;
            int rows = (order.length - 1) / settings.batch + 1;
            for (int c = 0; c < settings.batch; c++) {
                for (int r = 1; r <= rows; r++) {
                    if (take((row + (long) r) % rows * settings.batch + (column + c) % settings.batch, place)) {
                        return;
                    }
                }
            }
            throw new IOException("None of the " + order.length + " images of the order can be read");
        }

        /** Fills a place with the image that stands somewhere in the order; false if there is none or it can't be read. */
        private boolean take(long at, Place place) throws IOException, InterruptedException {
            return at < order.length && !bad.contains(order[(int) at]) && decode(order[(int) at], place);
        }

        private boolean decode(int image, Place place) throws IOException, InterruptedException {
            // One element, for the callback to write to.
            long[] held = new long[1];
            reading.put(Thread.currentThread(), image);
            try {
                RgbImage decoded = source.read(image, (width, height) -> held[0] += reserve(width, height));
                place.batch.pixels[place.index] = rule.apply(decoded).rgb();
            } catch (IOException e) {
                // An interrupt makes reads fail that are all right.
                if (isStopped()) {
                    throw new InterruptedException();
                }
                if (bad.add(image)) {
                    unreadable.accept(Unreadable.of(source, image, e));
                }
                if (inARow.incrementAndGet() >= IN_A_ROW) {
                    throw new IOException(IN_A_ROW + " images in a row can't be read, the last: " + e.getMessage(), e);
                }
                return false;
            } finally {
                reading.remove(Thread.currentThread());
                release(held[0]);
            }
            inARow.set(0);
            place.batch.images[place.index] = image;
            lock.lock();
            try {
                if (++place.batch.filled == place.batch.images.length) {
                    full.signal();
                }
            } finally {
                lock.unlock();
            }
            return true;
        }

        /**
         * Waits until an image may be decoded. Nobody waits here while holding memory of this kind, and batches are begun in
         * order, so the one that is waited for always gets done.
         */
        private long reserve(int width, int height) throws IOException {
            // The resize has rows of floats, as high as the image and as wide as the square.
            long bytes = BYTES_A_PIXEL * width * height + 12L * Math.min(width, height) * settings.side + settings.image();
            if (bytes > settings.decoding()) {
                throw new IOException("image too large: to decode " + width + "x" + height + " takes " + inMegabytes(bytes)
                        + " MB, and a buffer of " + settings.megabytes + " MB leaves " + (settings.decoding() >> 20)
                        + " MB beside its batches; give it more");
            }
            lock.lock();
            try {
                while (decoding + bytes > settings.decoding() && !ended && failure == null) {
                    memory.await();
                }
                if (ended || failure != null) {
                    throw new InterruptedIOException("the stream was closed");
                }
                decoding += bytes;
                return bytes;
            } catch (InterruptedException e) {
                throw new InterruptedIOException("the stream was closed");
            } finally {
                lock.unlock();
            }
        }

        private void release(long bytes) {
            lock.lock();
            try {
                decoding -= bytes;
                lastRead = System.nanoTime();
                memory.signalAll();
            } finally {
                lock.unlock();
            }
        }

        /** The names of the images that are being read. */
        private String reading() {
            return reading.values().stream().map(source::name).collect(Collectors.joining(", "));
        }

        private boolean isStopped() {
            lock.lock();
            try {
                return ended || failure != null;
            } finally {
                lock.unlock();
            }
        }

        void end() {
            stop(() -> ended = true);
            threads.forEach(Thread::interrupt);
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
                throw new IllegalStateException("A decoding thread can't be stopped, stuck in " + reading());
            }
        }
    }

    private static long inMegabytes(long bytes) {
        return (bytes + (1 << 20) - 1) >> 20;
    }
}
