package io.github.simclr4j.train.loop;

import io.github.simclr4j.train.monitor.Metrics;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/** Adds a line of JSON an epoch to the file of metrics. */
final class MetricsLines implements TrainingListener, AutoCloseable {
    private final Metrics metrics;

    MetricsLines(Metrics metrics) {
        this.metrics = metrics;
    }

    @Override
    public void epochFinished(EpochSummary e) throws IOException {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("epoch", e.epoch());
        line.put("loss", e.figures().loss());
        line.put("learningRate", e.learningRate());
        line.put("viewsPerSecond", e.viewsPerSecond());
        line.put("top1", e.figures().top1());
        line.put("top5", e.figures().top5());
        line.put("alignment", e.figures().alignment());
        line.put("uniformity", e.figures().uniformity());
        line.put("spread", e.figures().spread());
        line.put("effectiveRank", e.figures().effectiveRank());
        line.putAll(e.figures().others());
        if (!Double.isNaN(e.knn())) {
            line.put("knn", e.knn());
        }
        if (!e.warnings().isEmpty()) {
            line.put("warnings", e.warnings());
        }
        metrics.add(line);
    }

    @Override
    public void close() throws IOException {
        metrics.close();
    }
}
