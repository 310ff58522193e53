// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A library's messages and comments name its own settings and classes: its callers need not know the command line. */
class OwnWordsTest {
    /** In a string or a comment: an option, a command or what only a command line can do. */
    private static final Pattern COMMAND_LINE =
            Pattern.compile("(?:\"|^\\s*(?:/?\\*|//)).*(?:--[a-z]|\\./simclr|same command|"
                    + "simclr (?:bench|devices|duplicates|embed|evaluate|export|finetune|inspect|mislabelled|neighbours|outliers|pretrain|quickstart|"
                    + "select|verify|views)\\b)");

    @Test
    void noMessageOrCommentNamesTheCommandLine() throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.walk(Path.of("src/main/java"))) {
            files = all.filter(f -> f.toString().endsWith(".java")).sorted().toList();
        }
        assertFalse(files.isEmpty());
        List<String> found = new ArrayList<>();
        for (Path file : files) {
            Files.readAllLines(file).stream()
                    .filter(l -> COMMAND_LINE.matcher(l).find())
                    .forEach(l -> found.add(file + ": " + l.strip()));
        }
        assertEquals(List.of(), found);
    }
}
