// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.tracking;

import io.github.simclr4j.train.loop.EpochSummary;
import io.github.simclr4j.train.loop.StartedRun;
import io.github.simclr4j.train.loop.TrainingListener;
import io.github.simclr4j.util.Progress;
import java.io.InterruptedIOException;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CancellationException;

/**
 * Records a run on an <a href="https://mlflow.org">MLflow</a> tracking server: settings as parameters, metrics of each epoch with the
 * epoch as the step, and the final status. A continued run continues its MLflow run.
 *
 * <p>A slow, unreachable or faulty server never stops or slows the training, because a separate thread sends the data from a bounded
 * queue. The first failure causes a warning. The end of the run waits at most ten seconds, and another warning tells what could not be
 * sent. A listener can observe several runs one after the other. Not thread-safe.
 *
 * @since 0.1.0
 */
public final class MlflowListener implements TrainingListener {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    private final MlflowServer server;
    private final String experiment;
    private final MlflowDelivery.Limits limits;
    private final Progress progress;
    private MlflowDelivery delivery;

    /**
     * Creates a listener; nothing is sent before a run starts.
     *
     * @param server URL of the server, such as {@code http://localhost:5000}
     * @param experiment name of an experiment, which is created if it does not exist
     * @param environment environment variables with MLflow's credentials: {@code MLFLOW_TRACKING_USERNAME} and
     *     {@code MLFLOW_TRACKING_PASSWORD}, or {@code MLFLOW_TRACKING_TOKEN}; usually {@link System#getenv()}
     * @param progress receives warnings, on the run's thread
     * @throws IllegalArgumentException if the URL is not {@code http} or {@code https} with a host, or has a password, a query or a
     *     fragment
     */
    public MlflowListener(URI server, String experiment, Map<String, String> environment, Progress progress) {
        this(new MlflowServer(server, environment, TIMEOUT), experiment, MlflowDelivery.Limits.USUAL, progress);
    }

    MlflowListener(MlflowServer server, String experiment, MlflowDelivery.Limits limits, Progress progress) {
        if (experiment.isBlank()) {
            throw new IllegalArgumentException("The name of the MLflow experiment must not be empty");
        }
        this.server = server;
        this.experiment = experiment;
        this.limits = limits;
        this.progress = progress;
    }

    @Override
    public void runStarted(StartedRun run) {
        delivery = new MlflowDelivery(server, experiment, run, limits);
    }

    @Override
    public void stepFinished(long step, long steps) {
        tell();
    }

    @Override
    public void epochFinished(EpochSummary epoch) {
        Map<String, Double> values = Scalars.of(epoch);
        if (delivery != null && !values.isEmpty()) {
            delivery.add(new MlflowRun.Figures(epoch.epoch(), System.currentTimeMillis(), values));
            tell();
        }
    }

    @Override
    public void runEnded(Throwable failure) {
        if (delivery == null) {
            return;
        }
        MlflowDelivery last = delivery;
        delivery = null;
        String missing = last.end(
                failure == null
                        ? "FINISHED"
                        : failure instanceof InterruptedIOException || failure instanceof CancellationException
                                ? "KILLED"
                                : "FAILED");
        show(last.address());
        if (missing != null) {
            progress.warn("MLflow at " + server.uri() + ": " + missing);
        }
    }

    /** Reports on the run's thread what the delivery thread has found out, because listeners need not be thread-safe. */
    private void tell() {
        if (delivery == null) {
            return;
        }
        show(delivery.address());
        String news = delivery.news();
        if (news != null) {
            progress.warn("MLflow at " + server.uri() + ": " + news);
        }
    }

    private void show(String address) {
        if (address != null) {
            progress.line("MLflow: " + address);
        }
    }
}
