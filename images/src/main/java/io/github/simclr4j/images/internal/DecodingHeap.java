// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.internal;

import java.util.concurrent.Semaphore;

/**
 * Divides the heap among the images that all threads of the process decode at the same time: half of it is for pixels, at 8 bytes each,
 * and a quarter for the bytes of their files. Threads wait in the order of their arrival. An image that needs more than that is decoded
 * alone. Files below a megabyte and images below a megapixel never wait.
 */
public final class DecodingHeap {
    /** Size in bytes of the units in which memory is reserved. */
    private static final long UNIT = 1 << 20;
    /** Number of bytes per pixel, for the image and a possible copy in the decoder. */
    private static final int BYTES_A_PIXEL = 8;

    private static final long SMALL = 1 << 20;
    private static final DecodingHeap SHARED = new DecodingHeap(
            Runtime.getRuntime().maxMemory() / 2, Runtime.getRuntime().maxMemory() / 4);

    private final int pixelUnits;
    private final int fileUnits;
    /** Fair, so that small images do not delay a large one indefinitely. */
    private final Semaphore pixels;

    private final Semaphore files;
    private final ThreadLocal<Lease> current = new ThreadLocal<>();

    /** Creates a heap of a given size, for tests. */
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
     * Starts to decode an image in this thread, without reserving memory yet. In a nested call the thread keeps its reservation until it
     * closes the first lease.
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
     * Reserves units. The wait, which is short, ignores interrupts: otherwise an image that was not read because of an interrupt would look
     * like an unreadable image.
     */
    private static void acquire(Semaphore free, int wanted) {
        free.acquireUninterruptibly(wanted);
    }

    /**
     * The memory that a thread has reserved for the image that it decodes. This can't deadlock: a thread that waits for pixels may hold
     * memory for a file, but a thread that waits for a file holds nothing.
     */
    public final class Lease implements AutoCloseable {
        private int depth;
        private int file;
        private int taken;

        private Lease() {}

        /**
         * Waits until there is room for a file of this length, and reserves it instead of everything reserved before.
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
         * Waits until there is room for an image of this size, and reserves it instead of the pixels reserved before.
         */
        public void take(int width, int height) {
            long count = (long) width * height;
            take(count < SMALL ? 0 : (int) Math.min(pixelUnits, count * BYTES_A_PIXEL / UNIT));
        }

        /**
         * Waits until no other large image is being decoded, and reserves all memory for pixels.
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

        /** Frees the memory reserved for pixels. */
        public void giveBack() {
            pixels.release(taken);
            taken = 0;
        }

        /** Frees all reserved memory if this is the outermost lease. */
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
