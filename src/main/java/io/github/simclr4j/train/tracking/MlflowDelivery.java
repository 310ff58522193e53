// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.tracking;

import io.github.simclr4j.train.loop.StartedRun;
import io.github.simclr4j.train.tracking.MlflowRun.Figures;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Sends a run's data on its own thread. The training thread only adds epochs to a bounded queue, and waits only at the end of the run.
 *
 * <p>An unreachable server is retried with exponential backoff. If the server rejects a request, nothing more is sent.
 */
final class MlflowDelivery {
    /** Capacity of the queue in epochs; if it is full, the oldest epochs are dropped. */
    static final int MOST_EPOCHS = 2000;
    /** Number of epochs per request. */
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
    /** The last failure; null while there is none. */
    private String trouble;

    private boolean warned;
    private String address;

    /**
     * Time limits.
     *
     * @param first pause after a failure, which doubles with each further failure
     * @param longest longest pause
     * @param atTheEnd how long the end of a run waits for unsent data
     */
    record Limits(Duration first, Duration longest, Duration atTheEnd) {
        static final Limits USUAL = new Limits(Duration.ofSeconds(1), Duration.ofSeconds(60), Duration.ofSeconds(10));
    }

    /** Starts the delivery. */
    MlflowDelivery(MlflowServer server, String experiment, StartedRun started, Limits limits) {
        this.server = server;
        this.experiment = experiment;
        this.started = started;
        this.limits = limits;
        thread = new Thread(this::deliver, "mlflow");
        thread.setDaemon(true);
        thread.start();
    }

    /** Adds an epoch without blocking. */
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

    /** Returns the first failure once; later calls, and calls without a failure, return null. */
    synchronized String news() {
        if (trouble == null || warned) {
            return null;
        }
        warned = true;
        return trouble + "; the training continues, and "
                + (over ? "nothing more is sent" : "missing epochs are sent when the server answers again");
    }

    /** Returns the URL of the run in a browser once it is known; later calls return null. */
    synchronized String address() {
        String now = address;
        address = null;
        return now;
    }

    /**
     * Ends the run, and waits for a limited time until everything is sent.
     *
     * @param status status of the run, as MLflow names it
     * @return what was not sent and why, or null if everything was sent
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
            return lost == 0
                    ? null
                    : "not sent: the oldest " + lost + " of " + taken + " epochs, because at most " + MOST_EPOCHS
                            + " are kept";
        }
        int missing = waiting.size() + lost;
        return "not sent: " + (missing == 0 ? "" : missing + " of " + taken + " epochs and ")
                + "the final status of the run; " + (trouble == null ? "it has not answered so far" : trouble);
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
            // The run is over and does not wait any longer.
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            // For example, the response lacks fields that MLflow's has.
            refused("its response is not MLflow's (" + e.getClass().getSimpleName() + "): is the address correct?");
        }
    }

    /** Sends the next request; returns {@code false} after the last one. */
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
                // The queue may have dropped some of them in the meantime.
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

    /** Records a failure, pauses, and returns the next pause. The end of the run interrupts the pause and resets the backoff. */
    private synchronized Duration failed(String why, Duration pause) throws InterruptedException {
        trouble = why;
        boolean ending = end != null;
        long until = System.nanoTime() + pause.toNanos();
        for (long left = pause.toMillis();
                left > 0 && ending == (end != null);
                left = (until - System.nanoTime()) / 1_000_000) {
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
