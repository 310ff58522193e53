// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.util.Progress;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** Prints progress to standard error: a bar on a terminal, as reported by the launcher, and plain lines otherwise. */
final class Console implements Progress {
    /** Work of fewer parts prints no line. */
    private static final long LONG = 1000;

    private final boolean terminal = Boolean.getBoolean("simclr.terminal");
    private ProgressBar bar;

    @Override
    public void start(String task, long total) {
        if (terminal) {
            bar = new ProgressBarBuilder()
                    .setTaskName(task)
                    .setInitialMax(total)
                    .setStyle(ProgressBarStyle.ASCII)
                    .setUpdateIntervalMillis(200)
                    .clearDisplayOnFinish()
                    .build();
        } else if (total >= LONG) {
            System.err.println(task + ": " + total);
        }
    }

    @Override
    public void at(long done, String detail) {
        if (bar != null) {
            bar.stepTo(done);
            bar.setExtraMessage(detail);
        }
    }

    @Override
    public void end() {
        if (bar != null) {
            bar.close();
            bar = null;
        }
    }

    @Override
    public void line(String text) {
        System.err.println(text);
    }

    @Override
    public void warn(String text) {
        System.err.println("warning: " + OptionNames.commands(text));
    }
}
