package io.github.simclr4j.train.loop;

import io.github.simclr4j.util.Progress;
import java.util.List;

/**
 * Passes on how far what comes before the first step is, to a run's listeners as well.
 *
 * @param told hears of everything
 * @param listeners hear how many parts are done
 */
record ToldListeners(Progress told, List<TrainingListener> listeners) implements Progress {
    @Override
    public void start(String task, long total) {
        told.start(task, total);
    }

    @Override
    public void at(long done, String detail) {
        told.at(done, detail);
        listeners.forEach(l -> l.preparing(done));
    }

    @Override
    public void end() {
        told.end();
    }

    @Override
    public void line(String text) {
        told.line(text);
    }

    @Override
    public void warn(String text) {
        told.warn(text);
    }
}
