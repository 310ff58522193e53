// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.internal;

import io.github.simclr4j.images.load.Prefetcher;
import java.io.IOException;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Iterates over batches of items in order, with the results of a task, such as decoding, that a thread pool runs ahead. While the
 * caller works on a batch, the tasks of the next batch run, and no others. Items are pulled in the caller's thread.
 *
 * <p>The process has one pool of daemon threads, which end after a second without work. So an iteration that is abandoned midway
 * leaves no threads behind.
 *
 * @param <I> the type of the items
 * @param <P> the type of the task's results
 */
public final class ReadAhead<I, P> implements Iterator<List<ReadAhead.Ready<I, P>>> {
    static final String THREAD_NAME = "simclr4j-read-ahead-";
    private static final ThreadPoolExecutor POOL = pool();

    private final Prefetcher<I, Ready<I, P>> prefetcher;
    private final int batchSize;

    /** A task that may fail for one item by an IOException, which does not affect the others. */
    @FunctionalInterface
    public interface Task<I, P> {
        P apply(I item) throws IOException;
    }

    /** An item with either the task's result or the reason of its failure. */
    public record Ready<I, P>(I item, P value, IOException failure) {}

    public ReadAhead(Iterator<I> items, int batchSize, Task<I, P> task) {
        this.batchSize = batchSize;
        // The current batch and the next one.
        prefetcher = new Prefetcher<>(POOL, items, 2 * batchSize, item -> ready(item, task));
    }

    private static <I, P> Ready<I, P> ready(I item, Task<I, P> task) {
        try {
            return new Ready<>(item, task.apply(item), null);
        } catch (IOException e) {
            return new Ready<>(item, null, e);
        }
    }

    private static ThreadPoolExecutor pool() {
        AtomicInteger number = new AtomicInteger();
        int threads = Runtime.getRuntime().availableProcessors();
        ThreadPoolExecutor pool =
                new ThreadPoolExecutor(threads, threads, 1, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), work -> {
                    Thread thread = new Thread(work, THREAD_NAME + number.incrementAndGet());
                    thread.setDaemon(true);
                    return thread;
                });
        pool.allowCoreThreadTimeOut(true);
        return pool;
    }

    @Override
    public boolean hasNext() {
        return prefetcher.hasNext();
    }

    @Override
    public List<Ready<I, P>> next() {
        try {
            return prefetcher.next(batchSize);
        } catch (InterruptedException e) {
            prefetcher.cancel(false);
            Thread.currentThread().interrupt();
            throw new IllegalStateException("Interrupted while decoding images", e);
        } catch (ExecutionException e) {
            prefetcher.cancel(false);
            if (e.getCause() instanceof Error error) {
                throw error;
            }
            throw (RuntimeException) e.getCause();
        }
    }
}
