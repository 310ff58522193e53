// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.util;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileLockInterruptionException;

/**
 * Completes short work with files in a thread that is interrupted. Java's channels refuse to work in such a thread, but an interrupted
 * run has to save its results.
 *
 * @since 0.1.0
 */
public final class Uninterrupted {
    private Uninterrupted() {}

    /**
     * Work with files.
     *
     * @param <T> the type of its result
     */
    @FunctionalInterface
    public interface Work<T> {
        /**
         * Does the work. An interrupt that comes meanwhile repeats it.
         *
         * @throws IOException if it fails
         */
        T run() throws IOException;
    }

    /**
     * Runs work with the thread's interrupt status cleared, again if an interrupt that comes meanwhile makes it fail. The status is set
     * when the method returns or throws if the thread was interrupted before or meanwhile.
     *
     * @param <T> the type of the result
     * @param work the work, which can be repeated after a failure
     * @return the result of the work
     * @throws IOException if the work fails for another reason than an interrupt
     */
    public static <T> T run(Work<T> work) throws IOException {
        boolean interrupted = Thread.interrupted();
        try {
            while (true) {
                try {
                    return work.run();
                } catch (IOException e) {
                    if (!isInterruption(e)) {
                        throw e;
                    }
                    Thread.interrupted();
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static boolean isInterruption(Throwable e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof ClosedByInterruptException || cause instanceof FileLockInterruptionException) {
                return true;
            }
        }
        return false;
    }
}
