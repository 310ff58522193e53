// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.spark;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The code on docs/spark.md is code that compiles. */
class SparkPageTest {
    /** Removes line breaks and indentation, which the formatter sets differently from the page. */
    private static String bare(String text) {
        return text.replaceAll("\\s", "");
    }

    @Test
    void everyBlockOfThePageIsCompiled() throws IOException {
        String code = bare(Files.readString(Path.of("src/test/java/io/github/simclr4j/spark/SparkPage.java")));
        Matcher fence =
                Pattern.compile("(?ms)^```java\\R(.*?)^```$").matcher(Files.readString(Path.of("../docs/spark.md")));
        int found = 0;
        while (fence.find()) {
            found++;
            assertTrue(code.contains(bare(fence.group(1))), fence.group(1));
        }
        assertTrue(found >= 3, "only " + found + " blocks found");
    }
}
