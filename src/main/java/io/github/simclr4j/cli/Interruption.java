package io.github.simclr4j.cli;

/**
 * While it is open, the end of the process (Ctrl-C, SIGTERM) interrupts the thread that made it and waits for it, so that it can
 * save its state.
 */
final class Interruption implements AutoCloseable {
    private static final long SECONDS = 30;

    private final Thread hook;
    private volatile boolean ended;

    Interruption() {
        Thread worker = Thread.currentThread();
        hook = new Thread(() -> {
            worker.interrupt();
            try {
                synchronized (this) {
                    long until = System.currentTimeMillis() + 1000 * SECONDS;
                    while (!ended && System.currentTimeMillis() < until) {
                        wait(1000);
                    }
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }, "simclr-interruption");
        Runtime.getRuntime().addShutdownHook(hook);
    }

    @Override
    public void close() {
        synchronized (this) {
            ended = true;
            notifyAll();
        }
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The process is ending already.
        }
    }
}
