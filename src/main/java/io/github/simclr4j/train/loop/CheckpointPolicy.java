// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import ai.djl.ndarray.NDArray;
import io.github.simclr4j.util.OutputLock;
import io.github.simclr4j.util.Progress;
import io.github.simclr4j.util.Uninterrupted;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Decides when a run is saved. An interrupted run is saved, too; its thread stays interrupted. */
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
     * Locks the folder against other runs until this policy is closed, and loads the tensors from the newest undamaged checkpoint.
     *
     * @param description settings of the current run
     * @return the position of the run, or null if there is no checkpoint
     * @throws IOException if another run writes to the folder, or if its checkpoints cannot be used
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

    /** Unlocks the folder, and deletes it if this run created it and saved nothing. */
    @Override
    public void close() throws IOException {
        if (lock != null) {
            lock.close();
            if (made) {
                CheckpointFolder.deleteIfEmpty(options.checkpoints());
            }
        }
    }

    /** Starts the interval to the next checkpoint. */
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
        Uninterrupted.run(() -> {
            folder.write(number, options.keep(), state, tensors);
            return null;
        });
    }

    /** Returns a phrase with the last good checkpoint for an error message; empty if there is none. */
    String lastGood() throws IOException {
        Path newest = folder == null ? null : folder.newestSound();
        return newest == null
                ? ""
                : "; the last good checkpoint is " + newest
                        + ", from which a run with the same settings and a lower learning" + " rate continues";
    }
}
