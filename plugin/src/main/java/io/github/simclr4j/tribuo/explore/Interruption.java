package io.github.simclr4j.tribuo.explore;

import java.util.concurrent.CancellationException;

/** Long work asks between its parts whether it is to go on. */
final class Interruption {
    private Interruption() {}

    /** Ends the work if the thread is interrupted, whose mark stays set. */
    static void check() {
        if (Thread.currentThread().isInterrupted()) {
            throw new CancellationException("Interrupted while images were compared");
        }
    }
}
