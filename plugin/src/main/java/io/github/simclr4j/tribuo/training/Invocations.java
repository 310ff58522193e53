package io.github.simclr4j.tribuo.training;

import java.util.function.Supplier;
import org.tribuo.Trainer;
import org.tribuo.provenance.TrainerProvenance;

/** A trainer's invocation count, which goes on with each training, but not with one that fails. It may be shared by threads. */
public final class Invocations {
    private int next;

    /**
     * A training.
     *
     * @param <M> what it makes
     * @param <X> what it throws
     */
    @FunctionalInterface
    public interface Training<M, X extends Exception> {
        /**
         * Trains.
         *
         * @param provenance the trainer's, as this training begins
         * @param invocation the number of this training
         */
        M train(TrainerProvenance provenance, int invocation) throws X;
    }

    /** The number of the next training. */
    public synchronized int get() {
        return next;
    }

    /**
     * Sets the number of the next training.
     *
     * @throws IllegalArgumentException if it is negative
     */
    public synchronized void set(int count) {
        if (count < 0) {
            throw new IllegalArgumentException("Expected an invocation count of at least 0, found " + count);
        }
        next = count;
    }

    /**
     * Trains and counts it. If it fails, the count is again what it was before, unless another training has begun since.
     *
     * @param count the number of this training, or {@link Trainer#INCREMENT_INVOCATION_COUNT} for the next one
     * @param provenance asked for once the count is set
     * @throws IllegalArgumentException if the count is another negative number
     * @throws X as the training does
     */
    public <M, X extends Exception> M train(int count, Supplier<TrainerProvenance> provenance, Training<M, X> training) throws X {
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
