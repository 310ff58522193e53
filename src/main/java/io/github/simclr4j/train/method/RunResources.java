package io.github.simclr4j.train.method;

import java.util.ArrayDeque;
import java.util.Deque;

/** What a method has opened for a run, and the threads that it may use. Closing it closes what was opened, the newest first. */
public final class RunResources implements AutoCloseable {
    private final int threads;
    private final Deque<AutoCloseable> open = new ArrayDeque<>();

    /**
     * Makes an owner of nothing yet.
     *
     * @param threads that the run may use on the CPU, 0 for one a core
     */
    public RunResources(int threads) {
        this.threads = threads;
    }

    /** Returns how many threads the run may use on the CPU, 0 for one a core. */
    public int threads() {
        return threads;
    }

    /** Takes over something that is to be closed after the run, and returns it. */
    public <T extends AutoCloseable> T own(T resource) {
        open.push(resource);
        return resource;
    }

    /** Closes everything; a second call does nothing. */
    @Override
    public void close() {
        RuntimeException first = null;
        while (!open.isEmpty()) {
            try {
                open.pop().close();
            } catch (Exception e) {
                RuntimeException now = e instanceof RuntimeException r ? r : new IllegalStateException(e.getMessage(), e);
                if (first == null) {
                    first = now;
                } else {
                    first.addSuppressed(now);
                }
            }
        }
        if (first != null) {
            throw first;
        }
    }
}
