// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.torch;

import ai.djl.engine.Engine;
import ai.djl.engine.EngineException;
import ai.djl.util.Utils;
import io.github.simclr4j.util.OwnerMark;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The folder to which DJL copies libtorch at the first start.
 *
 * <p>DJL copies under a temporary name, which remains if the process is killed. While DJL loads, a marker file lists the temporary
 * names that existed before, so that the next process can tell which ones a killed process of this library has left. Other programs
 * that use DJL share the folder.
 */
final class LibraryCache {
    private static final String KIND = "libtorch";
    /** Temporary names of whole folders, and of the JNI binding, which is in the folder of its libtorch. */
    private static final Pattern FOLDER = Pattern.compile("tmp\\d+");

    private static final Pattern BINDING = Pattern.compile("[^/\\\\]+[/\\\\]jni\\d+tmp");
    /** Files that changed more recently may belong to another program that is still copying. */
    private static final Duration AT_REST = Duration.ofSeconds(3);

    private final Path folder;

    LibraryCache(Path folder) {
        this.folder = folder;
    }

    /** Returns DJL's own folder. */
    static LibraryCache ofDjl() {
        return new LibraryCache(Utils.getEngineCacheDir("pytorch"));
    }

    /**
     * Loads the engine.
     *
     * @param loading loads DJL's engine
     * @throws IllegalStateException if libtorch cannot be copied to the folder; the message names the folder and the remedy
     */
    Engine load(Supplier<Engine> loading) {
        OwnerMark mark = null;
        try {
            mark = mark();
            return loading.get();
        } catch (EngineException e) {
            for (Throwable t = e; t != null; t = t.getCause()) {
                if (t instanceof IOException io) {
                    throw new IllegalStateException(
                            "libtorch can't be copied to " + folder + " (" + io
                                    + "): free some space there, or set the environment variable DJL_CACHE_DIR to another folder",
                            e);
                }
            }
            throw e;
        } finally {
            close(mark);
        }
    }

    /** Creates a mark; null in a read-only folder, to which nothing is copied either. */
    private OwnerMark mark() {
        try {
            Files.createDirectories(folder);
            deleteAbandoned();
            return OwnerMark.create(folder, KIND, List.copyOf(temporary()));
        } catch (IOException | UncheckedIOException e) {
            return null;
        }
    }

    private static void close(OwnerMark mark) {
        try {
            if (mark != null) {
                mark.close();
            }
        } catch (IOException e) {
            // The next process treats it as abandoned and finds nothing to delete.
        }
    }

    /** Deletes what killed processes left, unless a process is copying at the moment. */
    void deleteAbandoned() throws IOException {
        OwnerMark.Found found = OwnerMark.find(folder, KIND);
        for (OwnerMark mark : found.abandoned()) {
            Set<String> left = temporary();
            left.removeAll(mark.lines());
            if (left.isEmpty()) {
                mark.close();
            } else if (found.living() > 0 || !areAtRest(left)) {
                mark.release();
            } else {
                for (String name : left) {
                    delete(folder.resolve(name));
                }
                mark.close();
            }
        }
    }

    /** Returns the paths in the folder that have one of DJL's temporary names. */
    private Set<String> temporary() throws IOException {
        try (Stream<Path> all = Files.find(folder, 2, (p, a) -> {
            String name = folder.relativize(p).toString();
            return a.isDirectory() && FOLDER.matcher(name).matches()
                    || a.isRegularFile() && BINDING.matcher(name).matches();
        })) {
            return all.map(p -> folder.relativize(p).toString()).collect(Collectors.toCollection(TreeSet::new));
        }
    }

    private boolean areAtRest(Set<String> names) throws IOException {
        Instant since = Instant.now().minus(AT_REST);
        for (String name : names) {
            for (Path p : tree(folder.resolve(name))) {
                if (Files.getLastModifiedTime(p, LinkOption.NOFOLLOW_LINKS)
                        .toInstant()
                        .isAfter(since)) {
                    return false;
                }
            }
        }
        return true;
    }

    private static void delete(Path path) throws IOException {
        for (Path p : tree(path)) {
            Files.deleteIfExists(p);
        }
    }

    /** Returns a file or folder with all its content, the deepest first. */
    private static List<Path> tree(Path path) throws IOException {
        try (Stream<Path> all = Files.walk(path)) {
            List<Path> paths = new ArrayList<>(all.toList());
            paths.sort(Comparator.reverseOrder());
            return paths;
        }
    }
}
