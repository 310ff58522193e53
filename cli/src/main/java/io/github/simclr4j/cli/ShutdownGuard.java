package io.github.simclr4j.cli;

/**
 * While it is open, the end of the process (Ctrl-C, SIGTERM) interrupts the thread that made it, so that it saves its state, and
 * waits until {@link #said} how the command ended.
 */
final class ShutdownGuard implements AutoCloseable {
    private static final long SECONDS = 30;

    /** The one that the end of the process waits for; null where it waits for none. */
    private static ShutdownGuard ending;

    private final Thread worker = Thread.currentThread();
    private final Thread hook = new Thread(this::end, "simclr-interruption");
    private boolean trained;
    private boolean said;

    ShutdownGuard() {
        Runtime.getRuntime().addShutdownHook(hook);
    }

    private void end() {
        synchronized (ShutdownGuard.class) {
            ending = this;
            if (!trained) {
                worker.interrupt();
            }
            long until = System.currentTimeMillis() + 1000 * SECONDS;
            try {
                while (!said && System.currentTimeMillis() < until) {
                    ShutdownGuard.class.wait(1000);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** What is left to do is short: from now on it is waited for and not interrupted. */
    void trained() {
        synchronized (ShutdownGuard.class) {
            trained = true;
            // One that came after the last step.
            Thread.interrupted();
        }
    }

    /** The process may end at once again, unless it is ending: then it still waits until {@link #said}. */
    @Override
    public void close() {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The process is ending already, maybe before the hook has begun.
            synchronized (ShutdownGuard.class) {
                ending = this;
            }
        }
    }

    /** Whether the process is ending and waits. */
    static boolean isEnding() {
        synchronized (ShutdownGuard.class) {
            return ending != null;
        }
    }

    /** The command has said how it ended: the process may end. */
    static void said() {
        synchronized (ShutdownGuard.class) {
            if (ending != null) {
                ending.said = true;
                ShutdownGuard.class.notifyAll();
            }
        }
    }
}
