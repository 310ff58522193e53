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
 * Records a run on an <a href="https://mlflow.org">MLflow</a> tracking server: the settings as parameters, the figures of each epoch
 * as metrics with the epoch as their step, and how the run ended. A run that continues goes on with its own run there.
 *
 * <p>A server that is slow, away or faulty never stops or slows the training: all is sent by a thread of its own, from a queue of
 * limited length. Trouble is one warning, and at the end of the run, which waits for at most ten seconds, another says what the
 * server has not got. For one run after the other, on the run's thread.
 */
public final class MlflowListener implements TrainingListener {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    private final MlflowServer server;
    private final String experiment;
    private final MlflowDelivery.Limits limits;
    private final Progress progress;
    private MlflowDelivery delivery;

    /**
     * Says where runs are recorded; nothing is sent before one starts.
     *
     * @param server its address, such as {@code http://localhost:5000}
     * @param experiment the name of an experiment, which is made where it is missing
     * @param environment variables that MLflow itself takes for access: {@code MLFLOW_TRACKING_USERNAME} and
     *     {@code MLFLOW_TRACKING_PASSWORD}, or {@code MLFLOW_TRACKING_TOKEN}; {@link System#getenv()}, as a rule
     * @param progress who is warned, on the run's thread
     * @throws IllegalArgumentException if the address is not {@code http} or {@code https} with a host, or if it has a password, a
     *     query or a fragment
     */
    public MlflowListener(URI server, String experiment, Map<String, String> environment, Progress progress) {
        this(new MlflowServer(server, environment, TIMEOUT), experiment, MlflowDelivery.Limits.USUAL, progress);
    }

    MlflowListener(MlflowServer server, String experiment, MlflowDelivery.Limits limits, Progress progress) {
        if (experiment.isBlank()) {
            throw new IllegalArgumentException("An experiment of MLflow has a name, found none");
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
        String missing = last.end(failure == null ? "FINISHED"
                : failure instanceof InterruptedIOException || failure instanceof CancellationException ? "KILLED" : "FAILED");
        show(last.address());
        if (missing != null) {
            progress.warn("MLflow at " + server.uri() + ": " + missing);
        }
    }

    /** Says on the run's thread what the other one knows: who listens need not be ready for several. */
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
