package io.github.simclr4j.train.loop;

import ai.djl.ndarray.NDArray;
import io.github.simclr4j.util.OutputLock;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** When a run is saved, and what becomes of an interruption while it is. */
final class CheckpointPolicy implements AutoCloseable {
    private final RunOptions options;
    private final Map<String, NDArray> tensors;
    private final Progress progress;
    private final CheckpointFolder folder;
    private OutputLock lock;
    private boolean made;
    private long saved;

    CheckpointPolicy(RunOptions options, Map<String, NDArray> tensors, Progress progress) {
        this.options = options;
        this.tensors = tensors;
        this.progress = progress;
        folder = options.checkpoints() == null ? null : new CheckpointFolder(options.checkpoints());
    }

    /**
     * Keeps other runs out of the folder until this is closed, and fills the tensors from the newest good checkpoint.
     *
     * @return null where there is none
     * @throws IOException if another run writes to the folder, or if none of its checkpoints will do
     */
    Checkpoint.State read(Map<String, String> description) throws IOException {
        if (folder == null) {
            return null;
        }
        made = !Files.exists(options.checkpoints());
        Files.createDirectories(options.checkpoints());
        lock = OutputLock.of(options.checkpoints());
        folder.deleteAbandoned();
        return folder.read(description, tensors, progress::warn);
    }

    /** Lets other runs into the folder; one that was made and in which nothing was saved goes. */
    @Override
    public void close() throws IOException {
        if (lock != null) {
            lock.close();
            if (made) {
                CheckpointFolder.deleteIfEmpty(options.checkpoints());
            }
        }
    }

    /** Starts to count the minutes to the next checkpoint. */
    void begin() {
        saved = System.nanoTime();
    }

    boolean isDue() {
        return (System.nanoTime() - saved) / 1e9 > 60 * options.everyMinutes();
    }

    void save(long number, Checkpoint.State state) throws IOException {
        saved = System.nanoTime();
        if (folder == null) {
            return;
        }
        // An interrupted thread can't write.
        boolean interrupted = Thread.interrupted();
        try {
            folder.write(number, options.keep(), state, tensors);
        } catch (IOException e) {
            if (!(e.getCause() instanceof ClosedByInterruptException)) {
                throw e;
            }
            // It was interrupted while it wrote.
            interrupted = Thread.interrupted();
            folder.write(number, options.keep(), state, tensors);
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Names the last good state, for an error's message; empty where there is none. */
    String lastGood() throws IOException {
        Path newest = folder == null ? null : folder.newestSound();
        return newest == null ? "" : "; the last good state is " + newest + ", from which a run with the same settings and a lower rate continues";
    }
}
