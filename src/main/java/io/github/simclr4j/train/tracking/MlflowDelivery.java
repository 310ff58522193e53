package io.github.simclr4j.train.tracking;

import io.github.simclr4j.train.loop.StartedRun;
import io.github.simclr4j.train.tracking.MlflowRun.Figures;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Sends what a run comes to on a thread of its own. The run's thread puts epochs into a queue of limited length and never waits
 * before the run is over. A server that can't be reached is asked again, less and less often; one that refuses is left alone.
 */
final class MlflowDelivery {
    /** Epochs that wait to be sent; if there are more, the oldest are lost. */
    static final int MOST_EPOCHS = 2000;
    /** Epochs of a call. */
    private static final int AT_ONCE = 50;

    private final MlflowServer server;
    private final String experiment;
    private final StartedRun started;
    private final long began = System.currentTimeMillis();
    private final Limits limits;
    private final Thread thread;

    private final Deque<Figures> waiting = new ArrayDeque<>();
    private int taken;
    private int lost;
    private String end;
    private long ended;
    private boolean over;
    /** What the last failure was; null while all goes well. */
    private String trouble;
    private boolean warned;
    private String address;

    /**
     * Times.
     *
     * @param first pause after a failure, which doubles with each that follows it
     * @param longest pause
     * @param atTheEnd how long the end of a run waits at most for what is not sent yet
     */
    record Limits(Duration first, Duration longest, Duration atTheEnd) {
        static final Limits USUAL = new Limits(Duration.ofSeconds(1), Duration.ofSeconds(60), Duration.ofSeconds(10));
    }

    /** Begins to send. */
    MlflowDelivery(MlflowServer server, String experiment, StartedRun started, Limits limits) {
        this.server = server;
        this.experiment = experiment;
        this.started = started;
        this.limits = limits;
        thread = new Thread(this::deliver, "mlflow");
        thread.setDaemon(true);
        thread.start();
    }

    /** Adds an epoch, and returns at once. */
    synchronized void add(Figures epoch) {
        taken++;
        if (over) {
            lost++;
            return;
        }
        if (waiting.size() == MOST_EPOCHS) {
            waiting.removeFirst();
            lost++;
        }
        waiting.addLast(epoch);
        notifyAll();
    }

    /** Returns what went wrong, the first time that it is asked for after the first failure; otherwise null. */
    synchronized String news() {
        if (trouble == null || warned) {
            return null;
        }
        warned = true;
        return trouble + "; the training goes on, and "
                + (over ? "nothing more is sent" : "what is missing is sent when the server answers");
    }

    /** Returns where a browser shows the run, once it is known, the first time that it is asked for; otherwise null. */
    synchronized String address() {
        String now = address;
        address = null;
        return now;
    }

    /**
     * Says that the run is over, and waits for a limited time until all is sent.
     *
     * @param status as MLflow names it
     * @return what was not sent, and why; null if all was
     */
    synchronized String end(String status) {
        end = status;
        ended = System.currentTimeMillis();
        notifyAll();
        long until = System.nanoTime() + limits.atTheEnd().toNanos();
        try {
            while (!over) {
                long left = (until - System.nanoTime()) / 1_000_000;
                if (left <= 0) {
                    break;
                }
                wait(left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        boolean ending = over && trouble == null;
        over = true;
        thread.interrupt();
        if (ending) {
            return lost == 0 ? null : "not sent: the oldest " + lost + " of " + taken + " epochs; " + MOST_EPOCHS + " are kept at most";
        }
        int missing = waiting.size() + lost;
        return "not sent: " + (missing == 0 ? "" : missing + " of " + taken + " epochs and ") + "how the run ended; "
                + (trouble == null ? "it has not answered so far" : trouble);
    }

    private void deliver() {
        MlflowRun run = null;
        Duration pause = limits.first();
        try {
            while (true) {
                try {
                    if (run == null) {
                        run = MlflowRun.open(server, experiment, started, began);
                        tell(run.address());
                    } else if (!next(run)) {
                        return;
                    }
                    pause = limits.first();
                    well();
                } catch (MlflowFailure e) {
                    if (e.isLasting()) {
                        refused(e.getMessage());
                        return;
                    }
                    pause = failed(e.getMessage(), pause);
                }
            }
        } catch (InterruptedException e) {
            // The run is over and waits no longer.
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            // What it answers has other parts than MLflow's, for example.
            refused("what it answers is not MLflow's (" + e.getClass().getSimpleName() + "): is the address right?");
        }
    }

    /** Sends what comes next; returns false when that was the last. */
    private boolean next(MlflowRun run) throws MlflowFailure, InterruptedException {
        List<Figures> some = new ArrayList<>();
        String status;
        synchronized (this) {
            while (waiting.isEmpty() && end == null) {
                wait();
            }
            waiting.stream().limit(AT_ONCE).forEach(some::add);
            status = end;
        }
        if (!some.isEmpty()) {
            run.log(some);
            synchronized (this) {
                // Some may have given way to newer ones already.
                some.forEach(f -> {
                    if (waiting.peekFirst() == f) {
                        waiting.removeFirst();
                    }
                });
            }
            return true;
        }
        run.status(status, ended);
        synchronized (this) {
            trouble = null;
            over = true;
            notifyAll();
        }
        return false;
    }

    private synchronized void tell(String where) {
        address = where;
    }

    private synchronized void well() {
        trouble = null;
    }

    /** Notes a failure, pauses, and returns the next pause. The end of the run cuts a pause short, and begins with short ones again. */
    private synchronized Duration failed(String why, Duration pause) throws InterruptedException {
        trouble = why;
        boolean ending = end != null;
        long until = System.nanoTime() + pause.toNanos();
        for (long left = pause.toMillis(); left > 0 && ending == (end != null); left = (until - System.nanoTime()) / 1_000_000) {
            wait(left);
        }
        if (ending != (end != null)) {
            return limits.first();
        }
        return pause.multipliedBy(2).compareTo(limits.longest()) > 0 ? limits.longest() : pause.multipliedBy(2);
    }

    private synchronized void refused(String why) {
        trouble = why;
        over = true;
        notifyAll();
    }
}
