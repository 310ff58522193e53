// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Notifies the listeners of a run. A listener that cannot write causes a warning and does not stop the run. At the end of an epoch and of
 * the run listeners do not see an interrupt, which would keep some of them from writing or sending; it is restored after them.
 */
final class RunListeners {
    private final Progress progress;
    private final List<TrainingListener> all = new ArrayList<>();
    private boolean started;

    RunListeners(Progress progress) {
        this.progress = progress;
    }

    void add(TrainingListener listener) {
        all.add(listener);
    }

    void started(StartedRun run) {
        started = true;
        for (TrainingListener listener : all) {
            try {
                listener.runStarted(run);
            } catch (IOException e) {
                progress.warn("a record of the run could not be written, the run continues: " + e.getMessage());
            }
        }
    }

    void stepFinished(long step, long steps) {
        for (TrainingListener listener : all) {
            listener.stepFinished(step, steps);
        }
    }

    void epochFinished(EpochSummary summary) {
        withoutInterrupt(listener -> {
            try {
                listener.epochFinished(summary);
            } catch (IOException e) {
                progress.warn("the metrics of epoch " + summary.epoch() + " could not be written, the run continues: "
                        + e.getMessage());
            }
        });
    }

    /** Notifies the listeners that the run has ended, if they were notified of its start; a second call has no effect. */
    void ended(Throwable failure) {
        if (!started) {
            return;
        }
        started = false;
        withoutInterrupt(listener -> {
            try {
                listener.runEnded(failure);
            } catch (IOException | RuntimeException e) {
                // Must not mask the run's result or the reason of its failure.
                progress.warn("a record of the end of the run could not be written: " + e.getMessage());
            }
        });
    }

    /** Calls all listeners with the thread's interrupt status cleared, and sets it again after them. */
    private void withoutInterrupt(Consumer<TrainingListener> call) {
        boolean interrupted = Thread.interrupted();
        for (TrainingListener listener : all) {
            call.accept(listener);
            interrupted |= Thread.interrupted();
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
