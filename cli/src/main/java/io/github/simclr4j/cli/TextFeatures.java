// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.util.TemporaryFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** Writes features as lines of UTF-8 text. */
abstract class TextFeatures implements FeatureFile {
    private final Path file;
    private final TemporaryFile part;

    /**
     * Opens a file.
     *
     * @param head first lines of the file
     */
    TextFeatures(Path file, List<String> head) throws IOException {
        this.file = file;
        part = TemporaryFile.beside(file);
        try {
            for (String line : head) {
                line(line);
            }
        } catch (IOException | RuntimeException e) {
            part.close();
            throw e;
        }
    }

    /** Writes a line, which ends with a line feed on every system. */
    final void line(String text) throws IOException {
        part.stream().write((text + "\n").getBytes(StandardCharsets.UTF_8));
    }

    /** Returns features as decimal numbers, separated by commas; each parses to the same float. */
    static String numbers(float[] features) {
        StringBuilder row = new StringBuilder(12 * features.length);
        for (float f : features) {
            row.append(row.length() == 0 ? "" : ",").append(f);
        }
        return row.toString();
    }

    @Override
    public final void finish() throws IOException {
        part.force();
        part.moveTo(file);
    }

    @Override
    public final void close() throws IOException {
        part.close();
    }
}
