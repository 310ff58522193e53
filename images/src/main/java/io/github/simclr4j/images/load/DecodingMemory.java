// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.load;

import java.io.InterruptedIOException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;

/** Limits the memory for images that are being decoded. Threads wait until enough of it is free. */
final class DecodingMemory {
    private final long limit;
    private final Lock lock = new ReentrantLock();
    private final Condition released = lock.newCondition();
    private long taken;
    private long lastRelease = System.nanoTime();

    /** Creates a pool with a limit in bytes. */
    DecodingMemory(long limit) {
        this.limit = limit;
    }

    /**
     * Waits until a number of bytes is free, and reserves them. This can't deadlock: no thread waits here while it holds memory of this
     * pool, and images are started in order.
     *
     * @param bytes the number of bytes, at most the limit
     * @throws InterruptedIOException if the thread is interrupted
     */
    void reserve(long bytes) throws InterruptedIOException {
        lock.lock();
        try {
            while (taken + bytes > limit) {
                released.await();
            }
            taken += bytes;
        } catch (InterruptedException e) {
            throw new InterruptedIOException("the stream was closed");
        } finally {
            lock.unlock();
        }
    }

    /** Frees a number of bytes; 0 only records that an image was read. */
    void release(long bytes) {
        lock.lock();
        try {
            taken -= bytes;
            lastRelease = System.nanoTime();
            released.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Returns the time of the last release, as {@link System#nanoTime}. */
    long lastRelease() {
        lock.lock();
        try {
            return lastRelease;
        } finally {
            lock.unlock();
        }
    }
}
