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

        int image() {
            return side * side * 3;
        }

        int batches() {
            return (int) Math.min(4, ((long) megabytes << 20) / 2 / ((long) batch * image()));
        }

        /** What is left for decoding beside the batches. */
        long decoding() {
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
            pass = new StreamPass(source, settings, order, position, bad, unreadable);
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
        StreamPass p = pass;
        if (p == null) {
            throw new IllegalStateException(closed ? "The stream is closed" : "The stream was not started");
        }
        return p.next(patience);
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
