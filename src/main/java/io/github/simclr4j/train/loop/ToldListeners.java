// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import io.github.simclr4j.util.Progress;
import java.util.List;

/**
 * Reports the progress of work before the first step also to a run's listeners.
 *
 * @param told receives all events
 * @param listeners receive the number of finished parts
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
