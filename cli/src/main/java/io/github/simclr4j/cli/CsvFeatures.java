// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.tribuo.extraction.ImageFeatureExtractor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Writes features as CSV: a header, then the path and the features of each image. */
final class CsvFeatures extends TextFeatures {
    CsvFeatures(Path file, int columns) throws IOException {
        super(file, List.of("path," + String.join(",", ImageFeatureExtractor.names("h", columns))));
    }

    @Override
    public void add(String name, String label, float[] features) throws IOException {
        line(quote(name) + "," + numbers(features));
    }

    static String quote(String path) {
        return path.matches("(?s).*[\",\n\r].*") ? '"' + path.replace("\"", "\"\"") + '"' : path;
    }
}
