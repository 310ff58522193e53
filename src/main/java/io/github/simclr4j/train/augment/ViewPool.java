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
 * Makes many views at once on several threads. What it makes does not depend on how many they are. One thread may use a pool at a
 * time, and takes part in the work; the others are the pool's own and end when it is closed.
 */
public final class ViewPool implements AutoCloseable {
    private final int threads;
    private final ExecutorService others;
    private ByteBuffer memory;

    /**
     * Starts the threads.
     *
     * @param threads at least 1, the caller's included
     * @throws IllegalArgumentException if there are fewer
     */
    public ViewPool(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("Views are made by at least 1 thread, found " + threads);
        }
        this.threads = threads;
        others = threads == 1 ? null : Executors.newFixedThreadPool(threads - 1, task -> {
            Thread t = new Thread(task, "views");
            t.setDaemon(true);
            return t;
        });
    }

    /**
     * Returns direct memory in native order that the pool uses again and again: what was in it is lost with the next call. Memory of
     * a step's own would stay until Java collects its garbage, which may be hundreds of steps later.
     *
     * @param bytes how many at least are wanted; the buffer's limit
     */
    public ByteBuffer memory(int bytes) {
        if (memory == null || memory.capacity() < bytes) {
            memory = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
        }
        return memory.clear().limit(bytes);
    }

    /**
     * Makes views, row by row.
     *
     * @param requests of views of one size; the i-th view is in row i
     * @param out float32 [requests, 3, size, size], from its beginning; its position stays as it is. If it is a direct buffer in
     *     native order, libtorch can take it as it is.
     * @throws IllegalArgumentException if the views are of several sizes, or don't fit into the buffer
     */
    public void make(List<ViewRequest> requests, FloatBuffer out) {
        if (requests.isEmpty()) {
            return;
        }
        int values = requests.get(0).generator().values();
        for (ViewRequest r : requests) {
            if (r.generator().values() != values) {
                throw new IllegalArgumentException("Views of one buffer must have one size, found "
                        + requests.get(0).generator().size() + " and " + r.generator().size());
            }
        }
        if ((long) requests.size() * values > out.limit()) {
            throw new IllegalArgumentException(requests.size() + " views take " + (long) requests.size() * values
                    + " values, and the buffer has " + out.limit());
        }
        AtomicInteger next = new AtomicInteger();
        Runnable work = () -> {
            try {
                for (int i = next.getAndIncrement(); i < requests.size(); i = next.getAndIncrement()) {
                    ViewRequest r = requests.get(i);
                    r.generator().view(r.pixels(), r.side(), r.seed(), out, i * values);
                }
            } finally {
                // Where one thread fails, the others stop.
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
     * Waits even if the thread is interrupted: the buffer is the caller's again afterwards.
     *
     * @return why the work failed, or null
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
