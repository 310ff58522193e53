package io.github.simclr4j.train.loop;

import io.github.simclr4j.train.monitor.Metrics;
import java.io.IOException;

/** Adds a line of JSON an epoch to the file of metrics. */
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
