// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Writes a file of features, one row per image. An existing file stays until {@link #finish}; closing without it
 * discards the new rows.
 */
interface FeatureFile extends Closeable {
    /** The supported endings of a file's name. */
    List<String> ENDINGS = List.of(".csv", ".npy", ".parquet", ".arff", ".jsonl", ".bulk.ndjson");

    /**
     * Returns the one of {@link #ENDINGS} that a file has.
     *
     * @throws IllegalArgumentException if the file has none of them
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
     * Opens a file in the format that its ending selects.
     *
     * @param columns length of an embedding
     * @param classes names of all classes, empty if the images have no labels; used by formats that declare them
     * @param about properties of the file, written if its format has a place for them
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

    /** Returns the second file, with the names of the rows, that belongs to an .npy file; null for other formats. */
    static Path namesBeside(Path file) {
        return ending(file).equals(".npy") ? file.resolveSibling(file.getFileName() + ".txt") : null;
    }

    /** Returns whether a file stores one name per line, so that no name may contain a line break. */
    static boolean hasLines(Path file) {
        return namesBeside(file) != null;
    }

    /**
     * Appends a row.
     *
     * @param label the image's class, or null; written if the format has a place for it
     */
    void add(String name, String label, float[] features) throws IOException;

    /** Completes the file with all rows that were added, and replaces an existing one. */
    void finish() throws IOException;
}
