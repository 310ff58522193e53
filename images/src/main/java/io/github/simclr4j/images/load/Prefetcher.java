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
 * Runs a task on items ahead of the one who takes the results, in the items' order and no further ahead than a given number.
 * A task that fails is a result too: it surfaces when its turn comes, after the results before it.
 *
 * <p>One thread at a time calls these methods and pulls the items by it; {@link #cancel} may come from any. The threads that
 * run the tasks belong to the executor, which stays the caller's to shut down.
 *
 * @param <I> the items
 * @param <R> what the task makes of one
 */
public final class Prefetcher<I, R> {
    private final Executor executor;
    private final Iterator<? extends I> items;
    private final int capacity;
    private final Task<? super I, ? extends R> task;
    /** In order; changed under this object's lock. */
    private final Deque<FutureTask<R>> begun = new ArrayDeque<>();
    /** What pulling the items threw, kept until the results before are taken. */
    private RuntimeException broken;
    private boolean cancelled;

    /** Makes the result of an item; an exception is the result's. */
    @FunctionalInterface
    public interface Task<I, R> {
        /**
         * Runs on a thread of the executor.
         *
         * @throws Exception if there is no result
         */
        R apply(I item) throws Exception;
    }

    /**
     * Begins nothing before {@link #fill}, {@link #hasNext} or {@link #next}.
     *
     * @param executor runs the tasks, in the order in which it gets them
     * @param items pulled by the thread that takes the results
     * @param capacity how many items may be begun and not taken, at least 1
     * @param task makes the results
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

    /** Begins items until as many as the capacity are begun and not taken, or there are no more. */
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
            // The executor was shut down: whoever waits for the result is told.
            next.cancel(false);
        }
    }

    /**
     * Whether there is a further result.
     *
     * @throws RuntimeException what pulling the items threw, once all results before are taken
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
     * Waits until the next results, or failures, are there; they are not taken.
     *
     * @param count how many; fewer where fewer are left
     * @param nanoseconds how long at most
     * @return whether they are there
     * @throws CancellationException if this was cancelled
     * @throws InterruptedException if the thread is interrupted; nothing is lost by it
     */
    public boolean await(int count, long nanoseconds) throws InterruptedException {
        fill();
        List<FutureTask<R>> wanted = first(count);
        long until = System.nanoTime() + nanoseconds;
        // The last first: the thread then sleeps about once, not once a result.
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
     * Takes the next results; waits for them. Meanwhile further items are begun, as far as there is room.
     *
     * @param count how many; fewer are returned where fewer are left
     * @throws NoSuchElementException if there is none
     * @throws ExecutionException if one failed, with its exception; none is taken then
     * @throws CancellationException if this was cancelled
     * @throws InterruptedException if the thread is interrupted; nothing is lost by it
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
     * Ends the work: nothing more is begun, and a thread that waits for a result gets a {@link CancellationException}.
     *
     * @param interrupt whether tasks that run are interrupted
     */
    public synchronized void cancel(boolean interrupt) {
        cancelled = true;
        begun.forEach(f -> f.cancel(interrupt));
    }
}
