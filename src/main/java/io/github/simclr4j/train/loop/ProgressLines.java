// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import io.github.simclr4j.util.Progress;
import java.util.Locale;

/** Prints a line of metrics and the warnings of each epoch. */
final class ProgressLines implements TrainingListener {
    private final Progress progress;

    ProgressLines(Progress progress) {
        this.progress = progress;
    }

    @Override
    public void epochFinished(EpochSummary e) {
        StringBuilder line = new StringBuilder(format(
                "epoch %d/%d  loss %.4f  rate %.2g",
                e.epoch(), e.epochs(), e.figures().loss(), e.learningRate()));
        if (!Double.isNaN(e.figures().top1()) || e.figures().none()) {
            line.append(format(
                    "  top-1 %.1f%%  top-5 %.1f%%",
                    100 * e.figures().top1(), 100 * e.figures().top5()));
        }
        line.append(format(
                "  alignment %.3f  uniformity %.2f  spread %.2f  rank %.1f",
                e.figures().alignment(),
                e.figures().uniformity(),
                e.figures().spread(),
                e.figures().effectiveRank()));
        e.figures().others().forEach((name, value) -> line.append(format("  %s %.4g", name, value)));
        if (!Double.isNaN(e.knn())) {
            line.append(format("  knn %.2f%%", 100 * e.knn()));
        }
        progress.line(line.append(format("  %.0f views/s", e.viewsPerSecond())).toString());
        e.warnings().forEach(w -> progress.warn("epoch " + e.epoch() + ": " + w));
    }

    private static String format(String text, Object... values) {
        return String.format(Locale.ROOT, text, values);
    }
}
