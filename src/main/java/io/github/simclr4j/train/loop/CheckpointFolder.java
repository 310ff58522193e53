// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import ai.djl.ndarray.NDArray;
import io.github.simclr4j.util.TemporaryFile;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The folder of a run's checkpoints, which keeps the newest few.
 *
 * <p>A damaged checkpoint is ignored: a run neither continues from it nor counts it among those to keep. Entries that are not
 * regular files are ignored, too. Not thread-safe.
 *
 * @since 0.1.0
 */
public final class CheckpointFolder {
    private static final Pattern NAME = Pattern.compile("step-\\d{10}\\.ckpt");
    /** Temporary files that versions up to November 2026 left when they were killed. */
    private static final Pattern OLD_PART = Pattern.compile(NAME + "\\.part");

    /** Size and time of a file when it was found to be undamaged. */
    private record Seen(long size, FileTime time) {
        static Seen of(Path file) throws IOException {
            return new Seen(Files.size(file), Files.getLastModifiedTime(file));
        }
    }

    private final Path folder;
    private final Map<Path, Seen> sound = new HashMap<>();

    /** Uses a folder, which need not exist. */
    public CheckpointFolder(Path folder) {
        this.folder = folder;
    }

    /**
     * Writes a checkpoint and deletes old ones.
     *
     * @param number number of finished steps of the whole run
     * @param keep number of undamaged checkpoints to keep, at least 1; the new one is always kept
     * @param state position of the run
     * @param tensors tensors by name
     * @throws IOException if the checkpoint cannot be written, for example on a full disk; the previous ones are kept
     */
    public void write(long number, int keep, Checkpoint.State state, Map<String, NDArray> tensors) throws IOException {
        Path file = folder.resolve(String.format(Locale.ROOT, "step-%010d.ckpt", number));
        try {
            Checkpoint.write(file, state, tensors);
            sound.put(file, Seen.of(file));
            deleteAllBut(file, keep);
        } catch (IOException e) {
            throw new IOException(
                    "Can't write the checkpoint " + file + ": " + e
                            + "; free some space and train again with the same settings",
                    e);
        }
    }

    private void deleteAllBut(Path written, int keep) throws IOException {
        List<Path> all = list();
        int kept = 1;
        for (int i = all.size() - 1; i >= 0; i--) {
            Path file = all.get(i);
            if (file.equals(written)) {
                continue;
            }
            if (kept < keep && isSound(file)) {
                kept++;
            } else {
                Files.deleteIfExists(file);
                sound.remove(file);
            }
        }
    }

    private boolean isSound(Path file) throws IOException {
        Seen now = Seen.of(file);
        if (!now.equals(sound.get(file))) {
            sound.remove(file);
            if (Checkpoint.sound(file)) {
                sound.put(file, now);
            }
        }
        return sound.containsKey(file);
    }

    /**
     * Loads the tensors from the newest undamaged checkpoint.
     *
     * @param settings settings of the current run
     * @param tensors tensors by name, overwritten in place
     * @param warn receives a warning for each damaged checkpoint
     * @return the position of the run, or null if there is no checkpoint
     * @throws IOException if the checkpoint belongs to another run, or if all checkpoints are damaged
     */
    public Checkpoint.State read(Map<String, String> settings, Map<String, NDArray> tensors, Consumer<String> warn)
            throws IOException {
        List<Path> all = list();
        for (int i = all.size() - 1; i >= 0; i--) {
            if (isSound(all.get(i))) {
                return Checkpoint.fill(all.get(i), settings, tensors, warn);
            }
            warn.accept(all.get(i) + " is damaged" + (i > 0 ? ", trying the previous one" : ""));
        }
        if (!all.isEmpty()) {
            throw new IOException("All checkpoints in " + folder + " are damaged: delete the folder to start over");
        }
        return null;
    }

    /** Returns the newest undamaged checkpoint; null if there is none. */
    Path newestSound() throws IOException {
        List<Path> all = list();
        for (int i = all.size() - 1; i >= 0; i--) {
            if (isSound(all.get(i))) {
                return all.get(i);
            }
        }
        return null;
    }

    /**
     * Returns the newest undamaged checkpoint.
     *
     * @throws IOException if there is none
     */
    public Path newest() throws IOException {
        Path newest = newestSound();
        if (newest == null) {
            throw new IOException(
                    list().isEmpty()
                            ? "No checkpoint in " + folder + ": expected step-*.ckpt files"
                            : "All checkpoints in " + folder + " are damaged");
        }
        return newest;
    }

    /** Deletes incomplete files of killed processes. */
    void deleteAbandoned() throws IOException {
        if (Files.isDirectory(folder)) {
            TemporaryFile.deleteAbandoned(folder, NAME);
        }
    }

    /**
     * Deletes the checkpoints, and the folder if it is then empty. A missing folder counts as empty.
     *
     * @throws IOException if a file cannot be deleted
     */
    public void delete() throws IOException {
        deleteAbandoned();
        for (Pattern name : List.of(NAME, OLD_PART)) {
            for (Path file : list(name)) {
                Files.delete(file);
            }
        }
        deleteIfEmpty(folder);
    }

    /** Deletes a folder if it is empty. */
    static void deleteIfEmpty(Path folder) throws IOException {
        try {
            if (!Files.isSymbolicLink(folder)) {
                Files.deleteIfExists(folder);
            }
        } catch (DirectoryNotEmptyException e) {
            // The folder holds files of someone else.
        }
    }

    /** Returns the checkpoints, damaged ones included, the oldest first. */
    public List<Path> list() throws IOException {
        return list(NAME);
    }

    private List<Path> list(Pattern name) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(f -> name.matcher(f.getFileName().toString()).matches() && Files.isRegularFile(f))
                    .sorted(Comparator.comparing(Path::getFileName))
                    .toList();
        }
    }
}
