package io.github.simclr4j.train.loop;

import ai.djl.ndarray.NDArray;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** When a run is saved, and what becomes of an interruption while it is. */
final class CheckpointPolicy {
    private final RunOptions options;
    private final Map<String, NDArray> tensors;
    private final Progress progress;
    private long saved;

    CheckpointPolicy(RunOptions options, Map<String, NDArray> tensors, Progress progress) {
        this.options = options;
        this.tensors = tensors;
        this.progress = progress;
    }

    /** Fills the tensors from the newest good checkpoint; null where there is none. */
    Checkpoint.State read(Map<String, String> description) throws IOException {
        return options.checkpoints() == null
                ? null : Checkpoint.read(options.checkpoints(), description, tensors, progress::warn);
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
        if (options.checkpoints() == null) {
            return;
        }
        // An interrupted thread can't write.
        boolean interrupted = Thread.interrupted();
        try {
            Checkpoint.write(options.checkpoints(), number, options.keep(), state, tensors);
        } catch (IOException e) {
            if (!(e.getCause() instanceof ClosedByInterruptException)) {
                throw e;
            }
            // It was interrupted while it wrote.
            interrupted = Thread.interrupted();
            Checkpoint.write(options.checkpoints(), number, options.keep(), state, tensors);
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Names the last good state, for an error's message; empty where there is none. */
    String lastGood() throws IOException {
        if (options.checkpoints() == null) {
            return "";
        }
        List<Path> all = Checkpoint.list(options.checkpoints());
        return all.isEmpty() ? "" : "; the last good state is " + all.get(all.size() - 1)
                + ", from which a run with the same settings and a lower rate continues";
    }
}
