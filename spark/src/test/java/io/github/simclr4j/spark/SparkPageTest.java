// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.spark;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The code on docs/spark.md is code that compiles. */
class SparkPageTest {
    private static String lines(String text) {
        return text.lines().map(String::strip).collect(Collectors.joining("\n"));
    }

    @Test
    void everyBlockOfThePageIsCompiled() throws IOException {
        String code = lines(Files.readString(Path.of("src/test/java/io/github/simclr4j/spark/SparkPage.java")));
        Matcher fence =
                Pattern.compile("(?ms)^```java\\R(.*?)^```$").matcher(Files.readString(Path.of("../docs/spark.md")));
        int found = 0;
        while (fence.find()) {
            found++;
            assertTrue(code.contains(lines(fence.group(1))), fence.group(1));
        }
        assertTrue(found >= 3, "only " + found + " blocks found");
    }
}
