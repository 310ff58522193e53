package io.github.simclr4j.train.loop;

import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Tells all listeners of a run. One that can't write is a warning: the run goes on. */
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
                progress.warn("the run goes on, but not all that was asked for is written: " + e.getMessage());
            }
        }
    }

    void stepFinished(long step, long steps) {
        for (TrainingListener listener : all) {
            listener.stepFinished(step, steps);
        }
    }

    void epochFinished(EpochSummary summary) {
        for (TrainingListener listener : all) {
            try {
                listener.epochFinished(summary);
            } catch (IOException e) {
                progress.warn("the run goes on, but epoch " + summary.epoch() + " has no line of metrics: " + e.getMessage());
            }
        }
    }

    /** Tells those who were told of the start that the run is over; a second call does nothing. */
    void ended(Throwable failure) {
        if (!started) {
            return;
        }
        started = false;
        for (TrainingListener listener : all) {
            try {
                listener.runEnded(failure);
            } catch (IOException | RuntimeException e) {
                // What was trained is not lost for it, nor is the reason why the run failed.
                progress.warn("what was asked for at the end of the run is not written: " + e.getMessage());
            }
        }
    }
}
