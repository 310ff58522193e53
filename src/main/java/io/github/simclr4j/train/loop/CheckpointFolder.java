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
 * The checkpoints of a run, of which the newest few stay. A damaged one counts as none: neither is it continued from, nor does it
 * take the place of a whole one. What is no file, such as a folder of that name, is passed over. One thread uses it at a time.
 */
public final class CheckpointFolder {
    private static final Pattern NAME = Pattern.compile("step-\\d{10}\\.ckpt");
    /** What programs up to November 2026 left when they were killed. */
    private static final Pattern OLD_PART = Pattern.compile(NAME + "\\.part");

    /** What a file had when it was found to be whole. */
    private record Seen(long size, FileTime time) {
        static Seen of(Path file) throws IOException {
            return new Seen(Files.size(file), Files.getLastModifiedTime(file));
        }
    }

    private final Path folder;
    private final Map<Path, Seen> sound = new HashMap<>();

    /** The checkpoints in a folder, which need not exist. */
    public CheckpointFolder(Path folder) {
        this.folder = folder;
    }

    /**
     * Writes the state and deletes all but the newest whole checkpoints.
     *
     * @param number steps of the whole run that are done
     * @param keep how many whole ones stay, at least 1; the one written always does
     * @throws IOException if the disk is full, say; the checkpoints before stay
     */
    public void write(long number, int keep, Checkpoint.State state, Map<String, NDArray> tensors) throws IOException {
        Path file = folder.resolve(String.format(Locale.ROOT, "step-%010d.ckpt", number));
        try {
            Checkpoint.write(file, state, tensors);
            sound.put(file, Seen.of(file));
            deleteAllBut(file, keep);
        } catch (IOException e) {
            throw new IOException("Can't write the checkpoint " + file + ": " + e
                    + "; free some space and train again with the same settings", e);
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
     * Fills the tensors from the newest whole checkpoint.
     *
     * @param settings the present run's
     * @return where the run is, or null where there is no checkpoint
     * @throws IOException if it belongs to another run, or if all are damaged
     */
    public Checkpoint.State read(Map<String, String> settings, Map<String, NDArray> tensors, Consumer<String> warn)
            throws IOException {
        List<Path> all = list();
        for (int i = all.size() - 1; i >= 0; i--) {
            if (isSound(all.get(i))) {
                return Checkpoint.fill(all.get(i), settings, tensors, warn);
            }
            warn.accept(all.get(i) + " is damaged" + (i > 0 ? ", taking the one before" : ""));
        }
        if (!all.isEmpty()) {
            throw new IOException("No checkpoint in " + folder + " is whole: delete the folder to start anew");
        }
        return null;
    }

    /** Returns the newest whole checkpoint; null if there is none. */
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
     * Returns the newest whole checkpoint.
     *
     * @throws IOException if there is none
     */
    public Path newest() throws IOException {
        Path newest = newestSound();
        if (newest == null) {
            throw new IOException(list().isEmpty() ? "No checkpoint in " + folder + ": expected step-*.ckpt files"
                    : "No checkpoint in " + folder + " is whole");
        }
        return newest;
    }

    /** Deletes what killed processes left half written. */
    void deleteAbandoned() throws IOException {
        if (Files.isDirectory(folder)) {
            TemporaryFile.deleteAbandoned(folder, NAME);
        }
    }

    /**
     * Deletes the checkpoints, and the folder if nothing else is in it; a folder that is not there is none.
     *
     * @throws IOException if a file can't be deleted
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

    /** Deletes a folder if nothing is in it. */
    static void deleteIfEmpty(Path folder) throws IOException {
        try {
            if (!Files.isSymbolicLink(folder)) {
                Files.deleteIfExists(folder);
            }
        } catch (DirectoryNotEmptyException e) {
            // Someone else's files stay.
        }
    }

    /** Returns the checkpoints, damaged ones included, oldest first. */
    public List<Path> list() throws IOException {
        return list(NAME);
    }

    private List<Path> list(Pattern name) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(f -> name.matcher(f.getFileName().toString()).matches() && Files.isRegularFile(f))
                    .sorted(Comparator.comparing(Path::getFileName)).toList();
        }
    }
}
