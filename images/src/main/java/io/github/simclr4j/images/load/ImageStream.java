// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.load;

import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.images.source.Unreadable;
import java.io.IOException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * Decodes the images of a source in a given order, ahead of their consumer, into batches of preprocessed square images
 * ({@link Preprocessing}). Threads decode between {@link #start} and the end of the pass. There may be many passes.
 *
 * <p><b>Memory.</b> At most {@link Settings#megabytes} are used. Batches that are being filled or wait take at most half of it, and
 * there are at most four of them. An image that is being decoded takes 20 bytes per pixel (the decoder's raster, also for 16 bits and
 * alpha, the converted colours and the bytes), plus the memory for resizing. Not counted are batches that were returned, which belong to
 * the caller, and one encoded file per thread. An image that could never be decoded within the memory beside the batches is unreadable.
 *
 * <p><b>Unreadable images.</b> Each is reported once in the life of the stream, and not read again. It is replaced by the image at the
 * same position in the next batch, or in the one after that and so on, continuing with the first batch after the last. So batches keep
 * their size, and no image occurs twice in a batch, since two images of a batch never have the same replacement. Only if none of these
 * can be read, or if the order is shorter than two batches, is the next position tried, so that an image may occur twice. The
 * replacement depends only on the order, not on the start of a pass or on timing.
 *
 * <p><b>Threads.</b> Only one thread at a time may call these methods, but any thread may call {@link #close}. The caller closes the
 * source after the stream.
 *
 * @since 0.1.0
 */
public final class ImageStream implements AutoCloseable {

    /**
     * The settings of a stream.
     *
     * @param side side length of the images in pixels, 8 to 1024
     * @param batch number of images per batch, at least 1
     * @param threads number of decoding threads, at least 1
     * @param megabytes maximum memory for decoded images, in units of 2^20 bytes; two batches must fit into it
     */
    public record Settings(int side, int batch, int threads, int megabytes) {
        /**
         * Checks the ranges.
         *
         * @throws IllegalArgumentException if a number is out of range, or if two batches do not fit into the memory
         */
        public Settings {
            new Preprocessing(side);
            if (batch < 1 || threads < 1 || megabytes < 1) {
                throw new IllegalArgumentException(
                        "Expected at least 1 image in a batch, 1 thread and 1 megabyte, found " + batch + ", " + threads
                                + " and " + megabytes);
            }
            long two = 2L * batch * side * side * 3;
            if (two > (long) megabytes << 20) {
                throw new IllegalArgumentException("A buffer of " + megabytes + " MB is too small for two batches of "
                        + batch + " images of " + side + "x" + side + ": give it at least " + inMegabytes(two) + " MB");
            }
        }

        int image() {
            return side * side * 3;
        }

        int batches() {
            return (int) Math.min(4, ((long) megabytes << 20) / 2 / ((long) batch * image()));
        }

        /** Returns the memory for decoding beside the batches, in bytes. */
        long decoding() {
            return ((long) megabytes << 20) - (long) batches() * batch * image();
        }
    }

    /**
     * A batch of decoded images. The arrays belong to the caller.
     *
     * @param position position of its first image in the order
     * @param images indices in the source of the images in the batch, including replacements
     * @param pixels one array per image, [side, side, 3], unsigned bytes; the last batch of an order may be smaller
     */
    public record Batch(int position, int[] images, byte[][] pixels) {}

    /** Number of consecutive unreadable images after which the set is considered unavailable. */
    static final int IN_A_ROW = 1000;

    private static final Duration PATIENCE = Duration.ofMinutes(5);
    private static final Duration CLOSING = Duration.ofSeconds(10);

    private final ImageSource source;
    private final Settings settings;
    private final Consumer<Unreadable> unreadable;
    private final Duration patience;
    private final Duration closing;
    private final Set<Integer> bad = ConcurrentHashMap.newKeySet();
    private volatile StreamPass pass;
    private volatile boolean closed;

    /**
     * Creates a stream. It reads nothing before {@link #start}.
     *
     * @param source the images; the caller closes them after the stream
     * @param settings the settings
     * @param unreadable receives each image that can't be read, once, in a decoding thread
     */
    public ImageStream(ImageSource source, Settings settings, Consumer<Unreadable> unreadable) {
        this(source, settings, unreadable, PATIENCE, CLOSING);
    }

    ImageStream(
            ImageSource source,
            Settings settings,
            Consumer<Unreadable> unreadable,
            Duration patience,
            Duration closing) {
        this.source = source;
        this.settings = settings;
        this.unreadable = unreadable;
        this.patience = patience;
        this.closing = closing;
    }

    /**
     * Starts a pass. A previous pass that has not finished is stopped.
     *
     * @param order indices of images in the source, in the order of the pass; the array must not be modified during the pass
     * @param position the position in the order to start at. A pass that starts at a batch's {@link Batch#position} yields the same
     *     batches as a pass that reaches it
     * @throws IllegalArgumentException if an index or the position is out of range
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
            pass = new StreamPass(source, settings, order, position, bad, unreadable);
        }
    }

    /**
     * Waits for the next batch and returns it.
     *
     * @return the batch, or null at the end of the order
     * @throws IOException if no image of the order can be read, if a thousand consecutive images can't be read, or if reading an image
     *     hangs for five minutes
     * @throws InterruptedException if the thread is interrupted; the stream remains usable
     * @throws IllegalStateException if the stream was not started or is closed
     */
    public Batch next() throws IOException, InterruptedException {
        StreamPass p = pass;
        if (p == null) {
            throw new IllegalStateException(closed ? "The stream is closed" : "The stream was not started");
        }
        return p.next(patience);
    }

    /**
     * Stops the pass and waits for its threads.
     *
     * @throws IllegalStateException if a thread hangs in reading an image and can't be stopped within ten seconds
     */
    @Override
    public void close() {
        synchronized (this) {
            closed = true;
        }
        end();
    }

    private void end() {
        StreamPass p;
        synchronized (this) {
            p = pass;
            pass = null;
        }
        if (p != null) {
            p.end(closing);
        }
    }

    static long inMegabytes(long bytes) {
        return (bytes + (1 << 20) - 1) >> 20;
    }
}
