// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Resources that a method has opened for a run, and the number of threads that it may use. Closing it closes the resources, the
 * newest first.
 *
 * @since 0.1.0
 */
public final class RunResources implements AutoCloseable {
    private final int threads;
    private final Deque<AutoCloseable> open = new ArrayDeque<>();

    /**
     * Creates an owner without resources.
     *
     * @param threads CPU threads that the run may use, 0 for one per core
     */
    public RunResources(int threads) {
        this.threads = threads;
    }

    /** Returns the number of CPU threads that the run may use, 0 for one per core. */
    public int threads() {
        return threads;
    }

    /** Takes ownership of a resource that is closed after the run, and returns it. */
    public <T extends AutoCloseable> T own(T resource) {
        open.push(resource);
        return resource;
    }

    /** Closes all resources; a second call has no effect. */
    @Override
    public void close() {
        RuntimeException first = null;
        while (!open.isEmpty()) {
            try {
                open.pop().close();
            } catch (Exception e) {
                RuntimeException now =
                        e instanceof RuntimeException r ? r : new IllegalStateException(e.getMessage(), e);
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
