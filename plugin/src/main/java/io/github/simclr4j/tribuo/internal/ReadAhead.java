package io.github.simclr4j.tribuo.internal;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Batches of items in their order, each item with the outcome of a task (decoding) that pool threads did ahead: while the
 * caller works on a batch, the tasks of the next one run, and no more than those. Items are pulled in the caller's thread.
 *
 * <p>The pool is one for the process, of daemon threads that end after a second without work, so an iteration that is
 * abandoned midway leaves nothing behind.
 *
 * @param <I> the items
 * @param <P> what the task makes of one
 */
public final class ReadAhead<I, P> implements Iterator<List<ReadAhead.Ready<I, P>>> {
    static final String THREAD_NAME = "simclr4j-read-ahead-";
    private static final ThreadPoolExecutor POOL = pool();

    private final Iterator<I> items;
    private final Task<I, P> task;
    private final int batchSize;
    private List<Started<I, P>> started;
    /** What reading the items threw, kept until those before are delivered. */
    private RuntimeException broken;

    /** May fail for one item, by an IOException, without an end to the others. */
    @FunctionalInterface
    public interface Task<I, P> {
        P apply(I item) throws IOException;
    }

    /** An item, and either what the task made of it or why it could not. */
    public record Ready<I, P>(I item, P value, IOException failure) {}

    private record Started<I, P>(I item, Future<P> future) {}

    public ReadAhead(Iterator<I> items, int batchSize, Task<I, P> task) {
        this.items = items;
        this.batchSize = batchSize;
        this.task = task;
    }

    private static ThreadPoolExecutor pool() {
        AtomicInteger number = new AtomicInteger();
        int threads = Runtime.getRuntime().availableProcessors();
        ThreadPoolExecutor pool = new ThreadPoolExecutor(
                threads, threads, 1, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), work -> {
                    Thread thread = new Thread(work, THREAD_NAME + number.incrementAndGet());
                    thread.setDaemon(true);
                    return thread;
                });
        pool.allowCoreThreadTimeOut(true);
        return pool;
    }

    private List<Started<I, P>> start() {
        List<Started<I, P>> batch = new ArrayList<>();
        try {
            while (broken == null && batch.size() < batchSize && items.hasNext()) {
                I item = items.next();
                batch.add(new Started<>(item, POOL.submit(() -> task.apply(item))));
            }
        } catch (RuntimeException e) {
            broken = e;
        }
        return batch;
    }

    @Override
    public boolean hasNext() {
        if (started == null) {
            started = start();
        }
        if (started.isEmpty() && broken != null) {
            throw broken;
        }
        return !started.isEmpty();
    }

    @Override
    public List<Ready<I, P>> next() {
        if (!hasNext()) {
            throw new NoSuchElementException();
        }
        List<Started<I, P>> batch = started;
        started = start();
        List<Ready<I, P>> ready = new ArrayList<>(batch.size());
        try {
            for (Started<I, P> s : batch) {
                ready.add(outcome(s));
            }
        } catch (RuntimeException | Error e) {
            batch.forEach(s -> s.future().cancel(false));
            started.forEach(s -> s.future().cancel(false));
            throw e;
        }
        return ready;
    }

    private static <I, P> Ready<I, P> outcome(Started<I, P> s) {
        try {
            return new Ready<>(s.item(), s.future().get(), null);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("Interrupted while images were decoded", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException failure) {
                return new Ready<>(s.item(), null, failure);
            }
            if (e.getCause() instanceof Error error) {
                throw error;
            }
            throw (RuntimeException) e.getCause();
        }
    }
}
