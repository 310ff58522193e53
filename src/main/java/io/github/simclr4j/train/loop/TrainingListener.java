// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import java.io.IOException;

/**
 * Observes a training, on the thread of the training.
 *
 * @since 0.1.0
 */
@FunctionalInterface
public interface TrainingListener {
    /**
     * Called when a run begins or continues from a checkpoint, but not if all epochs are already done.
     *
     * @param run the run
     * @throws IOException if the listener cannot prepare its output; the run warns and continues
     */
    default void runStarted(StartedRun run) throws IOException {}

    /**
     * Called when an epoch is finished and saved.
     *
     * @param summary results of the epoch
     * @throws IOException if the listener cannot write its output; the run warns and continues
     */
    void epochFinished(EpochSummary summary) throws IOException;

    /**
     * Called when the method's preparation before the first step advances; the preparation can be interrupted.
     *
     * @param done number of finished parts
     */
    default void preparing(long done) {}

    /**
     * Called after each step.
     *
     * @param step number of finished steps of the whole run
     * @param steps number of steps of the whole run
     */
    default void stepFinished(long step, long steps) {}

    /**
     * Called when the {@linkplain #runStarted started} run has ended and its last checkpoint is saved.
     *
     * @param failure why the run stopped early, an {@link java.io.InterruptedIOException} if it can be continued later; null if all
     *     epochs are done
     * @throws IOException if the listener cannot write its output; the run warns and ends as it would have
     */
    default void runEnded(Throwable failure) throws IOException {}
}
