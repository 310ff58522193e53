// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import java.util.HashMap;
import java.util.Map;
import org.jline.utils.Signals;

/**
 * While it is open, a request to end the process (Ctrl-C, SIGTERM) interrupts the thread that made it, so that it saves its
 * state, and the process goes on until the command has {@linkplain #finished reported} how it ended. Java does not begin to shut down
 * before that: its shutdown would run the hooks of native libraries, which take away what other threads still compute with.
 *
 * <p>Where signals can't be handled, as under {@code -Xrs}, and for other ways to end a process, a hook of the shutdown does the same.
 */
final class ShutdownGuard implements AutoCloseable {
    private static final long SECONDS = 30;
    private static final Map<String, Integer> SIGNALS = Map.of("INT", 2, "TERM", 15);
    /** What a shell adds to a signal's number for the exit code. */
    private static final int SIGNALLED = 128;

    /** The guard that the end of the process waits for; null while nobody asked for an end. */
    private static ShutdownGuard waiting;
    /** The number of the signal that asked for the end; 0 if none did. */
    private static int signal;

    private final Thread worker = Thread.currentThread();
    private final Thread hook = new Thread(this::end, "simclr-shutdown");
    private final Map<String, Object> handlers = new HashMap<>();
    private boolean uninterruptible;
    private boolean reported;

    ShutdownGuard() {
        Runtime.getRuntime().addShutdownHook(hook);
        SIGNALS.forEach((name, number) -> handlers.put(name, Signals.register(name, () -> received(number))));
    }

    /** Runs in a thread of its own. */
    private void received(int number) {
        synchronized (ShutdownGuard.class) {
            if (signal != 0) {
                return;
            }
            signal = number;
        }
        end();
        synchronized (ShutdownGuard.class) {
            if (!reported) {
                // The worker is stuck: the hook need not wait for it once more.
                reported = true;
            } else {
                return;
            }
        }
        System.exit(SIGNALLED + number);
    }

    private void end() {
        synchronized (ShutdownGuard.class) {
            if (reported) {
                return;
            }
            waiting = this;
            if (!uninterruptible) {
                worker.interrupt();
            }
            long until = System.currentTimeMillis() + 1000 * SECONDS;
            try {
                while (!reported && System.currentTimeMillis() < until) {
                    ShutdownGuard.class.wait(1000);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** From now on the process waits for the worker and does not interrupt it: what is left to do is short. */
    void finishing() {
        synchronized (ShutdownGuard.class) {
            uninterruptible = true;
            // An interrupt that came after the last step.
            Thread.interrupted();
        }
    }

    /** The process may end at once again. If it is ending already, it still waits for the {@linkplain #finished report}. */
    @Override
    public void close() {
        handlers.forEach((name, handler) -> {
            if (handler != null) {
                Signals.unregister(name, handler);
            }
        });
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The process is ending already, maybe before the hook has begun.
            synchronized (ShutdownGuard.class) {
                waiting = this;
            }
        }
    }

    /** Returns whether the process was asked to end and waits. */
    static boolean requested() {
        synchronized (ShutdownGuard.class) {
            return waiting != null;
        }
    }

    /**
     * Lets the process end: the command has reported how it ended.
     *
     * @param code exit code of the command
     * @return that of the process, which says that a signal ended it if one did
     */
    static int finished(int code) {
        synchronized (ShutdownGuard.class) {
            int ended = signal == 0 ? code : SIGNALLED + signal;
            if (waiting != null) {
                waiting.reported = true;
                ShutdownGuard.class.notifyAll();
            }
            if (signal != 0) {
                // The process goes on until its main method returns.
                waiting = null;
                signal = 0;
            }
            return ended;
        }
    }
}
