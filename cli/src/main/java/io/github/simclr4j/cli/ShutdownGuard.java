// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import java.util.HashMap;
import java.util.Map;
import org.jline.utils.Signals;

/**
 * Delays the end of the process until the command has saved its state. While a guard is open, a request to end the
 * process (Ctrl-C, SIGTERM) interrupts the thread that created it, and the process continues until the command has
 * {@linkplain #finished reported} how it ended. Java does not begin to shut down before that, because its shutdown runs
 * the hooks of native libraries, which release resources that other threads still use.
 *
 * <p>A shutdown hook does the same where signals can't be handled, as with {@code -Xrs}, and for other ways to end the
 * process.
 */
final class ShutdownGuard implements AutoCloseable {
    private static final long SECONDS = 30;
    private static final Map<String, Integer> SIGNALS = Map.of("INT", 2, "TERM", 15);
    /** Number that shells add to a signal's number to form the exit code. */
    private static final int SIGNALLED = 128;

    /** The guard that the end of the process waits for; null if no end was requested. */
    private static ShutdownGuard waiting;
    /** Number of the signal that requested the end; 0 if none did. */
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

    /** Handles a signal; runs in a separate thread. */
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
                // The worker is stuck: the hook need not wait for it again.
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

    /** Makes the process wait for the worker without interrupting it, because the rest of the work is short. */
    void finishing() {
        synchronized (ShutdownGuard.class) {
            uninterruptible = true;
            // Clear an interrupt that came after the last step.
            Thread.interrupted();
        }
    }

    /**
     * Lets the process end at once again. If it is already ending, it still waits for the
     * {@linkplain #finished report}.
     */
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
            // The process is already ending, possibly before the hook has started.
            synchronized (ShutdownGuard.class) {
                waiting = this;
            }
        }
    }

    /**
     * Returns whether Java is already shutting down without waiting for the command. Whatever fails then, such as a library that
     * registers its own shutdown hook, fails for this reason.
     */
    static boolean isTooLate() {
        if (requested()) {
            return false;
        }
        Thread probe = new Thread(() -> {});
        try {
            Runtime.getRuntime().addShutdownHook(probe);
            Runtime.getRuntime().removeShutdownHook(probe);
            return false;
        } catch (IllegalStateException e) {
            return true;
        }
    }

    /** Returns whether the end of the process was requested and is waiting. */
    static boolean requested() {
        synchronized (ShutdownGuard.class) {
            return waiting != null;
        }
    }

    /**
     * Lets the process end after the command has reported how it ended.
     *
     * @param code exit code of the command
     * @return exit code of the process, which is that of the signal if one ended it
     */
    static int finished(int code) {
        synchronized (ShutdownGuard.class) {
            int ended = signal == 0 ? code : SIGNALLED + signal;
            if (waiting != null) {
                waiting.reported = true;
                ShutdownGuard.class.notifyAll();
            }
            if (signal != 0) {
                // The process runs until its main method returns.
                waiting = null;
                signal = 0;
            }
            return ended;
        }
    }
}
