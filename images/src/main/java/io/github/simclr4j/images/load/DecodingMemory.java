package io.github.simclr4j.images.load;

import java.io.InterruptedIOException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;

/** The memory that images take while they are decoded: threads wait for it, and give it back. */
final class DecodingMemory {
    private final long limit;
    private final Lock lock = new ReentrantLock();
    private final Condition released = lock.newCondition();
    private long taken;
    private long lastRelease = System.nanoTime();

    /** Nothing is taken; {@code limit} is in bytes. */
    DecodingMemory(long limit) {
        this.limit = limit;
    }

    /**
     * Waits until some bytes are free, and takes them. Nobody waits here while holding memory of this kind, and images are
     * begun in order, so the one that is waited for always gets done.
     *
     * @param bytes at most the limit
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

    /** Gives bytes back; 0 says only that an image was read. */
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

    /** Returns when bytes were last given back, as {@link System#nanoTime}. */
    long lastRelease() {
        lock.lock();
        try {
            return lastRelease;
        } finally {
            lock.unlock();
        }
    }
}
