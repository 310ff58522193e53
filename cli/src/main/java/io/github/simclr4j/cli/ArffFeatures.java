// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.tribuo.extraction.ImageFeatureExtractor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Writes features in Weka's ARFF: a string {@code path}, a numeric attribute for each feature and, where images have
 * classes, a nominal attribute {@code class} at the end, where Weka expects it. Strings are quoted and escaped as by
 * Weka's own writer.
 *
 * @see <a href="https://waikato.github.io/weka-wiki/formats_and_processing/arff_stable/">The format</a>
 */
final class ArffFeatures extends TextFeatures {
    private final boolean classes;

    /**
     * Opens a file.
     *
     * @param columns length of an embedding
     * @param classes the names of the classes, none if images have no labels
     * @param about properties of the file, written as comments
     */
    ArffFeatures(Path file, int columns, List<String> classes, Map<String, String> about) throws IOException {
        super(file, head(columns, classes, about));
        this.classes = !classes.isEmpty();
    }

    private static List<String> head(int columns, List<String> classes, Map<String, String> about) {
        List<String> head = new ArrayList<>();
        about.forEach((key, value) -> head.add("% " + key + ": " + value));
        head.add("@relation features");
        head.add("@attribute path string");
        for (String name : ImageFeatureExtractor.names("h", columns)) {
            head.add("@attribute " + name + " numeric");
        }
        if (!classes.isEmpty()) {
            head.add("@attribute class {"
                    + String.join(",", classes.stream().map(ArffFeatures::quote).toList()) + "}");
        }
        head.add("@data");
        return head;
    }

    @Override
    public void add(String name, String label, float[] features) throws IOException {
        // A question mark without quotes is a missing value.
        line(quote(name) + "," + numbers(features) + (classes ? "," + (label == null ? "?" : quote(label)) : ""));
    }

    /** Returns a string in single quotes, so that spaces, commas and {@code ?} have no special meaning. */
    static String quote(String text) {
        StringBuilder quoted = new StringBuilder("'");
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '\\', '\'', '"', '%' -> quoted.append('\\').append(c);
                case '\n' -> quoted.append("\\n");
                case '\r' -> quoted.append("\\r");
                case '\t' -> quoted.append("\\t");
                default -> quoted.append(c);
            }
        }
        return quoted.append('\'').toString();
    }
}
