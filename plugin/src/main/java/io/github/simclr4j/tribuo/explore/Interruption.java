// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.explore;

import java.util.concurrent.CancellationException;

/** Lets long computations check for interruption. */
final class Interruption {
    private Interruption() {}

    /**
     * Throws CancellationException if the current thread is interrupted, without clearing its interrupt status. To be called by the
     * thread that the caller may interrupt, not by a task of a parallel stream, which may run in another thread.
     */
    static void check() {
        if (Thread.currentThread().isInterrupted()) {
            throw new CancellationException("Interrupted while comparing images");
        }
    }
}
