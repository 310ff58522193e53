// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Renders many views on several threads. The views do not depend on the number of threads.
 *
 * <p>One thread may use a pool at a time, and takes part in the work. The other threads belong to the pool and end when it is closed.
 *
 * @since 0.1.0
 */
public final class ViewPool implements AutoCloseable {
    private final int threads;
    private final ExecutorService others;
    private ByteBuffer memory;

    /**
     * Starts the threads.
     *
     * @param threads number of threads including the caller's, at least 1
     * @throws IllegalArgumentException if {@code threads} is below 1
     */
    public ViewPool(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("A pool needs at least 1 thread, found " + threads);
        }
        this.threads = threads;
        others = threads == 1
                ? null
                : Executors.newFixedThreadPool(threads - 1, task -> {
                    Thread t = new Thread(task, "views");
                    t.setDaemon(true);
                    return t;
                });
    }

    /**
     * Returns direct memory in native byte order that the pool reuses: the next call overwrites it. Memory allocated per step would stay
     * until garbage collection, which may be hundreds of steps later.
     *
     * @param bytes the buffer's limit
     */
    public ByteBuffer memory(int bytes) {
        if (memory == null || memory.capacity() < bytes) {
            memory = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
        }
        return memory.clear().limit(bytes);
    }

    /**
     * Renders views, row by row.
     *
     * @param requests views of one size; the i-th view is row i
     * @param out receives the views, float32 [requests, 3, size, size], from index 0; its position does not change. libtorch can use a
     *     direct buffer in native byte order without a copy
     * @throws IllegalArgumentException if the views have several sizes or do not fit into the buffer
     */
    public void make(List<ViewRequest> requests, FloatBuffer out) {
        if (requests.isEmpty()) {
            return;
        }
        int values = requests.get(0).generator().values();
        for (ViewRequest r : requests) {
            if (r.generator().values() != values) {
                throw new IllegalArgumentException("The views of one buffer must have one size, found "
                        + requests.get(0).generator().size() + " and "
                        + r.generator().size());
            }
        }
        if ((long) requests.size() * values > out.limit()) {
            throw new IllegalArgumentException(requests.size() + " views take " + (long) requests.size() * values
                    + " values, but the buffer has " + out.limit());
        }
        AtomicInteger next = new AtomicInteger();
        Runnable work = () -> {
            try {
                for (int i = next.getAndIncrement(); i < requests.size(); i = next.getAndIncrement()) {
                    ViewRequest r = requests.get(i);
                    r.generator().view(r.pixels(), r.side(), r.seed(), out, i * values);
                }
            } finally {
                // If one thread fails, the others stop.
                next.set(requests.size());
            }
        };
        List<Future<?>> running = new ArrayList<>();
        for (int t = 1; t < Math.min(threads, requests.size()); t++) {
            running.add(others.submit(work));
        }
        RuntimeException failure = null;
        try {
            work.run();
        } catch (RuntimeException e) {
            failure = e;
        }
        for (Future<?> r : running) {
            RuntimeException theirs = await(r);
            failure = failure == null ? theirs : failure;
        }
        if (failure != null) {
            throw failure;
        }
    }

    /**
     * Waits even if the thread is interrupted, because the caller reuses the buffer afterwards.
     *
     * @return the failure of the work, or null
     */
    private static RuntimeException await(Future<?> work) {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    work.get();
                    return null;
                } catch (InterruptedException e) {
                    interrupted = true;
                } catch (ExecutionException e) {
                    return e.getCause() instanceof RuntimeException r ? r : new IllegalStateException(e.getCause());
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public void close() {
        if (others != null) {
            others.shutdown();
        }
    }
}
