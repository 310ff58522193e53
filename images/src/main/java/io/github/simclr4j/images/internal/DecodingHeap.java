package io.github.simclr4j.images.internal;

import java.io.InterruptedIOException;
import java.util.concurrent.Semaphore;

/**
 * Shares the heap out among the images that are decoded at the same time, by all threads of the process: half of the heap, at 8
 * bytes a pixel. Threads wait for it in the order in which they come. An image that takes more than all of it is decoded alone, and
 * one of less than a megapixel never waits.
 */
public final class DecodingHeap {
    /** What is shared out, in units of this many bytes. */
    private static final long UNIT = 1 << 20;
    /** The decoder's copy, if it has one, and the image's bytes. */
    private static final int BYTES_A_PIXEL = 8;
    private static final long SMALL = 1 << 20;
    private static final DecodingHeap SHARED = new DecodingHeap(Runtime.getRuntime().maxMemory() / 2);

    private final int units;
    /** Fair, so that small images do not keep a large one waiting. */
    private final Semaphore free;
    private final ThreadLocal<Lease> current = new ThreadLocal<>();

    /** Shares out a heap of its own, for tests. */
    DecodingHeap(long bytes) {
        units = (int) Math.max(1, Math.min(Integer.MAX_VALUE, bytes / UNIT));
        free = new Semaphore(units, true);
    }

    /**
     * Begins to decode an image on this thread. Nothing is taken yet. Where the thread has begun already, it goes on with what it
     * has, until it closes the first lease.
     */
    public static Lease enter() {
        return SHARED.begin();
    }

    Lease begin() {
        Lease lease = current.get();
        if (lease == null) {
            lease = new Lease();
            current.set(lease);
        }
        lease.depth++;
        return lease;
    }

    /** What a thread has taken for the image that it decodes. */
    public final class Lease implements AutoCloseable {
        private int depth;
        private int taken;

        private Lease() {}

        /**
         * Waits until there is room for an image of this size, and takes it in place of what was taken before. Nothing is held
         * while it waits.
         *
         * @throws InterruptedIOException if the thread is interrupted, whose mark stays set
         */
        public void take(int width, int height) throws InterruptedIOException {
            long pixels = (long) width * height;
            take(pixels < SMALL ? 0 : (int) Math.min(units, pixels * BYTES_A_PIXEL / UNIT));
        }

        /**
         * Waits until no other large image is being decoded, and takes all there is.
         *
         * @throws InterruptedIOException if the thread is interrupted, whose mark stays set
         */
        public void takeAll() throws InterruptedIOException {
            take(units);
        }

        /** Gives back what was taken. */
        public void giveBack() {
            free.release(taken);
            taken = 0;
        }

        private void take(int wanted) throws InterruptedIOException {
            if (wanted == taken) {
                return;
            }
            giveBack();
            try {
                free.acquire(wanted);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("interrupted while it waited for memory to decode an image");
            }
            taken = wanted;
        }

        /** Gives back what was taken, if this is the end of the first lease. */
        @Override
        public void close() {
            depth--;
            if (depth == 0) {
                current.remove();
                giveBack();
            }
        }
    }
}
