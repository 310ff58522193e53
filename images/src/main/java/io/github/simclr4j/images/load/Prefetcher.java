// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.load;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Runs a task on items ahead of the consumer of the results, in the order of the items and at most a given number ahead. A task that
 * fails also counts as a result: its exception is thrown when its turn comes, after the results before it.
 *
 * <p>Only one thread at a time may call these methods, which also pull the items, but any thread may call {@link #cancel}. The executor
 * runs the tasks, and the caller shuts it down.
 *
 * @param <I> the type of the items
 * @param <R> the type of the results
 * @since 0.1.0
 */
public final class Prefetcher<I, R> {
    private final Executor executor;
    private final Iterator<? extends I> items;
    private final int capacity;
    private final Task<? super I, ? extends R> task;
    /** The tasks that were started, in order; guarded by this object's monitor. */
    private final Deque<FutureTask<R>> begun = new ArrayDeque<>();
    /** An exception from pulling the items, thrown after the results before it were taken. */
    private RuntimeException broken;

    private boolean cancelled;

    /**
     * Computes the result of an item. An exception takes the place of the result.
     *
     * @param <I> the type of the items
     * @param <R> the type of the results
     */
    @FunctionalInterface
    public interface Task<I, R> {
        /**
         * Computes a result, in a thread of the executor.
         *
         * @param item the item
         * @throws Exception if there is no result
         */
        R apply(I item) throws Exception;
    }

    /**
     * Creates a prefetcher. It starts no task before {@link #fill}, {@link #hasNext} or {@link #next}.
     *
     * @param executor runs the tasks, in the order in which it receives them
     * @param items the items, which are pulled by the thread that takes the results
     * @param capacity maximum number of tasks that are started and not taken, at least 1
     * @param task computes the results
     * @throws IllegalArgumentException if the capacity is below 1
     */
    public Prefetcher(Executor executor, Iterator<? extends I> items, int capacity, Task<? super I, ? extends R> task) {
        if (capacity < 1) {
            throw new IllegalArgumentException("Expected a capacity of at least 1, found " + capacity);
        }
        this.executor = executor;
        this.items = items;
        this.capacity = capacity;
        this.task = task;
    }

    /** Starts tasks until the capacity is reached or there are no more items. */
    public void fill() {
        while (broken == null && hasRoom()) {
            FutureTask<R> next;
            try {
                if (!items.hasNext()) {
                    return;
                }
                I item = items.next();
                next = new FutureTask<>(() -> task.apply(item));
            } catch (RuntimeException e) {
                broken = e;
                return;
            }
            begin(next);
        }
    }

    private synchronized boolean hasRoom() {
        return !cancelled && begun.size() < capacity;
    }

    private void begin(FutureTask<R> next) {
        synchronized (this) {
            begun.add(next);
            if (cancelled) {
                next.cancel(false);
                return;
            }
        }
        try {
            executor.execute(next);
        } catch (RejectedExecutionException e) {
            // The executor was shut down: cancelling notifies threads that wait for the result.
            next.cancel(false);
        }
    }

    /**
     * Returns whether there is another result.
     *
     * @throws RuntimeException if pulling the items threw it, after all results before it were taken
     */
    public boolean hasNext() {
        if (isEmpty()) {
            fill();
        }
        if (isEmpty() && broken != null) {
            throw broken;
        }
        return !isEmpty();
    }

    private synchronized boolean isEmpty() {
        return begun.isEmpty();
    }

    private synchronized List<FutureTask<R>> first(int count) {
        return begun.stream().limit(count).toList();
    }

    /**
     * Waits for the next results or failures, without taking them.
     *
     * @param count number of results to wait for, or all remaining ones if there are fewer
     * @param nanoseconds maximum time to wait
     * @return whether the results are available
     * @throws CancellationException if this prefetcher was cancelled
     * @throws InterruptedException if the thread is interrupted; no result is lost
     */
    public boolean await(int count, long nanoseconds) throws InterruptedException {
        fill();
        List<FutureTask<R>> wanted = first(count);
        long until = System.nanoTime() + nanoseconds;
        // Waits for the last result first, so that the thread usually sleeps only once.
        for (int i = wanted.size() - 1; i >= 0; i--) {
            try {
                wanted.get(i).get(Math.max(0, until - System.nanoTime()), TimeUnit.NANOSECONDS);
            } catch (ExecutionException e) {
                // Thrown by next().
                continue;
            } catch (TimeoutException e) {
                return false;
            }
        }
        return true;
    }

    /**
     * Waits for the next results and takes them. Meanwhile it starts further tasks up to the capacity.
     *
     * @param count maximum number of results; fewer are returned if fewer are left
     * @return the results, in order
     * @throws NoSuchElementException if there are no more results
     * @throws ExecutionException if a task failed, with its exception as the cause; no result is taken then
     * @throws CancellationException if this prefetcher was cancelled
     * @throws InterruptedException if the thread is interrupted; no result is lost
     */
    public List<R> next(int count) throws ExecutionException, InterruptedException {
        if (!hasNext()) {
            throw new NoSuchElementException();
        }
        await(count, Long.MAX_VALUE / 2);
        List<FutureTask<R>> wanted = first(count);
        List<R> results = new ArrayList<>(wanted.size());
        for (FutureTask<R> f : wanted) {
            results.add(f.get());
        }
        synchronized (this) {
            wanted.forEach(f -> begun.remove());
        }
        return results;
    }

    /**
     * Stops the work: no more tasks are started, and a thread that waits for a result gets a {@link CancellationException}.
     *
     * @param interrupt whether to interrupt running tasks
     */
    public synchronized void cancel(boolean interrupt) {
        cancelled = true;
        begun.forEach(f -> f.cancel(interrupt));
    }
}
