// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import io.github.simclr4j.train.monitor.Metrics;
import java.io.IOException;

/** Appends one line of JSON per epoch to the metrics file. */
final class MetricsLines implements TrainingListener, AutoCloseable {
    private final Metrics metrics;

    MetricsLines(Metrics metrics) {
        this.metrics = metrics;
    }

    @Override
    public void epochFinished(EpochSummary e) throws IOException {
        metrics.add(e.toMap());
    }

    @Override
    public void close() throws IOException {
        metrics.close();
    }
}
