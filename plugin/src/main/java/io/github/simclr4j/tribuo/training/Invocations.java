// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.training;

import java.util.function.Supplier;
import org.tribuo.Trainer;
import org.tribuo.provenance.TrainerProvenance;

/**
 * Counts the invocations of a trainer. A training that fails is not counted. Thread-safe.
 *
 * @since 0.1.0
 */
public final class Invocations {
    private int next;

    /**
     * A training run.
     *
     * @param <M> the type of the trained model
     * @param <X> the type of exceptions that it throws
     */
    @FunctionalInterface
    public interface Training<M, X extends Exception> {
        /**
         * Trains a model.
         *
         * @param provenance the trainer's provenance at the start of this training
         * @param invocation the invocation count of this training
         */
        M train(TrainerProvenance provenance, int invocation) throws X;
    }

    /** Returns the invocation count of the next training. */
    public synchronized int get() {
        return next;
    }

    /**
     * Sets the invocation count of the next training.
     *
     * @param count the count, at least 0
     * @throws IllegalArgumentException if the count is negative
     */
    public synchronized void set(int count) {
        if (count < 0) {
            throw new IllegalArgumentException("Expected an invocation count of at least 0, found " + count);
        }
        next = count;
    }

    /**
     * Runs and counts a training. If it fails, the count is reset, unless another training has begun since.
     *
     * @param <M> the type of the trained model
     * @param <X> the type of exceptions that the training throws
     * @param count the invocation count of this training, or {@link Trainer#INCREMENT_INVOCATION_COUNT} for the next one
     * @param provenance supplies the trainer's provenance; called after the count is set
     * @param training the training
     * @return the trained model
     * @throws IllegalArgumentException if the count is any other negative number
     * @throws X if the training throws it
     */
    public <M, X extends Exception> M train(int count, Supplier<TrainerProvenance> provenance, Training<M, X> training)
            throws X {
        TrainerProvenance now;
        int before;
        int invocation;
        synchronized (this) {
            before = next;
            if (count != Trainer.INCREMENT_INVOCATION_COUNT) {
                set(count);
            }
            now = provenance.get();
            invocation = next++;
        }
        boolean trained = false;
        try {
            M model = training.train(now, invocation);
            trained = true;
            return model;
        } finally {
            if (!trained) {
                giveBack(invocation, before);
            }
        }
    }

    private synchronized void giveBack(int invocation, int before) {
        if (next == invocation + 1) {
            next = before;
        }
    }
}
