package io.github.simclr4j.train.loop;

import java.io.IOException;

/** Is told how a training goes on, on the training's own thread. */
@FunctionalInterface
public interface TrainingListener {
    /**
     * A run begins, or continues from a checkpoint; not called where all epochs are done already.
     *
     * @throws IOException if the listener can't prepare what it wants to; the run warns and goes on
     */
    default void runStarted(StartedRun run) throws IOException {}

    /**
     * An epoch is over and saved.
     *
     * @throws IOException if the listener can't write what it wants to; the run warns and goes on
     */
    void epochFinished(EpochSummary summary) throws IOException;

    /**
     * Something that the method needs before the first step goes on; it can be interrupted.
     *
     * @param done parts that are done
     */
    default void preparing(long done) {}

    /**
     * A step was taken.
     *
     * @param step steps of the whole run that are done
     * @param steps steps of the whole run
     */
    default void stepFinished(long step, long steps) {}

    /**
     * The run that was {@linkplain #runStarted started} is over, and its last checkpoint is saved.
     *
     * @param failure why it did not come to its end, an {@link java.io.InterruptedIOException} if it is to be continued later; null
     *     if all epochs are done
     * @throws IOException if the listener can't write what it wants to; the run warns, and ends as it would have
     */
    default void runEnded(Throwable failure) throws IOException {}
}
