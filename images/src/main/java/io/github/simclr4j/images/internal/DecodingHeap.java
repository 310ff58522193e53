package io.github.simclr4j.images.internal;

import java.util.concurrent.Semaphore;

/**
 * Shares the heap out among the images that are decoded at the same time, by all threads of the process: half of it for pixels, at 8
 * bytes each, and a quarter for the bytes of their files. Threads wait for it in the order in which they come. An image that takes
 * more than all of it is decoded alone; a file of less than a megabyte and an image of less than a megapixel never wait.
 */
public final class DecodingHeap {
    /** What is shared out, in units of this many bytes. */
    private static final long UNIT = 1 << 20;
    /** The decoder's copy, if it has one, and the image's bytes. */
    private static final int BYTES_A_PIXEL = 8;
    private static final long SMALL = 1 << 20;
    private static final DecodingHeap SHARED =
            new DecodingHeap(Runtime.getRuntime().maxMemory() / 2, Runtime.getRuntime().maxMemory() / 4);

    private final int pixelUnits;
    private final int fileUnits;
    /** Fair, so that small images do not keep a large one waiting. */
    private final Semaphore pixels;
    private final Semaphore files;
    private final ThreadLocal<Lease> current = new ThreadLocal<>();

    /** Shares out so many bytes, for tests. */
    DecodingHeap(long pixelBytes, long fileBytes) {
        pixelUnits = units(pixelBytes);
        fileUnits = units(fileBytes);
        pixels = new Semaphore(pixelUnits, true);
        files = new Semaphore(fileUnits, true);
    }

    private static int units(long bytes) {
        return (int) Math.max(1, Math.min(Integer.MAX_VALUE, bytes / UNIT));
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

    /**
     * Takes what is wanted. An interruption does not end the waiting, which is short: an image that was not read for that reason
     * would look like one that can't be read.
     */
    private static void acquire(Semaphore free, int wanted) {
        free.acquireUninterruptibly(wanted);
    }

    /**
     * What a thread has taken for the image that it decodes. Who waits for pixels may hold a file, and who waits for a file holds
     * nothing, so that someone always goes on.
     */
    public final class Lease implements AutoCloseable {
        private int depth;
        private int file;
        private int taken;

        private Lease() {}

        /**
         * Waits until there is room for a file of this length, and takes it, in place of all that was taken before.
         */
        public void takeFile(long length) {
            int wanted = length < SMALL ? 0 : (int) Math.min(fileUnits, length / UNIT);
            giveBack();
            files.release(file);
            file = 0;
            acquire(files, wanted);
            file = wanted;
        }

        /**
         * Waits until there is room for an image of this size, and takes it in place of what was taken for pixels before.
         */
        public void take(int width, int height) {
            long count = (long) width * height;
            take(count < SMALL ? 0 : (int) Math.min(pixelUnits, count * BYTES_A_PIXEL / UNIT));
        }

        /**
         * Waits until no other large image is being decoded, and takes all there is for pixels.
         */
        public void takeAll() {
            take(pixelUnits);
        }

        private void take(int wanted) {
            if (wanted != taken) {
                giveBack();
                acquire(pixels, wanted);
                taken = wanted;
            }
        }

        /** Gives back what was taken for pixels. */
        public void giveBack() {
            pixels.release(taken);
            taken = 0;
        }

        /** Gives back what was taken, if this is the end of the first lease. */
        @Override
        public void close() {
            depth--;
            if (depth == 0) {
                current.remove();
                giveBack();
                files.release(file);
            }
        }
    }
}
