// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.study;

import io.github.simclr4j.util.OptionValues;

/**
 * Compares batch sizes and numbers of epochs.
 *
 * @since 0.1.0
 */
public final class BatchStudy implements Study {
    @Override
    public String name() {
        return "batch";
    }

    @Override
    public String summary() {
        return "How much larger batches and longer training improve the features";
    }

    @Override
    public String source() {
        return "Chen et al. 2020, figure 9";
    }

    @Override
    public StudyPlan plan(OptionValues options) {
        return StudyPlan.of(
                Chart.LINES, Axis.of("epochs", "5", "10", "20", "40"), Axis.of("batch", "64", "128", "256", "512"));
    }
}
