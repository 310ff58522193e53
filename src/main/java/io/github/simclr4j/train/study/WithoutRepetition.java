// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.study;

import io.github.simclr4j.util.Progress;
import java.util.HashSet;
import java.util.Set;

/** Forwards progress, except for lines and warnings that were forwarded before. */
final class WithoutRepetition implements Progress {
    private final Progress progress;
    private final Set<String> said = new HashSet<>();

    WithoutRepetition(Progress progress) {
        this.progress = progress;
    }

    private synchronized boolean isNew(String text) {
        return said.add(text);
    }

    @Override
    public void start(String task, long total) {
        progress.start(task, total);
    }

    @Override
    public void at(long done, String detail) {
        progress.at(done, detail);
    }

    @Override
    public void end() {
        progress.end();
    }

    @Override
    public void line(String text) {
        if (isNew(text)) {
            progress.line(text);
        }
    }

    @Override
    public void warn(String text) {
        if (isNew(text)) {
            progress.warn(text);
        }
    }
}
