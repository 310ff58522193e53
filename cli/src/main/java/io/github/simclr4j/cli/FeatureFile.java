// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A file of features that is being written, a row an image. What was there before stays until {@link #finish}; closing without it
 * leaves nothing.
 */
interface FeatureFile extends Closeable {
    /** What a file's name may end in. */
    List<String> ENDINGS = List.of(".csv", ".npy", ".parquet", ".arff", ".jsonl", ".bulk.ndjson");

    /**
     * Returns which of {@link #ENDINGS} a file has.
     *
     * @throws IllegalArgumentException if it has none of them
     */
    static String ending(Path file) {
        String name = file.toString().toLowerCase(Locale.ROOT);
        return ENDINGS.stream()
                .filter(name::endsWith)
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "--out must end in " + String.join(", ", ENDINGS.subList(0, ENDINGS.size() - 1)) + " or "
                                + ENDINGS.get(ENDINGS.size() - 1) + ", found " + file));
    }

    /**
     * Opens a file, in the format of its name's ending.
     *
     * @param columns length of an embedding
     * @param classes the names of all classes, none if images have no labels; for formats that declare them
     * @param about what the file says of itself, where its format has a place for that
     */
    static FeatureFile create(Path file, int columns, List<String> classes, Map<String, String> about)
            throws IOException {
        return switch (ending(file)) {
            case ".npy" -> new NpyFeatures(file, columns);
            case ".parquet" -> new ParquetFeatures(file, about);
            case ".arff" -> new ArffFeatures(file, columns, classes, about);
            case ".jsonl" -> new JsonFeatures(file, false);
            case ".bulk.ndjson" -> new JsonFeatures(file, true);
            default -> new CsvFeatures(file, columns);
        };
    }

    /** Returns the other file that is written with a file: the names of an .npy file's rows; null if there is none. */
    static Path namesBeside(Path file) {
        return ending(file).equals(".npy") ? file.resolveSibling(file.getFileName() + ".txt") : null;
    }

    /** Whether a file's names have a line each, so that none may have a line break. */
    static boolean hasLines(Path file) {
        return namesBeside(file) != null;
    }

    /**
     * Appends a row.
     *
     * @param label the image's class, or null; for formats that have a place for it
     */
    void add(String name, String label, float[] features) throws IOException;

    /** Puts the file, with all that was added, in its place. */
    void finish() throws IOException;
}
