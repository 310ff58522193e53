package io.github.simclr4j.cli;

/**
 * While it is open, a request to end the process (Ctrl-C, SIGTERM) interrupts the thread that made it, so that it saves its
 * state, and waits until the command has {@linkplain #finished reported} how it ended.
 */
final class ShutdownGuard implements AutoCloseable {
    private static final long SECONDS = 30;

    /** The guard that the end of the process waits for; null while the process runs. */
    private static ShutdownGuard waiting;

    private final Thread worker = Thread.currentThread();
    private final Thread hook = new Thread(this::end, "simclr-shutdown");
    private boolean uninterruptible;
    private boolean reported;

    ShutdownGuard() {
        Runtime.getRuntime().addShutdownHook(hook);
    }

    private void end() {
        synchronized (ShutdownGuard.class) {
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

    /** Lets the process end: the command has reported how it ended. */
    static void finished() {
        synchronized (ShutdownGuard.class) {
            if (waiting != null) {
                waiting.reported = true;
                ShutdownGuard.class.notifyAll();
            }
        }
    }
}
